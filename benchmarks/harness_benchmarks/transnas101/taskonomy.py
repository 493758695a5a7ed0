"""Images and labels of TransNAS-Bench-101's seven tasks from a directory of Taskonomy.

Images and labels are processed as the benchmark did for validation: images are resized and normalised, and labels
reduced to the classes that it kept (yawen-d/TransNASBench, ``configs/train_from_scratch/<task>/config.py`` and
``lib/data/load_ops.py``). There is no augmentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness._utils.names import unknown_name
from harness.errors import DataError, HarnessError, UnknownNameError
from harness_benchmarks.transnas101 import taskonomy_files as files
from harness_benchmarks.transnas101.jigsaw import TILES, puzzle, read_permutations
from harness_benchmarks.transnas101.taskonomy_classes import OBJECTS, SCENES
from harness_benchmarks.transnas101.taskonomy_files import Domain, View

SEGMENTS = 17
"""The classes of segmentation: background and 16 of MS COCO; pixels that are uncertain in Taskonomy are background."""

_LAYOUT_NUMBERS = 9
_FLIPS, _COLOURS = "mirrors images", "jitters colours"


Targets = NDArray[np.float32] | NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Views:
    """Images of one task with their targets.

    Attributes:
        pixels: float32, (N, 3, height, width), normalised; for ``jigsaw`` (N, 9, 3, height, width) in 0..1.
        targets: float32 probabilities (N, classes) for ``class_object`` and ``class_scene``; float32 (N, 9) for
            ``room_layout``; int64 (N, height, width) for ``segmentsemantic``; float32 (N, 3, height, width) for
            ``normal`` (in 0..1) and ``autoencoder`` (the pixels themselves); int64 (N,) for ``jigsaw``.
        description: one line for the heading of tables made with these images.
    """

    pixels: NDArray[np.float32]
    targets: Targets
    description: str


@dataclass(frozen=True)
class Recipe:
    """How a task's images and labels are prepared.

    Attributes:
        label: the domain of its labels, or of the images if labels are made from them.
        mean: the mean of each colour, on a scale of 0..1; None: keep the pixels in 0..1.
        deviation: the standard deviation of each colour.
        augmentation: the random augmentation of the benchmark's training, which is not done here.
    """

    label: Domain
    mean: tuple[float, float, float] | None
    deviation: tuple[float, float, float] | None
    augmentation: tuple[str, ...]


_TAKEN = ((0.5224, 0.5222, 0.5221), (0.2234, 0.2235, 0.2236))
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

RECIPES: Mapping[str, Recipe] = {
    "class_scene": Recipe(files.CLASS_SCENE, *_TAKEN, (_FLIPS, _COLOURS)),
    "class_object": Recipe(files.CLASS_OBJECT, *_TAKEN, (_FLIPS, _COLOURS)),
    "room_layout": Recipe(files.ROOM_LAYOUT, *_TAKEN, (_COLOURS,)),
    "jigsaw": Recipe(files.RGB, None, None, (_FLIPS, _COLOURS, "greys some")),
    "segmentsemantic": Recipe(files.SEMANTIC_SEGMENTS, *_HALF, (_FLIPS, _COLOURS)),
    "normal": Recipe(files.NORMAL, *_HALF, ()),
    "autoencoder": Recipe(files.RGB, *_HALF, (_FLIPS, _COLOURS)),
}
"""Each task's recipe."""


def read_views(folder: Path, task: str, limit: int, seed: int, resolution: int) -> Views:
    """Images of a task, drawn uniformly from a directory of Taskonomy.

    All files are listed, but only those of the drawn views are opened. The drawn views do not depend on the resolution,
    and are the same for all tasks that have labels for the same views.

    Args:
        folder: the directory, see :func:`harness_benchmarks.transnas101.taskonomy_files.find_views`.
        task: one of the seven tasks.
        limit: the maximum number of views.
        seed: the seed for drawing views, and for the puzzles of ``jigsaw``.
        resolution: height and width of the images, or of one tile for ``jigsaw``. The benchmark used 256 and 64.

    Raises:
        UnknownNameError: if the task does not exist.
        HarnessError: if limit or resolution is less than 1.
        DataError: if a required directory or file is missing, or a file is damaged or not an image or label of the
            task; the message names the file and what is expected.
    """
    if task not in RECIPES:
        raise UnknownNameError(unknown_name("task of TransNAS-Bench-101", task, RECIPES))
    if limit < 1 or resolution < 1:
        raise HarnessError(f"{limit} views of {resolution} pixels were asked for; ask for at least one of one pixel")
    recipe = RECIPES[task]
    available = files.find_views(folder, recipe.label)
    views = files.draw_views(available, limit, seed)
    if task == "jigsaw":
        pixels, targets, words = _puzzles(folder, views, resolution, seed)
    else:
        pixels, targets, words = _labelled(views, task, resolution)
    training = f" (training {' and '.join(recipe.augmentation)})" if recipe.augmentation else ""
    normalised = "in 0 to 1" if recipe.mean is None else "normalised as in training"
    description = (
        f"{len(views):,} of {len(available):,} views of Taskonomy in {folder.name} for {task}, "
        f"{resolution}×{resolution}{words}, {normalised}, no augmentation{training}"
    )
    return Views(pixels, targets, description)


def _labelled(views: list[View], task: str, resolution: int) -> tuple[NDArray[np.float32], Targets, str]:
    """Pixels and targets of a task with labels from files, or with the images as labels."""
    recipe = RECIPES[task]
    mean, deviation = (np.array(part, dtype=np.float32)[:, None, None] for part in (recipe.mean, recipe.deviation))
    pixels = np.empty((len(views), 3, resolution, resolution), dtype=np.float32)
    targets: list[NDArray[Any]] = []
    for index, view in enumerate(views):
        picture = _open_colours(view.image)
        pixels[index] = (_resized(picture, resolution) - mean) / deviation
        if task != "autoencoder":
            targets.append(_TARGETS[task](view.label, picture.size, resolution))
    return pixels, np.stack(targets) if targets else pixels, ""


def _puzzles(folder: Path, views: list[View], tile: int, seed: int) -> tuple[NDArray[np.float32], Targets, str]:
    """Pixels and targets of ``jigsaw``, and a description of its permutations."""
    permutations, words = read_permutations(folder)
    pixels = np.empty((len(views), TILES, 3, tile, tile), dtype=np.float32)
    targets = np.empty(len(views), dtype=np.int64)
    for index, view in enumerate(views):
        pixels[index], targets[index] = puzzle(_open_colours(view.image), permutations, tile, seed, view.name)
    return pixels, targets, f" tiles, {words}"


def _open_colours(path: Path) -> Image.Image:
    return files.read_picture(path, ("RGB", "RGBA")).convert("RGB")


def _resized(picture: Image.Image, resolution: int) -> NDArray[np.float32]:
    """A picture as an array (3, resolution, resolution) in 0..1."""
    return _as_pixels(np.asarray(picture.resize((resolution, resolution), Image.Resampling.BILINEAR)))


def _as_pixels(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Move the colours before height and width, and scale them to 0..1."""
    return np.moveaxis(values, -1, -3).astype(np.float32) / np.float32(255)


def _probabilities(path: Path, classes: int, kept: tuple[int, ...]) -> NDArray[np.float32]:
    """The published probabilities of the classes that the benchmark kept, normalised to a sum of 1."""
    published = files.read_array(path, classes)
    # Probabilities are published as 32-bit numbers and may exceed 1 by rounding.
    if published.min() < 0 or published.max() > 1 + 1e-4:
        raise DataError(
            f"{files.place_of(path)} has values from {published.min():g} to {published.max():g}; expected: "
            "probabilities, 0 to 1"
        )
    chosen = published[list(kept)]
    if not chosen.sum() > 0:
        raise DataError(f"{files.place_of(path)} gives no probability to any of the {len(kept)} classes of the task")
    shares: NDArray[np.float32] = (chosen / chosen.sum()).astype(np.float32)
    return shares


def _segments(label: Path, size: tuple[int, int], resolution: int) -> NDArray[np.int64]:
    """The class of each pixel, starting at 0; in the file, uncertain pixels are 0 and the background is 1."""
    picture = files.read_picture(label, ("L",))
    _check_size(label, picture, size)
    greatest = int(np.asarray(picture).max())
    if greatest > SEGMENTS:
        raise DataError(f"{files.place_of(label)} has the label {greatest}; expected: 0..{SEGMENTS}")
    small = np.asarray(picture.resize((resolution, resolution), Image.Resampling.NEAREST)).astype(np.int64)
    return np.maximum(small, 1) - 1


def _normals(label: Path, size: tuple[int, int], resolution: int) -> NDArray[np.float32]:
    """Surface normals as the colours of the file, in 0..1."""
    picture = _open_colours(label)
    _check_size(label, picture, size)
    return _resized(picture, resolution)


def _check_size(path: Path, label: Image.Image, size: tuple[int, int]) -> None:
    if label.size != size:
        found, wanted = ("×".join(map(str, pair)) for pair in (label.size, size))
        raise DataError(f"{files.place_of(path)} has {found} pixels; expected: {wanted}, as its image has")


_TARGETS: Mapping[str, Callable[[Path, tuple[int, int], int], NDArray[Any]]] = {
    "class_scene": lambda label, size, resolution: _probabilities(label, 365, SCENES),
    "class_object": lambda label, size, resolution: _probabilities(label, 1000, OBJECTS),
    # Centre, rotation and size of the room, standardised in the file.
    "room_layout": lambda label, size, resolution: files.read_array(label, _LAYOUT_NUMBERS).astype(np.float32),
    "segmentsemantic": _segments,
    "normal": _normals,
}
"""The target of one view from its label's file, the size of its image, and the resolution."""
