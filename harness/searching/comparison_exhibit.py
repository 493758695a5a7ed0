"""Exhibit: what searches with each proxy find on the stored scores of a run, compared with #Params."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from harness._utils.arguments import accepts, optional, several, text, texts, whole
from harness.analysis.search import OPTIMUM, RANDOM
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.style import BLACK, GREY, SERIES, paper_style
from harness.display.tables.columns import Column, best_cells, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import counted, p_value
from harness.display.tables.rows import Labels, label_of
from harness.display.tables.values import accuracy_writer, signed_writer
from harness.exhibits.part import part_of
from harness.exhibits.pool import orientation_note, row_labels, shown_rows
from harness.results import as_run
from harness.searching.algorithms import ALGORITHMS
from harness.searching.comparison import PASSES, comparison_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from harness.results import OpenedRun

DEFAULT = ("random",)
_MARKS = "os^vDP"
_DENSE = 0.5


@accepts(
    run=as_run,
    algorithms=texts,
    evaluations=optional(several(whole())),
    passes=several(whole()),
    searches=whole(),
    population=whole(),
    budget=texts,
    rows=optional(texts),
    subset=text,
    shown=texts,
)
def searches_with_each_proxy(
    run: OpenedRun,
    *,
    algorithms: Sequence[str] = DEFAULT,
    evaluations: Sequence[int] | None = None,
    passes: Sequence[int] = PASSES,
    searches: int = 20,
    population: int = 32,
    budget: Iterable[str] = (),
    rows: Sequence[str] | None = None,
    subset: str = "all",
    shown: Sequence[str] = (),
) -> Exhibit:
    """Searches with each proxy on a run's scored networks: what is found, and is it better than by #Params?

    Args:
        run: the run.
        algorithms: the algorithms; see :data:`harness.searching.algorithms.ALGORITHMS`.
        evaluations: lengths of searches, in networks scored; default: 10, 30, 100, 300, up to half of the networks.
        passes: lengths of searches, in forward and backward passes.
        searches: the number of seeds.
        population: of the evolutions.
        budget: what a network may have at most, such as ``flops=1e8``.
        rows: proxies and aggregates to search with; default: all.
        subset: the architecture set to search.
        shown: the rows of the figure; default: #Params and the best ones.

    Raises:
        HarnessError: see :func:`harness.searching.comparison.comparison_table`.
    """
    pool, heading = part_of(run, subset, fewest=2)
    wanted = None if rows is None else [run.row_named(name) for name in rows]
    table = comparison_table(
        run,
        pool,
        algorithms=algorithms,
        evaluations=evaluations,
        passes=passes,
        searches=searches,
        population=population,
        budget=list(budget),
        rows=wanted,
    )
    labels = row_labels(run.labels, "Random score", "Accuracy itself")
    write = accuracy_writer(pool.accuracy)
    grids = [
        _grid(part, str(name), str(unit), labels, write)
        for (name, unit), part in table.groupby(["algorithm", "unit"], sort=False)
    ]
    last = table[(table["unit"] == "networks") & (table["algorithm"] == algorithms[0])]
    last = last[last["length"] == last["length"].max()]
    limits = ", ".join(budget)
    share = len(pool) / len(run.benchmark.architectures())
    sparse = ""
    if set(algorithms) != {"random"} and share < _DENSE:
        sparse = (
            f" The run scored {share:.1%} of the space's networks; a mutation that it did not score is drawn again, so "
            "that algorithms that move between neighbours are hardly more than random search here."
        )
    notes = (
        f"Mean accuracy of the network with the best score over {counted(searches, 'search', 'searches')} with "
        f"different seeds among the run's {len(pool):,} networks{f' within {limits}' if limits else ''}; difference to "
        "#Params with the same seed, with its 95 % interval, at the greatest length; p after Holm's correction for "
        "the rows of the table; a difference that is the same in every search has no interval. The intervals are of "
        "the seeds of the search alone, not of the run's sample: they hold for these networks.",
        f"Population of the evolutions: {population}. Passes: a search scores as many networks as the proxy's "
        f"stand-alone cost allows, at most all.{sparse}",
        *orientation_note(run),
    )
    return Exhibit(
        "searches",
        "What searches with each proxy find",
        heading,
        tuple(grids),
        (
            Drawing(
                "accuracy_found",
                "Accuracy of the network with the best score against the number of networks scored, one panel per "
                "algorithm: mean over searches, with 95 % intervals.",
                table,
                lambda width: plot_found(table, shown_rows(last, shown, "accuracy"), labels, width, run.truth.metric),
                wide=True,
            ),
        ),
        notes,
    )


def _grid(part: pd.DataFrame, algorithm: str, unit: str, labels: Labels, write: Callable[[float], str]) -> Grid:
    lengths = sorted(part["length"].unique())
    wide = part.pivot(index="row", columns="length", values=["accuracy", "low", "high"])
    last = part[part["length"] == lengths[-1]].set_index("row")
    order = last["accuracy"].sort_values(ascending=False, kind="stable").index
    wide, last = wide.loc[order], last.loc[order]
    columns = [row_names(list(order), labels)]
    for length in lengths:
        mean = wide["accuracy", length]
        best = best_cells(last["kind"], mean)
        columns.append(Column(f"{length}", f"{length:,}", mean, write, best=best))
    sign = signed_writer(write)
    bounds = [
        f"[{sign(low)}, {sign(high)}]" if pd.notna(low) else ""
        for low, high in zip(last["difference_low"], last["difference_high"], strict=True)
    ]
    columns.append(
        Column(
            "difference", "Δ to #Params", last["difference"], lambda x: sign(x) if pd.notna(x) else "–", bounds=bounds
        )
    )
    columns.append(Column("p", "p", last["p_holm"], p_value))
    what = "networks scored" if unit == "networks" else "forward and backward passes"
    title = f"{algorithm}: {ALGORITHMS[algorithm].summary}; accuracy after N {what}"
    name = f"searches_{algorithm.replace('-', '_')}_{unit}"
    return Grid(name, title, tuple(columns), part, names=1)


def plot_found(table: pd.DataFrame, shown: Sequence[str], labels: Labels, width: float, metric: str) -> Figure:
    """The accuracy that is found against the number of networks scored, one panel per algorithm.

    Args:
        table: see :func:`harness.searching.comparison.comparison_table`.
        shown: the rows to draw besides a random score and the accuracy itself.
        labels: display names.
        width: the width in inches.
        metric: the label of the vertical axis.
    """
    from matplotlib.figure import Figure

    found = table[table["unit"] == "networks"]
    names = list(found["algorithm"].unique())
    with paper_style():
        figure = Figure(figsize=(width, 0.34 * width + 0.5), layout="constrained")
        panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            part = found[found["algorithm"] == name]
            looks = [(OPTIMUM, BLACK, "-"), (RANDOM, GREY, "--")]
            looks += [(row, SERIES[place % len(SERIES)], f"-{_MARKS[place]}") for place, row in enumerate(shown)]
            for row, color, style in looks:
                line = part[part["row"] == row].sort_values("length")
                axes.plot(
                    line["length"], line["accuracy"], style, color=color, markersize=3, label=label_of(row, labels)
                )
                axes.fill_between(line["length"], line["low"], line["high"], color=color, alpha=0.12, linewidth=0)
            axes.set_xscale("log")
            lengths = sorted(part["length"].unique())
            axes.set_xticks(lengths, [f"{length:,}" for length in lengths])
            axes.minorticks_off()
            axes.set_title(name, fontsize="small")
            axes.set_xlabel("networks scored")
            axes.grid(axis="y")
        # A random score is often so far below that the others could not be told apart.
        view = found[found["row"].isin([OPTIMUM, *shown])]
        low, high = float(view["accuracy"].min()), float(view["high"].max())
        margin = 0.08 * (high - low) or 1.0
        panels[0].set_ylim(low - margin, high + margin)
        panels[0].set_ylabel(metric)
        handles, words = panels[0].get_legend_handles_labels()
        figure.legend(handles, words, loc="outside lower center", ncols=min(6, len(words)))
    return figure
