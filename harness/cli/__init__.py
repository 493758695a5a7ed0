"""The command line: parse, call, print."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from harness._utils.console import console, say, say_json
from harness._utils.signals import is_interrupt
from harness._utils.transliteration import is_unicode, tolerate
from harness._utils.visible import csv_text, visible, visible_page, write_page
from harness.cli import completion
from harness.cli.analyse import analyse_app
from harness.cli.computing import INTERRUPTED
from harness.cli.gate import baseline, check, test_proxy
from harness.cli.rank import rank
from harness.cli.reproduce import list_protocols, reproduce
from harness.cli.results import results_app
from harness.cli.run import run
from harness.cli.score import score
from harness.cli.search import build, search
from harness.cli.shared import Baseline, Beside, Commands, Own, RunDirectory, Truth, present, tell
from harness.cli.store import merge, store_app
from harness.errors import HarnessError, InstructionsError

app = typer.Typer(cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False)
list_app = typer.Typer(no_args_is_help=True, help="List benchmarks, proxies and protocols.")
data_app = typer.Typer(no_args_is_help=True, help="Download, import and check ground truth and images.")
app.add_typer(list_app, name="list")
app.add_typer(data_app, name="data")
app.add_typer(analyse_app, name="analyse")
app.add_typer(store_app, name="store")
app.add_typer(results_app, name="results")
app.command()(run)
app.command()(score)
app.command()(rank)
app.command()(search)
app.command()(build)
app.command()(merge)
app.command()(reproduce)
list_app.command("protocols")(list_protocols)
app.command()(baseline)
app.command()(check)
app.command("test-proxy")(test_proxy)

MISUSED = 2
Json = Annotated[bool, typer.Option("--json", help="Print JSON with full precision; null means unknown.")]
Downloads = Annotated[
    Path | None, typer.Option("--dir", help="Download directory; default: 'downloads' beside the tables.")
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from harness import __version__

        say(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def harness_options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Measure how well zero-shot NAS proxies rank networks by their true accuracy."""


@list_app.command("benchmarks")
def list_benchmarks(json: Json = False) -> None:
    """List every benchmark: data sets, ground truths, architecture sets, and what data it needs."""
    from harness.cli.listing import print_benchmarks
    from harness.cli.machine_readable import benchmarks_document

    if json:
        say_json(benchmarks_document())
    else:
        print_benchmarks(console())


@list_app.command("proxies")
def list_proxies(own: Own = None, json: Json = False) -> None:
    """List every proxy and rank aggregate: direction, inputs, cost, paper, and what it computes."""
    from harness.cli.listing import print_proxies
    from harness.cli.machine_readable import proxies_document

    if json:
        say_json(proxies_document(own or []))
    else:
        print_proxies(console(), own or [])


@data_app.command("import")
def import_data(
    name: Annotated[
        str,
        typer.Argument(
            help="Benchmark, or further table such as nats-tss-costs-cifar10.", autocompletion=completion.importables
        ),
    ],
    file: Annotated[Path, typer.Argument(help="The official archive, or a table (CSV, JSON, Parquet, Feather).")],
    trust_pickle: Annotated[
        bool, typer.Option("--trust-pickle", help="Allow unsafe pickles from this source. They can run any code.")
    ] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Accept a source with missing architectures.")
    ] = False,
    errors: Annotated[
        bool, typer.Option("--errors", help="Percentage columns are error rates: use 100 minus each value.")
    ] = False,
) -> None:
    """Check a file of true accuracies or of device costs, and store it as a compact local table."""
    from harness.data import import_table
    from harness.data.further_tables import importable

    summary = import_table(
        importable(name), file, trust_pickle=trust_pickle, allow_partial=allow_partial, errors=errors
    )
    say("\n".join(summary.lines()))


@data_app.command("get")
def get_data(
    name: Annotated[
        str,
        typer.Argument(
            help="Benchmark, further table such as nats-tss-costs-cifar10, or image data set such as cifar10.",
            autocompletion=completion.obtainables,
        ),
    ],
    full: Annotated[bool, typer.Option("--full", help="Download the larger version, if there is one.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace existing data.")] = False,
    directory: Downloads = None,
) -> None:
    """Download what a benchmark, table or image data set declares, verify its checksums, and import or extract it."""
    from harness.data.get import GetOptions, get

    get(name, GetOptions(full=full, replace=replace, directory=directory), say)


@data_app.command("verify")
def verify_data(
    name: Annotated[str | None, typer.Argument(help="Benchmark, table or image data set; default: all.")] = None,
    directory: Downloads = None,
) -> None:
    """Check tables, downloads and extracted images against their checksums. Exit code 1 on any problem."""
    from harness.data.verify import verify

    tell(verify(name, directory))


@data_app.command("status")
def data_status(directory: Downloads = None, json: Json = False) -> None:
    """Show which ground truth and images are on this machine, where, since when, and how to get the rest."""
    from harness.data.status import print_data_status, status_document

    if json:
        say_json(status_document(directory))
    else:
        print_data_status(console(), directory)


@app.command()
def report(
    run_directory: RunDirectory,
    truth: Truth = None,
    out: Annotated[Path | None, typer.Option(help="Output directory; default: RUN/report.")] = None,
    baseline: Baseline = "params",
    beside: Beside = None,
    published: Annotated[
        Path | None, typer.Option(help="Published table to compare with, such as one in results/published.")
    ] = None,
    figures: Annotated[bool, typer.Option(help="Also draw figures.")] = True,
    width: Annotated[
        Literal["1", "2"] | None,
        typer.Option(help="Figure width in paper columns; default: 1 for the chart, 2 for the scatter plots."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write the report and every other analysis that this run allows to this file, as one page."),
    ] = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON with full precision instead of tables; write files only with --out or --html.",
        ),
    ] = False,
) -> None:
    """Print how well each proxy ranks the networks, compared with #Params; write tables and figures."""
    from harness import api
    from harness.display.figures.style import inches

    result = api.report(run_directory, truth=truth, baseline=baseline, beside=beside or [], published=published)
    # Files come first, because printing may end early, as before '| head'.
    written = []
    if out is not None or not json:
        directory = out or run_directory / "report"
        files = result.write(directory, figures=figures, width=inches(width) if width else None)
        written.append(
            f"\nwritten to {directory}: {', '.join(sorted(file.relative_to(directory).as_posix() for file in files))}"
        )
    present(result, written, html, json)


@app.command()
def agree(
    run_directory: RunDirectory,
    other: Annotated[Path, typer.Argument(help="Another run, or a table of scores with one row per architecture.")],
    rename: Annotated[
        list[str] | None, typer.Option(help="CSV_NAME=PROXY, where the CSV names a proxy differently; may be repeated.")
    ] = None,
    sentinel: Annotated[float | None, typer.Option(help="Number that marks a failed score in the CSV.")] = None,
    out: Annotated[Path | None, typer.Option(help="Also write the table to this CSV file.")] = None,
) -> None:
    """Print the rank agreement between a run's scores and another run or a table of scores."""
    from harness import api
    from harness.display.tables.correlations import agreement_grid
    from harness.display.tables.terminal import print_grids
    from harness.registry import proxy_facts

    table = api.agreement(run_directory, other, rename=_parse_renames(rename or []), sentinel=sentinel)
    if out is not None:
        write_page(out, csv_text(table))
    labels = {name: facts.label for name, facts in proxy_facts().items()}
    print_grids(console(), [agreement_grid(table, labels)])


def _parse_renames(renames: list[str]) -> dict[str, str]:
    pairs = [rename.partition("=") for rename in renames]
    for rename, (column, sign, proxy) in zip(renames, pairs, strict=True):
        if not (column and sign and proxy):
            raise HarnessError(f"invalid --rename '{rename}': write CSV_NAME=PROXY, such as nwot=naswot")
    return {column: proxy for column, _, proxy in pairs}


def _prepare_process() -> None:
    """Draw figures without a display, whatever MPLBACKEND says, and print text in any encoding."""
    os.environ["MPLBACKEND"] = "agg"
    tolerate()
    if not is_unicode(sys.stdout.encoding):
        # Boxed help would be laid out before transliteration, and its frames would not line up.
        app.rich_markup_mode = None


def main() -> None:
    """Entry point: an error that the user can fix is one line on stderr and exit code 2."""
    _prepare_process()
    try:
        app()
    except HarnessError as error:
        say((visible_page if isinstance(error, InstructionsError) else visible)(f"harness: {error}"), err=True)
        sys.exit(MISUSED)
    except BaseException as error:
        if not is_interrupt(error):
            raise
        say("interrupted", err=True)
        sys.exit(INTERRUPTED)
