"""Costs of networks on devices: tables that a user imports besides the accuracies, one per data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from harness._utils.names import unknown_name
from harness.contracts.ground_truth import Costs
from harness.data.local_tables import read_metadata, read_table, table_path
from harness.errors import DataError, UnknownNameError
from harness.registry import benchmark_classes, benchmark_named, load_benchmark

if TYPE_CHECKING:
    from harness.contracts.benchmark import Benchmark
    from harness.data.formats import TableFormat


@runtime_checkable
class Costed(Protocol):
    """A benchmark with costs that the user imports."""

    def cost_format(self, dataset: str) -> TableFormat | None:
        """The required content of one data set's table, or None if there is none. Its ``truths`` are the costs."""


@dataclass(frozen=True)
class CostTable:
    """An importable table: the costs of a benchmark's networks for one data set.

    Attributes:
        name: its name, and the stem of its file.
        format: its required content.
    """

    name: str
    format: TableFormat

    def table_format(self) -> TableFormat:
        """Its required content."""
        return self.format


def cost_table_name(benchmark: str, dataset: str) -> str:
    """The name of a cost table.

    >>> cost_table_name("nats-tss", "cifar10")
    'nats-tss-costs-cifar10'
    """
    return f"{benchmark}-costs-{dataset}"


def cost_tables() -> dict[str, CostTable]:
    """Every cost table that a registered benchmark declares, by name."""
    tables = {}
    for name in sorted(benchmark_classes()):
        benchmark = load_benchmark(name)
        if not isinstance(benchmark, Costed):
            continue
        for dataset in benchmark.datasets:
            table_format = benchmark.cost_format(dataset)
            if table_format is not None:
                table = cost_table_name(name, dataset)
                tables[table] = CostTable(table, table_format)
    return tables


def importable(name: str) -> Benchmark | CostTable:
    """The benchmark or cost table with this name.

    Raises:
        UnknownNameError: if there is none; the message suggests similar names.
    """
    benchmark = benchmark_named(name)
    if benchmark is not None:
        return load_benchmark(benchmark)
    tables = cost_tables()
    if name not in tables:
        raise UnknownNameError(unknown_name("benchmark or cost table", name, [*benchmark_classes(), *tables]))
    return tables[name]


def read_costs(benchmark: str, dataset: str, table_format: TableFormat) -> Costs:
    """The imported costs of a benchmark's networks for one data set.

    Raises:
        DataError: if the table is missing, damaged or of another version.
    """
    name = cost_table_name(benchmark, dataset)
    path = table_path(name)
    if not path.is_file():
        raise DataError(
            f"no costs of {benchmark} for {dataset} in '{path.parent}'; "
            f"import them with: harness data import {name} FILE ({table_format.obtain})"
        )
    metadata = read_metadata(name)
    return Costs(metadata.source, metadata.columns, read_table(name).astype("float64"))
