"""Reading images and labels from the files that the data sets are published as, or that other libraries write.

What a file is, is told by its contents, not by its name: CIFAR-10's binary records have 3,073 bytes, CIFAR-100's 3,074.
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
"""What the training files of a data set's folder are called, in upper or lower case."""

_EXPECTED = (
    "data_batch_1.bin … of CIFAR-10's binary version or train.bin of CIFAR-100's, their Python versions, "
    "train_data_batch_1 … of ImageNet16, an .npz or .pt file or a pair of .npy files of images and labels, or a folder "
    "of PNG or JPEG images for each class (docs/data.md)"
)
_OLD_TORCH = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
"""What ``torch.save`` began a file with before it wrote zip archives."""

_OTHER_KINDS = {
    b"\x1f\x8b": "a compressed archive: extract it and give the extracted folder",
    b"BZh": "a compressed archive: extract it and give the extracted folder",
    b"\xfd7zXZ": "a compressed archive: extract it and give the extracted folder",
    b"\x89PNG": "one image: give a folder that holds a folder of images for each class",
    b"\xff\xd8\xff": "one image: give a folder that holds a folder of images for each class",
    b"\x89HDF": f"an HDF5 file; wanted: {_EXPECTED}",
    b"PAR1": f"a Parquet file; wanted: {_EXPECTED}",
}


def list_files(source: Path) -> list[Path]:
    """The training files in a data set's folder in the order of their numbers, or the file itself.

    Raises:
        DataError: if nothing is there, or the folder holds no training file of a known kind.
    """
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise DataError(f"there is no file or folder of images at '{source}'")
    for pattern in _TRAINING_FILES:
        files = [
            path for path in source.iterdir() if re.fullmatch(pattern, path.name, re.IGNORECASE) and path.is_file()
        ]
        if len(files) > 1 and r"\d" not in pattern:
            raise DataError(
                f"the folder '{source.name}' holds '{files[0].name}' and '{files[1].name}': give one of them"
            )
        if files:
            return sorted(files, key=lambda path: (len(path.name), path.name))
    if class_folders(source):
        return [source]
    raise DataError(
        f"the folder '{source.name}' holds no images that this reads; it should hold {_EXPECTED}{_hint(source)}"
    )


def _hint(source: Path) -> str:
    """The folder or file inside that may be meant."""
    for path in sorted(source.iterdir()):
        if path.is_dir():
            names = [inner.name for inner in path.iterdir()]
            found = any(re.fullmatch(pattern, name, re.IGNORECASE) for pattern in _TRAINING_FILES for name in names)
        else:
            found = path.suffix.casefold() in (".npz", ".pt", ".pth", ".npy")
        if found:
            return f"; perhaps you mean '{path.name}' in it"
    return ""


def read_file(path: Path, task: Task, any_size: bool = False) -> RawImages:
    """The images of one file, whose shape and labels must be those of the task.

    Args:
        path: the file.
        task: what the images are for.
        any_size: whether the images may be of another height and width.

    Raises:
        DataError: if the file is of another kind, truncated, or holds other images than the task's.
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
    """CIFAR's binary version: label bytes (CIFAR-100: coarse, then fine), then 3×32×32 bytes; the fine label counts."""
    data = np.fromfile(path, dtype=np.uint8)
    for name, classes, label_bytes in (("CIFAR-10", (10,), 1), ("CIFAR-100", (20, 100), 2)):
        if len(data) % (label_bytes + _CIFAR_PIXELS):
            continue
        records = data.reshape(-1, label_bytes + _CIFAR_PIXELS)
        if (records[:, :label_bytes] < np.array(classes)).all():
            check_shape(path.name, (3, 32, 32), task, any_size)
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


def _read_pickle(path: Path, task: Task, any_size: bool) -> RawImages:
    """A batch of CIFAR's Python version or of ImageNet16, read without running anything that it holds."""
    with path.open("rb") as file:
        content = load_plain(file, path.name)
    if isinstance(content, dict):
        content = {key.decode("latin1") if isinstance(key, bytes) else key: value for key, value in content.items()}
        if content.keys() & {"fine_labels", "batch_label", "filenames"}:
            return _read_cifar_python(path, content, task, any_size)
    return _read_imagenet16(path, content, task, any_size)


def _read_cifar_python(path: Path, content: dict[Any, Any], task: Task, any_size: bool) -> RawImages:
    """A batch as torchvision unpacks it: ``data`` (N, 3·32·32) and ``labels``, of CIFAR-100 ``fine_labels``."""
    name, classes, key = ("CIFAR-100", 100, "fine_labels") if "fine_labels" in content else ("CIFAR-10", 10, "labels")
    pixels, labels = _rows(path, content, key, f"{name}'s Python version")
    check_shape(path.name, _square(pixels), task, any_size)
    if task.classes != classes:
        raise DataError(f"{path.name} holds {name} ({classes} classes), but {task.dataset} has {task.classes} classes")
    return RawImages(pixels.reshape(-1, *_square(pixels)), labels)


def _read_imagenet16(path: Path, content: Any, task: Task, any_size: bool) -> RawImages:
    """A batch of ImageNet16: a pickle with ``data`` (N, 3·16·16) and ``labels`` from 1.

    A task of k classes takes the images whose label is 1..k, as ImageNet16-120 is defined (Dong & Yang, ICLR 2020).
    """
    pixels, labels = _rows(path, content, "labels", "ImageNet16")
    if task.dataset in _CIFAR:
        raise DataError(
            f"{path.name} is a batch of ImageNet, or one of CIFAR without 'batch_label' or 'fine_labels'; "
            f"wanted for {task.dataset}: {_EXPECTED}"
        )
    check_shape(path.name, _square(pixels), task, any_size)
    labels = labels - 1
    if len(labels) and labels.min() < 0:
        raise DataError(f"{path.name} holds the label {labels.min() + 1}, but ImageNet16's labels start at 1")
    wanted = labels < task.classes
    return RawImages(pixels[wanted].reshape(-1, *_square(pixels)), labels[wanted])


def _rows(path: Path, content: Any, key: str, kind: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The pixels, (N, channels·height·width), and the labels, (N,), of a pickled batch."""
    if not isinstance(content, dict) or not {"data", key} <= content.keys():
        raise DataError(f"{path.name} is no batch of {kind}: it lacks 'data' or '{key}'; wanted: {_EXPECTED}")
    pixels, stored = as_array(content["data"]), as_array(content[key])
    try:
        labels = np.asarray(content[key] if stored is None else stored)
        fit = labels.ndim == 1 and (labels.dtype.kind in "iu" or not len(labels))
    except ValueError:
        fit = False
    if not fit:
        raise DataError(f"{path.name} is no batch of {kind}: its '{key}' is no list of integers")
    if pixels is None or pixels.ndim != 2 or pixels.dtype != np.uint8 or len(pixels) != len(labels):
        raise DataError(f"{path.name} is no batch of {kind}: its 'data' is no uint8 array with one row per label")
    return pixels, labels.astype(np.int64)


def _square(pixels: NDArray[np.uint8]) -> tuple[int, int, int]:
    side = round((pixels.shape[1] / 3) ** 0.5)
    return (3, side, side) if 3 * side * side == pixels.shape[1] else (1, 1, pixels.shape[1])


def _read_zip(path: Path, task: Task, any_size: bool) -> RawImages:
    """An ``.npz``, or what ``torch.save`` writes today: both are zip archives."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (OSError, zipfile.BadZipFile, EOFError, ValueError) as error:
        raise DataError(f"{path.name} is damaged, or no .npz file of plain arrays ({error})") from None
    if any(name.endswith("/data.pkl") for name in members):
        return _read_tensors(path, task, any_size)
    if members and not any(name.endswith(".npy") for name in members):
        raise DataError(f"{path.name} is a zip archive of other files: extract it and give the extracted folder")
    return _read_npz(path, members, task, any_size)


def _read_npz(path: Path, members: list[str], task: Task, any_size: bool) -> RawImages:
    images, labels = choose_names([name.removesuffix(".npy") for name in members], path.name)
    try:
        arrays = read_npz(path, tuple(filter(None, (images, labels)))).read
    except (ValueError, OSError) as error:
        raise DataError(f"{path.name} is damaged, or no .npz file of plain arrays ({error})") from None
    return raw_images(arrays, path.name, task, any_size)


def _read_pair(path: Path, task: Task, any_size: bool) -> RawImages:
    """A ``.npy`` of images, and that of the labels where it lies beside it: ``images.npy`` and ``labels.npy``."""
    wanted = LABELS_OF.get(path.stem.casefold(), ())
    beside = [
        other
        for other in path.parent.iterdir()
        if other.suffix.casefold() == ".npy" and other.stem.casefold() in wanted
    ]
    # A file of any other name holds images without labels.
    names = {path.stem if wanted else "images": path} | {other.stem: other for other in sorted(beside)}
    arrays = {}
    for name, file in names.items():
        try:
            arrays[name] = read_npy(file)
        except (ValueError, OSError) as error:
            raise DataError(f"{file.name} is damaged, or no .npy file of a plain array ({error})") from None
    return raw_images(arrays, path.name, task, any_size)


def _read_tensors(path: Path, task: Task, any_size: bool) -> RawImages:
    """What ``torch.save`` wrote of tensors: (images, labels), a dictionary with the same names, or the images alone.

    It is read with ``weights_only``, which runs no code.
    """
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A damaged file can fail in any way: in the zip archive, in the pickle, or in what it calls.
        refused = re.search(r"GLOBAL ([\w.]+)", str(error))
        found = f"holds '{refused[1]}'" if refused else f"is damaged ({(str(error).splitlines() or [''])[0]})"
        raise DataError(
            f"{path.name} {found}; wanted: tensors alone, saved by torch.save((images, labels), file)"
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
            f"{path.name} holds a {type(content).__name__} without tensors; wanted: torch.save((images, labels), file)"
        )
    return raw_images(arrays, path.name, task, any_size)
