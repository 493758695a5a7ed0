"""Exhibit: which proxies agree, and what each one adds to its nearest other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, text
from harness.analysis.redundancy import MOST_NETWORKS, agreement_matrix, redundancy_table
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.matrix import plot_matrix
from harness.display.tables.columns import Column, estimates, row_names, words
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import MISSING, coefficient, count
from harness.display.tables.rows import Labels, label_of
from harness.exhibits.part import part_of, unused_note
from harness.results import as_run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.results import OpenedRun


@accepts(run=as_run, subset=text)
def redundancy(run: OpenedRun, *, subset: str = "all") -> Exhibit:
    """Agreement between all proxies, and the nearest other of each one.

    Args:
        run: the scores.
        subset: the architecture set.

    Raises:
        UnknownNameError: if the set does not exist.
        HarnessError: if there are fewer than two proxies or three networks.
    """
    joined, heading = part_of(run, subset)
    agreement = agreement_matrix(joined)
    table = redundancy_table(joined, agreement)
    labels = run.labels
    drawn = min(len(joined), MOST_NETWORKS)
    sampled = (
        (f"Agreement in the matrix is computed from {drawn:,} of the {len(joined):,} networks, drawn at random.",)
        if drawn < len(joined)
        else ()
    )
    return Exhibit(
        name="redundancy",
        title="Which proxies agree",
        heading=heading,
        grids=(_grid(table, labels),),
        drawings=(
            Drawing(
                "agreement",
                f"Kendall τ between the scores of {len(agreement)} proxies on {drawn:,} networks, ordered by "
                "average-linkage clustering of 1 - |τ|.",
                agreement.reset_index(names="proxy"),
                lambda width: plot_agreement(agreement, labels, width),
            ),
        ),
        notes=(*sampled, *unused_note(joined, labels)),
    )


def plot_agreement(agreement: pd.DataFrame, labels: Labels | None, width: float) -> Figure:
    """The matrix of τ between proxies as a heat map.

    Args:
        agreement: the result of :func:`harness.analysis.redundancy.agreement_matrix`.
        labels: display names of proxies.
        width: the width in inches.
    """
    names = [label_of(name, labels) for name in agreement.index]
    return plot_matrix(agreement, width, rows=names, columns=names, label="Kendall τ between scores")


def _grid(table: pd.DataFrame, labels: Labels) -> Grid:
    nearest = [label_of(name, labels) if isinstance(name, str) else MISSING for name in table["nearest"]]
    columns = (
        row_names(table["proxy"], labels),
        estimates("τ", "τ with accuracy\n[95 %]", table, "kendall"),
        words("nearest", "Nearest other", nearest),
        Column("agreement", "τ between\nthe two", table["agreement"], coefficient),
        Column("its τ", "Its τ with\naccuracy", table["nearest_kendall"], coefficient),
        estimates("partial ρ", "Partial ρ given\nthe nearest [95 %]", table, "partial_spearman"),
        estimates("partial τ", "Partial τ given\nthe nearest [95 %]", table, "partial_kendall"),
        Column("networks", "Net-\nworks", table["networks"], count),
    )
    notes = (
        "Nearest: the largest |τ| between scores. All values are for the networks that both proxies scored. "
        "Partial: correlation of score and accuracy with the nearest held constant. For a noisy copy of the nearest, "
        "partial ρ is near 0, but partial τ stays above 0.",
    )
    return Grid("redundancy", "What each proxy adds to its nearest other, most first", columns, table, notes)
