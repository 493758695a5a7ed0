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
from harness._utils.visible import visible, visible_page, write_page
from harness.cli import completion
from harness.cli.analyse import analyse_app
from harness.cli.gate import baseline, check, test_proxy
from harness.cli.reproduce import list_protocols, reproduce
from harness.cli.run import INTERRUPTED, run
from harness.cli.shared import OWN_PROXY, Commands
from harness.cli.store import merge, store_app
from harness.errors import HarnessError, InstructionsError

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Rank zero-shot NAS proxies against the accuracies that networks truly reach.",
)
list_app = typer.Typer(no_args_is_help=True, help="What is there: benchmarks, proxies and protocols.")
data_app = typer.Typer(no_args_is_help=True, help="Ground truth of benchmarks that cannot be shipped.")
app.add_typer(list_app, name="list")
app.add_typer(data_app, name="data")
app.add_typer(analyse_app, name="analyse")
app.add_typer(store_app, name="store")
app.command()(run)
app.command()(merge)
app.command()(reproduce)
list_app.command("protocols")(list_protocols)
app.command()(baseline)
app.command()(check)
app.command("test-proxy")(test_proxy)

MISUSED = 2
Json = Annotated[bool, typer.Option("--json", help="Print JSON, with every digit; null is what is unknown.")]
_DOWNLOADS = "Folder of the downloads; 'downloads' beside the tables unless given."


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
    """Rank zero-shot NAS proxies against the accuracies that networks truly reach."""


@list_app.command("benchmarks")
def list_benchmarks(json: Json = False) -> None:
    """Every benchmark: data sets, ground truths, sets of architectures, whether its data are here."""
    from harness.cli.listing import print_benchmarks
    from harness.cli.machine_readable import benchmarks_document

    if json:
        say_json(benchmarks_document())
    else:
        print_benchmarks(console())


@list_app.command("proxies")
def list_proxies(
    own: Annotated[list[str] | None, typer.Option("--proxy", help=OWN_PROXY)] = None, json: Json = False
) -> None:
    """Every proxy and rank aggregate: which way is better, what it looks at, the paper, and what it computes."""
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
            help="A benchmark, or a table of costs such as nats-tss-costs-cifar10.",
            autocompletion=completion.importables,
        ),
    ],
    file: Annotated[Path, typer.Argument(help="Its official archive, or a CSV or Parquet table.")],
    trust_pickle: Annotated[
        bool, typer.Option("--trust-pickle", help="Load pickles from this source; they can run any code.")
    ] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Accept a source that lacks architectures.")
    ] = False,
    errors: Annotated[
        bool, typer.Option("--errors", help="Its columns of percent are error rates: take 100 minus each.")
    ] = False,
) -> None:
    """Check a file of true accuracies, or of costs on devices, and store it as a compact local table."""
    from harness.data import import_table
    from harness.data.device_costs import importable

    summary = import_table(
        importable(name), file, trust_pickle=trust_pickle, allow_partial=allow_partial, errors=errors
    )
    say("\n".join(summary.lines()))


@data_app.command("get")
def get_data(
    name: Annotated[
        str,
        typer.Argument(
            help="A benchmark, or an image data set such as cifar10.", autocompletion=completion.obtainables
        ),
    ],
    full: Annotated[bool, typer.Option("--full", help="The larger version, where there is one.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of what is here.")] = False,
    directory: Annotated[Path | None, typer.Option("--dir", help=_DOWNLOADS)] = None,
) -> None:
    """Download what a benchmark or an image data set declares, verify its checksums, and import or extract it."""
    from harness.data.get import GetOptions, get

    get(name, GetOptions(full=full, replace=replace, directory=directory), say)


@data_app.command("verify")
def verify_data(
    name: Annotated[str | None, typer.Argument(help="A benchmark or image data set; all unless given.")] = None,
    directory: Annotated[Path | None, typer.Option("--dir", help=_DOWNLOADS)] = None,
) -> None:
    """Check tables, downloads and extracted images against their checksums; exit code 1 if something is wrong."""
    from harness.data.verify import verify

    findings = verify(name, directory)
    say("\n".join(finding.line() for finding in findings))
    if not all(finding.right for finding in findings):
        raise typer.Exit(1)


@data_app.command("status")
def data_status(
    directory: Annotated[Path | None, typer.Option("--dir", help=_DOWNLOADS)] = None, json: Json = False
) -> None:
    """What ground truth and which images are on this machine, where, since when, and how to get what is missing."""
    from harness.data.status import print_data_status, status_document

    if json:
        say_json(status_document(directory))
    else:
        print_data_status(console(), directory)


@app.command()
def report(
    run_directory: Annotated[Path, typer.Argument(metavar="RUN", help="The --out directory of a run.")],
    truth: Annotated[
        str | None,
        typer.Option(help="Ground truth as SPLIT/EPOCHS, such as test/200; the benchmark's first unless given."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where files go; RUN/report unless given.")] = None,
    baseline: Annotated[
        str,
        typer.Option(help="The proxy that the others are compared with.", autocompletion=completion.rows),
    ] = "params",
    beside: Annotated[
        list[str] | None,
        typer.Option(help="Another ground truth, such as val/12, ranked as if it were a proxy; may be repeated."),
    ] = None,
    published: Annotated[
        Path | None, typer.Option(help="A paper's table to set beside ours, such as one of results/published.")
    ] = None,
    figures: Annotated[bool, typer.Option(help="Draw figures too.")] = True,
    width: Annotated[
        Literal["1", "2"] | None,
        typer.Option(
            help="Width of the figures in columns of a paper; the chart 1 and the scatter plots 2 unless given."
        ),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write everything, and what else this run allows, as one page to this file.")
    ] = None,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON, with every digit, in place of tables; write files only where --out or --html says.",
        ),
    ] = False,
) -> None:
    """Print how well each proxy ranks the networks, beside #Params; write tables and figures."""
    from harness import api
    from harness.display.figures.style import inches
    from harness.results import parse_truth

    split, epochs = parse_truth(truth or "")
    result = api.report(
        run_directory, split=split, epochs=epochs, baseline=baseline, beside=beside or [], published=published
    )
    if json:
        from harness.cli.machine_readable import report_document

        say_json(report_document(result))
    else:
        result.show(console())
    if out is not None or not json:
        directory = out or run_directory / "report"
        files = result.write(directory, figures=figures, width=inches(width) if width else None)
        say(f"\nwritten to {directory}: {', '.join(sorted(file.name for file in files))}", err=json)
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        write_page(html, result.html())
        say(f"the page: {html}", err=json)


@app.command()
def agree(
    run_directory: Annotated[Path, typer.Argument(metavar="RUN", help="The --out directory of a run.")],
    other: Annotated[Path, typer.Argument(help="Another run, or a CSV of scores, one row for each architecture.")],
    rename: Annotated[
        list[str] | None, typer.Option(help="THEIRS=OURS for a proxy that the CSV calls otherwise; may be repeated.")
    ] = None,
    sentinel: Annotated[float | None, typer.Option(help="The CSV's number for a score that failed.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the table to this CSV too.")] = None,
) -> None:
    """Print how well the scores of a run agree in rank with another run's, or with an independent table."""
    from harness import api
    from harness.cli.listing import print_agreement

    table = api.agreement(run_directory, other, rename=_parse_renames(rename or []), sentinel=sentinel)
    print_agreement(table, console())
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_page(out, table.to_csv(index=False, lineterminator="\n"))


def _parse_renames(renames: list[str]) -> dict[str, str]:
    pairs = [rename.partition("=") for rename in renames]
    for rename, (theirs, sign, ours) in zip(renames, pairs, strict=True):
        if not (theirs and sign and ours):
            raise HarnessError(f"'{rename}' renames nothing; write THEIRS=OURS, such as nwot=naswot")
    return {theirs: ours for theirs, _, ours in pairs}


def _prepare_process() -> None:
    """Let figures be drawn whatever a notebook's variable says, and text be written in whatever encoding."""
    os.environ["MPLBACKEND"] = "agg"
    tolerate()
    if not is_unicode(sys.stdout.encoding):
        # Help in boxes would be drawn before it is transliterated, and its frames would not meet.
        app.rich_markup_mode = None


def main() -> None:
    """Entry point: what the user can mend is one line on the error stream and exit code 2."""
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
