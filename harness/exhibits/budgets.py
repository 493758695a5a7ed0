"""Exhibit: the accuracy of the network that each proxy chooses within a budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from harness._utils.arguments import accepts, number, several, text, texts
from harness.analysis.budgets import QUANTILES, budgets_table
from harness.display.exhibit import Exhibit
from harness.display.tables.columns import Column, best_cells, row_names
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import count
from harness.display.tables.rows import Labels, label_of
from harness.display.tables.values import accuracy_writer, quantity
from harness.exhibits.network_costs import NetworkCost, network_costs
from harness.exhibits.part import part_of
from harness.exhibits.pool import orientation_note, row_labels
from harness.results import as_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.results import OpenedRun


@accepts(run=as_run, costs=texts, quantiles=several(number), subset=text)
def budgets(
    run: OpenedRun,
    *,
    costs: Sequence[str] = (),
    quantiles: Sequence[float] = QUANTILES,
    subset: str = "all",
) -> Exhibit:
    """What each proxy chooses under budgets of #Params, #FLOPs, latency or energy.

    Args:
        run: the run; proxies choose among its scored networks.
        costs: ``params``, ``flops``, or columns of the benchmark's costs; default: the sizes that the run scored.
        quantiles: the budgets as quantiles of the networks' costs.
        subset: the architecture set to choose from.

    Raises:
        HarnessError: see :func:`harness.exhibits.network_costs.network_costs` and
            :func:`harness.analysis.budgets.budgets_table`.
        UnknownNameError: if the set or the cost does not exist.
    """
    pool, heading = part_of(run, subset, fewest=1)
    labels = row_labels(run.labels, "Random (mean of the feasible)", "Optimum (best feasible)")
    write = accuracy_writer(pool.accuracy)
    grids = tuple(
        _grid(budgets_table(pool, cost.values, quantiles), cost, labels, write)
        for cost in network_costs(run, pool, costs)
    )
    notes = (
        "Accuracy of the network with the best score among those that cost no more than the budget; for ties, the "
        "mean. Mean regret: the loss compared with the best feasible network, averaged over the budgets.",
        "A network without a finite score is chosen only if no feasible network has one.",
        *orientation_note(run),
    )
    return Exhibit("budgets", "Choosing under a budget", heading, grids, notes=notes)


def _grid(table: pd.DataFrame, cost: NetworkCost, labels: Labels, write: Callable[[float], str]) -> Grid:
    accuracy = table.pivot(index="row", columns="quantile", values="accuracy")
    regret = table.groupby("row", sort=False)["regret"].mean().sort_values(kind="stable")
    kinds = table.drop_duplicates("row").set_index("row")["kind"]
    # The optimum is first, even if a proxy reaches it.
    rows = sorted(regret.index, key=lambda row: kinds[row] != "optimum")
    columns = [row_names(rows, labels)]
    facts = table.drop_duplicates("quantile")
    for fact in facts.to_dict("records"):
        values = [accuracy.loc[row, fact["quantile"]] for row in rows]
        header = f"{100 * fact['quantile']:g} %\n≤ {quantity(fact['budget'])}"
        columns.append(Column(header, header, values, write, best=best_cells(kinds[rows], values)))
    lost = [regret[row] for row in rows]
    best = best_cells(kinds[rows], lost, highest=False)
    columns.append(Column("regret", "Mean\nregret", lost, write, best=best))
    feasible = ", ".join(f"{100 * fact['quantile']:g} % {count(fact['feasible'])}" for fact in facts.to_dict("records"))
    notes = [f"Budgets are quantiles of {cost.label}, {cost.source}. Feasible networks: {feasible}."]
    tied = table[~table["kind"].isin(["random", "optimum"]) & (table["tied"] > 1)]
    if len(tied):
        named = ", ".join(label_of(row, labels) for row in tied["row"].unique())
        notes.append(f"Several networks share the best score for: {named}.")
    return Grid(
        f"budgets_{cost.name}",
        f"Accuracy of the choice under budgets of {cost.label}",
        tuple(columns),
        table.assign(cost=cost.name),
        tuple(notes),
    )
