"""``harness run``."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated

import typer

from harness._utils import arguments
from harness._utils.arguments import memory, optional, seconds
from harness._utils.console import say
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
    progress_bar,
    stopped_as_by_ctrl_c,
)
from harness.cli.shared import Own, Proxies, RandomLabels
from harness.display.tables.numbers import counted
from harness.execution.limits.memory import keep_freed_memory

if TYPE_CHECKING:
    pass


def run(
    benchmark: Annotated[
        str,
        typer.Argument(
            help="Name from 'harness list benchmarks', or your own benchmark as path.py:name or module:name.",
            autocompletion=completion.benchmarks,
        ),
    ],
    out: Out,
    dataset: Annotated[str | None, typer.Option(help="Data set; default: the benchmark's first.")] = None,
    sample: Annotated[int | None, typer.Option(help="Number of architectures, drawn uniformly; default: all.")] = None,
    subset: Annotated[str, typer.Option("--set", help="Architecture set to draw from.")] = "all",
    seed: Annotated[int, typer.Option(help="Seed for the weights, the mini-batches and the sample.")] = 0,
    sample_seed: Annotated[int | None, typer.Option(help="Seed for the sample; default: --seed.")] = None,
    seeds: Annotated[int, typer.Option(help="Number of seeds, from --seed on, on the same sample.")] = 1,
    seeds_on: Annotated[
        int | None, typer.Option(help="Number of networks for every seed after the first; default: all.")
    ] = None,
    proxies: Proxies = "standard",
    own: Own = None,
    images: Images = None,
    random_labels: RandomLabels = False,
    batch_size: BatchSize = 64,
    resolution: Resolution = None,
    init: Init = "default",
    workers: Workers = 1,
    shard: Annotated[
        str | None,
        typer.Option(help="Compute only this part of the sample, such as 3/16; combine parts with 'harness merge'."),
    ] = None,
    once_per_class: Annotated[
        bool,
        typer.Option(
            "--once-per-class",
            help="Score cells that build the same network only once. Proxies that need no images, such as #Params and "
            "#FLOPs, are still computed for each cell. See docs/data.md.",
        ),
    ] = False,
    executor: ExecutorName = "local",
    scheduler: Scheduler = None,
    time_limit: TimeLimit = None,
    memory_limit: MemoryLimit = None,
    device: Device = "cpu",
    retry_failed: RetryFailed = False,
) -> None:
    """Score a sample of a benchmark's networks with the given proxies. Repeat an interrupted command to resume it."""
    from harness import api
    from harness.execution.options import RunOptions

    keep_freed_memory()
    make = cluster(executor, scheduler, device)
    with progress_bar() as progress, stopped_as_by_ctrl_c(signal.SIGTERM) as terminated:
        options = RunOptions(
            dataset=dataset,
            sample=sample,
            subset=subset,
            seed=seed,
            sample_seed=sample_seed,
            seeds=seeds,
            seeds_on=seeds_on,
            proxies=[*proxies.split(","), *(own or [])],
            images=images,
            labels="random" if random_labels else "file",
            batch_size=batch_size,
            resolution=resolution,
            init=init,
            workers=workers,
            shard=arguments.shard(shard, "--shard"),
            once_per_class=once_per_class,
            device=device,
            executor=make,
            time_limit=optional(seconds)(time_limit, "--time-limit"),
            memory_limit=optional(memory)(memory_limit, "--memory-limit"),
            retry_failed=retry_failed,
            progress=progress,
        )
        summary = api.carry_out(benchmark, out, options, notice=say, say=lambda words: say(f"note: {words}", err=True))
    done = summary.done
    if summary.interrupted:
        say(f"interrupted: {done:,} of {summary.units:,} networks stored; repeat the command to resume")
        raise typer.Exit(TERMINATED if terminated else INTERRUPTED)
    following = f"next: harness report {out}" if done else "nothing to compute"
    of_seeds = f" of {seeds} seeds" if seeds > 1 else ""
    say(f"{counted(done, 'network')}{of_seeds} scored, {summary.computed:,} of them now; {following}")
