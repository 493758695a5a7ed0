"""The main functions: load a benchmark, run proxies on a sample of it, and report how well they rank.

>>> import tempfile, harness
>>> with tempfile.TemporaryDirectory() as directory:
...     scores = harness.run("digits", sample=4, proxies="params,naswot", batch_size=8, out=directory)
...     table = harness.report(directory).correlations
>>> sorted(scores["proxy"].unique()), set(scores["status"])
(['naswot', 'params'], {'ok'})
>>> list(table.columns[:3])
['set', 'proxy', 'networks']
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness._utils.arguments import accepts, number, optional, path, text
from harness.contracts.benchmark import Benchmark
from harness.execution.options import RunOptions
from harness.execution.progress import chosen_progress
from harness.registry import benchmark_named, load_benchmark, named_among
from harness.registry.by_file import refuse_while_loaded
from harness.reporting.report import Report, report

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from harness.contracts.proxy import Proxy
    from harness.execution.runner import Progress, RunSummary
    from harness.images import Images
    from harness.store.records import Setting


__all__ = ["Report", "agreement", "load", "report", "run"]


@accepts(benchmark=text)
def load(benchmark: str) -> Benchmark:
    """The named benchmark, or your own at ``path.py:name``: its architectures, networks and ground truth.

    Raises:
        UnknownNameError: if no installed package registers it; the message suggests similar names.
        HarnessError: if your own cannot be loaded.
    """
    return load_benchmark(benchmark)


@accepts(out=path)
def run(
    benchmark: Benchmark | str,
    *,
    out: Path | str,
    dataset: str | None = None,
    sample: int | None = None,
    subset: str = "all",
    seed: int = 0,
    sample_seed: int | None = None,
    seeds: int = 1,
    seeds_on: int | None = None,
    proxies: str | Proxy | Iterable[str | Proxy] | None = "standard",
    images: Images | Path | str | object | None = None,
    labels: Literal["file", "random"] = "file",
    batch_size: int = 64,
    resolution: int | None = None,
    init: str = "default",
    workers: int = 1,
    shard: str | tuple[int, int] | None = None,
    once_per_class: bool = False,
    device: str | torch.device = "cpu",
    executor: Callable[[], Executor] | None = None,
    time_limit: float | None = None,
    memory_limit: str | int | None = None,
    retry_failed: bool = False,
    progress: Progress | Literal[False] | None = None,
) -> pd.DataFrame:
    """Score a sample of architectures with every given proxy; scores that exist in ``out`` are not computed again.

    Numbers may be from Python or NumPy, or zero-dimensional tensors; paths may start with ``~``.

    Args:
        benchmark: a benchmark, its name, or the location of your own, as ``path.py:name``.
        out: the directory for the scores.
        dataset: the data set; default: the benchmark's first.
        sample: the number of architectures, drawn uniformly; default: every architecture of the set.
        subset: the architecture set to draw from, one of ``benchmark.subsets``.
        seed: the seed for the weights, the mini-batches and the random numbers of proxies.
        sample_seed: the seed for the sample; default: ``seed``.
        seeds: the number of seeds: ``seed`` and those after it, on the same sample. The runs of the others are stored
            in ``out/seeds``, and :func:`report` shows whether the seeds agree.
        seeds_on: the number of networks for every seed after the first, the start of the sample; default: all.
        proxies: names, ``standard``, ``all``, and your own proxies, as objects or as ``path.py:name``; see
            :func:`harness.registry.select_proxies`.
        images: the images for the mini-batches: a path, ``noise``, :class:`~harness.images.Images`, or a pair of arrays
            or tensors, images (N, C, H, W) and labels, see :mod:`harness.images.given`; default: the benchmark's.
        labels: ``random`` replaces the labels of the images by random ones.
        batch_size: images per mini-batch, the same for every network.
        resolution: height and width of the images, which are resized, or of noise; default: the benchmark's.
        init: how weights are drawn: ``default``, as the benchmark does, ``kaiming_fan_in``, ``kaiming_fan_out``,
            ``xavier`` or ``gaussian``; see :func:`harness.networks.initialisation.initialised`.
        workers: number of worker processes with one thread each; 1 computes in this process. A script must start more
            under ``if __name__ == "__main__":``, since every worker runs the script again.
        shard: a part of the sample, such as ``3/16`` or ``(3, 16)``; give each part its own ``out``, and combine them
            with :func:`harness.merge`. An empty part computes nothing and warns.
        once_per_class: score networks with the same canonical form only once; #Params and other proxies that need no
            images are still computed for each architecture.
        device: ``cpu`` or ``cuda``, or a ``torch.device``.
        executor: a factory of the executor to use instead of worker processes, such as
            ``lambda: DaskExecutor("tcp://10.0.0.1:8786")``; see :mod:`harness.execution.dask_executor`.
        time_limit: seconds allowed per network, greater than 0.
        memory_limit: memory allowed per worker, such as ``4GB`` or a number of bytes, on Linux.
        retry_failed: compute failed outcomes again.
        progress: called with the number of finished networks and the total;
            :class:`harness.execution.progress.ProgressLines` writes log lines. Default: a bar in a notebook, and
            nothing elsewhere; False: nothing.

    Returns:
        One row per architecture, proxy and seed: architecture, proxy, version, seed, status, value, error,
        own_seconds, standalone_seconds, forward_backward_seconds.

    Raises:
        HarnessError: for every error that the user can fix; the message says how.
    """
    progress = chosen_progress(progress)
    options = RunOptions.among(locals())
    directory = Path(out)
    summary = carry_out(
        benchmark,
        directory,
        options,
        notice=lambda words: warnings.warn(words, stacklevel=5),
        say=lambda words: warnings.warn(f"{directory}: {words}", stacklevel=8),
    )
    if summary.interrupted:
        raise KeyboardInterrupt
    import pandas as pd

    from harness.store import Store
    from harness.store.seeds import seed_directory

    tables = []
    for one in options.each_seed():
        with Store.read(directory if one.seed == options.seed else seed_directory(directory, one.seed)) as store:
            tables.append(store.scores())
    return pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0]


def carry_out(
    benchmark: Benchmark | str,
    out: Path,
    options: RunOptions,
    *,
    notice: Callable[[str], None],
    say: Callable[[str], None],
) -> RunSummary:
    """The common part of :func:`run` and ``harness run``: make a plan for each seed, and compute what is missing.

    Args:
        benchmark: a benchmark or its name.
        out: the directory for the scores.
        options: the options of the run.
        notice: called with a message to show before anything is computed, if there is one.
        say: called with each message about a repair of the store.
    """
    from harness.execution.executors import refuse_in_starting_worker

    refuse_in_starting_worker(options.workers)
    refuse_while_loaded()

    from harness.execution.plan import make_plan
    from harness.execution.runner import run_seeds

    plans = [make_plan(benchmark, one) for one in options.each_seed()]
    if plans[0].notice:
        notice(plans[0].notice)
    return run_seeds(
        plans,
        out,
        workers=options.workers,
        executor=options.executor,
        time_limit=options.time_limit,
        memory_limit=options.memory_limit,
        retry_failed=options.retry_failed,
        progress=options.progress,
        say=say,
    )


@accepts(directory=path, other=path, sentinel=optional(number))
def agreement(
    directory: Path | str,
    other: Path | str,
    *,
    rename: Mapping[str, str] | None = None,
    sentinel: float | None = None,
) -> pd.DataFrame:
    """The rank agreement between the scores of a run and those of another run or an independent table.

    Args:
        directory: the ``out`` of a run.
        other: the ``out`` of another run, or a table of scores with one row per architecture, as by
            :func:`harness.data.table_files.read_frame`.
        rename: maps names of proxies in the other table to those of the harness.
        sentinel: the number that marks a failed score in the other table.

    Returns:
        See :func:`harness.analysis.rank_agreement`.

    Raises:
        HarnessError: if one of them cannot be read, or they have no common proxy or architecture.
    """
    from harness.analysis import rank_agreement
    from harness.analysis.score_tables import read_score_table
    from harness.analysis.scores import wide_scores
    from harness.store import Store

    def read_run(place: Path) -> tuple[pd.DataFrame, Setting]:
        with Store.read(place) as store:
            return wide_scores(store.scores()).sort_index().sort_index(axis=1), store.setting

    source = Path(other)
    ours, setting = read_run(Path(directory))
    meant = {theirs: named_among(name, map(str, ours)) or name for theirs, name in (rename or {}).items()}
    if source.is_dir():
        theirs, _ = read_run(source)
    else:
        name = benchmark_named(setting.benchmark)
        known = None if name is None else load_benchmark(name)
        theirs = read_score_table(source, meant, sentinel, known, setting.dataset)
    return rank_agreement(ours, theirs.rename(columns=_in_our_names(theirs, ours)))


def _in_our_names(theirs: pd.DataFrame, ours: pd.DataFrame) -> dict[str, str]:
    """The names in the run for columns that only have an alias in the other table."""
    known = [str(name) for name in ours]
    meant = {name: named_among(name, known) for name in map(str, theirs) if name not in ours}
    names = list(meant.values())
    return {name: row for name, row in meant.items() if row and row not in theirs and names.count(row) == 1}
