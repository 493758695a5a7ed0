"""What commands that compute share: options, exit codes, clusters, signals and progress."""

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

from harness._utils.signals import is_interrupt
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.execution.runner import Progress

INTERRUPTED = 130
TERMINATED = 143
"""Exit codes of a process ended by SIGINT and by SIGTERM, as in shells."""

Out = Annotated[Path, typer.Option(help="Directory for the scores; repeat the command to resume.")]
Images = Annotated[
    str | None,
    typer.Option(help="Image files of the data set, or 'noise'; default: the benchmark's."),
]
BatchSize = Annotated[int, typer.Option(help="Images per mini-batch.")]
Resolution = Annotated[int | None, typer.Option(help="Height and width of the images; default: the benchmark's.")]
Init = Annotated[
    Literal["default", "kaiming_fan_in", "kaiming_fan_out", "xavier", "gaussian"],
    typer.Option(help="How weights are drawn; default: as the benchmark does."),
]
Workers = Annotated[int, typer.Option(help="Worker processes, one thread each.")]
ExecutorName = Annotated[
    Literal["local", "dask"], typer.Option(help="Use workers on this machine, or on a Dask cluster.")
]
Scheduler = Annotated[str | None, typer.Option(help="Dask scheduler: its address, or its scheduler file.")]
TimeLimit = Annotated[
    float | None,
    typer.Option(help="Seconds allowed per network; proxies that are not done by then fail."),
]
MemoryLimit = Annotated[
    str | None,
    typer.Option(help="Memory allowed per worker, such as 4GB; proxies that need more fail. Linux only."),
]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Compute failed scores again.")]


def cluster(executor: str, scheduler: str | None, device: str) -> Callable[[], Executor] | None:
    """Makes the executor of a Dask cluster; None for local workers.

    Raises:
        HarnessError: if there is a scheduler without Dask, or Dask without a scheduler.
    """
    if executor == "local":
        if scheduler is not None:
            raise HarnessError("--scheduler needs --executor dask")
        return None
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
