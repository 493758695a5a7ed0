"""Mini-batches for the proxies: real images, or declared noise."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Task
from harness.errors import DataError, HarnessError
from harness.image_files import RawImages, list_files, read_file
from harness.seeds import derive_seed

if TYPE_CHECKING:
    import torch

NOISE = "noise"
NOISE_IMAGES = 4096

PIXEL_STATISTICS = {
    "cifar10": ((125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
    "cifar100": ((129.3, 124.1, 112.4), (68.2, 65.4, 70.4)),
    "ImageNet16-120": ((122.68, 116.66, 104.01), (63.22, 61.26, 65.09)),
}
"""Mean and standard deviation of each channel, of 255, that NAS-Bench-201 normalises with (Dong & Yang, ICLR 2020)."""


@dataclass(frozen=True)
class Batch:
    """One mini-batch.

    Attributes:
        images: float32, (size, channels, height, width), normalised.
        labels: int64, (size,).
    """

    images: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True, eq=False)
class Images:
    """Images to draw mini-batches from.

    Attributes:
        pixels: float32, (N, channels, height, width), normalised.
        labels: int64, (N,), from 0.
        description: one line that is printed beside every table made with these images.
        noise: whether these are no real images.
    """

    pixels: NDArray[np.float32]
    labels: NDArray[np.int64]
    description: str
    noise: bool = False

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that differ for other pixels, labels or shapes."""
        digest = hashlib.blake2b(repr((self.pixels.shape, self.labels.shape)).encode(), digest_size=8)
        digest.update(np.ascontiguousarray(self.pixels, dtype="<f4").data)
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        return digest.hexdigest()

    def batches(self, size: int, count: int, seed: int) -> list[Batch]:
        """Disjoint mini-batches, drawn uniformly without replacement; the same for the same images and seed.

        Args:
            size: images per batch.
            count: how many batches.
            seed: the first images drawn are the same for every size and count.

        Raises:
            HarnessError: if there are too few images.
        """
        if size < 1 or count < 1:
            raise HarnessError(f"{count} batches of {size} images were asked for; ask for at least one of one image")
        available = len(self.labels)
        if available < size * count:
            raise HarnessError(
                f"{count} disjoint batches of {size} need {size * count:,} images, but there are {available:,} "
                f"({self.description}); give more images or ask for a smaller batch"
            )
        import torch

        order = np.random.default_rng(derive_seed("batches", seed)).permutation(available)
        return [
            Batch(torch.from_numpy(self.pixels[chosen]), torch.from_numpy(self.labels[chosen]))
            for chosen in order[: size * count].reshape(count, size)
        ]


def load_images(source: str | Path, task: Task, seed: int = 0, labels: Literal["file", "random"] = "file") -> Images:
    """Images for a task from a file, from a data set's folder, or Gaussian noise.

    Published uint8 images are normalised with the mean and standard deviation that the benchmark trained with (the
    images' own for a data set that has none in ``PIXEL_STATISTICS``). Nothing is augmented.

    Args:
        source: the binary files of CIFAR-10 or CIFAR-100 or their folder, the batches of ImageNet16 or their folder,
            an ``.npz`` with ``images`` and ``labels``, or the word ``noise``.
        task: the shape and the classes that the images must have.
        seed: for noise and for random labels.
        labels: ``random`` puts uniformly drawn labels in place of the file's; the description then says so.

    Raises:
        DataError: if the source is missing, damaged, or holds other images than the task's.
    """
    rng = np.random.default_rng(derive_seed("images", task.dataset, seed))
    if str(source) == NOISE:
        return _noise(task, rng)
    files = list_files(Path(source))
    parts = [read_file(path, task) for path in files]
    pixels, treatment = _normalise(_join_pixels(parts, files), task)
    names = files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more files"
    description = f"{len(pixels):,} images of {names}, {treatment}, no augmentation"
    if labels == "random":
        return Images(pixels, rng.integers(task.classes, size=len(pixels)), f"{description}, random labels")
    return Images(pixels, _join_labels(parts, files, task), description)


def _noise(task: Task, rng: np.random.Generator) -> Images:
    pixels = rng.standard_normal((NOISE_IMAGES, *task.image_shape), dtype=np.float32)
    drawn = rng.integers(task.classes, size=NOISE_IMAGES)
    description = f"{NOISE_IMAGES:,} images of Gaussian noise with random labels (no real images)"
    return Images(pixels, drawn, description, noise=True)


def _join_pixels(parts: list[RawImages], files: list[Path]) -> NDArray[np.uint8] | NDArray[np.float32]:
    pixels = np.concatenate([part.pixels for part in parts])
    if not len(pixels):
        raise DataError(f"{files[0].name} holds no image")
    return pixels


def _join_labels(parts: list[RawImages], files: list[Path], task: Task) -> NDArray[np.int64]:
    remedy = f"give integers 0..{task.classes - 1}, or ask for random labels (--random-labels)"
    joined: list[NDArray[np.int64]] = []
    for part, path in zip(parts, files, strict=True):
        if part.labels is None:
            raise DataError(f"{path.name} has no array 'labels': {remedy}")
        outside = part.labels[(part.labels < 0) | (part.labels >= task.classes)]
        if len(outside):
            raise DataError(
                f"{path.name} holds the label {outside[0]} and {len(outside) - 1:,} more that are none of the "
                f"{task.classes} classes of {task.dataset}: {remedy}"
            )
        joined.append(part.labels)
    return np.concatenate(joined)


def _normalise(pixels: NDArray[np.uint8] | NDArray[np.float32], task: Task) -> tuple[NDArray[np.float32], str]:
    """Pixels with mean 0 and standard deviation 1 for each channel of the training set, and words that say how."""
    if pixels.dtype.kind == "f":
        return pixels.astype(np.float32), "float values as they are"
    per_channel = (1, -1, 1, 1)
    if task.dataset in PIXEL_STATISTICS:
        mean, deviation = (np.array(values, dtype=np.float32) for values in PIXEL_STATISTICS[task.dataset])
        treatment = f"normalised as {task.dataset}"
    else:
        mean, deviation = pixels.mean(axis=(0, 2, 3)), pixels.std(axis=(0, 2, 3))
        treatment = "normalised by their own mean and deviation"
    deviation = np.where(deviation == 0, 1, deviation).astype(np.float32)
    normalised = pixels.astype(np.float32)
    normalised -= mean.astype(np.float32).reshape(per_channel)
    normalised /= deviation.reshape(per_channel)
    return normalised, treatment
