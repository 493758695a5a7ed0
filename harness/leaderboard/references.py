"""The reference proxies, which every benchmark and data set of a collection has to have."""

from __future__ import annotations

from collections.abc import Iterable

from harness.leaderboard.collection import by_setting
from harness.leaderboard.entry import Entry

REFERENCES = (
    "params", "flops", "synflow", "naswot", "zen", "zico", "az_expressivity", "az_progressivity", "az_trainability",
    "random",
)  # fmt: skip
"""Size, the proxies that papers compare with, the three of AZ-NAS, and chance."""


def missing_references(entries: Iterable[Entry], boards: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The reference proxies that a benchmark and data set has in no setting together with #Params, by its name.

    Args:
        entries: of a collection.
        boards: the benchmarks and data sets that should have them.
    """
    there: dict[str, list[Entry]] = {}
    for entry in entries:
        there.setdefault(f"{entry.benchmark}/{entry.dataset}", []).append(entry)
    found: dict[str, tuple[str, ...]] = {}
    for benchmark, dataset in boards:
        name = f"{benchmark}/{dataset}"
        groups = by_setting(there.get(name, [])).values()
        together = [{entry.proxy for entry in group} for group in groups]
        best = max(together, key=lambda proxies: len(proxies.intersection(REFERENCES)), default=set())
        if lacking := tuple(proxy for proxy in REFERENCES if proxy not in best):
            found[name] = lacking
    return found
