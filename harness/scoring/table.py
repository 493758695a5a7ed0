"""The table of scores that ``harness score`` prints."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.scores import wide_scores
from harness.display.tables.columns import Column, row_names, words
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import MISSING, ratio
from harness.registry import proxy_facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from harness.results import OpenedRun

ARROWS = {"higher": "↑", "lower": "↓"}


def score_grid(table: pd.DataFrame, facts: Sequence[str] = ()) -> Grid:
    """The scores of one network, with costs and reasons, or those of several networks, one column each.

    Args:
        table: of :func:`harness.score`, with a column ``network`` if there are several, and ``place`` if the scores
            were placed among those of a run.
        facts: lines above the table.
    """
    labels = {name: facts.label for name, facts in proxy_facts().items()}
    names = list(dict.fromkeys(table["network"])) if "network" in table else [""]
    parts = [table[table["network"] == name] if name else table for name in names]
    first = parts[0]
    columns = [row_names(first["proxy"], labels), words("better", "", [ARROWS[better] for better in first["better"]])]
    places = "place" in table
    for name, part in zip(names, parts, strict=True):
        bounds = [f"({share:.0%})" if math.isfinite(share) else "" for share in part["place"]] if places else ()
        header = name or "Score"
        columns.append(Column(header, header, part["value"], significant, bounds=bounds))
    notes = ["↑, ↓: higher or lower is better."]
    if len(names) == 1:
        columns.append(Column("alone ×", "Alone\n×", first["standalone_ratio"], ratio))
        notes = [f"{notes[0]} ×: the cost of the proxy alone in forward + backward passes."]
    notes += _reasons(names, parts, labels)
    if places:
        notes.append("In brackets: the share of the run's networks with a worse score.")
    for name in names:
        before = f"{name}: " if name else ""
        notes += [f"{before}{note}." for note in table.attrs.get("notes", {}).get(name, [])]
    return Grid("scores", "Scores", tuple(columns), table, tuple(notes), tuple(facts))


def _reasons(names: Sequence[str], parts: Sequence[pd.DataFrame], labels: Mapping[str, str]) -> list[str]:
    """Why there is no score, once per reason."""
    of_reason: dict[str, list[str]] = {}
    for name, part in zip(names, parts, strict=True):
        for proxy, reason in zip(part["proxy"], part["reason"], strict=True):
            if reason:
                label = labels.get(proxy, proxy)
                of_reason.setdefault(reason, []).append(f"{label} of {name}" if name else label)
    return [f"{', '.join(of)}: {reason}." for reason, of in of_reason.items()]


def significant(value: float) -> str:
    """A score with five digits, or all digits of a whole number.

    >>> significant(11689512.0), significant(0.0123456), significant(3.9e29), significant(math.nan)
    ('11,689,512', '.012346', '3.9000e+29', '–')
    """
    if not math.isfinite(value):
        return MISSING
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    if 1e-4 <= abs(value) < 1e6:
        text = f"{value:#.5g}".rstrip(".")
        return text.replace("0.", ".", 1) if abs(value) < 1 else text
    return f"{value:.4e}"


def placed(table: pd.DataFrame, run: OpenedRun) -> pd.DataFrame:
    """The table with a column ``place``: the share of the run's networks whose score is worse, NaN without one.

    Half of the networks with an equal score count.
    """
    among = wide_scores(run.scores)
    shares = []
    for proxy, value, better in zip(table["proxy"], table["value"], table["better"], strict=True):
        others = among[proxy].dropna().to_numpy() if proxy in among else np.empty(0)
        worse = others < value if better == "higher" else others > value
        has_place = len(others) and math.isfinite(value)
        shares.append(float(np.mean(worse + 0.5 * (others == value))) if has_place else math.nan)
    found = table.assign(place=shares)
    found.attrs = dict(table.attrs)
    return found
