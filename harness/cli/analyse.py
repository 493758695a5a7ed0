"""``harness analyse``: one analysis of stored scores, as tables and figures."""

from __future__ import annotations

import typer

from harness.cli.beyond_size import beyond_size
from harness.cli.bias import bias
from harness.cli.bootstrap import bootstrap
from harness.cli.budgets import budgets
from harness.cli.heatmap import heatmap
from harness.cli.noise_ceiling import noise_ceiling
from harness.cli.pairs import pairs
from harness.cli.pareto import pareto
from harness.cli.redundancy import redundancy
from harness.cli.required_n import required_n
from harness.cli.scatter import scatter
from harness.cli.search import search
from harness.cli.selection import selection
from harness.cli.stability import stability
from harness.cli.top import top

analyse_app = typer.Typer(no_args_is_help=True, help="Analyse the scores of a run: tables and figures.")
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
