"""From the scores of a run to its report: joined with the ground truth, ranked, compared, priced."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.benchmark import Benchmark, GroundTruth
from harness.errors import HarnessError, UnknownNameError
from harness.names import unknown_name
from harness.objective import CLASSES, Objective
from harness.own_proxies import OWN_PROXIES
from harness.proxies.base import Direction
from harness.registry import aggregates, load_benchmark, proxies
from harness.reporting.heading import Heading

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from harness.plan import Setting


class Facts(NamedTuple):
    """What a report needs to know of a proxy."""

    better: Direction
    label: str


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
    epochs: int | str | None = None,
    baseline: str = "params",
    beside: Iterable[str] = (),
    published: Path | str | None = None,
) -> Report:
    """Compare the scores of a run, finished or not, with the benchmark's ground truth.

    Args:
        directory: the ``out`` of a run.
        split: of the accuracies; the benchmark's default unless given.
        epochs: of the training, or which epoch; the benchmark's default unless given.
        baseline: the row that the others are compared with, a proxy, an aggregate, or one of ``beside``.
        beside: other ground truths as ``split/epochs``, such as ``val/12``; each is ranked and compared as if it were
            a proxy, to show what a little training gives.
        published: a table of published coefficients to set beside ours, such as those in ``results/published``.

    Raises:
        HarnessError: if there is no run, no score in it yet, no ground truth for it, or no such baseline.
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
    truths = _truths_beside(benchmark, truth, beside)
    facts = _declared(manifest)
    known = [*facts, *aggregates(), *truths]
    if baseline not in known:
        raise UnknownNameError(unknown_name("proxy", baseline, known))
    used = scores["proxy"].unique()
    correlations = correlation_table(
        scores,
        truth,
        {name: facts[name].better for name in used if name in facts},
        members={subset: benchmark.membership(subset) for subset in benchmark.subsets},
        baseline=baseline,
        aggregates=aggregates().values(),
        beside=truths,
    )
    networks = scores["architecture"].nunique()
    theirs = None
    if published is not None:
        theirs = beside_published(correlations, read_published(Path(published)), benchmark.name, setting.dataset)
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
            facts=(
                *_facts(setting, benchmark.task(setting.dataset).objective),
                *(f"Trained, for comparison: {other.describe()}" for other in truths.values()),
            ),
        ),
        correlations=correlations,
        costs=cost_table(scores),
        scores=scores,
        truth=truth,
        labels=_labels(facts, truths, set(correlations["proxy"])),
        subset="all",
        manifest={**manifest, "networks": networks, "ground_truth": truth.describe(), "truth_source": truth.source},
        published=theirs,
    )


def parse_truth(text: str) -> tuple[str | None, int | str | None]:
    """Split and epochs of a ground truth written as ``split/epochs``; None for what is left out.

    >>> parse_truth("val/12"), parse_truth("test"), parse_truth("test/final")
    (('val', 12), ('test', None), ('test', 'final'))
    """
    split, _, epochs = text.partition("/")
    return split or None, int(epochs) if epochs.isdecimal() else epochs or None


def _truths_beside(benchmark: Benchmark, truth: GroundTruth, wanted: Iterable[str]) -> dict[str, GroundTruth]:
    """The ground truths to rank as if they were proxies, by the name of their row."""
    found = {}
    for text in wanted:
        other = benchmark.ground_truth(truth.dataset, *parse_truth(text))
        if (other.split, other.epochs) == (truth.split, truth.epochs):
            raise HarnessError(
                f"'{text}' is the ground truth that is ranked against; name another one of {benchmark.name}"
            )
        found[f"{other.split}/{other.epochs}"] = other
    return found


def _declared(manifest: Mapping[str, Any]) -> dict[str, Facts]:
    """Direction and label of every registered proxy, and of those that the run brought along."""
    facts = {name: Facts(proxy.better, proxy.label) for name, proxy in proxies().items()}
    return facts | {name: Facts(own["better"], own["label"]) for name, own in manifest.get(OWN_PROXIES, {}).items()}


def _labels(facts: Mapping[str, Facts], truths: Mapping[str, GroundTruth], shown: set[str]) -> dict[str, str]:
    """How the rows are written; that an accuracy comes from training shows in its name."""
    labels = {name: known.label for name, known in facts.items()}
    labels |= {name: aggregate.label for name, aggregate in aggregates().items()}
    labels |= {name: f"{truth.split}, {truth.when} (trained)" for name, truth in truths.items()}
    return {name: label for name, label in labels.items() if name in shown}


def _facts(setting: Setting, objective: Objective) -> tuple[str, ...]:
    facts = (f"Seed {setting.seed} of weights and batches; torch {setting.torch} on {setting.device}",)
    return facts if objective == CLASSES else (*facts, f"Loss of the gradient proxies: {objective.words}")
