"""``harness analyse``: from stored scores to one analysis, as tables and figures."""

from __future__ import annotations

import typer

from harness.commands.stability import stability

analyse_app = typer.Typer(no_args_is_help=True, help="One analysis of the scores of a run: tables and figures.")
analyse_app.command()(stability)
