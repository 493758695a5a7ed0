"""The seven tasks, and the output of a network's head for each.

All networks are trained on 256×256 images of Taskonomy; the jigsaw's are nine tiles of 64×64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness._utils.names import unknown_name
from harness.errors import HarnessError, UnknownNameError


@dataclass(frozen=True)
class Head:
    """The part of a network after the backbone.

    Attributes:
        kind: which head of :mod:`harness_benchmarks.transnas101.network`.
        outputs: the number of logits, classes of a pixel, or colours.
    """

    kind: Literal["classifier", "jigsaw", "segmentation", "generator"]
    outputs: int


HEADS = {
    "class_scene": Head("classifier", 47),
    "class_object": Head("classifier", 75),
    "room_layout": Head("classifier", 9),
    "jigsaw": Head("jigsaw", 1000),
    "segmentsemantic": Head("segmentation", 17),
    "autoencoder": Head("generator", 3),
    "normal": Head("generator", 3),
}
"""Each task's head as the benchmark trained it (the task configurations of the official code, ``target_dim``)."""

TASKS = tuple(HEADS)
TILES = 9
"""The tiles of a jigsaw."""


def head_of(task: str, classes: int | None = None) -> Head:
    """The head of a task.

    Args:
        task: one of ``TASKS``.
        classes: another number of classes than the benchmark trained with. Published sizes have 100 for class_object
            and 63 for class_scene.

    Raises:
        UnknownNameError: if the task does not exist.
        HarnessError: if classes are given for a task that has none, or fewer than one.
    """
    if task not in HEADS:
        raise UnknownNameError(unknown_name("task of TransNAS-Bench-101", task, HEADS))
    head = HEADS[task]
    if classes is None:
        return head
    if head.kind == "generator":
        raise HarnessError(f"the task {task} gives an image and has no classes, but {classes} classes were asked for")
    if classes < 1:
        raise HarnessError(f"{classes} classes were asked for; a network has at least 1")
    return Head(head.kind, classes)
