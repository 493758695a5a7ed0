"""Select rows of the correlation table, and describe them in notes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from harness._utils.names import unknown_name
from harness._utils.visible import visible
from harness.analysis.statistics.jackknife import FEWEST_NETWORKS
from harness.display.tables.numbers import count, counted
from harness.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[Hashable, Any]
Labels = Mapping[str, str]

VERDICT_MARKS = {"win": "▲", "tie": "○", "loss": "▼", "baseline": "◆"}
OUTCOMES = {"failed": "failed", "non_finite": "non-finite", "skipped": "skipped"}


def label_of(proxy: str, labels: Labels | None) -> str:
    """The display name of a proxy; default: its own name."""
    return visible((labels or {}).get(proxy, proxy))


def sentence(text: str) -> str:
    """The text with a full stop, unless it has an end.

    >>> sentence("8 of 9 used"), sentence("Which is best?")
    ('8 of 9 used.', 'Which is best?')
    """
    return text if text.endswith((".", "?", "!", ":")) else f"{text}."


def main_set(table: pd.DataFrame, wanted: str | None = None) -> str:
    """The set that the first table shows: the requested one, else ``all``, else the first.

    Raises:
        UnknownNameError: if the table lacks the set.
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
    """Whether the table has more than one set."""
    return len(set(table["set"])) > 1


def baseline_row(rows: pd.DataFrame) -> Row | None:
    """The baseline's row, if there is one."""
    found = rows[rows["verdict"] == "baseline"].to_dict("records")
    return found[0] if found else None


def side_by_side(table: pd.DataFrame, first: str) -> tuple[dict[str, int], list[tuple[str, dict[str, Row]]]]:
    """The sets with their sizes, and for each proxy its row in every set, in the order of the set ``first``."""
    names = [first, *(name for name in dict.fromkeys(table["set"]) if name != first)]
    sizes = {name: int(table.loc[table["set"] == name, "networks"].max()) for name in names}
    found: dict[str, dict[str, Row]] = {}
    for name in names:
        for row in set_rows(table, name).to_dict("records"):
            found.setdefault(row["proxy"], {})[name] = row
    return sizes, list(found.items())


FEW = 10
"""With fewer networks, intervals cover most of the possible range."""


def can_be_ranked(rows: pd.DataFrame) -> bool:
    """Whether there are enough networks for a rank correlation."""
    return bool(rows["networks"].max() >= FEWEST_NETWORKS)


def few_note(rows: pd.DataFrame) -> tuple[str, ...]:
    """A note that there are too few networks, if that is so."""
    total = rows["networks"].max()
    if total < FEWEST_NETWORKS:
        return (
            f"{counted(total, 'network')} cannot be ranked: rank correlations need {FEWEST_NETWORKS} networks or more. "
            "'harness run' with a larger --sample adds networks to this run.",
        )
    if total < FEW:
        return (
            f"With {counted(total, 'network')} hardly any two proxies can be distinguished: intervals are missing or "
            "cover most of the possible range. 'harness run' with a larger --sample adds networks to this run.",
        )
    return ()


def set_notes(table: pd.DataFrame, first: str, sets: Mapping[str, str]) -> list[str]:
    """The description of each architecture set, and how many networks of the sample belong to it."""
    sizes, _ = side_by_side(table, first)
    total = max(sizes.values())
    described = {name: size for name, size in sizes.items() if name in sets and name != "all"}
    notes = [f"{name} ({size:,} of {counted(total, 'network')}): {sets[name]}." for name, size in described.items()]
    if notes:
        notes.append(
            "Sets are defined on the whole search space: a network outside 'unique' may have no equivalent in this "
            "sample."
            if "unique" in described
            else "Sets are defined on the whole search space."
        )
    return notes


def proxy_notes(rows: pd.DataFrame, labels: Labels | None = None) -> tuple[dict[str, str], dict[str, str]]:
    """A sentence for each proxy that was not used on all networks, and for each one that cannot rank them."""
    lost, constant = {}, {}
    total = rows["networks"].max()
    for row in rows.to_dict("records"):
        name = label_of(row["proxy"], labels)
        outcomes = {word: row[column] for column, word in OUTCOMES.items()} | {"not scored": total - row["networks"]}
        why = ", ".join(f"{count(number)} {word}" for word, number in outcomes.items() if number > 0)
        if why or row["used"] < total:
            used = f"{name}: {count(row['used'])} of {count(total)} networks used"
            lost[row["proxy"]] = f"{used} ({why})." if why else f"{used}."
        if row["distinct"] == 1 < row["used"]:
            constant[row["proxy"]] = f"{name}: the same score on every network, so there is nothing to rank."
    return lost, constant


def outcome_notes(rows: pd.DataFrame, labels: Labels | None = None) -> list[str]:
    """Whether there are enough networks, and the sentences of :func:`proxy_notes`, or that all networks were used.

    A proxy that ranks only the networks on which it succeeds looks better than it is, so this is never omitted.
    """
    lost, constant = proxy_notes(rows, labels)
    used = lost.values() or ["Every proxy has a finite score on every network."]
    return [*few_note(rows), *used, *constant.values()]


def kinds_of(records: Iterable[Row]) -> list[str]:
    """The kind of each row; a table of proxies alone may lack the column."""
    return [row.get("kind", "proxy") for row in records]


def kind_notes(rows: pd.DataFrame, labels: Labels | None = None) -> list[str]:
    """Notes on rows that are not proxies: rank aggregates with their pools, and trained accuracies."""
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
    """The meaning of the difference and the verdict, or why there is none."""
    base = baseline_row(rows)
    if base is None:
        return "No baseline was scored on these networks, so no proxy is compared with one."
    name = label_of(base["proxy"], labels)
    return (
        f"Δτ: difference to {name} (◆) on the same networks; ▲ win and ▼ loss where its interval excludes zero, else "
        "○ tie; p is not corrected for the number of proxies; p_holm in correlations.csv is."
    )


def significant(verdicts: Iterable[str]) -> list[str]:
    """The verdicts that a paper marks."""
    return [verdict if verdict in ("win", "loss") else "" for verdict in verdicts]


def dagger_note(base: Row | None, labels: Labels | None) -> tuple[str, ...]:
    """A sentence on the daggers of a table for a paper, if it has a baseline."""
    if base is None:
        return ()
    return (f"▲, ▼: significantly better, worse than {label_of(base['proxy'], labels)}, paired on the same networks.",)
