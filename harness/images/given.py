"""Images in all forms that a run accepts: files, noise, arrays, tensors, or ``Images``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness._utils.arguments import path, shown
from harness.errors import HarnessError
from harness.images import NOISE, Images, images_of, label_generator, load_images
from harness.images.arrays import raw_images
from harness.tasks import Task

_NAME = "arrays in memory"
"""Replaces the file name in descriptions and messages."""

_WANTED = (
    "images must be a path, 'noise', harness.images.Images, an array or tensor of images (N, C, H, W), or a pair of "
    "such images and their labels"
)


def images_given(
    source: object,
    task: Task,
    seed: int,
    labels: Literal["file", "random"],
    resolution: int | None,
    read: Callable[[Path, Task, int], Images | None] = lambda source, task, seed: None,
) -> Images:
    """Images for a task, from any form that a run accepts.

    Args:
        source: :class:`~harness.images.Images`; a path or the word ``noise``, see
            :func:`~harness.images.load_images`; or arrays or tensors: images, uint8 or normalised float, (N, C, H, W)
            or (N, H, W, C); a pair of images and labels from 0; a mapping with ``images`` and ``labels``; or a data set
            of torchvision, whose transforms are not applied.
        task: the shape and the classes that the images must have.
        seed: for noise and for random labels.
        labels: ``random`` replaces the labels by random ones.
        resolution: the height and width that images are resized to, or of noise.
        read: a reader that is tried first for a path, and returns None if it does not recognise the format.

    Raises:
        HarnessError: if the form is not supported, or the images do not fit the task.
    """
    if isinstance(source, Images):
        found = source.at_resolution(resolution, task.objective)
    elif isinstance(source, str | PathLike):
        place = path(source, "images")
        recognised = None if str(place) == NOISE else read(place, task.at_resolution(resolution), seed)
        if recognised is None:
            return load_images(place, task, seed, labels, resolution)
        found = recognised
    else:
        return _from_arrays(source, task, seed, labels, resolution)
    return found.with_random_labels(task, label_generator(task, seed)) if labels == "random" else found


def _from_arrays(
    source: object, task: Task, seed: int, labels: Literal["file", "random"], resolution: int | None
) -> Images:
    """Images from arrays or tensors, interpreted like an ``.npz`` file with the same arrays.

    The description contains a fingerprint of the arrays, so a run can only be resumed with the same ones.
    """
    arrays = _arrays(source)
    if "labels" not in arrays and labels == "file" and task.objective.target != "input":
        raise HarnessError("images were given without labels: give a pair (images, labels), or labels='random'")
    digest = hashlib.blake2b(digest_size=8)
    for name, array in arrays.items():
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    raw = raw_images(arrays, _NAME, task, any_size=resolution is not None)
    return images_of({_NAME: raw}, f"{_NAME} ({digest.hexdigest()})", task, seed, labels, resolution)


def _arrays(source: object) -> dict[str, NDArray[Any]]:
    """The images, and the labels if there are any."""
    parts: dict[str, object]
    if isinstance(source, Mapping):
        parts = {name: source[name] for name in ("images", "labels") if name in source}
    elif isinstance(source, tuple | list) and len(source) == 2:
        parts = dict(zip(("images", "labels"), source, strict=True))
    elif hasattr(source, "data") and hasattr(source, "targets"):
        parts = {"images": source.data, "labels": source.targets}
    else:
        parts = {"images": source}
    arrays = {name: _array(part) for name, part in parts.items()}
    if "images" not in arrays or any(array.dtype.kind not in "uif" or not array.ndim for array in arrays.values()):
        raise HarnessError(f"{_WANTED}, not {shown(source)}")
    return arrays


def _array(part: object) -> NDArray[Any]:
    if hasattr(part, "detach"):
        part = part.detach().cpu().numpy()
    try:
        return np.asarray(part)
    except (ValueError, TypeError):
        raise HarnessError(f"{_WANTED}, not {shown(part)}") from None
