"""``harness store …`` and ``harness merge``: looking after the scores of runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness._utils.console import say
from harness.cli.shared import RunDirectory
from harness.display.tables.numbers import counted

store_app = typer.Typer(no_args_is_help=True, help="The file of a run's scores: check, export, restore, compact.")


@store_app.command("verify")
def store_verify(run_directory: RunDirectory) -> None:
    """Check the file, the setting, the mini-batches and the architectures of a run; exit 1 if anything is wrong."""
    from harness.store.maintenance import verify

    findings = verify(run_directory)
    say("\n".join(finding.line() for finding in findings))
    if not all(finding.right for finding in findings):
        raise typer.Exit(1)


@store_app.command("export")
def store_export(
    run_directory: RunDirectory,
    out: Annotated[Path, typer.Option("--out", help="File that ends in .csv, .csv.gz or .parquet.")],
    leave_out_damaged: Annotated[
        bool, typer.Option("--leave-out-damaged", help="Leave out networks whose outcomes were damaged.")
    ] = False,
) -> None:
    """Write the scores of a run as one plain table, and its manifest as JSON beside it."""
    from harness.store.maintenance import export

    rows = export(run_directory, out, leave_out_damaged=leave_out_damaged)
    say(f"{counted(rows, 'outcome')} written to {out}, the manifest to {out}.json")


@store_app.command("restore")
def store_restore(
    scores: Annotated[Path, typer.Argument(help="Table of 'harness store export', or the folder of a report.")],
    out: Annotated[Path, typer.Option("--out", help="Directory of the run; it must hold none.")],
) -> None:
    """Make a run again from a table of its scores, to go on with 'harness run' and the same settings."""
    from harness.store.restore import restore

    rows = restore(scores, out)
    say(f"{counted(rows, 'outcome')} restored to {out}; 'harness run' with the same settings and images goes on")


@store_app.command("compact")
def store_compact(run_directory: RunDirectory) -> None:
    """Make the file of a run as small as its scores are."""
    from harness.store.maintenance import compact

    before, after = compact(run_directory)
    say(f"{before:,} bytes before, {after:,} now")


def merge(
    sources: Annotated[list[Path], typer.Argument(metavar="RUN...", help="The --out directories of runs to merge.")],
    out: Annotated[Path, typer.Option("--out", help="Directory of the merged run: new, or one that grows.")],
) -> None:
    """Bring the scores of several runs of one setting together, such as the shards of a run."""
    from harness.store.merge import merge as bring_together

    done = bring_together(sources, out)
    say(
        f"{counted(done.networks, 'network')} with {counted(done.outcomes, 'outcome')}, "
        f"{done.added:,} of them added and {done.mended:,} mended now; next: harness report {out}"
    )
