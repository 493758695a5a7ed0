"""Exhibit: does a combination of proxies, chosen on some search spaces, beat #Params on another?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, optional, text, texts, whole
from harness.analysis.combining import MOST, RESAMPLES, candidates_of, combination_table, mean_table
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.style import BLACK, BLUE, GREY, VERMILLION, paper_style
from harness.display.tables.columns import Column, estimates, words
from harness.display.tables.grids import Grid
from harness.display.tables.heading import Headings
from harness.display.tables.numbers import coefficient, count, counted, p_value, signed
from harness.display.tables.rows import VERDICT_MARKS, Labels, label_of
from harness.errors import HarnessError
from harness.exhibits._heading import heading_of
from harness.exhibits.heatmap import run_names
from harness.exhibits.pairs import LEVEL
from harness.registry import select_proxies
from harness.results import as_runs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.results import OpenedRun

BASELINES = ("params", "flops", "az_nas")

_NOTES = (
    "A combination scores a network by the mean of its ranks by its proxies. It is chosen by the mean over the other "
    "spaces of the correlation of this mean rank with the rank of the accuracy, and judged on the space that was left "
    "out, with all its runs. Only networks with a finite score of every candidate count.",
    "Intervals of a run count its networks (jackknife) and the choice (networks of the other spaces drawn again with "
    "replacement); p after Holm's correction for the runs. Again: the share of these draws in which the same "
    "combination is chosen. Intervals of means are Student's t with the spaces as the sample. Best here: the "
    "combination that ranks this run best, which nobody could have chosen.",
)


@accepts(runs=as_runs, most=whole(), proxies=optional(texts), resamples=whole(), seed=whole(), subset=text)
def combine(
    runs: Sequence[OpenedRun],
    *,
    most: int = MOST,
    proxies: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    subset: str = "all",
) -> Exhibit:
    """Combinations of proxies, chosen on some search spaces and judged on the one that was left out.

    Args:
        runs: runs of two or more benchmarks; those of one benchmark count as one space.
        most: the largest number of proxies in a combination.
        proxies: the candidates; default: all that every run has.
        resamples: how often the networks are drawn again for the interval of the choice.
        seed: of these draws.
        subset: the architecture set, which every run must have.

    Raises:
        HarnessError: see :func:`harness.analysis.combining.combination_table`.
    """
    if not runs:
        raise HarnessError("no run was given; combinations are chosen on some spaces and judged on another")
    names = run_names(runs)
    pools = {name: run.joined if subset == "all" else run.within(subset) for name, run in zip(names, runs, strict=True)}
    spaces = {name: run.setting.benchmark for name, run in zip(names, runs, strict=True)}
    chosen = None if proxies is None else [proxy.name for proxy in select_proxies(",".join(proxies))]
    table = combination_table(
        pools, spaces, candidates=chosen, most=most, baselines=BASELINES, resamples=resamples, seed=seed
    )
    labels = {name: label for run in runs for name, label in run.labels.items()}
    picked = list(dict.fromkeys(name for members in table["combination"] for name in members))
    number = len(candidates_of(pools) if chosen is None else chosen)
    means = mean_table(table, number)
    grids = [_means_grid(means, labels)]
    beside_params = table[table["baseline"] == "params"]
    grids += [_grid(beside_params[beside_params["size"] == size], size, labels) for size in range(1, most + 1)]
    heading = Headings({name: heading_of(run) for name, run in zip(names, runs, strict=True)})
    return Exhibit(
        name="combinations",
        title="Combinations of proxies on spaces that they were not chosen on",
        heading=heading,
        grids=tuple(grids),
        drawings=(
            Drawing(
                "combinations",
                "Difference of Kendall τ to #Params on the space that was left out of the choice, with 95 % intervals, "
                "by the number of proxies combined.",
                _flat(table),
                lambda width: plot_combinations(beside_params, width),
                wide=True,
            ),
        ),
        notes=(
            verdict(means),
            f"Candidates: {counted(number, 'proxy', 'proxies')}; chosen at least once: "
            f"{', '.join(label_of(name, labels) for name in picked)}.",
            *_NOTES,
        ),
    )


def verdict(means: pd.DataFrame) -> str:
    """One sentence: whether a combination beats #Params on spaces that it was not chosen on, all sizes counted."""
    found = means[means["baseline"] == "params"]
    best = max(found.to_dict("records"), key=lambda row: row["difference"])
    beats = best["difference"] > 0 and best["p_holm"] < LEVEL
    start = "A combination exists that beats" if beats else "No combination is shown to beat"
    size, spaces = counted(best["size"], "proxy", "proxies"), counted(best["spaces"], "space")
    return (
        f"{start} #Params on average over spaces that it was not chosen on (p = {p_value(best['p_holm'])} after Holm's "
        f"correction for {counted(len(found), 'size')}): with {size}, the best size, the mean difference in τ is "
        f"{signed(best['difference'])} [{signed(best['low'])}, {signed(best['high'])}] over {spaces}, better in "
        f"{best['better']} and worse in {best['worse']}."
    )


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the members of combinations in one text."""
    return table.assign(**{name: table[name].map(" + ".join) for name in ("combination", "best_here")})


def _members(names: Sequence[str], labels: Labels) -> str:
    return " + ".join(label_of(name, labels) for name in names)


def _means_grid(means: pd.DataFrame, labels: Labels) -> Grid:
    columns = (
        Column("size", "Proxies", means["size"], count),
        Column("combinations", "Compared", means["combinations"], count),
        words("baseline", "Beside", (label_of(name, labels) for name in means["baseline"])),
        Column("spaces", "Spaces", means["spaces"], count),
        estimates("difference", "Mean Δτ [95 %]", means, "difference", "low", "high", sign=True),
        Column("p", "p", means["p_holm"], p_value),
        Column("better", "Better", means["better"], count),
        Column("worse", "Worse", means["worse"], count),
    )
    title = "Mean difference on spaces that the combination was not chosen on"
    return Grid("combination_means", title, columns, means, names=3)


def _grid(part: pd.DataFrame, size: int, labels: Labels) -> Grid:
    shown = part.reset_index(drop=True)
    chosen, here = ([_members(names, labels) for names in shown[key]] for key in ("combination", "best_here"))
    bounds = ("difference", "difference_low", "difference_high")
    columns = (
        words("run", "Left out", shown["run"]),
        words("combination", "Chosen on the others", chosen),
        Column("chosen_again", "Again", shown["chosen_again"], _share),
        Column("networks", "n", shown["networks"], count),
        Column("kendall", "τ", shown["kendall"], coefficient),
        Column("reference", "τ of\n#Params", shown["reference"], coefficient),
        estimates("difference", "Δτ [95 %]", shown, *bounds, sign=True, verdicts=shown["verdict"]),
        Column("p", "p", shown["p_holm"], p_value),
        words("best_here", "Best here", here),
        Column("kendall_best_here", "τ", shown["kendall_best_here"], coefficient),
    )
    title = f"{counted(size, 'proxy', 'proxies')}, beside #Params"
    win, loss, tie = (VERDICT_MARKS[each] for each in ("win", "loss", "tie"))
    notes = (f"{win} better and {loss} worse than #Params, {tie} neither.",)
    return Grid(f"combinations_{size}", title, columns, _flat(shown), notes, names=2)


def _share(value: float) -> str:
    return f"{value:.0%}" if math.isfinite(value) else "–"


def plot_combinations(table: pd.DataFrame, width: float) -> Figure:
    """The difference to #Params on each run that was left out, one panel per number of proxies.

    Args:
        table: rows of :func:`harness.analysis.combining.combination_table` for one baseline.
        width: the width in inches.
    """
    from matplotlib.figure import Figure

    sizes = sorted(table["size"].unique())
    runs = list(dict.fromkeys(table["run"]))
    with paper_style():
        figure = Figure(figsize=(width, 0.9 + 0.24 * len(runs)), layout="constrained")
        panels = figure.subplots(1, len(sizes), sharey=True, sharex=True, squeeze=False)[0]
        for axes, size in zip(panels, sizes, strict=True):
            for row in table[table["size"] == size].to_dict("records"):
                place = runs.index(row["run"])
                color = {"win": BLUE, "loss": VERMILLION}.get(row["verdict"], GREY)
                axes.plot([row["difference_low"], row["difference_high"]], [place, place], color=color, linewidth=1)
                axes.plot(row["difference"], place, "o", color=color, markersize=4)
            axes.axvline(0, color=BLACK, linewidth=0.8)
            axes.set_title("1 proxy" if size == 1 else f"{size} proxies", fontsize="small")
            axes.grid(axis="x")
        panels[0].set_yticks(range(len(runs)), runs)
        panels[0].invert_yaxis()
        figure.supxlabel("Kendall τ less that of #Params, on the space that was left out", fontsize="small")
    return figure
