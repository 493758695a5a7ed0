"""Exhibit: the quality of the networks that each proxy selects."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from harness._utils.arguments import accepts, number, optional, several, text, texts, whole
from harness.analysis.selection import CHANCE, COUNTS, PERCENTS, at, ranking_table, selection_table
from harness.analysis.top import share_size
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.lines import highlighted, plot_lines
from harness.display.tables.columns import Column, best_cells, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import MISSING, coefficient, count, points
from harness.display.tables.rows import Labels
from harness.exhibits.part import part_of, unused_note
from harness.results import as_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.results import OpenedRun

CURVE = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
"""The numbers of selected networks for which the figure has points."""

CHANCE_LABEL = {CHANCE: "random"}


@accepts(
    run=as_run, counts=several(whole()), percents=several(number), subset=text, baseline=text, highlight=optional(texts)
)
def selection(
    run: OpenedRun,
    *,
    counts: Sequence[int] = COUNTS,
    percents: Sequence[float] = PERCENTS,
    subset: str = "all",
    baseline: str = "params",
    highlight: Sequence[str] | None = None,
) -> Exhibit:
    """Precision, best rank and regret of selecting the top k networks by each proxy, nDCG and weighted τ.

    Args:
        run: the scores.
        counts: values of k.
        percents: values of k as percentages of the networks.
        subset: the architecture set.
        baseline: the proxy whose line is black.
        highlight: the proxies in colour, eight at most; default: those with the best nDCG, or weighted τ.

    Raises:
        UnknownNameError: if the set or the proxy does not exist.
        HarnessError: for a k below 1, a percentage outside (0, 100], or fewer than three networks.
    """
    baseline = run.row_named(baseline)
    highlight = None if highlight is None else [run.row_named(name) for name in highlight]
    joined, heading = part_of(run, subset)
    sizes = {share_size(len(joined), share) for share in percents}
    choices = selection_table(joined, [count for count in counts if count not in sizes], percents)
    rankings = ranking_table(joined)
    percent = "%" in run.truth.metric
    if not percent:
        rankings = rankings.assign(ndcg=math.nan).sort_values("weighted_kendall", ascending=False, ignore_index=True)
    curve = selection_table(joined, [size for size in CURVE if size <= len(joined) // 2], ())
    labels = {**run.labels, **CHANCE_LABEL}
    kinds = {name: CHANCE if name == CHANCE else joined.kind(name) for name in rankings["proxy"]}
    stand_out = highlighted([name for name in kinds if name != CHANCE], baseline, highlight)
    unit = "percentage points" if percent else f"the unit of {run.truth.metric}"
    return Exhibit(
        name="selection",
        title="Quality of the networks that proxies select",
        heading=heading,
        grids=(
            _precision_grid(choices, rankings, kinds, labels, percent),
            _regret_grid(choices, kinds, labels, unit),
        ),
        drawings=(
            Drawing(
                "regret",
                f"Regret of the best of the k networks that a proxy ranks highest, of {len(joined):,}, in {unit}; "
                "expected values over the order of tied networks.",
                curve,
                lambda width: plot_regret(curve, labels, baseline, stand_out, width, unit),
            ),
        ),
        notes=(
            "Tied networks: expected values over their order, in closed form; 'random' is a random choice. A network "
            "without a finite score is never selected.",
            *unused_note(joined, labels),
        ),
    )


def plot_regret(
    table: pd.DataFrame,
    labels: Labels | None,
    baseline: str | None,
    stand_out: Sequence[str],
    width: float,
    unit: str,
) -> Figure:
    """Regret against the number of selected networks, one line per proxy.

    Args:
        table: rows of :func:`harness.analysis.selection.selection_table`.
        labels: display names of proxies.
        baseline: the line in black.
        stand_out: the lines in colour.
        width: the width in inches.
        unit: the unit of the accuracies.
    """
    lines: dict[str, pd.Series[float]] = {
        str(name): rows.set_index("chosen")["regret"] for name, rows in table.groupby("proxy", sort=False)
    }
    figure = plot_lines(
        lines,
        width,
        stand_out=[name for name in stand_out if name in lines],
        baseline=baseline,
        labels=labels,
        xlabel="networks selected, k",
        ylabel=f"regret of the best selected\n({unit})",
        dotted=CHANCE,
    )
    (axes,) = figure.axes
    # Logarithmic, except for the last part down to 0, which a good choice reaches.
    axes.set_yscale("symlog", linthresh=0.1, linscale=0.4)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:g}")
    return figure


def _precision_grid(
    choices: pd.DataFrame, rankings: pd.DataFrame, kinds: Mapping[str, str], labels: Labels, percent: bool
) -> Grid:
    columns = [row_names(kinds, labels)]
    for choice in _by_size(choices):
        if choice != "1":
            columns.append(_column(f"P@{choice}", kinds, at(choices, choice, "precision"), coefficient))
    places = int(rankings["ndcg_places"].iloc[0])
    ranked = rankings.set_index("proxy")
    columns += [
        _column(f"nDCG\n@{places:,}", kinds, dict(ranked["ndcg"]), coefficient),
        _column("weighted\nτ", kinds, dict(ranked["weighted_kendall"]), coefficient),
    ]
    gain = (
        "gain 2^a - 1 of the accuracy a in percent, discount log2(1 + place)"
        if percent
        else "not computed, because its gain 2^a - 1 needs an accuracy a in percent"
    )
    notes = (
        "P@k: the share of a proxy's top k that are among the k most accurate networks, which is also the share of "
        "these that it finds.",
        f"nDCG: {gain}. Weighted τ: Vigna's, additive hyperbolic weights.",
    )
    data = choices.merge(rankings.drop(columns="networks"), on="proxy")
    return Grid("selection", "Does a proxy find the best networks?", tuple(columns), data, notes)


def _regret_grid(choices: pd.DataFrame, kinds: Mapping[str, str], labels: Labels, unit: str) -> Grid:
    columns = [row_names(kinds, labels)]
    for choice in _by_size(choices):
        columns.append(_column(f"rank\n@{choice}", kinds, at(choices, choice, "best_rank"), _rank, highest=False))
    for choice in _by_size(choices):
        columns.append(_column(f"regret\n@{choice}", kinds, at(choices, choice, "regret"), points, highest=False))
    n = int(choices["networks"].iloc[0])
    shares = ", ".join(
        f"{words} are {count(size)}"
        for words, size in dict(zip(choices["choice"], choices["chosen"], strict=True)).items()
        if "%" in words
    )
    notes = (
        f"Rank: accuracy rank of the best network among the top k, among all {count(n)}; 1 is the best. "
        f"Regret: how far its accuracy is below the best, in {unit}.",
        *((f"Of these networks, {shares}.",) if shares else ()),
    )
    return Grid("regret_at_k", "How good is the best selected network?", tuple(columns), choices, notes)


def _by_size(choices: pd.DataFrame) -> list[str]:
    """The choices from few networks to many."""
    return list(choices.drop_duplicates("choice").sort_values("chosen", kind="stable")["choice"])


def _column(
    header: str,
    kinds: Mapping[str, str],
    values: Mapping[str, float],
    write: Callable[[float], str],
    *,
    highest: bool = True,
) -> Column:
    shown = [values[name] for name in kinds]
    return Column(header, header, shown, write, best=best_cells(kinds.values(), shown, highest=highest))


def _rank(value: float) -> str:
    if not math.isfinite(value):
        return MISSING
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:.1f}"
