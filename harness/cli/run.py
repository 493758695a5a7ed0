"""``harness run``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness._utils import arguments
from harness._utils.arguments import memory, optional, seconds
from harness._utils.console import say
from harness._utils.signals import is_interrupt
from harness.cli import completion
from harness.cli.shared import Own, Proxies, RandomLabels
from harness.display.tables.numbers import counted
from harness.errors import HarnessError
from harness.execution.limits.memory import keep_freed_memory

if TYPE_CHECKING:
    from harness.execution.runner import Progress

INTERRUPTED = 130
TERMINATED = 143
"""Exit codes of a process ended by SIGINT and by SIGTERM, as in shells."""


def run(
    benchmark: Annotated[
        str,
        typer.Argument(
            help="Name from 'harness list benchmarks', or your own benchmark as path.py:name or module:name.",
            autocompletion=completion.benchmarks,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Directory for the scores; repeat the command to resume.")],
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
    images: Annotated[
        str | None,
        typer.Option(help="Image files of the data set, or 'noise'; default: the benchmark's."),
    ] = None,
    random_labels: RandomLabels = False,
    batch_size: Annotated[int, typer.Option(help="Images per mini-batch.")] = 64,
    resolution: Annotated[
        int | None, typer.Option(help="Height and width of the images; default: the benchmark's.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Worker processes, one thread each.")] = 1,
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
    executor: Annotated[
        Literal["local", "dask"], typer.Option(help="Use workers on this machine, or on a Dask cluster.")
    ] = "local",
    scheduler: Annotated[str | None, typer.Option(help="Dask scheduler: its address, or its scheduler file.")] = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds allowed per network; proxies that are not done by then fail.")
    ] = None,
    memory_limit: Annotated[
        str | None,
        typer.Option(help="Memory allowed per worker, such as 4GB; proxies that need more fail. Linux only."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Compute failed scores again.")] = False,
) -> None:
    """Score a sample of a benchmark's networks with the given proxies. Repeat an interrupted command to resume it."""
    from harness import api
    from harness.execution.options import RunOptions

    keep_freed_memory()
    make = cluster(scheduler, device) if executor == "dask" else None
    if scheduler is not None and make is None:
        raise HarnessError("--scheduler needs --executor dask")
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


def cluster(scheduler: str | None, device: str) -> Callable[[], Executor]:
    """Makes the executor of a Dask cluster."""
    if scheduler is None:
        raise HarnessError(
            "--executor dask needs --scheduler: an address such as tcp://10.0.0.1:8786, or the file that 'dask "
            "scheduler --scheduler-file' wrote"
        )

    def make() -> Executor:
        from harness.execution.dask_executor import DaskExecutor

        return DaskExecutor(scheduler, gpus=int(device.startswith("cuda")))

    return make


@contextmanager
def stopped_as_by_ctrl_c(number: signal.Signals) -> Iterator[list[int]]:
    """Stop the run cleanly on a signal, such as Slurm's before the time limit; yields the signals received."""
    came: list[int] = []

    def stop(signum: int, frame: FrameType | None) -> None:
        came.append(signum)
        raise KeyboardInterrupt

    before = signal.signal(number, stop)
    try:
        yield came
    except BaseException as error:
        # Before the first network or after the last, where nothing is left to be put in order.
        if came and is_interrupt(error):
            raise typer.Exit(TERMINATED) from None
        raise
    finally:
        signal.signal(number, before)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar with rate and time left on a terminal, occasional lines elsewhere."""
    if not sys.stderr.isatty():
        from harness.execution.progress import ProgressLines

        yield ProgressLines()
        return
    from rich import progress
    from rich.console import Console

    bar = progress.Progress(
        "networks",
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        "{task.fields[rate]}",
        progress.TimeElapsedColumn(),
        "left",
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    first: list[int] = []

    def update(done: int, total: int) -> None:
        if not first:
            bar.start()
            bar.add_task("networks", total=total, rate="")
        first.append(done)
        elapsed = bar.tasks[0].elapsed or 0.0
        rate = f"{(done - first[0]) / elapsed:.2f}/s" if elapsed and done > first[0] else ""
        bar.update(bar.tasks[0].id, completed=done, total=total, rate=rate)

    try:
        yield update
    finally:
        bar.stop()
