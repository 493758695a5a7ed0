"""What every format of image files ends in: arrays of pixels and labels, in one layout and one range of values."""

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
"""What arrays of images are called, and the arrays of labels that go with each."""

NAMES = "images and labels, x_train and y_train, train_images and train_labels, x and y, or data and targets"

_MOST_DEVIATIONS = 20
"""A normalised value is no more deviations from the mean than this."""


@dataclass(frozen=True, eq=False)
class RawImages:
    """What one file holds.

    Attributes:
        pixels: (N, channels, height, width), or (N, tiles, channels, height, width): uint8, or float32 of the same
            range, 0 to 255; float32 of any range where they are normalised already.
        labels: (N,), from 0, or whatever the task asks for; None where the file has none.
        unlabelled: why there are no labels, for the message; it continues the file's name.
        normalised: whether the pixels are to be taken as they are.
    """

    pixels: NDArray[Any]
    labels: NDArray[Any] | None
    unlabelled: str = "has no array 'labels'"
    normalised: bool = False


def choose_names(names: list[str], file: str) -> tuple[str, str | None]:
    """Which of the named arrays are the images and their labels; upper and lower case are the same.

    >>> choose_names(["X_train", "y_train", "x_test"], "cifar10.npz")
    ('X_train', 'y_train')

    Raises:
        DataError: if there are none, or several, of which nothing says which is meant.
    """
    images = [name for name in names if name.casefold() in LABELS_OF]
    if not images:
        raise DataError(f"{file} has no array 'images'; it holds {listed(names)}; wanted: {NAMES}")
    labels = [name for name in names if name.casefold() in LABELS_OF[images[0].casefold()]]
    for kind, found in (("images", images), ("labels", labels)):
        if len(found) > 1:
            raise DataError(f"{file} holds '{found[0]}' and '{found[1]}': keep only the {kind} that are meant")
    return images[0], labels[0] if labels else None


def raw_images(arrays: Mapping[str, NDArray[Any]], file: str, task: Task, any_size: bool) -> RawImages:
    """Images and labels in the layout and the range of values that they are published in.

    Args:
        arrays: the images and perhaps the labels, by their names, as :func:`choose_names` takes them.
        file: the file's name, for messages.
        task: what the images are for.
        any_size: whether they may be of another height and width.

    Raises:
        DataError: if they have another shape than the task's, two layouts are possible, or the values are of no
            known range.
    """
    name, labels_name = choose_names(list(arrays), file)
    images = _channels_first(arrays[name], name, file, task, any_size)
    pixels, normalised = _pixel_values(images, name, file)
    labels = None if labels_name is None else arrays[labels_name]
    expected = " or ".join(f"'{each}'" for each in LABELS_OF[name.casefold()])
    return RawImages(pixels, labels, f"has no array {expected}", normalised)


def fits(shape: tuple[int, ...], task: Task, any_size: bool) -> bool:
    """Whether an image of that shape is one of the task's."""
    return shape == task.image_shape or (
        any_size and len(shape) == len(task.image_shape) and shape[:-2] == task.image_shape[:-2]
    )


def check_shape(name: str, shape: tuple[int, ...], task: Task, any_size: bool) -> None:
    """Refuse images of another shape than the task's.

    Raises:
        DataError: with both shapes.
    """
    if not fits(shape, task, any_size):
        found, wanted = ("×".join(map(str, sizes)) for sizes in (shape, task.image_shape))
        hint = "" if any_size else " (--resolution resizes images)"
        raise DataError(
            f"{name} holds images of {found} (channels×height×width), but {task.dataset} has {wanted}{hint}"
        )


def class_numbers(labels: NDArray[Any], classes: int, file: str) -> NDArray[Any]:
    """Labels of classes in one dimension: (N, 1) is made flat, and one-hot rows, (N, classes), become numbers.

    What is neither stays as it is.

    Raises:
        DataError: if a row of (N, classes) is not one-hot.
    """
    if labels.ndim != 2:
        return labels
    if labels.shape[1] == 1:
        return labels[:, 0]
    if labels.shape[1] != classes:
        return labels
    hot = labels == 1
    wrong = np.flatnonzero((hot.sum(axis=1) != 1) | ~(hot | (labels == 0)).all(axis=1))
    if len(wrong):
        raise DataError(
            f"{file}: row {wrong[0] + 1:,} of 'labels' is not one-hot; wanted: a 1 among zeros, or one integer"
        )
    numbers: NDArray[np.int64] = hot.argmax(axis=1)
    return numbers


def _channels_first(images: NDArray[Any], name: str, file: str, task: Task, any_size: bool) -> NDArray[Any]:
    """The images as (N, …, channels, height, width)."""
    axes = len(task.image_shape) + 1
    if images.ndim == axes - 1 and task.image_shape[-3] == 1:
        images = np.expand_dims(images, -3)
    if images.ndim != axes or not (images.dtype == np.uint8 or images.dtype.kind == "f"):
        wanted = (
            "(N, C, H, W) or (N, H, W, C)"
            if axes == 4
            else f"{axes} axes, (N, {', '.join(map(str, task.image_shape))})"
        )
        raise DataError(f"{file}: '{name}' is {images.dtype} {images.shape}; wanted uint8 or float, {wanted}")
    moved = np.moveaxis(images, -1, -3)
    if fits(moved.shape[1:], task, any_size):
        if fits(images.shape[1:], task, any_size):
            raise DataError(
                f"{file}: '{name}' is {images.shape}, where the channels may come first or last; move them so that "
                "only one is possible, or give images of another size"
            )
        images = moved
    check_shape(file, images.shape[1:], task, any_size)
    return images


def _pixel_values(images: NDArray[Any], name: str, file: str) -> tuple[NDArray[Any], bool]:
    """The values on the scale of bytes, or as they are if they are normalised already, and which of the two."""
    if images.dtype == np.uint8 or not images.size:
        return images, False
    if not np.isfinite(images).all():
        raise DataError(f"{file}: '{name}' holds NaN or infinite values")
    # A byte that was divided by 255 is found again however the division was rounded.
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
        f"{file}: '{name}' holds floats from {low:g} to {high:g}; wanted: bytes (0 to 255), floats from 0 to 1, or "
        f"normalised values (around 0, none beyond ±{_MOST_DEVIATIONS})"
    )
