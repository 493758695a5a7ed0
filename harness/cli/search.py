"""``harness search`` and ``harness build``."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness._utils.arguments import memory, optional, seconds
from harness._utils.console import say, say_json
from harness._utils.visible import csv_text, write_page
from harness.cli import completion
from harness.cli.computing import (
    INTERRUPTED,
    TERMINATED,
    BatchSize,
    Device,
    ExecutorName,
    Images,
    Init,
    MemoryLimit,
    Out,
    Resolution,
    RetryFailed,
    Scheduler,
    TimeLimit,
    Workers,
    cluster,
    stopped_as_by_ctrl_c,
)
from harness.cli.shared import RandomLabels
from harness.errors import HarnessError
from harness.execution.limits.memory import keep_freed_memory

if TYPE_CHECKING:
    from harness.searching.loop import Search

_EVERY = 10.0
"""Seconds between lines of progress."""


def search(
    space: Annotated[
        str,
        typer.Argument(
            help="Search space: a benchmark with moves, or your own as path.py:name.",
            autocompletion=completion.benchmarks,
        ),
    ],
    out: Out,
    proxy: Annotated[
        str,
        typer.Option(
            help="What is maximised: a proxy or a rank aggregate; of several, comma-separated, the mean rank.",
            autocompletion=completion.proxy_list,
        ),
    ],
    algorithm: Annotated[
        Literal["evolution", "evolution-of-all", "regularised", "local", "random"],
        typer.Option(help="Zen-NAS's evolution, AZ-NAS's, ageing evolution, hill climbing, or uniform draws."),
    ] = "evolution",
    budget: Annotated[
        list[str] | None,
        typer.Option(
            help="What a network may have at most, such as 'params=1e6 flops=450e6'; may be repeated. See "
            "docs/searching.md."
        ),
    ] = None,
    evaluations: Annotated[
        int | None, typer.Option(help="Number of networks to score; default: 1,000, unless --candidates is given.")
    ] = None,
    candidates: Annotated[
        int | None, typer.Option(help="Number of candidates to draw, those over a budget included.")
    ] = None,
    also: Annotated[str | None, typer.Option(help="Further proxies to score, which the search ignores.")] = None,
    population: Annotated[int, typer.Option(help="Number of networks that evolution keeps.")] = 512,
    moves: Annotated[str | None, typer.Option(help="Distribution of mutations, if the space has several.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Architecture to start from.")] = None,
    ahead: Annotated[
        int, typer.Option(help="Candidates on their way at a time; 1 is the sequential loop of the papers.")
    ] = 8,
    search_seed: Annotated[
        int | None, typer.Option(help="Seed for the random choices of the search; default: --seed.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed for the weights and the mini-batches.")] = 0,
    dataset: Annotated[str | None, typer.Option(help="Data set; default: the space's first.")] = None,
    images: Images = None,
    random_labels: RandomLabels = False,
    batch_size: BatchSize = 64,
    resolution: Resolution = None,
    init: Init = "default",
    reuse: Annotated[
        Path | None, typer.Option(help="A run or search with the same seed and images, whose scores are taken over.")
    ] = None,
    workers: Workers = 1,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    device: Device = "cpu",
    retry_failed: RetryFailed = False,
    figures: Annotated[bool, typer.Option(help="Also draw figures.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print the best networks as JSON.")] = False,
) -> None:
    """Search a space for the network with the best score, under budgets. Repeat an interrupted command to resume it."""
    from harness import searching

    keep_freed_memory()
    make = cluster(executor, scheduler, device)
    with stopped_as_by_ctrl_c(signal.SIGTERM) as terminated:
        try:
            result = searching.search(
                space,
                out=out,
                proxy=proxy,
                algorithm=algorithm,
                budget=[each for part in budget or () for each in part.split()],
                evaluations=evaluations,
                candidates=candidates,
                also=also or (),
                population=population,
                moves=moves,
                start=start,
                ahead=ahead,
                search_seed=search_seed,
                seed=seed,
                dataset=dataset,
                images=images,
                labels="random" if random_labels else "file",
                batch_size=batch_size,
                resolution=resolution,
                init=init,
                device=device,
                workers=workers,
                executor=make,
                time_limit=optional(seconds)(time_limit, "--time-limit"),
                memory_limit=optional(memory)(memory_limit, "--memory-limit"),
                retry_failed=retry_failed,
                reuse=reuse,
                watch=_Lines(),
                say=lambda words: say(f"note: {words}", err=True),
            )
        except KeyboardInterrupt:
            say("interrupted: all scores are stored; repeat the command to resume")
            raise typer.Exit(TERMINATED if terminated else INTERRUPTED) from None
    folder = out / "search"
    exhibit = result.exhibit()
    files = exhibit.write(folder, figures=figures)
    for name, table in (("trace", result.trace), ("population", result.population)):
        write_page(folder / f"{name}.csv", csv_text(table))
        files.append(folder / f"{name}.csv")
    if json:
        say_json({"search": repr(result), "networks": result.best().to_dict(orient="records")})
        return
    exhibit.show()
    say(f"\nwritten to {folder}: {', '.join(sorted(file.name for file in files))}")
    if len(result.best(1)):
        best = result.best(1)["architecture"].iloc[0]
        say(f"next: harness build {space} '{best}' --dataset {result.setting.dataset} --out network.py")


def build(
    space: Annotated[str, typer.Argument(help="Benchmark or search space.", autocompletion=completion.benchmarks)],
    architecture: Annotated[str, typer.Argument(help="Architecture, as a run or a search names it.")],
    dataset: Annotated[str | None, typer.Option(help="Data set; default: the benchmark's first.")] = None,
    resolution: Annotated[
        int | None, typer.Option(help="Height and width of an image in NAME.pt2; default: the benchmark's.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="NAME.py: source that needs only torch; NAME.pt2: torch.export. Default: source, printed."),
    ] = None,
) -> None:
    """Write the network of an architecture, for training it elsewhere: as Python source, or as an exported program."""
    from harness.registry.own_benchmarks import as_benchmark

    benchmark = as_benchmark(space)
    chosen = dataset or benchmark.datasets[0]
    task = benchmark.task(chosen).at_resolution(resolution)
    if out is not None and out.suffix not in (".py", ".pt2"):
        raise HarnessError(f"unknown kind of file '{out.name}'; write NAME.py for source, or NAME.pt2 for torch.export")
    network = benchmark.build(architecture, chosen)
    if out is not None and out.suffix == ".pt2":
        import torch

        program = torch.export.export(network.eval(), (torch.zeros(2, *task.image_shape),))
        torch.export.save(program, str(out))
        say(f"written to {out}: a program for two images of {'×'.join(map(str, task.image_shape))}")
        return
    from harness.networks.source import source_of

    title = f"{benchmark.title}: {architecture}, {chosen}, images of {'×'.join(map(str, task.image_shape))}."
    source = source_of(network, title)
    if out is None:
        say(source.rstrip("\n"))
        return
    write_page(out, source)
    say(f"written to {out}: the class Network, which needs only torch")


class _Lines:
    """A line of progress now and then, with the best score so far."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()
        self._first = 0

    def __call__(self, search: Search) -> None:
        now = time.monotonic()
        scored = len(search.entered)
        if not scored:
            self._first = search.evaluations
        if now - self._last < _EVERY:
            return
        self._last = now
        values = search.values()
        best = f", best score {values.max():.6g}" if len(values) else ""
        rate = (search.evaluations - self._first) / (now - self._start)
        wanted = search.limits.evaluations
        of = f" of {wanted:,}" if wanted else ""
        say(
            f"{search.evaluations:,}{of} networks, {len(search.candidates):,} candidates{best}, {rate:.3g} per second",
            err=True,
        )
