"""``harness analyse``: from stored scores to one analysis, as tables and figures."""

from __future__ import annotations

import typer

from harness.commands.beyond_size import beyond_size
from harness.commands.bias import bias
from harness.commands.bootstrap import bootstrap
from harness.commands.budgets import budgets
from harness.commands.heatmap import heatmap
from harness.commands.noise_ceiling import noise_ceiling
from harness.commands.pairs import pairs
from harness.commands.pareto import pareto
from harness.commands.redundancy import redundancy
from harness.commands.required_n import required_n
from harness.commands.scatter import scatter
from harness.commands.search import search
from harness.commands.selection import selection
from harness.commands.stability import stability
from harness.commands.top import top

analyse_app = typer.Typer(no_args_is_help=True, help="One analysis of the scores of a run: tables and figures.")
for command in (
    scatter,
    heatmap,
    top,
    selection,
    beyond_size,
    redundancy,
    bias,
    search,
    budgets,
    pareto,
    pairs,
    stability,
    noise_ceiling,
    required_n,
    bootstrap,
):
    analyse_app.command()(command)
