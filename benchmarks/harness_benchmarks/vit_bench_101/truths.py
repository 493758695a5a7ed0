"""ViT-Bench-101's measurements: which networks were trained on what, and how.

Every network was trained once per data set and way, for 300 epochs. *base* is from scratch; *kd* is distilled: the
features of some layers also follow those of a ResNet-56 that was trained on the same images. On ImageNet no AutoFormer
was trained: its weights are those of a supernet.

Sources: the accuracies are ``gt_results/*.pth`` of lilujunai/Auto-Prox-AAAI24 at commit 90ed458, of Wei et al.,
"Auto-Prox", AAAI 2024 (arXiv:2312.09059); splits, classes and trainings are in ``configs/auto`` there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.tasks import Task
from harness_benchmarks.vit_bench_101.sizes import SIDE

EPOCHS = 300

Way = tuple[str, int]
"""A split, which says how networks were trained too, and the length of the training."""

KD, BASE, SUPERNET = ("test-kd", EPOCHS), ("test-base", EPOCHS), ("val-supernet", EPOCHS)

TASKS = {
    name: Task(name, (3, SIDE, SIDE), classes)
    for name, classes in {"cifar100": 100, "flowers": 102, "chaoyang": 4, "imagenet-1k": 1000}.items()
}


@dataclass(frozen=True)
class Meaning:
    """What a way of training means.

    Attributes:
        metric: the measured quantity with its unit.
        seeds: how many trainings of a network there were.
    """

    metric: str
    seeds: str


MEANINGS: Mapping[Way, Meaning] = {
    KD: Meaning("top-1 accuracy (%) of distilled networks", "one training"),
    BASE: Meaning("top-1 accuracy (%) of networks trained from scratch", "one training"),
    SUPERNET: Meaning("top-1 accuracy (%) with the weights of a supernet", "no training of its own"),
}

_OFFICIAL = {"cifar100": "c100", "flowers": "flower", "chaoyang": "chaoyang"}

OFFICIAL_COLUMNS: Mapping[str, str] = {
    **{
        f"{official}_{way}_acc": f"{dataset}/test-{way}/{EPOCHS}"
        for dataset, official in _OFFICIAL.items()
        for way in ("base", "kd")
    },
    "imagenet_super_acc": f"imagenet-1k/val-supernet/{EPOCHS}",
}
"""The columns of the table for the names in the published files."""
