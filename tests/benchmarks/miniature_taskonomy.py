"""A miniature Taskonomy on disk."""

import numpy as np
from harness_benchmarks.transnas101 import taskonomy_files as files
from harness_benchmarks.transnas101.taskonomy import RECIPES
from PIL import Image

SIDE = 12
VIEWS = [(building, point, view) for building in ("allensville", "tolstoy") for point in (0, 2, 10) for view in (0, 1)]


def stem(point, view):
    return f"point_{point}_view_{view}_domain_"


def write_views(root):
    """Two buildings of six views, each view with every label."""
    rng = np.random.default_rng(0)
    for building, point, view in VIEWS:
        pictures = {"rgb": (SIDE, SIDE, 3), "normal": (SIDE, SIDE, 3)}
        contents = {name: rng.integers(256, size=shape) for name, shape in pictures.items()}
        contents["segmentsemantic"] = rng.integers(18, size=(SIDE, SIDE))
        for name, content in contents.items():
            path = root / building / name / f"{stem(point, view)}{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(content.astype(np.uint8)).save(path)
        arrays = {name: rng.dirichlet(np.ones(size)) for name, size in (("class_object", 1000), ("class_scene", 365))}
        for name, array in {**arrays, "room_layout": rng.standard_normal(9)}.items():
            path = root / building / name / f"{stem(point, view)}{name}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, array.astype(np.float32))
    return root


def drawn_names(folder, task, limit=12, seed=0):
    views = files.find_views(folder, RECIPES[task].label)
    return [view.name for view in files.draw_views(views, limit, seed)]
