"""Code that commands share: parsing, options, and showing what was found."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from harness._utils.console import console, say, say_json
from harness._utils.visible import visible_page, write_page
from harness.cli import completion
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness._utils.finding import Finding
    from harness.display.exhibit import Exhibit
    from harness.reporting.report import Report
    from harness.results import OpenedRun


class Commands(TyperGroup):
    """How commands are parsed and how errors in their arguments are shown.

    A ``~`` is the home directory also where shells do not expand it, as in ``--out=~/run``. Error messages about
    arguments show every character that was typed.
    """

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Make the context of a call; errors show every character."""
        with _visible_complaints():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Call the command; errors show every character."""
        with _visible_complaints():
            return super().invoke(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments, with the home directory in place of each ``~`` that starts a value."""
        return super().parse_args(ctx, [_at_home(argument) for argument in args])


@contextmanager
def _visible_complaints() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        worded = getattr(error, "format_message", None)
        if worded is not None:
            text = visible_page(worded())
            error.format_message = lambda: text  # type: ignore[attr-defined]
        raise


def _at_home(argument: str) -> str:
    """Expand ``~``, also after the name of an option or a key, as in ``--images=cifar10=~/images``.

    >>> _at_home("--sample=10"), _at_home("--out=~/run") == f"--out={Path.home()}/run"
    ('--sample=10', True)
    """
    return "=".join(os.path.expanduser(value) for value in argument.split("="))  # noqa: PTH111


Own = Annotated[
    list[str] | None,
    typer.Option("--proxy", help="Your own proxy, as path.py:name or module:name; may be repeated."),
]
Proxies = Annotated[
    str,
    typer.Option(help="Comma-separated names, or 'standard', 'all', 'variants'.", autocompletion=completion.proxy_list),
]
RandomLabels = Annotated[
    bool, typer.Option("--random-labels", help="Use random labels instead of those of the images.")
]
RunDirectory = Annotated[Path, typer.Argument(metavar="RUN", help="The --out directory of a run.")]
Truth = Annotated[
    str | None,
    typer.Option(
        help="Ground truth: SPLIT/EPOCHS, such as test/200, or any number per architecture as FILE:COLUMN, such as "
        "robust.csv:pgd, with :lower after it where lower is better; default: the benchmark's first.",
    ),
]
Beside = Annotated[
    list[str] | None,
    typer.Option(help="Also rank this ground truth, such as val/12 or FILE:COLUMN, like a proxy; may be repeated."),
]
Baseline = Annotated[str, typer.Option(help="Proxy to compare the others with.", autocompletion=completion.rows)]


def opened(directory: Path, truth: str | None, beside: list[str] | None = None) -> OpenedRun:
    """Open the run with the requested ground truth."""
    from harness.results import open_run

    return open_run(directory, truth=truth, beside=beside or [])


def present(report: Report, written: list[str], html: Path | None, json: bool, also: Exhibit | None = None) -> None:
    """Write the page of a report, show the report, and say what was written.

    Files come first, because printing may end early, as before '| head'.

    Args:
        report: the report.
        written: what was written before.
        html: the page's file, if one is wanted.
        json: whether to print JSON in place of tables.
        also: what to show after the report.
    """
    if html is not None:
        write_page(html, report.html())
        written.append(f"page written to {html}")
    if json:
        from harness.cli.machine_readable import report_document

        say_json(report_document(report))
    else:
        report.show(console())
        if also is not None:
            say("")
            also.show(console())
    for line in written:
        say(line, err=json)


def tell(findings: list[Finding]) -> None:
    """Print what a check of files found, and exit with code 1 if something is wrong."""
    say("\n".join(finding.line() for finding in findings))
    if not all(finding.right for finding in findings):
        raise typer.Exit(1)


def pairs(entries: Iterable[str], option: str, form: str) -> dict[str, str]:
    """Parse ``NAME=VALUE`` entries.

    >>> pairs(["cifar10=images"], "--images", "DATASET=PATH")
    {'cifar10': 'images'}
    """
    found: dict[str, str] = {}
    for entry in entries:
        name, sign, value = entry.partition("=")
        if not (name and sign and value):
            raise HarnessError(f"invalid {option} '{entry}': write {form}")
        if name in found:
            raise HarnessError(f"{option} gives {name} twice; give it once")
        found[name] = value
    return found
