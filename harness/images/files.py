"""Read images and labels from published data sets and from files of other libraries.

The content of a file determines its kind, not its name: CIFAR-10's binary records have 3,073 bytes, CIFAR-100's 3,074.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness._utils.plain_arrays import read_npy, read_npz
from harness._utils.plain_pickle import as_array, load_plain
from harness.errors import DataError
from harness.images.arrays import LABELS_OF, RawImages, check_shape, choose_names, raw_images
from harness.images.folders import class_folders, read_class_folders
from harness.tasks import Task

_CIFAR_PIXELS = 3 * 32 * 32
_CIFAR = ("cifar10", "cifar100")
_TRAINING_FILES = (
    r"data_batch_\d+\.bin",
    r"train\.bin",
    r"data_batch_\d+",
    r"train",
    r"train_data_batch_\d+",
    r"(images|x_train|train_images)\.npy",
)
"""Names of training files in a data set's directory, ignoring case."""

_EXPECTED = (
    "data_batch_1.bin … of CIFAR-10's binary version or train.bin of CIFAR-100's, their Python versions, "
    "train_data_batch_1 … of ImageNet16, an .npz or .pt file or a pair of .npy files of images and labels, or one "
    "directory of PNG or JPEG images per class (docs/data.md)"
)
_OLD_TORCH = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
"""The start of a file by ``torch.save`` before it wrote zip archives."""

_OTHER_KINDS = {
    b"\x1f\x8b": "a compressed archive: extract it and give the extracted directory",
    b"BZh": "a compressed archive: extract it and give the extracted directory",
    b"\xfd7zXZ": "a compressed archive: extract it and give the extracted directory",
    b"\x89PNG": "a single image: give a directory with one directory of images per class",
    b"\xff\xd8\xff": "a single image: give a directory with one directory of images per class",
    b"\x89HDF": f"an HDF5 file; expected: {_EXPECTED}",
    b"PAR1": f"a Parquet file; expected: {_EXPECTED}",
}


def list_files(source: Path) -> list[Path]:
    """The training files in a data set's directory, in the order of their numbers, or the file itself.

    Raises:
        DataError: if the path does not exist, or the directory has no supported training files.
    """
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise DataError(f"no file or directory of images at '{source}'")
    for pattern in _TRAINING_FILES:
        files = [
            path for path in source.iterdir() if re.fullmatch(pattern, path.name, re.IGNORECASE) and path.is_file()
        ]
        if len(files) > 1 and r"\d" not in pattern:
            raise DataError(
                f"the directory '{source.name}' has both '{files[0].name}' and '{files[1].name}': give one of them"
            )
        if files:
            return sorted(files, key=lambda path: (len(path.name), path.name))
    if class_folders(source):
        return [source]
    raise DataError(f"no supported images in the directory '{source.name}'; expected: {_EXPECTED}{_hint(source)}")


def is_data_set(source: Path) -> bool:
    """Whether a directory has training files of a supported data set."""
    try:
        return bool(list_files(source))
    except DataError:
        return False


def _hint(source: Path) -> str:
    """Suggest a directory or file inside."""
    for path in sorted(source.iterdir()):
        if path.is_dir():
            names = [inner.name for inner in path.iterdir()]
            found = any(re.fullmatch(pattern, name, re.IGNORECASE) for pattern in _TRAINING_FILES for name in names)
        else:
            found = path.suffix.casefold() in (".npz", ".pt", ".pth", ".npy")
        if found:
            return f"; did you mean '{path.name}' in it?"
    return ""


def read_file(path: Path, task: Task, any_size: bool = False) -> RawImages:
    """Read the images of one file; their shape and labels must fit the task.

    Args:
        path: the file.
        task: the task of the images.
        any_size: whether the images may have another height and width.

    Raises:
        DataError: if the file is of another kind, truncated, or does not fit the task.
    """
    if path.is_dir():
        return read_class_folders(path, task, any_size)
    with path.open("rb") as file:
        start = file.read(len(_OLD_TORCH))
    if not start:
        raise DataError(f"{path.name} is empty")
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise DataError(f"{path.name} is {kind}")
    if start[:2] == b"PK":
        return _read_zip(path, task, any_size)
    if start == _OLD_TORCH:
        return _read_tensors(path, task, any_size)
    if start.startswith(b"\x93NUMPY"):
        return _read_pair(path, task, any_size)
    if start[0] == 0x80 and start[1] in range(2, 6):
        return _read_pickle(path, task, any_size)
    return _read_cifar(path, task, any_size)


def _read_cifar(path: Path, task: Task, any_size: bool) -> RawImages:
    """CIFAR's binary version: label bytes (CIFAR-100: coarse, then fine), then 3×32×32 bytes; uses the fine label."""
    data = np.fromfile(path, dtype=np.uint8)
    for name, classes, label_bytes in (("CIFAR-10", (10,), 1), ("CIFAR-100", (20, 100), 2)):
        if len(data) % (label_bytes + _CIFAR_PIXELS):
            continue
        records = data.reshape(-1, label_bytes + _CIFAR_PIXELS)
        if (records[:, :label_bytes] < np.array(classes)).all():
            check_shape(path.name, (3, 32, 32), task, any_size)
            labels = records[:, label_bytes - 1].astype(np.int64)
            return _of_classes(records[:, label_bytes:].reshape(-1, 3, 32, 32), labels, name, classes[-1], task)
    raise DataError(
        f"{path.name} is truncated or unsupported: its {len(data):,} bytes are not complete records of CIFAR-10 "
        f"(3,073 bytes) or CIFAR-100 (3,074 bytes) with valid labels; expected: {_EXPECTED}"
    )


def _read_pickle(path: Path, task: Task, any_size: bool) -> RawImages:
    """A batch of CIFAR's Python version or of ImageNet16, read without running any code in it."""
    with path.open("rb") as file:
        content = load_plain(file, path.name)
    if isinstance(content, dict):
        content = {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in content.items()}
        if content.keys() & {"fine_labels", "batch_label", "filenames"}:
            return _read_cifar_python(path, content, task, any_size)
    return _read_imagenet16(path, content, task, any_size)


def _read_cifar_python(path: Path, content: dict[Any, Any], task: Task, any_size: bool) -> RawImages:
    """A batch as torchvision unpacks it: ``data`` (N, 3·32·32) and ``labels``; for CIFAR-100 ``fine_labels``."""
    name, classes, key = ("CIFAR-100", 100, "fine_labels") if "fine_labels" in content else ("CIFAR-10", 10, "labels")
    pixels, labels = _rows(path, content, key, f"{name}'s Python version")
    check_shape(path.name, _square(pixels), task, any_size)
    return _of_classes(pixels.reshape(-1, *_square(pixels)), labels, name, classes, task)


def _of_classes(pixels: NDArray[np.uint8], labels: NDArray[np.int64], name: str, classes: int, task: Task) -> RawImages:
    """Images with the labels of a data set; without them if the task has other classes, as for random labels."""
    if task.classes == classes:
        return RawImages(pixels, labels)
    return RawImages(pixels, None, f"is {name} ({classes} classes), but {task.dataset} has {task.classes} classes")


def _read_imagenet16(path: Path, content: Any, task: Task, any_size: bool) -> RawImages:
    """A batch of ImageNet16: a pickle with ``data`` (N, 3·16·16) and ``labels`` from 1.

    A task with k classes uses the images with labels 1..k, as defined for ImageNet16-120 (Dong & Yang, ICLR 2020).
    """
    pixels, labels = _rows(path, content, "labels", "ImageNet16")
    if task.dataset in _CIFAR:
        raise DataError(
            f"{path.name} is a batch of ImageNet, or one of CIFAR without 'batch_label' or 'fine_labels'; "
            f"expected for {task.dataset}: {_EXPECTED}"
        )
    check_shape(path.name, _square(pixels), task, any_size)
    labels = labels - 1
    if len(labels) and labels.min() < 0:
        raise DataError(f"{path.name} has the label {labels.min() + 1}, but ImageNet16's labels start at 1")
    wanted = labels < task.classes
    return RawImages(pixels[wanted].reshape(-1, *_square(pixels)), labels[wanted])


def _rows(path: Path, content: Any, key: str, kind: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The pixels, (N, channels·height·width), and the labels, (N,), of a pickled batch."""
    if not isinstance(content, dict) or not {"data", key} <= content.keys():
        raise DataError(f"{path.name} is not a batch of {kind}: 'data' or '{key}' is missing; expected: {_EXPECTED}")
    pixels, stored = as_array(content["data"]), as_array(content[key])
    try:
        labels = np.asarray(content[key] if stored is None else stored)
        fit = labels.ndim == 1 and (labels.dtype.kind in "iu" or not len(labels))
    except ValueError:
        fit = False
    if not fit:
        raise DataError(f"{path.name} is not a batch of {kind}: its '{key}' is not a list of integers")
    if pixels is None or pixels.ndim != 2 or pixels.dtype != np.uint8 or len(pixels) != len(labels):
        raise DataError(f"{path.name} is not a batch of {kind}: its 'data' is not a uint8 array with one row per label")
    return pixels, labels.astype(np.int64)


def _square(pixels: NDArray[np.uint8]) -> tuple[int, int, int]:
    side = round((pixels.shape[1] / 3) ** 0.5)
    return (3, side, side) if 3 * side * side == pixels.shape[1] else (1, 1, pixels.shape[1])


def _read_zip(path: Path, task: Task, any_size: bool) -> RawImages:
    """An ``.npz`` file, or one written by ``torch.save`` today: both are zip archives."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (OSError, zipfile.BadZipFile, EOFError, ValueError) as error:
        raise DataError(f"{path.name} is damaged, or not an .npz file of plain arrays ({error})") from None
    if any(name.endswith("/data.pkl") for name in members):
        return _read_tensors(path, task, any_size)
    if members and not any(name.endswith(".npy") for name in members):
        raise DataError(f"{path.name} is a zip archive of other files: extract it and give the extracted directory")
    return _read_npz(path, members, task, any_size)


def _read_npz(path: Path, members: list[str], task: Task, any_size: bool) -> RawImages:
    images, labels = choose_names([name.removesuffix(".npy") for name in members], path.name)
    try:
        arrays = read_npz(path, tuple(filter(None, (images, labels)))).read
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name} is damaged, or not an .npz file of plain arrays ({error})") from None
    return raw_images(arrays, path.name, task, any_size)


def _read_pair(path: Path, task: Task, any_size: bool) -> RawImages:
    """A ``.npy`` file of images, and the file of labels beside it, if any: ``images.npy`` and ``labels.npy``."""
    wanted = LABELS_OF.get(path.stem.casefold(), ())
    beside = [
        other
        for other in path.parent.iterdir()
        if other.suffix.casefold() == ".npy" and other.stem.casefold() in wanted
    ]
    # A file with any other name has images without labels.
    names = {path.stem if wanted else "images": path} | {other.stem: other for other in sorted(beside)}
    arrays = {}
    for name, file in names.items():
        try:
            arrays[name] = read_npy(file)
        except (ValueError, OSError) as error:
            raise DataError(f"{file.name} is damaged, or not an .npy file of a plain array ({error})") from None
    return raw_images(arrays, path.name, task, any_size)


def _read_tensors(path: Path, task: Task, any_size: bool) -> RawImages:
    """Tensors saved by ``torch.save``: (images, labels), a dictionary with these names, or only images.

    They are read with ``weights_only``, which runs no code.
    """
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A damaged file can fail in any way: in the zip archive, in the pickle, or in what the pickle calls.
        refused = re.search(r"GLOBAL ([\w.]+)", str(error))
        found = (
            f"has an unsupported '{refused[1]}'" if refused else f"is damaged ({(str(error).splitlines() or [''])[0]})"
        )
        raise DataError(
            f"{path.name} {found}; expected: only tensors, saved by torch.save((images, labels), file)"
        ) from None
    if isinstance(content, torch.Tensor):
        content = {"images": content}
    elif isinstance(content, list | tuple) and len(content) == 2:
        content = dict(zip(("images", "labels"), content, strict=True))
    tensors = {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}
    arrays = {
        key: (value.float() if value.dtype == torch.bfloat16 else value).detach().numpy()
        for key, value in tensors.items()
        if isinstance(value, torch.Tensor) and value.layout == torch.strided and not value.is_quantized
    }
    if not arrays:
        raise DataError(
            f"{path.name} has a {type(content).__name__} without tensors; expected: torch.save((images, labels), file)"
        )
    return raw_images(arrays, path.name, task, any_size)
