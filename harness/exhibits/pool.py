"""Code that the exhibits about choosing networks share: which rows are shown, labels and notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness._utils.names import unknown_name
from harness.analysis.search import OPTIMUM, RANDOM
from harness.display.tables.numbers import count
from harness.display.tables.rows import Labels, label_of
from harness.errors import UnknownNameError
from harness.registry import LIST_PROXIES, named_among

if TYPE_CHECKING:
    import pandas as pd

    from harness.results import OpenedRun

NOT_PROXIES = (RANDOM, OPTIMUM)
MOST_SHOWN = 4
"""How many proxies a figure shows by default: more lines would be hard to distinguish."""


def shown_rows(table: pd.DataFrame, wanted: Sequence[str], key: str, *, highest: bool = True) -> list[str]:
    """The rows that a figure shows; default: #Params and the best others.

    By default, a row with the same result as an earlier one is omitted, because its line would hide the other.

    Args:
        table: one line per row, with the columns ``row`` and ``key``.
        wanted: the requested names, if any.
        key: the column by which rows are compared.
        highest: whether higher is better.

    Raises:
        UnknownNameError: if a requested row does not exist.
    """
    proxies = table[~table["row"].isin(NOT_PROXIES)].dropna(subset=[key])
    if wanted:
        rows: dict[str, None] = {}
        for name in wanted:
            row = named_among(name, proxies["row"])
            if row is None:
                raise UnknownNameError(unknown_name("row of this analysis", name, proxies["row"], LIST_PROXIES))
            rows[row] = None
        return list(rows)
    ordered = proxies.sort_values(key, ascending=not highest, kind="stable")
    first = ordered[ordered["row"] == "params"]
    chosen: dict[float, str] = {}
    for name, value in [*first[["row", key]].to_numpy(), *ordered[["row", key]].to_numpy()]:
        chosen.setdefault(round(float(value), 9), str(name))
    return list(chosen.values())[:MOST_SHOWN]


def row_labels(labels: Labels, random: str, optimum: str) -> Labels:
    """The display names, including the two rows that are not proxies."""
    return {**labels, RANDOM: random, OPTIMUM: optimum}


def unscored_note(table: pd.DataFrame, labels: Labels, networks: int, consequence: str) -> tuple[str, ...]:
    """A sentence about the proxies that lack scores, if there are any."""
    lacking = table[table["scored"] < networks].drop_duplicates("row").sort_values("row", kind="stable")
    if lacking.empty:
        return ()
    parts = [
        f"{label_of(row, labels)} {count(networks - scored)}"
        for row, scored in zip(lacking["row"], lacking["scored"], strict=True)
    ]
    return (f"Networks without a finite score: {', '.join(parts)}; {consequence}",)


def orientation_note(run: OpenedRun) -> tuple[str, ...]:
    """A sentence that says that the accuracies are shown negated, if they are."""
    if run.truth.higher_is_better:
        return ()
    return (f"Lower {run.truth.metric} is better: it is shown negated, so that higher is better.",)
