"""Exhibit: stability of scores between several runs of the same networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts
from harness.analysis.stability import stability_table
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.row_charts import name_rows, row_height
from harness.display.figures.style import BLACK, BLUE, GREY, paper_style
from harness.display.tables.columns import Column, estimates, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import coefficient, count
from harness.display.tables.rows import Labels, label_of
from harness.errors import HarnessError
from harness.exhibits._heading import heading_of
from harness.results import as_runs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.results import OpenedRun

SAME = ("benchmark", "dataset")
"""What runs must have in common."""

NOT_ONE_BY_ONE = ("fingerprint", "sample_seed")
"""Settings that only differ together with another one, or do not matter on common networks."""


@accepts(runs=as_runs)
def stability(runs: Sequence[OpenedRun]) -> Exhibit:
    """How well several runs of the same networks agree, proxy by proxy.

    Args:
        runs: runs of one benchmark and data set with one ground truth; they may differ in the seed of the weights, the
            images and the batch size. A single run stands for all its seeds.

    Raises:
        HarnessError: if there are fewer than two, or their benchmark, data set or ground truth differ.
    """
    if len(runs) == 1:
        runs = runs[0].seeds
    for run in runs[1:]:
        _check_comparable(runs[0], run)
    table = stability_table([run.joined for run in runs])
    labels = {name: label for run in runs for name, label in run.labels.items()}
    most = int(table["networks"].max())
    return Exhibit(
        name="stability",
        title="Stability of the proxies between runs",
        heading=replace(heading_of(runs[0]), networks=most, facts=(_difference(runs),)),
        grids=(_grid(table, labels, len(runs)),),
        drawings=(
            Drawing(
                "stability",
                f"Kendall τ between runs of the same {most:,} networks: mean and range over pairs of runs.",
                table,
                lambda width: plot_stability(table, labels, width),
            ),
        ),
    )


def plot_stability(table: pd.DataFrame, labels: Labels | None, width: float) -> Figure:
    """τ between runs, and with the accuracies, one line per proxy.

    Args:
        table: rows of :func:`harness.analysis.stability.stability_table`.
        labels: display names of proxies.
        width: the width in inches.
    """
    from matplotlib.figure import Figure

    with paper_style():
        height = row_height(len(table), 0.15, 0.9)
        figure = Figure(figsize=(width, 0.9 + height * max(len(table), 3)), layout="constrained")
        axes = figure.add_subplot()
        places = range(len(table))
        for prefix, color, marker, label in (
            ("between", BLUE, "o", "between runs"),
            ("kendall", BLACK, "D", "with accuracy"),
        ):
            low, high = table[f"{prefix}_lowest"], table[f"{prefix}_highest"]
            axes.hlines(places, low, high, color=color, linewidth=1.2)
            axes.plot(table[prefix], places, marker, color=color, markersize=3, label=label)
        if (table[["between_lowest", "kendall_lowest"]] < 0).any(axis=None):
            axes.axvline(0, color=GREY, linewidth=0.5)
        name_rows(axes, [label_of(proxy, labels) for proxy in table["proxy"]], height)
        axes.grid(axis="x")
        axes.set_xlabel("Kendall τ, mean and range over runs")
        figure.legend(loc="outside lower center", ncols=2, handletextpad=0.1)
    return figure


def _grid(table: pd.DataFrame, labels: Labels, runs: int) -> Grid:
    columns = (
        row_names(table["proxy"], labels),
        estimates("between", "τ between runs\n[range]", table, "between", "between_lowest", "between_highest"),
        estimates("kendall", "τ with accuracy\n[range]", table, "kendall", "kendall_lowest", "kendall_highest"),
        Column("deviation", "SD", table["kendall_deviation"], coefficient),
        Column("mean rank", "τ of the\nmean rank", table["kendall_of_mean_rank"], coefficient),
        Column("runs", "Runs", table["runs"], count),
        Column("networks", "Net-\nworks", table["networks"], count),
    )
    notes = (
        f"Means and ranges over the pairs of runs, and over the {runs} runs. Brackets are ranges, not intervals.",
        "τ of the mean rank: τ of each network's rank, averaged over the runs, with the accuracies.",
    )
    return Grid("stability", "Kendall τ between runs, most stable first", columns, table, notes)


def _difference(runs: Sequence[OpenedRun]) -> str:
    """The settings in which the runs differ, as a sentence."""
    settings = [asdict(run.setting) for run in runs]
    fields = [name for name in settings[0] if name not in NOT_ONE_BY_ONE]
    parts = []
    for name in fields:
        values = list(dict.fromkeys(str(setting[name]) for setting in settings))
        if len(values) > 1:
            parts.append(f"{name.replace('_', ' ')} {', '.join(values)}")
    return f"{len(runs)} runs that differ in: {'; '.join(parts) or 'nothing that fixes a score'}"


def _check_comparable(first: OpenedRun, other: OpenedRun) -> None:
    for name in SAME:
        ours, theirs = getattr(first.setting, name), getattr(other.setting, name)
        if ours != theirs:
            raise HarnessError(
                f"{first.directory} is of the {name} {ours}, {other.directory} of {theirs}; give runs of one {name}"
            )
    if first.truth.describe() != other.truth.describe():
        raise HarnessError(
            f"{first.directory} is ranked against {first.truth.describe()}, {other.directory} against "
            f"{other.truth.describe()}; give a --truth that both have"
        )
