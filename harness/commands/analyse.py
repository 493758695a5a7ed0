"""``harness analyse``: from stored scores to one analysis, as tables and figures."""

from __future__ import annotations

import typer

from harness.commands.beyond_size import beyond_size
from harness.commands.bias import bias
from harness.commands.budgets import budgets
from harness.commands.pareto import pareto
from harness.commands.redundancy import redundancy
from harness.commands.search import search
from harness.commands.selection import selection
from harness.commands.stability import stability
from harness.commands.top import top

analyse_app = typer.Typer(no_args_is_help=True, help="One analysis of the scores of a run: tables and figures.")
analyse_app.command()(budgets)
analyse_app.command()(pareto)
analyse_app.command()(search)
analyse_app.command()(top)
analyse_app.command()(selection)
analyse_app.command("beyond-size")(beyond_size)
analyse_app.command()(redundancy)
analyse_app.command()(bias)
analyse_app.command()(stability)
