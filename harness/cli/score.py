"""``harness score``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness._utils.console import console, say, say_json
from harness._utils.visible import csv_text, write_page
from harness.cli.shared import Own, Proxies, RandomLabels
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.scoring.named import Named


def score(
    networks: Annotated[
        list[str],
        typer.Argument(
            help="torchvision:NAME, timm:NAME, transformers:CLASS, FILE.py:FUNCTION or MODULE:FUNCTION; several are "
            "compared."
        ),
    ],
    proxies: Proxies = "standard",
    own: Own = None,
    images: Annotated[
        str, typer.Option(help="Image files as for 'harness run', or 'noise' for Gaussian noise.")
    ] = "noise",
    random_labels: RandomLabels = False,
    shape: Annotated[
        str | None,
        typer.Option(
            help="Shape of one image, such as 3x32x32; networks of the libraries are built for it. Default: the "
            "network's, or 3x224x224."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Images per mini-batch.")] = 16,
    classes: Annotated[
        int | None, typer.Option(help="Number of classes, for networks of torchvision, timm and transformers.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed for the weights, the images and the proxies.")] = 0,
    output: Annotated[
        str | None, typer.Option(help="Name or position of the logits, if the network returns several things.")
    ] = None,
    features: Annotated[
        str | None, typer.Option(help="Name of the module that returns the features before pooling; default: found.")
    ] = None,
    blocks: Annotated[
        str | None,
        typer.Option(help="Comma-separated names of the modules that return each block's features; default: found."),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="A run: also print which share of its networks has a worse score.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu or cuda; default: cpu.")] = None,
    threads: Annotated[int, typer.Option(help="Threads of the processor.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="Also write the table to this directory, as CSV and Markdown.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON with full precision; null means no score.")] = False,
) -> None:
    """Score networks of your own, or of a library, as they are before training."""
    from harness.images import NOISE
    from harness.registry import select_proxies
    from harness.scoring import score as score_networks
    from harness.scoring.named import LIBRARIES, network_named

    chosen = select_proxies([*proxies.split(","), *(own or [])])
    asked = None if shape is None else _parsed(shape)
    side = asked[1] if asked is not None and len(asked) == 3 and asked[1] == asked[2] else None
    named = {
        name: network_named(name, classes, lambda words: say(words, err=True), side) for name in dict.fromkeys(networks)
    }
    count = max(1, *(proxy.batches for proxy in chosen))
    position = int(output) if output is not None and output.lstrip("-").isdigit() else output
    sizes = asked or _common_shape(named)
    if classes is not None and not any(name.rpartition(":")[0] in LIBRARIES for name in named):
        raise HarnessError(
            "--classes is for networks of torchvision, timm and transformers; yours have their own number"
        )
    if images == NOISE:
        batches = _noise(sizes, batch_size, count, seed)
        source = "Gaussian noise"
    else:
        size = _classes(next(iter(named.values())), sizes, position)
        source, batches = _from_files(images, random_labels, sizes, size, batch_size, count, seed)
    given: Any = {name: each.build for name, each in named.items()}
    table = score_networks(
        given if len(given) > 1 else next(iter(given.values())),
        batches,
        proxies=chosen,
        seed=seed,
        output=position,
        features=features,
        blocks=None if blocks is None else [name.strip() for name in blocks.split(",")],
        device=device,
        threads=threads,
    )
    if compare is not None:
        from harness.results import open_run
        from harness.scoring.table import placed

        run = open_run(compare)
        table = placed(table, run)
    from harness.display.tables.markdown import markdown_grid
    from harness.display.tables.terminal import print_grids
    from harness.scoring.table import score_grid

    labels = "random labels" if images == NOISE or random_labels else "their labels"
    facts = [
        f"One mini-batch of {batch_size} images of {'×'.join(map(str, sizes))} from {source}, with {labels}; "
        f"seed {seed}."
    ]
    if compare is not None:
        setting = run.setting
        facts.append(
            f"Beside {compare}: {setting.benchmark}, {setting.dataset}, mini-batches of {setting.batch_size} images "
            f"from {setting.images}. Scores of other images, sizes or mini-batches do not compare."
        )
    grid = score_grid(table, facts)
    if out is not None:
        write_page(out / "scores.csv", csv_text(table))
        write_page(out / "scores.md", markdown_grid(grid))
    if json:
        say_json({"scores": table.astype(object).where(table.notna(), None).to_dict("records"), **table.attrs})
    else:
        print_grids(console(), [grid])
    if out is not None:
        say(f"\nwritten to {out}: scores.csv, scores.md", err=json)


def _parsed(shape: str) -> tuple[int, ...]:
    """The shape that ``--shape`` names."""
    parts = shape.replace("×", "x").split("x")
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise HarnessError(f"invalid --shape '{shape}'; write the sizes with x between them, such as 3x32x32")
    return tuple(map(int, parts))


def _common_shape(named: dict[str, Named]) -> tuple[int, ...]:
    """The shape of one image that all networks take."""
    from harness.scoring.named import SHAPE

    wanted = {each.shape for each in named.values() if each.shape is not None}
    if len(wanted) > 1:
        listed = ", ".join("x".join(map(str, each)) for each in sorted(wanted))
        raise HarnessError(f"the networks take images of different shapes ({listed}); choose one with --shape")
    return next(iter(wanted), SHAPE)


def _noise(shape: tuple[int, ...], size: int, count: int, seed: int) -> list[tuple[Any, None]]:
    """Mini-batches of Gaussian noise without labels."""
    import torch

    from harness.seeds import derive_seed

    if size < 1:
        raise HarnessError(f"invalid batch size {size}; use 2 or more")
    generator = torch.Generator().manual_seed(derive_seed("images", seed))
    return [(torch.randn(size, *shape, generator=generator), None) for _ in range(count)]


def _classes(network: Named, shape: tuple[int, ...], output: str | int | None) -> int:
    """The number of the network's outputs."""
    import torch

    from harness.networks import prepared_with_logits

    images = torch.randn(2, *shape)
    _, logits = prepared_with_logits(network.build(), images, torch.preserve_format, {"output": output})
    return logits.shape[1]


def _from_files(
    images: str, random_labels: bool, shape: tuple[int, ...], classes: int, size: int, count: int, seed: int
) -> tuple[str, list[tuple[Any, Any]]]:
    """A description of the images in files, and mini-batches of them."""
    from harness.images import load_images
    from harness.tasks import Task

    if len(shape) != 3 or shape[1] != shape[2]:
        raise HarnessError(f"image files give square images of three axes, not {'x'.join(map(str, shape))}")
    task = Task("images", shape, classes)
    loaded = load_images(Path(images), task, seed, "random" if random_labels else "file", shape[1])
    drawn = loaded.batches(size, count, seed)
    return loaded.description, [(batch.images, None if random_labels else batch.labels) for batch in drawn]
