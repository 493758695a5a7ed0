"""Tables that a user imports besides the accuracies of a benchmark, each under a name of its own.

A benchmark may have costs on devices, one table per data set (:class:`Costed`), and tables of other kinds or from other
sources (:class:`Furthered`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from harness._utils.names import unknown_name
from harness.data.sources import Obtainable, Sources
from harness.errors import UnknownNameError
from harness.registry import benchmark_classes, benchmark_named, load_benchmark

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.contracts.benchmark import Benchmark
    from harness.data.formats import TableFormat

COSTS = "costs"
"""The kind of a table of costs."""


@runtime_checkable
class Costed(Protocol):
    """A benchmark with costs that the user imports."""

    def cost_format(self, dataset: str) -> TableFormat | None:
        """The required content of one data set's table, or None if there is none. Its ``truths`` are the costs."""


@runtime_checkable
class Furthered(Protocol):
    """A benchmark with further tables: costs from another source, or accuracies of another kind."""

    def further_tables(self) -> Mapping[str, TableFormat]:
        """The required content of each, by name; ``kind`` says what it holds."""


@dataclass(frozen=True)
class FurtherTable:
    """An importable table besides the accuracies of a benchmark.

    Attributes:
        name: its name, and the stem of its file.
        format: its required content.
    """

    name: str
    format: TableFormat

    def table_format(self) -> TableFormat:
        """Its required content."""
        return self.format


@dataclass(frozen=True)
class CostTable(FurtherTable):
    """An importable table: the costs of a benchmark's networks for one data set."""


def cost_table_name(benchmark: str, dataset: str) -> str:
    """The name of a cost table.

    >>> cost_table_name("nats-tss", "cifar10")
    'nats-tss-costs-cifar10'
    """
    return f"{benchmark}-costs-{dataset}"


def no_parameters(architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
    """In place of parameter counts, in the format of a table that has no column of them."""
    raise AssertionError("the table has no column of parameters")


def further_tables() -> dict[str, FurtherTable]:
    """Every table besides accuracies that a registered benchmark declares, by name."""
    tables: dict[str, FurtherTable] = {}
    for name in sorted(benchmark_classes()):
        benchmark = load_benchmark(name)
        if isinstance(benchmark, Costed):
            formats = {cost_table_name(name, each): benchmark.cost_format(each) for each in benchmark.datasets}
            tables |= {table: CostTable(table, found) for table, found in formats.items() if found is not None}
        if isinstance(benchmark, Furthered):
            for table, found in benchmark.further_tables().items():
                tables[table] = (CostTable if found.kind == COSTS else FurtherTable)(table, found)
    return tables


def importable(name: str) -> Benchmark | FurtherTable:
    """The benchmark or the further table with this name.

    Raises:
        UnknownNameError: if there is none; the message suggests similar names.
    """
    benchmark = benchmark_named(name)
    if benchmark is not None:
        return load_benchmark(benchmark)
    tables = further_tables()
    if name not in tables:
        raise UnknownNameError(unknown_name("benchmark or table", name, [*benchmark_classes(), *tables]))
    return tables[name]


def sources_of(table: Benchmark | FurtherTable) -> Sources | None:
    """Where to get a benchmark's ground truth or a further table; None if that is not declared."""
    if isinstance(table, FurtherTable):
        return table.format.sources
    return table.sources() if isinstance(table, Obtainable) else None
