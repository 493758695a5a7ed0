"""The common form of all image formats: arrays of pixels and labels, in one layout and one range of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness._utils.names import listed
from harness.errors import DataError
from harness.tasks import Task

LABELS_OF = {
    "images": ("labels",),
    "x_train": ("y_train",),
    "train_images": ("train_labels",),
    "x": ("y",),
    "data": ("labels", "targets"),
}
"""Supported names for arrays of images, each with the names for its labels."""

NAMES = "images and labels, x_train and y_train, train_images and train_labels, x and y, or data and targets"

_MOST_DEVIATIONS = 20
"""The largest normalised value, in standard deviations from the mean."""


@dataclass(frozen=True, eq=False)
class RawImages:
    """The content of one file.

    Attributes:
        pixels: (N, channels, height, width), or (N, tiles, channels, height, width): uint8, or float32 of the same
            range, 0 to 255; float32 of any range if they are already normalised.
        labels: (N,), from 0, or other targets of the task; None if the file has none.
        unlabelled: why there are no labels, for the message; it follows the file's name.
        normalised: whether to leave the pixels unchanged.
    """

    pixels: NDArray[Any]
    labels: NDArray[Any] | None
    unlabelled: str = "has no array 'labels'"
    normalised: bool = False


def choose_names(names: list[str], file: str) -> tuple[str, str | None]:
    """Find the arrays of images and labels by name, ignoring case.

    >>> choose_names(["X_train", "y_train", "x_test"], "cifar10.npz")
    ('X_train', 'y_train')

    Raises:
        DataError: if there are no images, or if the choice is ambiguous.
    """
    images = [name for name in names if name.casefold() in LABELS_OF]
    if not images:
        raise DataError(f"{file} has no array 'images' (it has: {listed(names)}); expected: {NAMES}")
    labels = [name for name in names if name.casefold() in LABELS_OF[images[0].casefold()]]
    for kind, found in (("images", images), ("labels", labels)):
        if len(found) > 1:
            raise DataError(f"{file} has both '{found[0]}' and '{found[1]}': keep only the {kind} to use")
    return images[0], labels[0] if labels else None


def raw_images(arrays: Mapping[str, NDArray[Any]], file: str, task: Task, any_size: bool) -> RawImages:
    """Convert images and optionally labels, named as in :func:`choose_names`, from any layout and range of values.

    ``any_size`` says whether they may have another height and width than the task's.

    Raises:
        DataError: if their shape does not fit the task, the layout is ambiguous, or the range of values is unknown.
    """
    name, labels_name = choose_names(list(arrays), file)
    images = _channels_first(arrays[name], name, file, task, any_size)
    pixels, normalised = _pixel_values(images, name, file)
    labels = None if labels_name is None else arrays[labels_name]
    expected = " or ".join(f"'{each}'" for each in LABELS_OF[name.casefold()])
    return RawImages(pixels, labels, f"has no array {expected}", normalised)


def fits(shape: tuple[int, ...], task: Task, any_size: bool) -> bool:
    """Whether an image of this shape fits the task."""
    return shape == task.image_shape or (
        any_size and len(shape) == len(task.image_shape) and shape[:-2] == task.image_shape[:-2]
    )


def check_shape(name: str, shape: tuple[int, ...], task: Task, any_size: bool) -> None:
    """Refuse images with a shape that does not fit the task.

    Raises:
        DataError: if it does not; the message gives both shapes.
    """
    if not fits(shape, task, any_size):
        hint = "" if any_size else " (resize images with --resolution)"
        raise DataError(
            f"{name} has images of {times(shape)} (channels×height×width), but {task.dataset} needs "
            f"{times(task.image_shape)}{hint}"
        )


def times(shape: tuple[int, ...]) -> str:
    """A shape for messages, such as ``3×32×32``."""
    return "×".join(map(str, shape))


def class_numbers(labels: NDArray[Any], classes: int, file: str) -> NDArray[Any]:
    """Class labels as one-dimensional numbers: flattens (N, 1), and decodes one-hot rows, (N, classes).

    All other labels are returned unchanged.

    Raises:
        DataError: if a row of (N, classes) is not one-hot.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    if labels.ndim != 2 or labels.shape[1] != classes:
        return labels
    hot = labels == 1
    wrong = np.flatnonzero((hot.sum(axis=1) != 1) | ~(hot | (labels == 0)).all(axis=1))
    if len(wrong):
        raise DataError(
            f"{file}: row {wrong[0] + 1:,} of 'labels' is not one-hot; expected: a single 1 among zeros, or one integer"
        )
    numbers: NDArray[np.int64] = hot.argmax(axis=1)
    return numbers


def _channels_first(images: NDArray[Any], name: str, file: str, task: Task, any_size: bool) -> NDArray[Any]:
    """The images as (N, …, channels, height, width)."""
    axes = len(task.image_shape) + 1
    if images.ndim == axes - 1 and task.image_shape[-3] == 1:
        images = np.expand_dims(images, -3)
    if images.ndim != axes or not (images.dtype == np.uint8 or images.dtype.kind == "f"):
        tiles = f"{axes} axes, (N, {', '.join(map(str, task.image_shape))})"
        wanted = "(N, C, H, W) or (N, H, W, C)" if axes == 4 else tiles
        raise DataError(f"{file}: '{name}' is {images.dtype} {images.shape}; expected: uint8 or float, {wanted}")
    moved = np.moveaxis(images, -1, -3)
    if fits(moved.shape[1:], task, any_size):
        if fits(images.shape[1:], task, any_size):
            raise DataError(
                f"{file}: the layout of '{name}', {images.shape}, is ambiguous: channels may come first or last; give "
                "images of another size"
            )
        images = moved
    check_shape(file, images.shape[1:], task, any_size)
    return images


def _pixel_values(images: NDArray[Any], name: str, file: str) -> tuple[NDArray[Any], bool]:
    """The values, scaled to 0–255 unless they are already normalised, and whether they are."""
    if images.dtype == np.uint8 or not images.size:
        return images, False
    if not np.isfinite(images).all():
        raise DataError(f"{file}: '{name}' has NaN or infinite values")
    # Recovers bytes that were divided by 255, with any rounding.
    rounding = min(0.25, 4 * 255 * float(max(np.finfo(images.dtype).eps, np.finfo(np.float32).eps)))
    values = images.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    if low < 0 and max(-low, high) <= _MOST_DEVIATIONS:
        return values, True
    if low >= 0 and high <= 1:
        values *= 255
        whole = np.rint(values)
        return (whole.astype(np.uint8) if np.abs(values - whole).max() <= rounding else values), False
    if low >= 0 and high <= 255 and (values == np.rint(values)).all():
        return values.astype(np.uint8), False
    raise DataError(
        f"{file}: '{name}' has floats from {low:g} to {high:g}; expected: bytes (0 to 255), floats from 0 to 1, or "
        f"normalised values (around 0, within ±{_MOST_DEVIATIONS})"
    )
