"""The networks that Zen-NAS and ZiCo published, what is printed about them, and where the searches began.

``published.csv`` has one row for each network and data set. Sources: the tables of the README of idstcv/ZenNAS (commit
d1d617e) for the networks of Zen-NAS (Lin et al., ICCV 2021, arXiv:2102.01063), the structures from its ``ZenNet/``;
Table 2 of ZiCo (Li et al., ICLR 2023, arXiv:2301.11300) for ZiCo's networks and for the one that #Params found, the
structures from ``ZiCo/`` of SLDGroup/ZiCo (commit b0fec65).
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

IMAGENET, CIFAR10, CIFAR100 = "imagenet-1k", "cifar10", "cifar100"

INITIAL_CIFAR = (
    "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,1,8,1)SuperResK3K3(16,32,2,16,1)SuperResK3K3(32,64,2,32,1)"
    "SuperResK3K3(64,64,2,32,1)SuperConvK1BNRELU(64,128,1,1)"
)
"""Where every CIFAR search begins (``scripts/*_cifar_*.sh``)."""

INITIAL_LATENCY = (
    "SuperConvK3BNRELU(3,32,2,1)SuperResK3K3(32,64,2,32,1)SuperResK3K3(64,128,2,64,1)SuperResK3K3(128,256,2,128,1)"
    "SuperResK3K3(256,512,2,256,1)SuperConvK1BNRELU(256,512,1,1)"
)
"""Where every ImageNet search under a latency begins (``scripts/Zen_NAS_ImageNet_latency*.sh``), as it is printed.

It is no network: its last block says 256 where 512 channels come. The first mutation repairs it.
"""

INITIAL_FLOPS = (
    "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)SuperResIDWE6K3(32,48,2,32,1)SuperResIDWE6K3(48,96,2,48,1)"
    "SuperResIDWE6K3(96,128,2,96,1)SuperConvK1BNRELU(128,2048,1,1)"
)
"""Where every ImageNet search under #FLOPs begins (``scripts/*_NAS_ImageNet_flops*.sh`` of both repositories)."""

LATENCIES = {
    "v100_latency": "V100 latency (ms)",
    "t4_latency": "T4 latency (ms)",
    "pixel2_latency": "Pixel 2 latency (ms)",
}
"""V100: mini-batches of 64 in fp16; T4: mini-batches of 64 in TensorRT INT8; Pixel 2: a single image."""


@dataclass(frozen=True)
class Published:
    """What is printed about one network on one data set.

    Attributes:
        network: the authors' name.
        space: the space of its structure.
        dataset: that it was trained on.
        structure: its structure string.
        params: #Params in millions; None if not printed.
        flops: #FLOPs in millions.
        top1: accuracy in percent.
        latencies: in milliseconds, by the names of :data:`LATENCIES`; empty if not printed.
        source: ``Zen-NAS`` or ``ZiCo``.
    """

    network: str
    space: str
    dataset: str
    structure: str
    params: float | None
    flops: float
    top1: float
    latencies: dict[str, float]
    source: str

    @property
    def excites(self) -> bool:
        """Whether it was trained with squeeze and excitation: all networks of the mobile space were."""
        return self.space == "zen-mobile"


@functools.cache
def published() -> tuple[Published, ...]:
    """All published networks, those of Zen-NAS first."""
    with (Path(__file__).parent / "published.csv").open(encoding="utf-8", newline="") as file:
        return tuple(map(_published, csv.DictReader(file)))


def _published(row: dict[str, str]) -> Published:
    columns = zip(LATENCIES, ("v100_ms", "t4_ms", "pixel2_ms"), strict=True)
    return Published(
        row["network"],
        row["space"],
        row["dataset"],
        row["structure"],
        float(row["params_M"]) if row["params_M"] else None,
        float(row["flops_M"]),
        float(row["top1"]),
        {name: float(row[column]) for name, column in columns if row[column]},
        row["source"],
    )
