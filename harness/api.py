"""The main job in a few lines: load a benchmark, run proxies on a sample of it, report how well they rank.

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

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from harness.benchmark import Benchmark, GroundTruth
from harness.errors import HarnessError
from harness.registry import load_benchmark, proxies, select_proxies
from harness.reporting.heading import Heading

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from harness.images import Images
    from harness.runner import Progress, RunSummary


def load(benchmark: str) -> Benchmark:
    """The named benchmark: its architectures, networks and ground truth.

    Raises:
        UnknownNameError: if no installed package registers it; the message suggests near names.
    """
    return load_benchmark(benchmark)


def run(
    benchmark: Benchmark | str,
    *,
    out: Path | str,
    dataset: str | None = None,
    sample: int | None = None,
    subset: str = "all",
    seed: int = 0,
    sample_seed: int | None = None,
    proxies: str | Iterable[str] = "all",
    images: Images | Path | str | None = None,
    labels: Literal["file", "random"] = "file",
    batch_size: int = 64,
    workers: int = 1,
    device: str = "cpu",
    executor: Callable[[], Executor] | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Score a sample of architectures with every wanted proxy; what is in ``out`` already is not computed again.

    Args:
        benchmark: a benchmark or its name.
        out: the directory that keeps the scores.
        dataset: the benchmark's first data set unless given.
        sample: how many architectures, drawn uniformly; every architecture of the set unless given.
        subset: the set that is drawn from, one of ``benchmark.subsets``.
        seed: of the weights, the batches and what proxies draw.
        sample_seed: of the sample; ``seed`` unless given.
        proxies: names, or ``all``; see :func:`harness.registry.select_proxies`.
        images: where the mini-batches come from: a path, ``noise``, or :class:`~harness.images.Images`; the
            benchmark's own unless given.
        labels: ``random`` puts random labels in place of those of the image files.
        batch_size: images in a mini-batch, the same for every network.
        workers: worker processes with one thread each; 1 computes in this process.
        device: ``cpu`` or ``cuda``.
        executor: makes an executor to use in place of the workers.
        retry_failed: compute failed outcomes again.
        progress: called with the number of networks done and of all networks.

    Returns:
        One row for each architecture and proxy: architecture, proxy, version, seed, status, value, error,
        own_seconds, standalone_seconds, forward_backward_seconds.

    Raises:
        HarnessError: for whatever the user can mend; the message says how.
    """
    from harness.store import Store

    summary = start(
        benchmark,
        out=out,
        dataset=dataset,
        sample=sample,
        subset=subset,
        seed=seed,
        sample_seed=sample_seed,
        proxies=proxies,
        images=images,
        labels=labels,
        batch_size=batch_size,
        workers=workers,
        device=device,
        executor=executor,
        retry_failed=retry_failed,
        progress=progress,
    )
    if summary.interrupted:
        raise KeyboardInterrupt
    with Store.read(Path(out)) as store:
        return store.scores()


def start(
    benchmark: Benchmark | str,
    *,
    out: Path | str,
    dataset: str | None,
    sample: int | None,
    subset: str,
    seed: int,
    sample_seed: int | None,
    proxies: str | Iterable[str],
    images: Images | Path | str | None,
    labels: Literal["file", "random"],
    batch_size: int,
    workers: int,
    device: str,
    executor: Callable[[], Executor] | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> RunSummary:
    """As :func:`run`, but tells what was done and whether it was interrupted, and reads no scores."""
    chosen = select_proxies(proxies)
    target = load_benchmark(benchmark) if isinstance(benchmark, str) else benchmark
    dataset = dataset or target.datasets[0]
    target.check_dataset(dataset)

    from harness.plan import make_plan
    from harness.runner import run as compute

    plan = make_plan(
        target,
        chosen,
        _images(target, dataset, images, labels, seed),
        dataset=dataset,
        sample=sample,
        subset=subset,
        seed=seed,
        sample_seed=sample_seed,
        batch_size=batch_size,
        device=device,
    )
    return compute(plan, out, workers=workers, executor=executor, retry_failed=retry_failed, progress=progress)


@dataclass(frozen=True)
class Report:
    """How well each proxy ranks the networks of a run, and what it costs.

    Attributes:
        heading: what was ranked against what.
        correlations: see :func:`harness.analysis.correlation_table`.
        costs: see :func:`harness.analysis.cost_table`.
        scores: one row for each architecture and proxy.
        truth: the accuracies that the scores are compared with.
        labels: how tables and figures write the proxies' names.
        subset: the set that the main table shows.
        manifest: versions and settings of the run.
        published: our coefficients beside a paper's, see :func:`harness.analysis.published.beside_published`; None
            unless a published table was given.
    """

    heading: Heading
    correlations: pd.DataFrame
    costs: pd.DataFrame
    scores: pd.DataFrame = field(repr=False)
    truth: GroundTruth = field(repr=False)
    labels: dict[str, str]
    subset: str
    manifest: dict[str, Any] = field(repr=False)
    published: pd.DataFrame | None = None

    def show(self, console: Console | None = None) -> None:
        """Print the tables in the terminal."""
        from rich.console import Console

        from harness.reporting import print_tables
        from harness.reporting.published import print_beside

        console = console or Console()
        print_tables(console, self.correlations, self.costs, self.heading, self.labels, subset=self.subset)
        if self.published is not None:
            console.print()
            print_beside(console, self.published, self.labels)

    def write(self, directory: Path | str, *, figures: bool = True) -> list[Path]:
        """Write everything; returns the files.

        Tables as CSV, Markdown and LaTeX; figures as PDF and PNG with their data; the scores; the manifest.
        """
        from harness.reporting import write_figures, write_tables
        from harness.reporting.published import write_beside

        target, labels, subset = Path(directory), self.labels, self.subset
        files = write_tables(target, self.correlations, self.costs, self.heading, labels, subset=subset)
        if self.published is not None:
            files += write_beside(target, self.published, labels)
        if figures:
            files += write_figures(
                target, self.correlations, self.scores, self.truth, self.heading, labels=labels, subset=subset
            )
        scores = target / "scores.csv.gz"
        # Without the time of writing, equal scores give equal files.
        self.scores.to_csv(scores, index=False, compression={"method": "gzip", "mtime": 0})
        manifest = target / "manifest.json"
        manifest.write_text(json.dumps(self.manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return [*files, scores, manifest]


def report(
    directory: Path | str,
    *,
    split: str | None = None,
    epochs: int | None = None,
    baseline: str = "params",
    published: Path | str | None = None,
) -> Report:
    """Compare the scores of a run, finished or not, with the benchmark's ground truth.

    Args:
        directory: the ``out`` of a run.
        split: of the accuracies; the benchmark's default unless given.
        epochs: of the training; the benchmark's default unless given.
        baseline: the proxy that the others are compared with.
        published: a table of published coefficients to set beside ours, such as those in ``results/published``.

    Raises:
        HarnessError: if there is no run, no score in it yet, or no ground truth for it.
    """
    from harness.analysis import correlation_table, cost_table
    from harness.analysis.published import beside_published, read_published
    from harness.store import Store

    with Store.read(Path(directory)) as store:
        scores, setting, manifest = store.scores(), store.setting, store.manifest()
    if scores.empty:
        raise HarnessError(f"{directory} holds no scores yet; let 'harness run' go on for a while")
    benchmark = load_benchmark(setting.benchmark)
    truth = benchmark.ground_truth(setting.dataset, split, epochs)
    known = proxies()
    used = scores["proxy"].unique()
    directions = {name: known[name].better for name in used if name in known}
    members = {subset: benchmark.membership(subset) for subset in benchmark.subsets}
    networks = scores["architecture"].nunique()
    correlations = correlation_table(scores, truth, directions, members=members, baseline=baseline)
    beside = None
    if published is not None:
        beside = beside_published(correlations, read_published(Path(published)), benchmark.name, setting.dataset)
    return Report(
        heading=Heading(
            benchmark=benchmark.title,
            dataset=setting.dataset,
            networks=networks,
            subset=setting.subset,
            seed=setting.sample_seed,
            ground_truth=truth.describe(),
            images=setting.images,
            batch_size=setting.batch_size,
            noise=setting.noise,
            facts=(f"Seed {setting.seed} of weights and batches; torch {setting.torch} on {setting.device}",),
        ),
        correlations=correlations,
        costs=cost_table(scores),
        scores=scores,
        truth=truth,
        labels={name: known[name].label for name in used if name in known},
        subset="all",
        manifest={**manifest, "networks": networks, "ground_truth": truth.describe(), "truth_source": truth.source},
        published=beside,
    )


def agreement(
    directory: Path | str,
    other: Path | str,
    *,
    rename: Mapping[str, str] | None = None,
    sentinel: float | None = None,
) -> pd.DataFrame:
    """Do the scores of a run rank the networks as those of another run, or of an independent table, do?

    Args:
        directory: the ``out`` of a run.
        other: the ``out`` of another run, or a CSV of scores with one row for each architecture.
        rename: the other table's names of proxies to the harness's.
        sentinel: a number that stands in the other table for a score that could not be computed.

    Returns:
        See :func:`harness.analysis.rank_agreement`.

    Raises:
        HarnessError: if one of them cannot be read, or they have no proxy or no architecture in common.
    """
    from harness.analysis import rank_agreement
    from harness.analysis.sources import read_score_table, wide_scores
    from harness.store import Store

    def read_run(place: Path) -> pd.DataFrame:
        with Store.read(place) as store:
            return wide_scores(store.scores())

    source = Path(other)
    theirs = read_run(source) if source.is_dir() else read_score_table(source, rename, sentinel)
    return rank_agreement(read_run(Path(directory)), theirs)


def _images(
    benchmark: Benchmark,
    dataset: str,
    images: Images | Path | str | None,
    labels: Literal["file", "random"],
    seed: int,
) -> Images:
    from harness.images import load_images

    if images is None:
        own = benchmark.images(dataset)
        if own is None:
            raise HarnessError(
                f"{benchmark.name} brings no images: give --images with the files of {dataset}, or --images noise for "
                "Gaussian noise with random labels"
            )
        return own
    if isinstance(images, str | Path):
        return load_images(images, benchmark.task(dataset), seed, labels)
    return images
