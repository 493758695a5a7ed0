"""What documents say of the collection of scores in ``results/scores``."""

from __future__ import annotations

from pathlib import Path

from harness.leaderboard.collection import entries_in
from harness.leaderboard.references import REFERENCES, missing_references
from harness.registry import benchmark_classes
from tools.reference_tables import grid, label, listed

SCORES = Path(__file__).parents[1] / "results" / "scores"


def every_board() -> list[tuple[str, str]]:
    """Every data set of every registered benchmark of this project."""
    own = {name: cls for name, cls in benchmark_classes().items() if cls.__module__.startswith("harness_benchmarks.")}
    return [(name, dataset) for name, cls in sorted(own.items()) for dataset in cls.datasets]


def missing() -> dict[str, tuple[str, ...]]:
    """The reference proxies that each of them lacks in the project's own collection."""
    return missing_references(entries_in(SCORES), every_board())


def missing_references_table() -> str:
    """Which reference proxies are missing where, and where there is nothing yet."""
    found = missing()
    some = {name: lacking for name, lacking in found.items() if lacking != REFERENCES}
    nothing = [name for name, lacking in found.items() if lacking == REFERENCES]
    rows = [[f"`{name}`", listed(map(label, lacking))] for name, lacking in some.items()]
    rows += [["all ten", listed(f"`{name}`" for name in nothing)]] if nothing else []
    return grid(["benchmark and data set", "missing"], rows) if rows else "None."


def entry_counts() -> str:
    """How many entries, proxies and networks the collection has of each benchmark and data set."""
    boards: dict[str, list[tuple[str, int]]] = {}
    for entry in entries_in(SCORES):
        boards.setdefault(f"`{entry.benchmark}/{entry.dataset}`", []).append((entry.proxy, entry.networks))
    rows = [
        [name, f"{len({proxy for proxy, _ in each})}", f"{max(networks for _, networks in each):,}", f"{len(each):,}"]
        for name, each in sorted(boards.items())
    ]
    return grid(["benchmark and data set", "proxies", "networks, at most", "entries"], rows)


MAKERS = {"missing_references": missing_references_table, "entry_counts": entry_counts}
