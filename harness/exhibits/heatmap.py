"""Exhibit: a heat map of every proxy in several runs, with different benchmarks, data sets or seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, optional, text, texts
from harness.analysis.heatmap import across_table
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing, figure_of
from harness.display.figures.heatmap import plot_heat_map
from harness.display.tables.columns import Column, best_cells, estimates, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.heading import Headings
from harness.display.tables.numbers import MISSING
from harness.display.tables.rows import VERDICT_MARKS, Labels, label_of
from harness.errors import HarnessError
from harness.exhibits._heading import correlations_of, heading_of
from harness.results import as_runs

if TYPE_CHECKING:
    import pandas as pd

    from harness.results import OpenedRun


@accepts(runs=as_runs, subset=text, baseline=text, proxies=optional(texts))
def heatmap(
    runs: Sequence[OpenedRun],
    *,
    subset: str = "all",
    baseline: str = "params",
    proxies: Sequence[str] | None = None,
) -> Exhibit:
    """Kendall τ of every proxy in every run, best mean rank first.

    Args:
        runs: the runs, one column each.
        subset: the architecture set, which every run must have.
        baseline: the row to compare the others with in every run.
        proxies: the rows to show in addition to the baseline; default: all.

    Raises:
        HarnessError: if no run is given, or a run lacks the set.
        UnknownNameError: if the baseline does not exist.
    """
    if not runs:
        raise HarnessError("no run was given; a heat map needs one or more")
    names = run_names(runs)
    headings, tables, labels = {}, {}, {}
    kinds: dict[str, str] = {}
    for name, run in zip(names, runs, strict=True):
        baseline = run.row_named(baseline)
        headings[name] = heading_of(run)
        rows = correlations_of(run, baseline)
        tables[name] = rows if proxies is None else rows[rows["proxy"].isin([baseline, *map(run.row_named, proxies)])]
        kinds.update(zip(rows["proxy"], rows["kind"], strict=True))
        labels.update(run.labels)
    table = across_table(tables, subset)
    reference = label_of(baseline, labels)
    where = "" if subset == "all" else f" on the set '{subset}'"
    return Exhibit(
        name="heatmap",
        title="Kendall τ of every proxy in every run",
        heading=Headings(headings),
        grids=(_grid(table, names, kinds, labels, reference, where),),
        drawings=(
            Drawing(
                "heatmap",
                f"Kendall τ with true accuracy{where}, best mean rank first. Triangles: significantly better or worse "
                f"than {reference}, paired on the same networks.",
                table,
                lambda width: figure_of(plot_heat_map(table, labels=labels, width=width)),
            ),
        ),
    )


def run_names(runs: Sequence[OpenedRun]) -> list[str]:
    """Benchmark and data set of each run, with its ground truth or its directory's name if two would be the same.

    Raises:
        HarnessError: if the same directory is given twice.
    """
    plain = [f"{run.setting.benchmark} {run.setting.dataset}".strip() for run in runs]
    times = Counter(plain)
    truths = [run.truth.name for run in runs]
    if len({run.directory for run in runs}) == 1 and len(set(truths)) == len(runs) > 1:
        return truths
    names = [
        name if times[name] == 1 else f"{name} {run.directory.name}" for name, run in zip(plain, runs, strict=True)
    ]
    twice = [name for name, number in Counter(names).items() if number > 1]
    if twice:
        raise HarnessError(f"two of the runs are both called '{twice[0]}'; give each of them once")
    return names


def _grid(
    table: pd.DataFrame, names: Sequence[str], kinds: Mapping[str, str], labels: Labels, baseline: str, where: str
) -> Grid:
    names_of_rows = list(dict.fromkeys(table["proxy"]))
    columns = [
        row_names(names_of_rows, labels),
        Column(
            "mean rank",
            "Mean\nrank",
            table.drop_duplicates("proxy")["mean_rank"],
            lambda rank: MISSING if math.isnan(rank) else f"{rank:.1f}",
        ),
    ]
    for name in names:
        rows = table[table["run"] == name].set_index("proxy").reindex(names_of_rows)
        best = best_cells(map(kinds.__getitem__, names_of_rows), rows["kendall"])
        head = name.replace(" ", "\n")
        columns.append(estimates(name, head, rows, "kendall", brief=True, verdicts=rows["verdict"], best=best))
    notes = (
        f"{VERDICT_MARKS['win']} better and {VERDICT_MARKS['loss']} worse than {baseline} "
        f"({VERDICT_MARKS['baseline']}), {VERDICT_MARKS['tie']} neither: by the 95 % interval of the difference on the "
        "same networks, not corrected for the number of proxies.",
        "Mean rank: over the runs, among the proxies with a coefficient in all of them.",
    )
    return Grid("heatmap", f"Kendall τ [95 %]{where}, best mean rank first", tuple(columns), table, notes)
