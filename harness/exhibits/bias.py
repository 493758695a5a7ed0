"""Exhibit: what scores depend on, compared with what the accuracy depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from harness._utils.arguments import accepts, text
from harness.analysis.bias import bias_table, features_of
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.matrix import plot_matrix
from harness.display.tables.columns import Column, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import coefficient, signed
from harness.display.tables.rows import Labels, label_of
from harness.exhibits.part import part_of, unused_note
from harness.results import as_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.results import OpenedRun

TRUTH = "true accuracy"


@accepts(run=as_run, subset=text)
def bias(run: OpenedRun, *, subset: str = "all") -> Exhibit:
    """How scores and accuracies depend on features of an architecture, such as its number of convolutions.

    Args:
        run: the scores.
        subset: the architecture set.

    Raises:
        UnknownNameError: if the set does not exist.
        HarnessError: if the benchmark declares no features, or there are fewer than three networks.
    """
    joined, heading = part_of(run, subset)
    features = features_of(joined.architectures, run.benchmark.features)
    table = bias_table(joined, features)
    labels = run.labels
    dependence, difference = (_wide(table, column) for column in ("spearman", "bias"))
    accuracy = table.loc[table.groupby("feature")["networks"].idxmax()].set_index("feature")["truth"]
    dependence = pd.concat([accuracy[dependence.columns].to_frame(TRUTH).T, dependence])
    notes = unused_note(joined, labels)
    return Exhibit(
        name="bias",
        title="What scores and accuracies depend on",
        heading=heading,
        grids=(
            _grid("dependence", "Spearman ρ with counts of the architecture", dependence, table, labels),
            _grid("bias", "Bias: ρ of the score minus ρ of the accuracy", difference, table, labels, table),
        ),
        drawings=(
            Drawing(
                "dependence_map",
                f"Spearman ρ of accuracy and scores with counts that describe {len(joined):,} architectures.",
                dependence.reset_index(names="proxy"),
                lambda width: plot_dependence(dependence, labels, width),
            ),
            Drawing(
                "bias_map",
                "Bias: Spearman ρ of the score with a count minus ρ of the accuracy with it. Above 0: the proxy "
                "prefers more of it than the accuracies do.",
                difference.reset_index(names="proxy"),
                lambda width: plot_bias(difference, labels, width),
            ),
        ),
        notes=notes,
    )


def plot_dependence(values: pd.DataFrame, labels: Labels | None, width: float) -> Figure:
    """ρ with each count as a heat map; the first row is the accuracy's.

    Args:
        values: one row for the accuracy and one per proxy, one column per count.
        labels: display names of proxies.
        width: the width in inches.
    """
    names = [label_of(name, labels) for name in values.index]
    return plot_matrix(
        values, width, rows=names, columns=list(values.columns), label="Spearman ρ with the count", rule_after=1
    )


def plot_bias(values: pd.DataFrame, labels: Labels | None, width: float) -> Figure:
    """The bias as a heat map.

    Args:
        values: one row per proxy, one column per count.
        labels: display names of proxies.
        width: the width in inches.
    """
    names = [label_of(name, labels) for name in values.index]
    return plot_matrix(
        values, width, rows=names, columns=list(values.columns), label="ρ of the score minus ρ of the accuracy"
    )


def _wide(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Proxies as rows, the least biased first; features as columns in the benchmark's order."""
    features = list(dict.fromkeys(table["feature"]))
    size = table.assign(size=table["bias"].abs()).groupby("proxy")["size"].mean().sort_values(kind="stable")
    return table.pivot(index="proxy", columns="feature", values=column).loc[size.index, features]


def _grid(
    name: str, title: str, values: pd.DataFrame, data: pd.DataFrame, labels: Labels, marked: pd.DataFrame | None = None
) -> Grid:
    clear = set()
    if marked is not None:
        beyond = marked[(marked["bias_low"] > 0) | (marked["bias_high"] < 0)]
        clear = set(zip(beyond["proxy"], beyond["feature"], strict=True))
    columns = [row_names(values.index, labels)]
    for feature in values.columns:
        write = coefficient if marked is None else signed
        marks = ["*" if (row, feature) in clear else "" for row in values.index]
        head = str(feature).replace(" ", "\n", 1)
        columns.append(Column(str(feature), head, values[feature], write, marks=marks))
    notes = (
        ("Rows are sorted by their mean absolute bias, the smallest first.",)
        if marked is None
        else (
            "Above 0: the proxy prefers more of it than the accuracies do. *: the paired 95 % interval excludes 0; not "
            "corrected for the number of cells.",
        )
    )
    return Grid(name, title, tuple(columns), data, notes)
