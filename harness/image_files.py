"""Reading images and labels from the files that the data sets are published as, or from an ``.npz``.

What a file is, is told by its contents, not by its name: CIFAR-10's binary records have 3,073 bytes, CIFAR-100's 3,074.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Task
from harness.data.plain_arrays import read_npz
from harness.data.plain_pickle import as_array, load_plain
from harness.errors import DataError

_CIFAR_PIXELS = 3 * 32 * 32
_EXPECTED = (
    "data_batch_1.bin … of CIFAR-10's binary version, train.bin of CIFAR-100's, train_data_batch_1 … of ImageNet16, "
    "or an .npz file"
)


@dataclass(frozen=True, eq=False)
class RawImages:
    """What one file holds.

    Attributes:
        pixels: (N, channels, height, width); uint8 as published, or float32 taken as normalised.
        labels: (N,), from 0, or whatever the task asks for; None where the file has none.
    """

    pixels: NDArray[Any]
    labels: NDArray[Any] | None


def list_files(source: Path) -> list[Path]:
    """The training files in a data set's folder in the order of their numbers, or the file itself.

    Raises:
        DataError: if nothing is there, or the folder holds no training file of a known kind.
    """
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise DataError(f"there is no file or folder of images at '{source}'")
    for pattern in (r"data_batch_\d+\.bin", r"train\.bin", r"train_data_batch_\d+"):
        files = [path for path in source.iterdir() if re.fullmatch(pattern, path.name) and path.is_file()]
        if files:
            return sorted(files, key=lambda path: (len(path.name), path.name))
    raise DataError(f"the folder '{source.name}' holds no images that this reads; it should hold {_EXPECTED}")


def read_file(path: Path, task: Task, any_size: bool = False) -> RawImages:
    """The images of one file, whose shape and labels must be those of the task.

    Args:
        path: the file.
        task: what the images are for.
        any_size: whether the images may be of another height and width.

    Raises:
        DataError: if the file is of another kind, truncated, or holds other images than the task's.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise DataError(f"{path.name} is empty")
    if start[:2] == b"PK":
        return _read_npz(path, task, any_size)
    if start[0] == 0x80 and start[1] in range(2, 6):
        return _read_imagenet16(path, task, any_size)
    if start[:2] == b"\x1f\x8b":
        raise DataError(f"{path.name} is a compressed archive: extract it and give the extracted folder")
    return _read_cifar(path, task, any_size)


def _fits(shape: tuple[int, ...], task: Task, any_size: bool) -> bool:
    return shape == task.image_shape or (
        any_size and len(shape) == len(task.image_shape) and shape[:-2] == task.image_shape[:-2]
    )


def _check_shape(name: str, shape: tuple[int, ...], task: Task, any_size: bool) -> None:
    if not _fits(shape, task, any_size):
        found, wanted = ("×".join(map(str, sizes)) for sizes in (shape, task.image_shape))
        hint = "" if any_size else " (--resolution resizes images)"
        raise DataError(
            f"{name} holds images of {found} (channels×height×width), but {task.dataset} has {wanted}{hint}"
        )


def _read_cifar(path: Path, task: Task, any_size: bool) -> RawImages:
    """CIFAR's binary version: label bytes (CIFAR-100: coarse, then fine), then 3×32×32 bytes; the fine label counts."""
    data = np.fromfile(path, dtype=np.uint8)
    for name, classes, label_bytes in (("CIFAR-10", (10,), 1), ("CIFAR-100", (20, 100), 2)):
        if len(data) % (label_bytes + _CIFAR_PIXELS):
            continue
        records = data.reshape(-1, label_bytes + _CIFAR_PIXELS)
        if (records[:, :label_bytes] < np.array(classes)).all():
            _check_shape(path.name, (3, 32, 32), task, any_size)
            if task.classes != classes[-1]:
                raise DataError(
                    f"{path.name} holds {name} ({classes[-1]} classes), but {task.dataset} has {task.classes} classes"
                )
            labels = records[:, label_bytes - 1].astype(np.int64)
            return RawImages(records[:, label_bytes:].reshape(-1, 3, 32, 32), labels)
    raise DataError(
        f"{path.name} is truncated or of another kind: its {len(data):,} bytes are no whole records of CIFAR-10 "
        f"(3,073 bytes) or CIFAR-100 (3,074 bytes) with valid labels; wanted: {_EXPECTED}"
    )


def _read_imagenet16(path: Path, task: Task, any_size: bool) -> RawImages:
    """A batch of ImageNet16: a pickle with ``data`` (N, 3·16·16) and ``labels`` from 1.

    A task of k classes takes the images whose label is 1..k, as ImageNet16-120 is defined (Dong & Yang, ICLR 2020).
    """
    with path.open("rb") as file:
        content = load_plain(file, path.name)
    if isinstance(content, dict) and "batch_label" in content:
        raise DataError(f"{path.name} is CIFAR's Python version; get the binary version and give its .bin files")
    if not isinstance(content, dict) or not {"data", "labels"} <= content.keys():
        raise DataError(f"{path.name} is no batch of ImageNet16: it lacks 'data' or 'labels'; wanted: {_EXPECTED}")
    pixels = as_array(content["data"])
    if pixels is None or pixels.ndim != 2 or pixels.dtype != np.uint8 or len(pixels) != len(content["labels"]):
        raise DataError(f"{path.name} is no batch of ImageNet16: its 'data' is no uint8 array with one row per label")
    side = round((pixels.shape[1] / 3) ** 0.5)
    shape = (3, side, side) if 3 * side * side == pixels.shape[1] else (1, 1, pixels.shape[1])
    _check_shape(path.name, shape, task, any_size)
    stored = as_array(content["labels"])
    labels = np.asarray(content["labels"] if stored is None else stored, dtype=np.int64) - 1
    if len(labels) and labels.min() < 0:
        raise DataError(f"{path.name} holds the label {labels.min() + 1}, but ImageNet16's labels start at 1")
    wanted = labels < task.classes
    return RawImages(pixels[wanted].reshape(-1, *shape), labels[wanted])


def _read_npz(path: Path, task: Task, any_size: bool) -> RawImages:
    """``images``, uint8 or normalised float, (N, C, H, W) or (N, H, W, C), and perhaps ``labels`` from 0."""
    try:
        arrays = read_npz(path, ("images", "labels"))
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name} is damaged, or no .npz file of plain arrays ({error})") from None
    names, images, labels = arrays.names, arrays.read.get("images"), arrays.read.get("labels")
    if images is None:
        raise DataError(f"{path.name} has no array 'images'; it holds {', '.join(names) or 'nothing'}")
    axes = len(task.image_shape) + 1
    if images.ndim != axes or not (images.dtype == np.uint8 or images.dtype.kind == "f"):
        wanted = "(N, C, H, W)" if axes == 4 else f"{axes} axes, (N, {', '.join(map(str, task.image_shape))})"
        raise DataError(f"{path.name}: 'images' is {images.dtype} {images.shape}; wanted uint8 or float, {wanted}")
    if not _fits(images.shape[1:], task, any_size):
        channels_first = np.moveaxis(images, -1, -3)
        if _fits(channels_first.shape[1:], task, any_size):
            images = channels_first
    _check_shape(path.name, images.shape[1:], task, any_size)
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise DataError(f"{path.name}: 'images' holds NaN or infinite values")
    if labels is None:
        return RawImages(images, None)
    return RawImages(images, labels)
