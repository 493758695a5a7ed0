"""``harness reproduce`` and ``harness list protocols``: parse, call, print."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from harness._utils.console import console, say
from harness.cli import completion
from harness.errors import HarnessError


def list_protocols() -> None:
    """Every paper whose comparison can be made again: its parts, and what they need."""
    from harness.reproduction.listing import print_protocols

    print_protocols(console())


def reproduce(
    name: Annotated[
        str,
        typer.Argument(
            help="See 'harness list protocols', or a TOML file of your own.", autocompletion=completion.protocols
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Directory of runs and tables; start again to go on.")],
    sample: Annotated[
        int | None, typer.Option(help="At most so many networks in each part; as many as in the paper unless given.")
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option(help="DATASET=PATH of its image files, or DATASET=noise; may be repeated."),
    ] = None,
    parts: Annotated[str, typer.Option(help="Names of parts, separated by commas; all unless given.")] = "",
    runs: Annotated[
        list[str] | None, typer.Option(help="PART=DIR of a finished run to use for it; may be repeated.")
    ] = None,
    run: Annotated[bool, typer.Option("--run/--no-run", help="Make runs, or only report what is there.")] = True,
    batch_size: Annotated[
        int | None, typer.Option(help="Images in a mini-batch; as many as in the paper unless given.")
    ] = None,
    resolution: Annotated[
        int | None, typer.Option(help="Height and width of the images; the benchmark's own unless given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the sample, the weights and the batches.")] = 0,
    workers: Annotated[int, typer.Option(help="Worker processes, one thread each.")] = 1,
    figures: Annotated[bool, typer.Option(help="Draw figures too.")] = True,
) -> None:
    """Make a paper's comparison again: our values with intervals beside the published ones, and what differs."""
    from harness.cli.run import progress_bar
    from harness.reproduction.parts import ReproductionOptions
    from harness.reproduction.reproduce import reproduce as compare

    options = ReproductionOptions(
        sample=sample,
        images=_pairs(images or [], "--images", "DATASET=PATH"),
        runs={part: Path(place) for part, place in _pairs(runs or [], "--runs", "PART=DIR").items()},
        batch_size=batch_size,
        resolution=resolution,
        seed=seed,
        workers=workers,
        compute=run,
    )
    result = compare(name, out, options, parts=parts.split(","), progress=progress_bar)
    result.show(console())
    files = result.write(out, figures=figures)
    own = sorted(file.name for file in files if file.parent == out)
    say(f"\nwritten to {out}: {', '.join(own)}")


def _pairs(entries: Iterable[str], option: str, form: str) -> dict[str, str]:
    """Name and value of each entry.

    >>> _pairs(["cifar10=images"], "--images", "DATASET=PATH")
    {'cifar10': 'images'}
    """
    found: dict[str, str] = {}
    for entry in entries:
        name, sign, value = entry.partition("=")
        if not (name and sign and value):
            raise HarnessError(f"'{entry}' after {option} must be {form}")
        if name in found:
            raise HarnessError(f"{option} names {name} twice; give it once")
        found[name] = value
    return found
