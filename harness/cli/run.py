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
from harness.cli.shared import OWN_PROXY
from harness.display.tables.numbers import counted
from harness.errors import HarnessError
from harness.execution.limits.memory import keep_freed_memory

if TYPE_CHECKING:
    from harness.execution.runner import Progress

INTERRUPTED = 130
TERMINATED = 143
"""Exit codes of a process ended by SIGINT and by SIGTERM, as shells count them."""


def run(
    benchmark: Annotated[
        str, typer.Argument(help="See 'harness list benchmarks'.", autocompletion=completion.benchmarks)
    ],
    out: Annotated[Path, typer.Option("--out", help="Directory that keeps the scores; start again to go on.")],
    dataset: Annotated[str | None, typer.Option(help="Data set; the benchmark's first unless given.")] = None,
    sample: Annotated[int | None, typer.Option(help="Architectures drawn uniformly; all unless given.")] = None,
    subset: Annotated[str, typer.Option("--set", help="Set of architectures to draw from.")] = "all",
    seed: Annotated[int, typer.Option(help="Of the weights, the batches and, unless given, the sample.")] = 0,
    sample_seed: Annotated[int | None, typer.Option(help="Of the sample alone.")] = None,
    proxies: Annotated[
        str,
        typer.Option(
            help="Names separated by commas; 'standard', 'all', 'variants'.", autocompletion=completion.proxy_list
        ),
    ] = "standard",
    own: Annotated[list[str] | None, typer.Option("--proxy", help=OWN_PROXY)] = None,
    images: Annotated[
        str | None,
        typer.Option(help="Image files of the data set, or 'noise'; the benchmark's own unless given."),
    ] = None,
    random_labels: Annotated[
        bool, typer.Option("--random-labels", help="Random labels in place of those of the image files.")
    ] = False,
    batch_size: Annotated[int, typer.Option(help="Images in a mini-batch.")] = 64,
    resolution: Annotated[
        int | None, typer.Option(help="Height and width of the images; the benchmark's own unless given.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Worker processes, one thread each.")] = 1,
    shard: Annotated[
        str | None, typer.Option(help="A part of the sample, such as 3/16, for this machine; see 'harness merge'.")
    ] = None,
    once_per_class: Annotated[
        bool,
        typer.Option(
            "--once-per-class",
            help="Of cells that are one network, such as those with equal live operations, score one for all; #Params, "
            "#FLOPs and what else needs no images is computed for each. See docs/data.md.",
        ),
    ] = False,
    executor: Annotated[
        Literal["local", "dask"], typer.Option(help="Workers of this machine, or those of a Dask cluster.")
    ] = "local",
    scheduler: Annotated[
        str | None, typer.Option(help="Of the Dask cluster: its address, or the file that it wrote.")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds that one network may take; what is not done then has failed.")
    ] = None,
    memory_limit: Annotated[
        str | None,
        typer.Option(help="Memory that one worker may use, such as 4GB; what does not fit has failed. On Linux."),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Compute failed scores again.")] = False,
) -> None:
    """Score a sample of a benchmark's networks with every proxy. Stopped at any moment, it goes on where it was."""
    from harness import api
    from harness.execution.options import RunOptions

    keep_freed_memory()
    make = _cluster(scheduler, device) if executor == "dask" else None
    if scheduler is not None and make is None:
        raise HarnessError("--scheduler is of a Dask cluster; add --executor dask")
    with progress_bar() as progress, _stopped_as_by_ctrl_c(signal.SIGTERM) as terminated:
        options = RunOptions(
            dataset=dataset,
            sample=sample,
            subset=subset,
            seed=seed,
            sample_seed=sample_seed,
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
        summary = api.carry_out(
            benchmark, out, options, notice=say, mended=lambda words: say(f"note: {words}", err=True)
        )
    done = summary.done
    if summary.interrupted:
        say(f"interrupted: {done:,} of {summary.units:,} networks are stored; the same command goes on from there")
        raise typer.Exit(TERMINATED if terminated else INTERRUPTED)
    following = f"next: harness report {out}" if done else "there is nothing to compute"
    say(f"{counted(done, 'network')} scored, {summary.computed:,} of them now; {following}")


def _cluster(scheduler: str | None, device: str) -> Callable[[], Executor]:
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
def _stopped_as_by_ctrl_c(number: signal.Signals) -> Iterator[list[int]]:
    """Let a signal stop the run in good order, as Slurm does before a job's time is over; yields those that came."""
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
    """A bar with rate and time left on a terminal, lines now and then elsewhere."""
    if not sys.stderr.isatty():
        from harness.execution.progress import ProgressLines

        yield ProgressLines()
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("networks"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True))
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
