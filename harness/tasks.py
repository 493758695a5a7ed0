"""The tasks of networks: their targets and losses.

Most benchmarks classify images. TransNAS-Bench-101 also regresses vectors, labels pixels and generates images. Gradient
proxies need the loss that such a network is trained with, and random targets of the right kind if there are no labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CLASSES", "DISTRIBUTION", "IMAGE", "PIXEL_CLASSES", "RECONSTRUCTION", "VECTOR", "Objective", "Task"]

TargetKind = Literal["class", "distribution", "vector", "pixel_class", "image", "input"]


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    import torch.nn.functional as F

    return F.cross_entropy(outputs, targets)


def _soft_cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    # As in the benchmark, the constant is added to the probability; it bounds the loss.
    logarithms = (outputs.softmax(dim=1) + SOFT_EPSILON).log()
    return -(targets * logarithms).sum(dim=1).mean()


def _mean_squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    # torch's mse_loss has no forward derivative of its gradient if the targets have no tangent.
    return (outputs - targets).square().mean()


def _mean_absolute_error(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs().mean()


SOFT_EPSILON = 1e-5
"""What TransNAS-Bench-101 adds to a probability before taking its logarithm (``lib/losses/all.py``)."""


@dataclass(frozen=True)
class Objective:
    """The kind of a network's targets, and the loss that it is trained with.

    Attributes:
        target: the kind of target of one image: a class, a distribution over classes, a vector, a class for each
            pixel, an image, or the input image itself.
        loss: the loss of (outputs, targets), averaged over the batch.
        words: a description of the loss.
    """

    target: TargetKind
    loss: Callable[[Tensor, Tensor], Tensor]
    words: str

    @property
    def has_classes(self) -> bool:
        """Whether each image belongs to a class."""
        return self.target in ("class", "distribution")

    def target_shape(self, image_shape: tuple[int, ...], size: int) -> tuple[int, ...]:
        """The shape of one image's target.

        Args:
            image_shape: the shape of one input image.
            size: the number of classes, vector entries, or image channels.

        >>> CLASSES.target_shape((3, 32, 32), 10), PIXEL_CLASSES.target_shape((3, 64, 64), 17)
        ((), (64, 64))
        """
        match self.target:
            case "class":
                return ()
            case "distribution" | "vector":
                return (size,)
            case "pixel_class":
                return image_shape[-2:]
            case "image":
                return (size, *image_shape[-2:])
            case "input":
                return image_shape

    def random_targets(self, pixels: NDArray[np.float32], size: int, rng: np.random.Generator) -> NDArray[Any]:
        """Random targets of the right kind; for ``input``, the images themselves.

        Classes are uniform, distributions are one-hot, vectors are standard normal, images are uniform in [0, 1].
        """
        shape = (len(pixels), *self.target_shape(pixels.shape[1:], size))
        match self.target:
            case "class" | "pixel_class":
                return rng.integers(size, size=shape)
            case "distribution":
                return np.eye(size, dtype=np.float32)[rng.integers(size, size=len(pixels))]
            case "vector":
                return rng.standard_normal(shape, dtype=np.float32)
            case "image":
                return rng.random(shape, dtype=np.float32)
            case "input":
                return pixels


CLASSES = Objective("class", _cross_entropy, "cross entropy")
DISTRIBUTION = Objective("distribution", _soft_cross_entropy, "cross entropy with class probabilities")
VECTOR = Objective("vector", _mean_squared_error, "mean squared error")
PIXEL_CLASSES = Objective("pixel_class", _cross_entropy, "cross entropy of each pixel")
IMAGE = Objective("image", _mean_absolute_error, "mean absolute error of each pixel")
RECONSTRUCTION = Objective("input", _mean_absolute_error, "mean absolute error of each pixel")


@dataclass(frozen=True)
class Task:
    """What a network is built for: the shape of one image, and its objective.

    Attributes:
        dataset: the data set's name as spelt by the benchmark.
        image_shape: (channels, height, width), or (tiles, channels, height, width) for images cut into tiles.
        classes: the number of classes; for other targets, of vector entries or image channels.
        objective: the kind of target and the loss.
    """

    dataset: str
    image_shape: tuple[int, ...]
    classes: int
    objective: Objective = CLASSES

    def at_resolution(self, resolution: int | None) -> Task:
        """The task with images, or tiles, of this height and width; None: unchanged.

        >>> Task("cifar10", (3, 32, 32), 10).at_resolution(16).image_shape
        (3, 16, 16)

        Raises:
            HarnessError: if the resolution is not positive.
        """
        if resolution is None:
            return self
        if resolution < 1:
            raise HarnessError(f"invalid resolution {resolution}; use 1 or more")
        return replace(self, image_shape=(*self.image_shape[:-2], resolution, resolution))
