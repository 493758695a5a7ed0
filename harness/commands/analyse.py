"""``harness analyse``: from stored scores to one analysis, as tables and figures."""

from __future__ import annotations

import typer

from harness.commands.budgets import budgets
from harness.commands.pareto import pareto
from harness.commands.search import search
from harness.commands.stability import stability

analyse_app = typer.Typer(no_args_is_help=True, help="One analysis of the scores of a run: tables and figures.")
analyse_app.command()(budgets)
analyse_app.command()(pareto)
analyse_app.command()(search)
analyse_app.command()(stability)
