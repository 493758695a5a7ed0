"""``harness store …`` and ``harness merge``: maintenance of stored scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness._utils.console import say
from harness.cli import completion
from harness.cli.shared import RunDirectory, tell
from harness.display.tables.numbers import counted

store_app = typer.Typer(no_args_is_help=True, help="Verify, export, restore or compact the scores of a run.")


@store_app.command("verify")
def store_verify(run_directory: RunDirectory) -> None:
    """Check the files, settings, mini-batches and architectures of a run. Exit code 1 on any problem."""
    from harness.store.maintenance import verify

    tell(verify(run_directory))


@store_app.command("export")
def store_export(
    run_directory: RunDirectory,
    out: Annotated[Path, typer.Option(help="Output file: .csv, .csv.gz or .parquet.")],
    leave_out_damaged: Annotated[
        bool, typer.Option("--leave-out-damaged", help="Omit networks with damaged outcomes.")
    ] = False,
) -> None:
    """Write the scores of a run to one table, and its manifest as JSON beside it."""
    from harness._utils.names import listed
    from harness.store.maintenance import export
    from harness.store.seeds import further_seeds

    rows = export(run_directory, out, leave_out_damaged=leave_out_damaged)
    say(f"{counted(rows, 'outcome')} written to {out}, the manifest to {out}.json")
    if seeds := further_seeds(run_directory):
        say(f"not included: the further seeds; export {listed(map(str, seeds.values()))} too, or use 'harness report'")


@store_app.command("restore")
def store_restore(
    scores: Annotated[
        Path, typer.Argument(help="Table written by 'harness store export', or the directory of a report.")
    ],
    out: Annotated[Path, typer.Option(help="Directory for the run; it must not contain one.")],
    without: Annotated[
        str | None,
        typer.Option(
            help="Proxies to leave out, comma-separated, such as those of an older version.",
            autocompletion=completion.proxy_list,
        ),
    ] = None,
) -> None:
    """Restore a run from a table of its scores. 'harness run' with the same settings then resumes it."""
    from harness.store.restore import restore

    rows = restore(scores, out, without=without.split(",") if without else ())
    say(f"{counted(rows, 'outcome')} restored to {out}; resume with 'harness run' and the same settings and images")


@store_app.command("compact")
def store_compact(run_directory: RunDirectory) -> None:
    """Compact the files of a run to the smallest size that holds its scores."""
    from harness.store.maintenance import compact

    before, after = compact(run_directory)
    say(f"{before:,} bytes before, {after:,} bytes after")


def merge(
    sources: Annotated[list[Path], typer.Argument(metavar="RUN...", help="The --out directories of runs to merge.")],
    out: Annotated[Path, typer.Option(help="Directory of the merged run: new, or an existing one to extend.")],
) -> None:
    """Merge runs with the same settings, such as the shards of one run."""
    from harness.store.merge import merge as bring_together

    done = bring_together(sources, out)
    say(
        f"{counted(done.networks, 'network')} with {counted(done.outcomes, 'outcome')}, "
        f"{done.added:,} of them added and {done.mended:,} repaired now; next: harness report {out}"
    )
