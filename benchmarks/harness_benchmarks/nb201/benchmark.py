"""What all benchmarks of NAS-Bench-201's cells have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from harness.contracts.benchmark import Benchmark
from harness.contracts.dialect import Dialect
from harness.contracts.search_space import PlaceSpace
from harness_benchmarks.nb201 import dialects, topology
from harness_benchmarks.nb201.features import cell_features


class CellSpace(PlaceSpace):
    """All 15,625 cells: one of five operations on each of six edges."""

    choices = topology.OPERATIONS
    length = len(topology.EDGES)

    def places(self, architecture: str) -> tuple[str, ...]:
        """The operation of each edge."""
        return topology.parse_cell(architecture)

    def of_places(self, places: Sequence[str]) -> str:
        """The official string."""
        return topology.cell_string(tuple(places))


class CellBenchmark(CellSpace, Benchmark):
    """A benchmark whose architectures are the official strings of cells."""

    subsets = topology.SUBSETS

    def membership(self, subset: str) -> Callable[[str], bool]:
        """A predicate for one of the sets of :mod:`harness_benchmarks.nb201.topology`.

        ``unique`` refers to the benchmark's own architectures.
        """
        self.check_subset(subset)
        return topology.membership(subset, self.architectures())

    def canonical_form(self, architecture: str) -> str:
        """A text of what the cell computes; see :func:`harness_benchmarks.nb201.topology.canonical_form`."""
        return topology.canonical_form(architecture)

    def dialects(self) -> Sequence[Dialect]:
        """Official strings with blanks, and NASLib's op indices."""
        return (dialects.SPACED, dialects.OP_INDICES)

    def size_key(self, architecture: str) -> str:
        """The numbers of convolutions, the only operations of a cell that have weights or that #FLOPs counts."""
        return " ".join(str(architecture.count(operation)) for operation in ("nor_conv_1x1", "nor_conv_3x3"))

    def features(self, architecture: str) -> Mapping[str, float]:
        """Counts of the cell's operations, its depth and paths.

        See :func:`harness_benchmarks.nb201.features.cell_features`.
        """
        return cell_features(topology.parse_cell(architecture))
