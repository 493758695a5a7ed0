"""What commands have in common: how they are parsed, their options, and showing an exhibit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from harness._utils.console import console, say
from harness._utils.visible import visible_page
from harness.cli import completion

if TYPE_CHECKING:
    from harness.display.exhibit import Exhibit
    from harness.results import OpenedRun


class Commands(TyperGroup):
    """The commands, as users type them and as they are answered.

    They know the home folder as ``~`` where shells leave it as it is, as in ``--out=~/run``. Complaints about arguments
    show every character of what was typed.
    """

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """The context of a call, or a complaint."""
        with _visible_complaints():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Call the command, which may complain."""
        with _visible_complaints():
            return super().invoke(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments with the home folder in place of each ``~`` that begins a value."""
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
    """Values may follow the name of an option or a key, as in ``--images=cifar10=~/images``.

    >>> _at_home("--sample=10"), _at_home("--out=~/run") == f"--out={Path.home()}/run"
    ('--sample=10', True)
    """
    return "=".join(os.path.expanduser(value) for value in argument.split("="))  # noqa: PTH111


OWN_PROXY = "A proxy of your own, path.py:name or module:name; may be repeated."

RunDirectory = Annotated[Path, typer.Argument(metavar="RUN", help="The --out directory of a run.")]
RunDirectories = Annotated[list[Path], typer.Argument(metavar="RUN...", help="The --out directories of runs.")]
Truth = Annotated[
    str | None,
    typer.Option("--truth", help="Ground truth as SPLIT/EPOCHS; the benchmark's first unless given."),
]
Beside = Annotated[
    list[str] | None,
    typer.Option(
        "--beside", help="Another ground truth, such as val/12, taken as if it were a proxy; may be repeated."
    ),
]
Subset = Annotated[str, typer.Option("--set", help="Set of architectures.")]
Baseline = Annotated[
    str,
    typer.Option("--baseline", help="The proxy that the others are compared with.", autocompletion=completion.rows),
]
Highlight = Annotated[
    list[str] | None,
    typer.Option(
        "--highlight", help="A proxy in colour in the figure; may be repeated.", autocompletion=completion.rows
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Write tables and figures to this directory; nothing is written unless given."),
]
Width = Annotated[Literal["1", "2"], typer.Option("--width", help="Width of the figures in columns of a paper.")]


def opened(directory: Path, truth: str | None, beside: list[str] | None = None) -> OpenedRun:
    """The run with the ground truth that was asked for."""
    from harness.results import open_run, parse_truth

    split, epochs = parse_truth(truth or "")
    return open_run(directory, split=split, epochs=epochs, beside=beside or [])


def present(exhibit: Exhibit, out: Path | None, width: Literal["1", "2"] = "1") -> None:
    """Print an exhibit, and write it where a directory is given."""
    from harness.display.figures.style import inches

    exhibit.show(console())
    if out is not None:
        files = exhibit.write(out, width=inches(width))
        say(f"\nwritten to {out}: {', '.join(file.name for file in files)}")
