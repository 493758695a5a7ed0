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
"""How many images of noise are drawn; of large images fewer, so that no more than ``NOISE_VALUES`` numbers are."""

NOISE_VALUES = 2**26

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
        images: float32, (size, channels, height, width), normalised; (size, tiles, …) of images cut into tiles.
        labels: int64, (size,); of a task that asks for more than a class, one target for each image.
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
        pixels: float32, (N, channels, height, width), normalised; (N, tiles, …) of images cut into tiles.
        labels: int64, (N,), from 0; of a task that asks for more than a class, one target for each image.
        description: one line that is printed beside every table made with these images.
        noise: whether these are no real images.
    """

    pixels: NDArray[np.float32]
    labels: NDArray[Any]
    description: str
    noise: bool = False

    def __repr__(self) -> str:
        """What they are, and their shape."""
        return f"<images {tuple(self.pixels.shape)}, targets {tuple(self.labels.shape)}: {self.description}>"

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that differ for other pixels, labels or shapes."""
        digest = hashlib.blake2b(repr((self.pixels.shape, self.labels.shape)).encode(), digest_size=8)
        digest.update(np.ascontiguousarray(self.pixels, dtype="<f4").data)
        digest.update(np.ascontiguousarray(self.labels, dtype=self.labels.dtype.newbyteorder("<")).data)
        return digest.hexdigest()

    def at_resolution(self, resolution: int | None, objective: Objective) -> Images:
        """The same images, resized with their targets where they have another height and width; as they are for None.

        Args:
            resolution: the height and width, in pixels.
            objective: what the targets are.
        """
        if resolution is None or self.pixels.shape[-2:] == (resolution, resolution):
            return self
        return Images(
            resize_images(self.pixels, resolution),
            resize_targets(self.labels, objective, resolution),
            f"{self.description}, resized to {resolution} × {resolution}",
            self.noise,
        )

    def with_random_labels(self, task: Task, rng: np.random.Generator) -> Images:
        """The same images with targets that have nothing to do with them."""
        drawn = task.objective.random_targets(self.pixels, task.classes, rng)
        return Images(self.pixels, drawn, f"{self.description}, random labels", self.noise)

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


@accepts(source=path_of, seed=whole(), labels=one_of("file", "random"), resolution=optional(whole()))
def load_images(
    source: str | Path,
    task: Task,
    seed: int = 0,
    labels: Literal["file", "random"] = "file",
    resolution: int | None = None,
) -> Images:
    """Images for a task from a file, from a data set's folder, or Gaussian noise.

    Bytes, and floats from 0 to 1, are normalised with the mean and standard deviation that the benchmark trained with
    (the images' own for a data set that has none in ``PIXEL_STATISTICS``). Nothing is augmented.

    Args:
        source: the files of CIFAR-10 or CIFAR-100 (binary or Python version) or of ImageNet16, or their folder; an
            ``.npz``, ``.npy`` or ``.pt`` of images and labels; a folder of images for each class; or the word
            ``noise``. ``docs/data.md`` lists the formats.
        task: the shape and the classes that the images must have.
        seed: for noise and for random labels.
        labels: ``random`` puts randomly drawn labels in place of the file's; the description then says so.
        resolution: the height and width of the images (or of their tiles); files may then hold images of any size,
            which are resized. The task's own unless given.

    Raises:
        DataError: if the source is missing, damaged, or holds other images than the task's.
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
    """Images for a task from what files or arrays hold, by their names; see :func:`load_images`.

    Args:
        parts: what each of them holds, by its name.
        names: what the description calls all of them.
        task: the shape and the classes that the images must have.
        seed: for random labels.
        labels: ``random`` puts randomly drawn labels in place of those that came along.
        resolution: that images are resized to.

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
    """What noise and random labels of a data set are drawn from."""
    return np.random.default_rng(derive_seed("images", task.dataset, seed))


def _noise(task: Task, rng: np.random.Generator, resolution: int | None) -> Images:
    count = min(NOISE_IMAGES, max(2, NOISE_VALUES // math.prod(task.image_shape)))
    pixels = rng.standard_normal((count, *task.image_shape), dtype=np.float32)
    drawn = task.objective.random_targets(pixels, task.classes, rng)
    size = "" if resolution is None else f", {resolution} × {resolution},"
    of_input = task.objective.target == "input"
    asked = "to be reproduced" if of_input else "with random labels"
    return Images(pixels, drawn, f"{count:,} images of Gaussian noise{size} {asked} (no real images)", noise=True)


def _join_pixels(parts: Mapping[str, RawImages]) -> tuple[NDArray[Any], bool]:
    """The pixels of all parts, and whether they are normalised already."""
    first, found = next(iter(parts)), list(parts.values())
    sizes = {part.pixels.shape[1:] for part in found}
    if len(sizes) > 1:
        raise DataError(f"{first} and its neighbours hold images of {len(sizes)} different sizes")
    if len({part.normalised for part in found}) > 1:
        raise DataError(f"{first} and its neighbours hold images of which only some are normalised")
    # Networks compute other last digits from pixels that lie in another order in memory.
    pixels = np.ascontiguousarray(np.concatenate([part.pixels for part in found]))
    if not len(pixels):
        raise DataError(f"{first} holds no image")
    return pixels, found[0].normalised


def _join_labels(parts: Mapping[str, RawImages], task: Task) -> NDArray[Any]:
    if task.objective.target == "input":
        return _normalise(*_join_pixels(parts), task)[0]
    integers = task.objective.target in ("class", "pixel_class")
    wanted = f"integers 0..{task.classes - 1}" if integers else f"finite numbers for '{task.objective.target}'"
    remedy = f"give {wanted}, or ask for random labels (--random-labels)"
    joined: list[NDArray[Any]] = []
    for name, part in parts.items():
        if part.labels is None:
            raise DataError(f"{name} {part.unlabelled}: {remedy}")
        labels = class_numbers(part.labels, task.classes, name) if task.objective.target == "class" else part.labels
        expected = (len(part.pixels), *task.objective.target_shape(part.pixels.shape[1:], task.classes))
        if labels.shape != expected or (labels.dtype.kind in "iu") != integers:
            raise DataError(f"{name}: 'labels' is {labels.dtype} {labels.shape}; wanted: {expected}, {remedy}")
        if not integers:
            if not np.isfinite(labels).all():
                raise DataError(f"{name}: 'labels' holds NaN or infinite values; {remedy}")
            joined.append(labels.astype(np.float32))
            continue
        outside = labels[(labels < 0) | (labels >= task.classes)]
        if len(outside):
            raise DataError(
                f"{name} holds the label {outside[0]} and {len(outside) - 1:,} more that are none of the "
                f"{task.classes} classes of {task.dataset}: {remedy}"
            )
        joined.append(labels.astype(np.int64))
    return np.concatenate(joined)


def _normalise(pixels: NDArray[Any], normalised: bool, task: Task) -> tuple[NDArray[np.float32], str]:
    """Pixels with mean 0 and standard deviation 1 for each channel of the training set, and words that say how.

    Args:
        pixels: on the scale of bytes, 0 to 255, or normalised.
        normalised: whether they are to be taken as they are.
        task: what they are for.
    """
    if normalised:
        return pixels.astype(np.float32), "float values as they are"
    # An image may be cut into tiles: its channels are always the third axis from the end.
    per_channel = (-1, 1, 1)
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
    centred -= mean.astype(np.float32).reshape(per_channel)
    centred /= deviation.reshape(per_channel)
    return centred, treatment
