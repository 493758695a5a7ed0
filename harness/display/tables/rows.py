"""Choosing rows of the correlation table and saying in words what they hold."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from harness._utils.names import unknown_name
from harness._utils.visible import visible
from harness.display.tables.numbers import count, counted
from harness.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[Hashable, Any]
Labels = Mapping[str, str]

VERDICT_MARKS = {"win": "▲", "tie": "○", "loss": "▼", "baseline": "◆"}
OUTCOMES = {"failed": "failed", "non_finite": "non-finite", "skipped": "skipped"}


def label_of(proxy: str, labels: Labels | None) -> str:
    """The name a proxy is shown under: its own where no label is given."""
    return visible((labels or {}).get(proxy, proxy))


def main_set(table: pd.DataFrame, wanted: str | None = None) -> str:
    """The set that the first table shows: the wanted one, else ``all``, else the first.

    Raises:
        UnknownNameError: if the table has no such set.
    """
    sets = list(dict.fromkeys(table["set"]))
    if wanted is None:
        return "all" if "all" in sets or not sets else str(sets[0])
    if sets and wanted not in sets:
        raise UnknownNameError(unknown_name("set in the correlation table", wanted, sets))
    return wanted


def set_rows(table: pd.DataFrame, chosen: str) -> pd.DataFrame:
    """The rows of one set, best Kendall τ first, proxies without a coefficient last."""
    return table[table["set"] == chosen].sort_values("kendall", ascending=False, na_position="last", kind="stable")


def has_several_sets(table: pd.DataFrame) -> bool:
    """Whether there is anything to put side by side."""
    return len(set(table["set"])) > 1


def baseline_row(rows: pd.DataFrame) -> Row | None:
    """The row that the others are compared with, if there is one."""
    found = rows[rows["verdict"] == "baseline"].to_dict("records")
    return found[0] if found else None


def side_by_side(table: pd.DataFrame, first: str) -> tuple[dict[str, int], list[tuple[str, dict[str, Row]]]]:
    """The sets with their sizes, and for each proxy its row in every set; ordered as in the set ``first``."""
    names = [first, *(name for name in dict.fromkeys(table["set"]) if name != first)]
    sizes = {name: int(table.loc[table["set"] == name, "networks"].max()) for name in names}
    found: dict[str, dict[str, Row]] = {}
    for name in names:
        for row in set_rows(table, name).to_dict("records"):
            found.setdefault(row["proxy"], {})[name] = row
    return sizes, list(found.items())


FEWEST = 3
"""Networks without which there is no rank correlation."""

FEW = 10
"""Fewer networks than this give intervals that span most of what is possible."""


def can_be_ranked(rows: pd.DataFrame) -> bool:
    """Whether there are networks enough for a rank correlation."""
    return bool(rows["networks"].max() >= FEWEST)


def few_note(rows: pd.DataFrame) -> tuple[str, ...]:
    """What cannot be said of so few networks; nothing where there are enough."""
    total = rows["networks"].max()
    if total < FEWEST:
        return (
            f"{counted(total, 'network')} cannot be ranked: rank correlations need {FEWEST} networks or more. 'harness "
            "run' with a larger --sample adds networks to this run.",
        )
    if total < FEW:
        return (
            f"With {counted(total, 'network')} hardly any two proxies can be told apart: intervals are missing or "
            "span most of what is possible. 'harness run' with a larger --sample adds networks to this run.",
        )
    return ()


def set_notes(table: pd.DataFrame, first: str, sets: Mapping[str, str]) -> list[str]:
    """What belongs to each set of architectures, and how much of the sample does."""
    sizes, _ = side_by_side(table, first)
    total = max(sizes.values())
    described = {name: size for name, size in sizes.items() if name in sets and name != "all"}
    notes = [f"{name} ({size:,} of {counted(total, 'network')}): {sets[name]}." for name, size in described.items()]
    if notes:
        notes.append(
            "Sets are parts of the whole search space: a network outside 'unique' need not have an equal in this "
            "sample."
            if "unique" in described
            else "Sets are parts of the whole search space."
        )
    return notes


def outcome_notes(rows: pd.DataFrame, labels: Labels | None = None) -> list[str]:
    """One sentence for every proxy that was not used on all networks or cannot rank them, or one that says all were.

    A proxy that ranks only the networks on which it succeeds looks better than it is, so this is never left out.
    """
    notes = []
    total = rows["networks"].max()
    for row in rows.to_dict("records"):
        outcomes = {word: row[column] for column, word in OUTCOMES.items()} | {"not scored": total - row["networks"]}
        lost = [f"{count(number)} {word}" for word, number in outcomes.items() if number > 0]
        if lost or row["used"] < total:
            used = f"{count(row['used'])} of {count(total)} networks used"
            notes.append(f"{label_of(row['proxy'], labels)}: {used}" + (f" ({', '.join(lost)})" if lost else ""))
    constant = [
        f"{label_of(row['proxy'], labels)}: the same score on every network, so that there is nothing to rank"
        for row in rows.to_dict("records")
        if row["distinct"] == 1 < row["used"]
    ]
    return [*few_note(rows), *(notes or ["Every proxy has a finite score on every network."]), *constant]


def kind_notes(rows: pd.DataFrame, labels: Labels | None = None) -> list[str]:
    """What has to be known of rows that are no proxies: rank aggregates with their pools, and trained accuracies."""
    records = rows.to_dict("records")
    pools = [
        f"{label_of(row['proxy'], labels)} {count(row['pool'])}" for row in records if row.get("kind") == "aggregate"
    ]
    trained = [label_of(row["proxy"], labels) for row in records if row.get("kind") == "truth"]
    notes = []
    if pools:
        notes.append(
            f"Rank aggregates, with the pool of networks ranked: {', '.join(pools)}. Another pool gives other scores; "
            "the intervals treat these as fixed."
        )
    if trained:
        notes.append(f"Not zero-shot proxies but accuracies after training: {', '.join(trained)}.")
    return notes


def verdict_note(rows: pd.DataFrame, labels: Labels | None = None) -> str:
    """What the difference and the verdict mean, or why there is none."""
    base = baseline_row(rows)
    if base is None:
        return "No baseline was scored on these networks, so no proxy is compared with one."
    name = label_of(base["proxy"], labels)
    return (
        f"Δτ: difference to {name} (◆) on the same networks; ▲ win and ▼ loss where its interval excludes zero, else "
        "○ tie; p is not corrected for the number of proxies; p_holm in correlations.csv is."
    )
