"""A check in words: the table, and a sentence for each proxy whose verdict is not "same"."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from harness.display.tables.columns import Column, estimates, words
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import MISSING, coefficient, count, estimate, ratio
from harness.gate.costs import SMALL
from harness.gate.verdicts import MEANINGS

if TYPE_CHECKING:
    from harness.gate.compare import Checked, Row

SACRIFICES = ("rank agreement", "own cost", "largest change", "difference")
"""The columns that are given up first on a narrow page."""

RENEW = "If these changes are intended, freeze a new baseline: 'harness baseline RUN --out DIRECTORY'."


def relative(value: float) -> str:
    """A relative change: in percent, or in scientific notation if tiny or huge.

    >>> relative(0.0), relative(3.2e-07), relative(0.0251), relative(2.0), relative(math.nan)
    ('0', '3.2e-07', '2.5 %', '200 %', '–')
    """
    if math.isnan(value):
        return MISSING
    if value == 0:
        return "0"
    if 0.001 <= value < 0.1:
        return f"{100 * value:.2g} %"
    return f"{100 * value:.0f} %" if 0.1 <= value < 100 else f"{value:.1e}"


def factor(value: float) -> str:
    """A ratio of costs.

    >>> factor(1.304), factor(math.nan)
    ('1.30', '–')
    """
    return f"{value:.2f}" if math.isfinite(value) else MISSING


def grid_of(checked: Checked) -> Grid:
    """The table of a check."""
    rows = checked.rows
    frame = frame_of(checked)
    columns = (
        words("verdict", "Verdict", (_verdict(checked, row) for row in rows)),
        words("proxy", "Proxy", (row.label for row in rows)),
        Column("then", "τ then", frame["kendall_then"], coefficient),
        Column("now", "τ now", frame["kendall_now"], coefficient),
        estimates("difference", "Difference\n[95 %]", frame, "difference", sign=True),
        Column("changed", "Scores\nchanged", tuple(map(_changed, rows))),
        Column("largest change", "Largest\nchange", frame["largest_change"], relative),
        Column("rank agreement", "Rank\nagreement", frame["rank_agreement"], coefficient),
        Column("own cost", "Own cost\n×", frame["own_cost_now"], ratio),
        Column("cost ratio", "Cost now\n/ then", frame["cost_ratio"], factor),
    )
    return Grid("check", summary(checked), columns, frame, notes_of(checked), sacrifices=SACRIFICES)


def summary(checked: Checked) -> str:
    """One line: the number of proxies with each verdict."""
    counts = {verdict: sum(row.verdict == verdict for row in checked.rows) for verdict in MEANINGS}
    parts = ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)
    return f"{'Failed' if checked.alarms else 'Passed'}: {parts}"


def sentence(row: Row) -> str:
    """What happened to one proxy, with its numbers."""
    parts = [MEANINGS[row.verdict]]
    if row.verdict in ("worse", "better", "changed", "failed"):
        bounds = estimate(row.ranking.difference, row.ranking.low, row.ranking.high, sign=True)
        parts.append(f"τ {coefficient(row.then)} in the baseline, {coefficient(row.now)} now, difference {bounds}")
        parts.append(
            f"{_changed(row)} scores changed, the median by {relative(row.scores.median)} (rounding: up to "
            f"{relative(row.tolerance.typical)}), the largest by {relative(row.scores.largest)} (rounding: up to "
            f"{relative(row.tolerance.single)})"
        )
    if row.verdict == "slower":
        parts.append(
            f"{row.cost.then:.2g} forward and backward passes in the baseline, {row.cost.now:.2g} now; on the same "
            f"network {factor(row.cost.ratio)} times [{factor(row.cost.low)}, {factor(row.cost.high)}]"
        )
    if row.note:
        parts.append(row.note)
    return "; ".join(parts)


def notes_of(checked: Checked) -> tuple[str, ...]:
    """The notes below the table."""
    told = [f"{row.label}: {row.verdict}: {sentence(row)}." for row in checked.rows if row.verdict != "same"]
    meaning = (
        "Difference of τ on the same networks, with its paired interval. Then: in the baseline. Scores changed: by "
        "more than the tolerance measured for each proxy. Rank agreement: Kendall τ between the scores then and now. "
        "×: own cost in forward + backward passes, and its ratio now / then on the same networks; "
        f"below {SMALL:g}, relative to small operations."
    )
    return (*told, *checked.notes, meaning, *([RENEW] if checked.alarms else []))


def frame_of(checked: Checked) -> pd.DataFrame:
    """All numbers of a check with full precision, one row per proxy."""
    return pd.DataFrame(
        [
            {
                "proxy": row.proxy,
                "verdict": row.verdict,
                "alarm": checked.is_alarm(row),
                "kendall_then": row.then,
                "kendall_now": row.now,
                "difference": row.ranking.difference,
                "difference_low": row.ranking.low,
                "difference_high": row.ranking.high,
                "p_value": row.ranking.p_value,
                "scored_then": row.scores.scored_then,
                "scored_now": row.scores.scored_now,
                "scores_changed": row.scores.changed,
                "largest_change": row.scores.largest,
                "median_change": row.scores.median,
                "float_tolerance": row.tolerance.single,
                "float_tolerance_of_median": row.tolerance.typical,
                "rank_agreement": row.scores.agreement,
                "own_cost_then": row.cost.then,
                "own_cost_now": row.cost.now,
                "cost_ratio": row.cost.ratio,
                "cost_ratio_low": row.cost.low,
                "cost_ratio_high": row.cost.high,
                "note": row.note,
            }
            for row in checked.rows
        ]
    )


def _verdict(checked: Checked, row: Row) -> str:
    mark = "✗" if checked.is_alarm(row) else "✓" if row.verdict == "same" else "○"
    return f"{mark} {row.verdict}"


def _changed(row: Row) -> str:
    if row.verdict in ("missing", "new"):
        return MISSING
    return f"{count(row.scores.changed)}/{count(max(row.scores.scored_then, row.scores.scored_now))}"
