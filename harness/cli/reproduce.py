"""``harness reproduce`` and ``harness list protocols``: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness._utils.console import console, say
from harness.cli import completion
from harness.cli.shared import pairs


def list_protocols() -> None:
    """List the papers whose comparisons can be reproduced: their parts, and what they need."""
    from harness.reproduction.listing import print_protocols

    print_protocols(console())


def reproduce(
    name: Annotated[
        str,
        typer.Argument(
            help="Name from 'harness list protocols', or your own TOML file.", autocompletion=completion.protocols
        ),
    ],
    out: Annotated[Path, typer.Option(help="Directory for runs and tables; repeat the command to resume.")],
    sample: Annotated[
        int | None, typer.Option(help="Maximum number of networks per part; default: as in the paper.")
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option(help="DATASET=PATH of the image files, or DATASET=noise; may be repeated."),
    ] = None,
    parts: Annotated[str, typer.Option(help="Comma-separated names of parts; default: all.")] = "",
    runs: Annotated[
        list[str] | None, typer.Option(help="PART=DIR: use this finished run for a part; may be repeated.")
    ] = None,
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Compute missing runs, or only report existing ones.")
    ] = True,
    batch_size: Annotated[int | None, typer.Option(help="Images per mini-batch; default: as in the paper.")] = None,
    resolution: Annotated[
        int | None, typer.Option(help="Height and width of the images; default: the benchmark's.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed for the sample, the weights and the mini-batches.")] = 0,
    workers: Annotated[int, typer.Option(help="Worker processes, one thread each.")] = 1,
    figures: Annotated[bool, typer.Option(help="Also draw figures.")] = True,
) -> None:
    """Reproduce a paper's comparison: measured values with intervals beside the published ones, and what differs."""
    from harness.cli.computing import progress_bar
    from harness.reproduction.parts import ReproductionOptions
    from harness.reproduction.reproduce import reproduce as compare

    options = ReproductionOptions(
        sample=sample,
        images=pairs(images or [], "--images", "DATASET=PATH"),
        runs={part: Path(place) for part, place in pairs(runs or [], "--runs", "PART=DIR").items()},
        batch_size=batch_size,
        resolution=resolution,
        seed=seed,
        workers=workers,
        compute=run,
    )
    result = compare(name, out, options, parts=parts.split(","), progress=progress_bar)
    # Files come first, because printing may end early, as before '| head'.
    files = result.write(out, figures=figures)
    result.show(console())
    own = sorted(file.name for file in files if file.parent == out)
    say(f"\nwritten to {out}: {', '.join(own)}")
