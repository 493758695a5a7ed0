"""Latencies and throughputs of the networks on six accelerators.

FPGAs (ZCU102, VCK190) compute networks of 8 bit; latencies are of one thread, throughputs of five and six. GPUs (A100,
RTX 3090) and TPUs, of which one core is used, see mini-batches, so that their throughputs say nothing of a latency.

Measured by Ahmad et al., "Accel-NASBench", DAC 2024 (arXiv:2404.08005), as the README of afzalxo/ANB-DatasetCollection
at commit 08a6baa describes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Measured(NamedTuple):
    """One column of the published data.

    Attributes:
        cost: the name of the cost that it gives.
        device: the accelerator.
        images: how many images its latency is of; empty if the column holds a throughput.
    """

    cost: str
    device: str
    images: str = ""

    @property
    def meaning(self) -> str:
        """What the column holds, with its unit."""
        return self.cost_meaning if self.images else f"{self.device} throughput (images per second)"

    @property
    def cost_meaning(self) -> str:
        """What the cost is, with its unit: milliseconds, so that lower is better."""
        return f"{self.device} latency of {self.images} (ms)" if self.images else f"{self.device} time per image (ms)"


MEASURED = {
    "latency_zcu102": Measured("zcu102_latency", "ZCU102", "one image"),
    "latency_vck190": Measured("vck190_latency", "VCK190", "six images"),
    "throughput_zcu102": Measured("zcu102_time", "ZCU102"),
    "throughput_vck190": Measured("vck190_time", "VCK190"),
    "throughput_a100": Measured("a100_time", "A100"),
    "throughput_3090": Measured("rtx3090_time", "RTX 3090"),
    "throughput_tpuv2": Measured("tpuv2_time", "TPUv2"),
    "throughput_tpuv3": Measured("tpuv3_time", "TPUv3"),
}
"""Each column of the published data."""

COSTS = {measured.cost: measured.cost_meaning for measured in MEASURED.values()}
"""Each cost with its meaning."""


def costs_of(table: pd.DataFrame) -> pd.DataFrame:
    """The costs in milliseconds from measured columns; a throughput of t images per second is 1000 / t ms an image."""
    import pandas as pd

    return pd.DataFrame(
        {
            measured.cost: table[column] if measured.images else 1000 / table[column]
            for column, measured in MEASURED.items()
            if column in table.columns
        },
        index=table.index,
    )
