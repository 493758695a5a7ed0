"""Mini-batches for a network that belongs to no benchmark, and the loss that fits their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from harness._utils.arguments import shown
from harness.errors import HarnessError
from harness.images import Batch
from harness.seeds import derive_seed
from harness.tasks import CLASSES, DISTRIBUTION, PIXEL_CLASSES, VECTOR, Objective

_WANTED = "images must be a tensor or array (N, ...), or an iterable of mini-batches (images, labels)"


@dataclass(frozen=True)
class Given:
    """Mini-batches as they were given.

    Attributes:
        images: of each mini-batch, float.
        labels: of each mini-batch; None if there are none.
    """

    images: list[Tensor]
    labels: list[Tensor | None]


def given_batches(images: object, labels: object, batches: int | None, wanted: int) -> Given:
    """The mini-batches among what the user gave.

    Args:
        images: one mini-batch, or an iterable of mini-batches (images, labels) or of images.
        labels: those of one mini-batch.
        batches: the number of mini-batches: parts of one tensor of images, or taken from an iterable; None: one tensor
            is one mini-batch, and ``wanted`` are taken from an iterable.
        wanted: how many the proxies need.

    Raises:
        HarnessError: if they are no such thing.
    """
    if batches is not None and (not isinstance(batches, int) or batches < 1):
        raise HarnessError(f"batches must be a number of mini-batches, 1 or more, not {shown(batches)}")
    whole = _tensor(images)
    if whole is not None:
        targets = None if labels is None else _tensor(labels)
        if labels is not None and targets is None:
            raise HarnessError(f"labels must be a tensor or array with a row for each image, not {shown(labels)}")
        if targets is not None and len(targets) != len(whole):
            raise HarnessError(f"there are {len(whole)} images and {len(targets)} labels; give one for each image")
        parts = 1 if batches is None else batches
        if len(whole) < parts or len(whole) == 0:
            raise HarnessError(f"{len(whole)} images cannot be split into {parts} mini-batches")
        size = len(whole) // parts
        places = [slice(size * part, size * (part + 1)) for part in range(parts)]
        return Given([_floats(whole[at]) for at in places], [None if targets is None else targets[at] for at in places])
    if isinstance(images, str | bytes) or not isinstance(images, Iterable):
        raise HarnessError(f"{_WANTED}, not {shown(images)}")
    if labels is not None:
        raise HarnessError("labels are given twice: an iterable of mini-batches brings its own")
    pairs = list(islice(map(_pair, images), wanted if batches is None else batches))
    if not pairs:
        raise HarnessError("images is an empty iterable; give at least one mini-batch")
    return Given([_floats(pair[0]) for pair in pairs], [pair[1] for pair in pairs])


def _pair(item: object) -> tuple[Tensor, Tensor | None]:
    """One mini-batch of an iterable: images, or images and labels, also by name as Hugging Face's loaders give them."""
    if isinstance(item, dict):
        found = next((item[name] for name in ("images", "image", "pixel_values", "inputs", "x") if name in item), None)
        labels = next((item[name] for name in ("labels", "label", "targets", "y") if name in item), None)
    elif isinstance(item, Batch):
        found, labels = item.images, item.labels
    elif isinstance(item, tuple | list) and len(item) >= 2:
        found, labels = item[0], item[1]
    elif isinstance(item, tuple | list) and len(item) == 1:
        found, labels = item[0], None
    else:
        found, labels = item, None
    images, targets = _tensor(found), None if labels is None else _tensor(labels)
    if images is None or (labels is not None and targets is None):
        raise HarnessError(f"{_WANTED}; this one has {shown(item)}")
    return images, targets


def _tensor(value: object) -> Tensor | None:
    """A tensor of a tensor or array; None for anything else."""
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "uifb":
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, list) and value and all(isinstance(entry, int | float) for entry in value):
        return torch.tensor(value)
    return None


def _floats(images: Tensor) -> Tensor:
    if not images.is_floating_point():
        kind = str(images.dtype).removeprefix("torch.")
        raise HarnessError(f"images are {kind}; give floats, normalised as the network expects them")
    if not bool(images.isfinite().all()):
        raise HarnessError("images have NaN or infinite values; give finite ones")
    return images


def objective_for(
    labels: Tensor | None, logits: Tensor, loss: Callable[[Tensor, Tensor], Tensor] | Objective | None
) -> Objective:
    """The kind of targets and the loss.

    Args:
        labels: of the first mini-batch; None: random ones will be drawn.
        logits: of the network for it.
        loss: of (outputs, labels), or an objective; None: cross entropy for classes and distributions over them, the
            cross entropy of each pixel for maps of classes, and mean squared error for other floats.

    Raises:
        HarnessError: if the labels fit none of these.
    """
    if isinstance(loss, Objective):
        return loss
    if labels is None:
        kind = CLASSES if logits.dim() == 2 else PIXEL_CLASSES if logits.dim() == 4 else None
    elif not labels.is_floating_point():
        kind = CLASSES if labels.dim() == 1 else PIXEL_CLASSES if labels.dim() == 3 and logits.dim() == 4 else None
    elif labels.shape != logits.shape:
        kind = None
    else:
        sums = labels.sum(dim=1) if labels.dim() == 2 else None
        is_distribution = sums is not None and bool((labels >= 0).all()) and torch.allclose(sums, torch.ones_like(sums))
        kind = DISTRIBUTION if is_distribution else VECTOR
    if loss is not None:
        if not callable(loss):
            raise HarnessError(f"loss must be a function of (outputs, labels), not {shown(loss)}")
        name = getattr(loss, "__name__", type(loss).__name__)
        return Objective((kind or VECTOR).target, loss, name)
    if kind is None:
        what = "no labels" if labels is None else f"labels {tuple(labels.shape)} of {str(labels.dtype)[6:]}"
        raise HarnessError(f"{what} do not fit outputs {tuple(logits.shape)}; give the loss of (outputs, labels)")
    return kind


def completed(given: Given, logits: Tensor, objective: Objective, seed: int) -> list[Batch]:
    """The mini-batches on the device and in the type of the logits, with random targets where there are no labels.

    Raises:
        HarnessError: if a class is outside the network's outputs.
    """
    found = []
    rng = np.random.default_rng(derive_seed("labels", seed))
    for images, labels in zip(given.images, given.labels, strict=True):
        if labels is None:
            drawn = objective.random_targets(images.cpu().float().numpy(), logits.shape[1], rng)
            targets = torch.from_numpy(np.ascontiguousarray(drawn))
        else:
            targets = _checked(labels, logits.shape[1]) if objective.target in ("class", "pixel_class") else labels
        on_device = images.to(device=logits.device, dtype=logits.dtype)
        kind = logits.dtype if targets.is_floating_point() else targets.dtype
        found.append(Batch(on_device, targets.to(device=logits.device, dtype=kind)))
    return found


def _checked(labels: Tensor, classes: int) -> Tensor:
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise HarnessError(
            f"labels go from {low} to {high}, but the network has {classes} outputs; give classes from 0"
        )
    return labels.long()
