"""Mini-batches for the proxies: real images, or declared noise."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness._utils.arguments import accepts, one_of, optional, whole
from harness._utils.arguments import path as path_of
from harness.errors import DataError, HarnessError
from harness.images.arrays import RawImages, class_numbers
from harness.images.files import list_files, read_file
from harness.images.resizing import resize_images, resize_targets
from harness.seeds import derive_seed
from harness.tasks import CLASSES, Objective, Task

if TYPE_CHECKING:
    import torch

__all__ = ["NOISE", "Batch", "Images", "load_images"]

NOISE = "noise"
NOISE_IMAGES = 4096
"""Number of noise images; fewer if they are large, so that there are at most ``NOISE_VALUES`` numbers."""

NOISE_VALUES = 2**26

PIXEL_STATISTICS = {
    "cifar10": ((125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
    "cifar100": ((129.3, 124.1, 112.4), (68.2, 65.4, 70.4)),
    "ImageNet16-120": ((122.68, 116.66, 104.01), (63.22, 61.26, 65.09)),
}
"""Mean and standard deviation of each channel (scale 0–255) as in NAS-Bench-201 (Dong & Yang, ICLR 2020)."""

RANDOM_LABELS = ", random labels"
"""The end of the description of images whose labels were replaced."""


@dataclass(frozen=True)
class Batch:
    """One mini-batch.

    Attributes:
        images: float32, (size, channels, height, width), normalised; (size, tiles, …) if images are cut into tiles.
        labels: int64, (size,); for tasks other than classification, one target per image.
    """

    images: torch.Tensor
    labels: torch.Tensor

    def __repr__(self) -> str:
        """Its shapes."""
        return f"<mini-batch: images {tuple(self.images.shape)}, targets {tuple(self.labels.shape)}>"


@dataclass(frozen=True, eq=False)
class Images:
    """Images to draw mini-batches from.

    Attributes:
        pixels: float32, (N, channels, height, width), normalised; (N, tiles, …) if images are cut into tiles.
        labels: int64, (N,), from 0; for tasks other than classification, one target per image.
        description: one line that is printed with every table computed from these images.
        noise: whether the images are noise.
    """

    pixels: NDArray[np.float32]
    labels: NDArray[Any]
    description: str
    noise: bool = False

    def __repr__(self) -> str:
        """Shape and description."""
        return f"<images {tuple(self.pixels.shape)}, targets {tuple(self.labels.shape)}: {self.description}>"

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of pixels, labels and shapes, as 16 hexadecimal digits."""
        digest = hashlib.blake2b(repr((self.pixels.shape, self.labels.shape)).encode(), digest_size=8)
        digest.update(np.ascontiguousarray(self.pixels, dtype="<f4").data)
        digest.update(np.ascontiguousarray(self.labels, dtype=self.labels.dtype.newbyteorder("<")).data)
        return digest.hexdigest()

    def at_resolution(self, resolution: int | None, objective: Objective) -> Images:
        """The images and their targets, resized to a height and width if they have others; None: unchanged."""
        if resolution is None or self.pixels.shape[-2:] == (resolution, resolution):
            return self
        return Images(
            resize_images(self.pixels, resolution),
            resize_targets(self.labels, objective, resolution),
            f"{self.description}, resized to {resolution} × {resolution}",
            self.noise,
        )

    def with_random_labels(self, task: Task, rng: np.random.Generator) -> Images:
        """The same images with random targets; noise has them already, and a target that is the image stays."""
        if self.noise or task.objective.target == "input":
            return self
        drawn = task.objective.random_targets(self.pixels, task.classes, rng)
        described = self.description.removesuffix(RANDOM_LABELS)
        return Images(self.pixels, drawn, f"{described}{RANDOM_LABELS}", self.noise)

    def batches(self, size: int, count: int, seed: int) -> list[Batch]:
        """Disjoint mini-batches, drawn uniformly without replacement; the same for the same images and seed.

        Args:
            size: images per batch.
            count: number of batches.
            seed: the seed; the order of the images does not depend on size and count.

        Raises:
            HarnessError: if there are too few images.
        """
        if size < 1 or count < 1:
            raise HarnessError(f"invalid request for {count} batches of {size} images; both numbers must be at least 1")
        available = len(self.labels)
        if available < size * count:
            raise HarnessError(
                f"{count} disjoint batches of {size} need {size * count:,} images, but there are {available:,} "
                f"({self.description}); give more images or use a smaller batch"
            )
        import torch

        order = np.random.default_rng(derive_seed("batches", seed)).permutation(available)
        return [
            Batch(torch.from_numpy(self.pixels[chosen]), torch.from_numpy(self.labels[chosen]))
            for chosen in order[: size * count].reshape(count, size)
        ]


@accepts(source=path_of, seed=whole(), labels=one_of("file", "random"), resolution=optional(whole()))
def load_images(
    source: str | Path,
    task: Task,
    seed: int = 0,
    labels: Literal["file", "random"] = "file",
    resolution: int | None = None,
) -> Images:
    """Load images for a task from a file or a data set's directory, or draw Gaussian noise.

    Bytes, and floats from 0 to 1, are normalised with the mean and standard deviation that the benchmark trained with
    (or those of the images, if ``PIXEL_STATISTICS`` does not have the data set). Images are not augmented.

    Args:
        source: the files of CIFAR-10 or CIFAR-100 (binary or Python version) or of ImageNet16, or their directory; an
            ``.npz``, ``.npy`` or ``.pt`` file of images and labels; a directory with one directory of images per class;
            or the word ``noise``. ``docs/data.md`` lists the formats.
        task: the required shape and classes.
        seed: the seed for noise and random labels.
        labels: ``random`` replaces the file's labels by random ones; the description then says so.
        resolution: the height and width of the images (or of their tiles); images of any other size are resized.
            Default: the task's, and images must have it.

    Raises:
        DataError: if the source is missing, damaged, or does not fit the task.
    """
    if str(source) == NOISE:
        return _noise(task.at_resolution(resolution), label_generator(task, seed), resolution)
    files = list_files(Path(source))
    parts = {path.name: read_file(path, task, any_size=resolution is not None) for path in files}
    names = files[0].resolve().name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more files"
    return images_of(parts, names, task, seed, labels, resolution)


def images_of(
    parts: Mapping[str, RawImages],
    names: str,
    task: Task,
    seed: int,
    labels: Literal["file", "random"],
    resolution: int | None,
) -> Images:
    """Images for a task from the content of files or arrays, by name; see :func:`load_images`.

    ``names`` stands for all of them in the description.

    Raises:
        DataError: if the parts or their labels do not fit the task.
    """
    pixels, treatment = _normalise(*_join_pixels(parts), task)
    description = f"{len(pixels):,} images of {names}, {treatment}, no augmentation"
    if labels == "random":
        unlabelled = Images(pixels, np.zeros(len(pixels), dtype=np.int64), description)
        return unlabelled.at_resolution(resolution, CLASSES).with_random_labels(task, label_generator(task, seed))
    return Images(pixels, _join_labels(parts, task), description).at_resolution(resolution, task.objective)


def label_generator(task: Task, seed: int) -> np.random.Generator:
    """The random generator for noise and random labels of a data set."""
    return np.random.default_rng(derive_seed("images", task.dataset, seed))


def _noise(task: Task, rng: np.random.Generator, resolution: int | None) -> Images:
    count = min(NOISE_IMAGES, max(2, NOISE_VALUES // math.prod(task.image_shape)))
    pixels = rng.standard_normal((count, *task.image_shape), dtype=np.float32)
    drawn = task.objective.random_targets(pixels, task.classes, rng)
    size = "" if resolution is None else f", {resolution} × {resolution},"
    asked = "to be reproduced" if task.objective.target == "input" else "with random labels"
    return Images(pixels, drawn, f"{count:,} images of Gaussian noise{size} {asked} (no real images)", noise=True)


def _join_pixels(parts: Mapping[str, RawImages]) -> tuple[NDArray[Any], bool]:
    """The pixels of all parts, and whether they are already normalised."""
    first, found = next(iter(parts)), list(parts.values())
    sizes = {part.pixels.shape[1:] for part in found}
    if len(sizes) > 1:
        raise DataError(
            f"{first} and the other files have images of {len(sizes)} different sizes; give images of one size"
        )
    if len({part.normalised for part in found}) > 1:
        raise DataError(f"{first} and the other files have both normalised and unnormalised images; give one kind")
    # The memory order of pixels changes the last digits of what networks compute.
    pixels = np.ascontiguousarray(np.concatenate([part.pixels for part in found]))
    if not len(pixels):
        raise DataError(f"{first} has no images")
    return pixels, found[0].normalised


def _join_labels(parts: Mapping[str, RawImages], task: Task) -> NDArray[Any]:
    if task.objective.target == "input":
        return _normalise(*_join_pixels(parts), task)[0]
    integers = task.objective.target in ("class", "pixel_class")
    wanted = f"integers 0..{task.classes - 1}"
    if not integers:
        numbers = task.objective.target_shape(next(iter(parts.values())).pixels.shape[1:], task.classes)
        kind = "probabilities" if task.objective.target == "distribution" else "finite numbers"
        wanted = f"{'×'.join(map(str, numbers))} {kind} for each image"
    remedy = f"give {wanted}, or use random labels (--random-labels)"
    joined: list[NDArray[Any]] = []
    for name, part in parts.items():
        if part.labels is None:
            raise DataError(f"{name} {part.unlabelled}: {remedy}")
        labels = class_numbers(part.labels, task.classes, name) if task.objective.target == "class" else part.labels
        expected = (len(part.pixels), *task.objective.target_shape(part.pixels.shape[1:], task.classes))
        if labels.shape != expected or (labels.dtype.kind in "iu") != integers:
            raise DataError(f"{name}: 'labels' is {labels.dtype} {labels.shape}; expected: {expected}, {remedy}")
        if not integers:
            if not np.isfinite(labels).all():
                raise DataError(f"{name}: 'labels' has NaN or infinite values; {remedy}")
            joined.append(labels.astype(np.float32))
            continue
        outside = labels[(labels < 0) | (labels >= task.classes)]
        if len(outside):
            raise DataError(
                f"{name} has the label {outside[0]} and {len(outside) - 1:,} more outside the {task.classes} classes "
                f"of {task.dataset}: {remedy}"
            )
        joined.append(labels.astype(np.int64))
    return np.concatenate(joined)


def _normalise(pixels: NDArray[Any], normalised: bool, task: Task) -> tuple[NDArray[np.float32], str]:
    """Normalise pixels to mean 0 and standard deviation 1 per channel of the training set, and describe how."""
    if normalised:
        return pixels.astype(np.float32), "float values as they are"
    # Images may be cut into tiles: the channels are always the third axis from the end.
    others = tuple(axis for axis in range(pixels.ndim) if axis != pixels.ndim - 3)
    if task.dataset in PIXEL_STATISTICS:
        mean, deviation = (np.array(values, dtype=np.float32) for values in PIXEL_STATISTICS[task.dataset])
        treatment = f"normalised as {task.dataset}"
    else:
        mean = pixels.mean(axis=others, dtype=np.float64)
        deviation = pixels.std(axis=others, dtype=np.float64)
        treatment = "normalised by their own mean and deviation"
    deviation = np.where(deviation == 0, 1, deviation).astype(np.float32)
    centred = pixels.astype(np.float32)
    centred -= mean.astype(np.float32)[:, None, None]
    centred /= deviation[:, None, None]
    return centred, treatment
