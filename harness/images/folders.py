"""Images in one directory per class, as in torchvision's ``ImageFolder``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from harness.images.arrays import RawImages, check_shape, times
from harness.tasks import Task

_SUFFIXES = (".png", ".jpg", ".jpeg")
_FORMATS = ("PNG", "JPEG")
_SPLITS = {"train", "val", "valid", "validation", "test"}
_MODES = {1: "L", 3: "RGB"}
"""Pillow's mode for each number of channels."""

_EIGHT_BITS = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"}
_MOST_BYTES = 4 << 30


def class_folders(folder: Path) -> list[Path]:
    """The class directories in the order of their names; those of ``train`` if there are splits.

    Names are compared as text, as in ``ImageFolder``: ``10`` comes before ``2``. Hidden directories are ignored.

    Returns:
        The directories; none if they have no images.
    """
    found = _subfolders(folder)
    by_split = {path.name.casefold(): path for path in found}
    if "train" in by_split and by_split.keys() <= _SPLITS:
        found = _subfolders(by_split["train"])
    return found if any(_is_picture(path) for each in found for path in each.iterdir()) else []


def read_class_folders(folder: Path, task: Task, any_size: bool) -> RawImages:
    """Read the images of all classes, class by class, each in the order of their names.

    The images have no labels if the number of classes differs from the task's.

    Raises:
        DataError: if a class has no images, or an image is damaged or differs in size from the first.
    """
    name, folders, channels = folder.resolve().name, class_folders(folder), task.image_shape[-3]
    if len(task.image_shape) != 3 or channels not in _MODES:
        raise DataError(f"{name} is a directory of images, but {task.dataset} needs {times(task.image_shape)}")
    files = [(path, label) for label, each in enumerate(folders) for path in _pictures(each)]
    empty = sorted(set(range(len(folders))) - {label for _, label in files})
    if empty:
        raise DataError(f"{name}: no PNG or JPEG images in the directory '{folders[empty[0]].name}'")
    pixels: NDArray[np.uint8] | None = None
    for row, (path, _) in enumerate(files):
        image = _read_picture(path, channels)
        if pixels is None:
            check_shape(path.name, image.shape, task, any_size)
            if len(files) * image.nbytes > _MOST_BYTES:
                raise DataError(
                    f"{name} has {len(files):,} images of {times(image.shape)}, more than {_MOST_BYTES >> 30} GiB: "
                    "give a directory with fewer; a few hundred are enough for the mini-batches"
                )
            pixels = np.empty((len(files), *image.shape), dtype=np.uint8)
        if image.shape != pixels.shape[1:]:
            raise DataError(
                f"{name}: '{path.parent.name}/{path.name}' is {times(image.shape)}, but the images before it are "
                f"{times(pixels.shape[1:])} (channels×height×width); give images of one size"
            )
        pixels[row] = image
    assert pixels is not None
    if len(folders) == task.classes:
        return RawImages(pixels, np.array([label for _, label in files], dtype=np.int64))
    ends = f"'{folders[0].name}' to '{folders[-1].name}'"
    reason = f"has {len(folders)} class directories, {ends}, but {task.dataset} has {task.classes} classes"
    return RawImages(pixels, None, reason)


def _subfolders(folder: Path) -> list[Path]:
    hidden = (".", "__")
    found = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(hidden)]
    return sorted(found, key=lambda path: path.name)


def _pictures(folder: Path) -> Iterator[Path]:
    """The images below a directory, in the order of ``ImageFolder``."""
    for root, _, names in sorted(os.walk(folder, followlinks=True)):
        for name in sorted(names):
            if _is_picture(Path(root, name)):
                yield Path(root, name)


def _is_picture(path: Path) -> bool:
    return path.suffix.casefold() in _SUFFIXES and not path.name.startswith(".")


def _read_picture(path: Path, channels: int) -> NDArray[np.uint8]:
    """The pixels of an image, (channels, height, width)."""
    from PIL import Image, UnidentifiedImageError

    place = f"{path.parent.name}/{path.name}"
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            mode = picture.mode
            pixels = np.asarray(picture.convert(_MODES[channels])) if mode in _EIGHT_BITS else None
    except Exception as error:
        # A damaged file can fail in any way.
        # Pillow's message has the full path if the format is unknown.
        cause = "" if isinstance(error, UnidentifiedImageError) else f" ({' '.join(str(error).split())})"
        raise DataError(f"{place} is damaged, or not a PNG or JPEG image{cause}") from None
    if pixels is None:
        raise DataError(f"{place} is an image with unsupported mode '{mode}'; expected: 8 bits per channel")
    return np.moveaxis(pixels, -1, 0) if channels > 1 else pixels[None]
