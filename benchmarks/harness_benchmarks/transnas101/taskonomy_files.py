"""Taskonomy's files: finding the views in a folder, and opening a picture or an array with checks.

A view is what one camera sees, ``point_<p>_view_<v>`` of a building; a domain is one kind of image or label of it
(Zamir et al., "Taskonomy", CVPR 2018).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness._utils.plain_arrays import read_npy
from harness.errors import DataError
from harness.seeds import derive_seed


@dataclass(frozen=True)
class Domain:
    """One kind of file.

    Attributes:
        name: the domain, which is its folder's name and the end of its files' names.
        suffix: ``png`` or ``npy``.
        aliases: other spellings that its folder or its files are published under.
    """

    name: str
    suffix: str
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Every spelling."""
        return frozenset((self.name, *self.aliases))

    @property
    def example(self) -> str:
        """The name of one file, for messages."""
        return f"point_0_view_0_domain_{self.name}.{self.suffix}"


RGB = Domain("rgb", "png")
CLASS_OBJECT = Domain("class_object", "npy")
CLASS_SCENE = Domain("class_scene", "npy", ("class_places",))
NORMAL = Domain("normal", "png")
ROOM_LAYOUT = Domain("room_layout", "npy")
SEMANTIC_SEGMENTS = Domain("segmentsemantic", "png", ("segment_semantic",))

_DOMAINS = (RGB, CLASS_OBJECT, CLASS_SCENE, NORMAL, ROOM_LAYOUT, SEMANTIC_SEGMENTS)
# A building has tens of thousands of files in folders that no task needs: they are not even listed.
_UNUSED_FOLDERS = frozenset(
    (
        *("depth_euclidean", "depth_zbuffer", "edge_occlusion", "edge_texture", "fragments", "keypoints2d"),
        *("keypoints3d", "mask_valid", "nonfixated_matches", "point_info", "points", "principal_curvature"),
        *("reshading", "rgb_large", "segment_unsup25d", "segment_unsup2d"),
    )
)
_FILE = re.compile(r"(point_\d+_view_\d+)_domain_(\w+)\.(png|npy)")


@dataclass(frozen=True)
class View:
    """One view of a building.

    Attributes:
        name: such as ``allensville/point_0_view_3``.
        image: its file in the domain ``rgb``.
        label: its file in the label's domain.
    """

    name: str
    image: Path
    label: Path


def has_images(folder: Path) -> bool:
    """Whether the directory has any image of Taskonomy."""
    return bool(_list_files(folder, {RGB})[RGB])


def find_views(folder: Path, label: Domain) -> list[View]:
    """Every view that has both an image and a label, sorted by name; no file is opened.

    Read are ``<building>/<domain>/<file>``, as TransNAS-Bench-101 laid the files out, and
    ``<domain>/taskonomy/<building>/<file>``, as Omnidata's download tool does, with or without the middle folder.

    Raises:
        DataError: if the folder is missing, no view has both, or one view is there twice.
    """
    if not folder.is_dir():
        raise DataError(f"no directory '{folder}'; expected: a folder of Taskonomy")
    files = _list_files(folder, {RGB, label})
    images, labels = files[RGB], files[label]
    if not images:
        raise DataError(
            f"the directory '{folder.name}' has no image of Taskonomy; expected: <building>/rgb/{RGB.example} "
            f"or rgb/<building>/{RGB.example}"
        )
    both = sorted(images.keys() & labels.keys())
    if not both:
        raise DataError(
            f"the directory '{folder.name}' has {len(images):,} images and {len(labels):,} labels of the domain "
            f"'{label.name}', but none of one view; expected: <building>/{label.name}/{label.example}{_origin(label)}"
        )
    return [View(name, images[name], labels[name]) for name in both]


def _origin(label: Domain) -> str:
    """Where labels come from that Taskonomy does not publish as files of their own."""
    if label is not ROOM_LAYOUT:
        return ""
    return (
        ": nine numbers, which point_info2room_layout of the benchmark's lib/data/load_ops.py computes from "
        "Taskonomy's point_info"
    )


def _list_files(folder: Path, wanted: set[Domain]) -> dict[Domain, dict[str, Path]]:
    """The files of each requested domain, by the view's name."""
    domains = {(spelling, domain.suffix): domain for domain in wanted for spelling in domain.names}
    unused = _UNUSED_FOLDERS.union(*(domain.names for domain in _DOMAINS if domain not in wanted))
    found: dict[Domain, dict[str, Path]] = {domain: {} for domain in wanted}
    for directory, subfolders, names in os.walk(folder):
        subfolders[:] = [name for name in subfolders if name not in unused]
        place = Path(directory)
        for match in filter(None, map(_FILE.fullmatch, names)):
            domain = domains.get((match[2], match[3]))
            if domain is None:
                continue
            building = [part for part in place.relative_to(folder).parts if part not in domain.names]
            view, path = "/".join([*building, match[1]]), place / match[0]
            other = found[domain].setdefault(view, path)
            if other != path:
                first, second = sorted(file.relative_to(folder).as_posix() for file in (other, path))
                raise DataError(
                    f"the directory '{folder.name}' has the {domain.name} of {view} twice, as {first} and {second}; "
                    "give a folder with one of them"
                )
    return found


def draw_views(views: Sequence[View], limit: int, seed: int) -> list[View]:
    """Views drawn uniformly without replacement; those of a smaller limit begin those of a larger one."""
    order = np.random.default_rng(derive_seed("taskonomy", seed)).permutation(len(views))
    return [views[index] for index in order[:limit]]


def place_of(path: Path) -> str:
    """How messages call a file: with its two nearest folders."""
    return "/".join(path.parts[-3:])


def read_picture(path: Path, modes: tuple[str, ...]) -> Image.Image:
    """A PNG in one of the given modes of Pillow, such as ``RGB``, or ``L`` for one channel of 8 bits.

    Raises:
        DataError: if the file is damaged or of another kind.
    """
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            picture.load()
    except Exception as error:
        # A damaged file can fail in any way.
        raise DataError(f"{place_of(path)} is damaged or no PNG ({' '.join(str(error).split())})") from None
    if picture.mode not in modes:
        raise DataError(f"{place_of(path)} is a PNG of the mode '{picture.mode}'; expected: {' or '.join(modes)}")
    return picture


def load_array(path: Path) -> NDArray[Any]:
    """The array of a ``.npy`` file.

    Raises:
        DataError: if the file is damaged, of another kind, or contains Python objects.
    """
    try:
        return read_npy(path)
    except (ValueError, OSError) as error:
        raise DataError(f"{place_of(path)} is damaged or no .npy of numbers ({' '.join(str(error).split())})") from None


def read_array(path: Path, length: int) -> NDArray[np.float64]:
    """The array of a ``.npy`` file with so many finite numbers.

    Raises:
        DataError: if the file is damaged or contains anything else.
    """
    array = load_array(path)
    if array.shape != (length,) or array.dtype.kind not in "fiu":
        raise DataError(f"{place_of(path)} is {array.dtype} {array.shape}; expected: {length:,} numbers")
    if not np.isfinite(array).all():
        raise DataError(f"{place_of(path)} contains NaN or infinite values")
    return array.astype(np.float64)
