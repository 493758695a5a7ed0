"""A run opened for reading: its scores, the accuracies to compare them with, and facts about both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness._utils.arguments import accepts, epochs, optional, path, shown, texts
from harness._utils.arguments import text as text_of
from harness._utils.names import resolved, unknown_name
from harness.contracts.aggregate import Aggregate
from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GroundTruth
from harness.contracts.proxy import Direction
from harness.data.table_benchmark import TableBenchmark
from harness.errors import HarnessError, UnknownNameError
from harness.registry import LIST_PROXIES, aggregate_names, aggregates, load_benchmark, proxy_facts, proxy_names
from harness.registry.by_file import OWN_PROXIES
from harness.store.records import GIVEN_TRUTHS, TRUTH_ROW

if TYPE_CHECKING:
    import pandas as pd

    from harness.analysis.joined import Joined
    from harness.store.records import Setting

__all__ = ["OpenedRun", "open_run"]


class Facts(NamedTuple):
    """The facts about a proxy that an analysis needs."""

    better: Direction
    label: str


@dataclass(frozen=True)
class OpenedRun:
    """The scores of a run, finished or not, and the benchmark's ground truth.

    Attributes:
        directory: the directory of the run.
        setting: everything that determines its scores.
        manifest: the recorded versions and settings.
        benchmark: the benchmark of the run.
        scores: one row per architecture and proxy.
        truth: the accuracies to compare the scores with.
        beside: other accuracies to rank like proxies, by the name of their row.
        given: every row of a ranked table, with its columns of accuracies as rows; None for other runs.
    """

    directory: Path
    setting: Setting
    manifest: dict[str, Any] = field(repr=False)
    benchmark: Benchmark
    scores: pd.DataFrame = field(repr=False)
    truth: GroundTruth = field(repr=False)
    beside: Mapping[str, GroundTruth] = field(default_factory=dict, repr=False)
    given: pd.DataFrame | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        """What was scored, and the ground truth."""
        return (
            f"<run {self.directory}: {self.setting.benchmark}, {self.setting.dataset}; {self.networks:,} networks, "
            f"{self.scores['proxy'].nunique()} proxies; against {self.truth.describe()}>"
        )

    @cached_property
    def facts(self) -> dict[str, Facts]:
        """Direction and label of every registered proxy, and of the run's unregistered proxies."""
        known = {name: Facts(proxy.better, proxy.label) for name, proxy in proxy_facts().items()}
        own = self.manifest.get(OWN_PROXIES, {})
        return known | {name: Facts(facts["better"], facts["label"]) for name, facts in own.items()}

    @cached_property
    def aggregates(self) -> dict[str, Aggregate]:
        """Every registered rank aggregate."""
        return aggregates()

    @cached_property
    def directions(self) -> dict[str, Direction]:
        """The direction of every proxy of the run, if it is known."""
        return {name: self.facts[name].better for name in self.scores["proxy"].unique() if name in self.facts}

    @cached_property
    def labels(self) -> dict[str, str]:
        """The label of each row; labels of accuracies show that they come from training."""
        labels = {name: known.label for name, known in self.facts.items()}
        labels |= {name: aggregate.label for name, aggregate in self.aggregates.items()}
        shown = {
            name: f"{truth.split}, {truth.when}" if truth.row != truth.split else name
            for name, truth in self.beside.items()
        }
        return labels | {name: f"{words} (trained)" for name, words in shown.items()}

    @property
    def networks(self) -> int:
        """The number of networks with scores."""
        return int(self.scores["architecture"].nunique())

    @cached_property
    def joined(self) -> Joined:
        """The scores beside the accuracies, both oriented so that higher is better."""
        from harness.analysis.joined import join

        return join(self.scores, self.truth, self.directions, aggregates=self.aggregates.values(), beside=self.beside)

    @cached_property
    def seeds(self) -> tuple[OpenedRun, ...]:
        """This run and those of further seeds that ``harness run --seeds`` stored in its directory.

        Raises:
            HarnessError: if the run of a further seed cannot be read, or differs in more than the seed.
        """
        from harness.store import Store
        from harness.store.seeds import check_seed, further_seeds

        found = [self]
        for directory in further_seeds(self.directory).values():
            with Store.read(directory) as store:
                scores, setting, manifest = store.scores(), store.setting, store.manifest()
            check_seed(self.setting, setting, directory)
            if not scores.empty:
                found.append(replace(self, directory=directory, setting=setting, manifest=manifest, scores=scores))
        return tuple(found)

    @cached_property
    def over_seeds(self) -> pd.DataFrame | None:
        """The mean over seeds compared with #Params, see :func:`harness.analysis.seed_table`.

        None if there is one seed, or no two seeds share a proxy on common networks.
        """
        return self.mean_over_seeds("params")

    def mean_over_seeds(self, baseline: str) -> pd.DataFrame | None:
        """The same, compared with another row."""
        from harness.analysis import seed_table

        if len(self.seeds) < 2:
            return None
        try:
            return seed_table([seed.joined for seed in self.seeds], baseline=baseline)
        except HarnessError:
            return None

    def within(self, subset: str) -> Joined:
        """The same, restricted to one of the benchmark's architecture sets.

        Raises:
            UnknownNameError: if the benchmark has no such set.
        """
        import numpy as np

        belongs = self.benchmark.membership(subset)
        return self.joined.within(np.array([belongs(a) for a in self.joined.architectures], dtype=bool))

    def row_named(self, name: str) -> str:
        """The row with this name or alias: a known proxy, an aggregate, or another ground truth.

        Raises:
            UnknownNameError: if there is none.
        """
        own: dict[str, tuple[str, ...]] = {row: (known.label,) for row, known in self.facts.items()}
        known = {**own, **proxy_names(), **aggregate_names(), **dict.fromkeys(self.beside, ())}
        found = resolved(name, known)
        if found is None:
            raise UnknownNameError(unknown_name("proxy", name, known, LIST_PROXIES))
        return found


@accepts(
    directory=path, split=optional(text_of), epochs=optional(epochs), beside=texts, truth_dataset=optional(text_of)
)
def open_run(
    directory: Path | str,
    *,
    split: str | None = None,
    epochs: int | str | None = None,
    beside: Iterable[str] = (),
    truth_dataset: str | None = None,
) -> OpenedRun:
    """Open the scores of a run with the benchmark's ground truth.

    Args:
        directory: the ``out`` of a run.
        split: the split that accuracies were measured on; default: the benchmark's.
        epochs: the length of training, or the name of an epoch; default: the benchmark's.
        beside: other ground truths as ``split/epochs``, such as ``val/12``, to rank like proxies.
        truth_dataset: the data set that accuracies were measured on; default: that of the scores.

    Raises:
        HarnessError: if there is no run, it has no scores yet, or the ground truth is missing.
    """
    from harness.store import Store

    with Store.read(Path(directory)) as store:
        scores, setting, manifest = store.scores(), store.setting, store.manifest()
    if scores.empty:
        raise HarnessError(f"{directory} has no scores yet; wait until 'harness run' has stored some")
    return opened_from(
        Path(directory),
        setting,
        manifest,
        scores,
        split=split,
        epochs=epochs,
        beside=beside,
        truth_dataset=truth_dataset,
    )


def opened_from(
    directory: Path,
    setting: Setting,
    manifest: Mapping[str, Any],
    scores: pd.DataFrame,
    *,
    split: str | None = None,
    epochs: int | str | None = None,
    beside: Iterable[str] = (),
    truth_dataset: str | None = None,
) -> OpenedRun:
    """The same for the content of a run; the directory need not exist."""
    given = None
    benchmark: Benchmark
    if GIVEN_TRUTHS in manifest:
        given, scores = scores, scores[~scores["proxy"].str.startswith(TRUTH_ROW)]
        benchmark = _table_benchmark(setting, manifest, given)
    else:
        benchmark = load_benchmark(setting.benchmark)
    truth = benchmark.ground_truth(truth_dataset or setting.dataset, split, epochs)
    if given is not None:
        scores = scores[scores["architecture"].isin(truth.accuracy.index)].reset_index(drop=True)
    truths = _truths_beside(benchmark, truth, beside)
    return OpenedRun(directory, setting, dict(manifest), benchmark, scores, truth, truths, given)


def _table_benchmark(setting: Setting, manifest: Mapping[str, Any], given: pd.DataFrame) -> TableBenchmark:
    """The benchmark that a ranked table is, if it brought its own accuracies."""
    columns = given[given["proxy"].str.startswith(TRUTH_ROW)]
    values = columns.pivot(index="architecture", columns="proxy", values="value").astype("float64")
    higher: Mapping[str, bool] = manifest[GIVEN_TRUTHS]
    truths = {column: values[f"{TRUTH_ROW}{column}"] for column in higher}
    return TableBenchmark(setting.benchmark, truths, higher, setting.benchmark)


def as_run(value: object, name: str) -> OpenedRun:
    """The opened run behind an opened run, a report or the directory of a run."""
    opened = getattr(value, "run", value)
    if isinstance(opened, str | PathLike):
        return open_run(path(opened, name))
    if not isinstance(opened, OpenedRun):
        raise HarnessError(
            f"{name} must be an opened run (harness.results.open_run), a report, or the out directory of a run, "
            f"not {shown(value)}"
        )
    return opened


def as_runs(value: object, name: str) -> list[OpenedRun]:
    """Several runs, or a single one, opened as by :func:`as_run`."""
    if isinstance(value, str | PathLike) or not isinstance(value, Iterable):
        return [as_run(value, name)]
    return [as_run(each, f"each of {name}") for each in value]


def parse_truth(text: str) -> tuple[str | None, int | str | None]:
    """Parse the split and epochs of a ground truth from ``split/epochs``; None for an omitted part.

    >>> parse_truth("val/12"), parse_truth("test"), parse_truth("test/final")
    (('val', 12), ('test', None), ('test', 'final'))
    """
    split, _, epochs = text.partition("/")
    return split or None, int(epochs) if epochs.isdecimal() else epochs or None


def _truths_beside(benchmark: Benchmark, truth: GroundTruth, wanted: Iterable[str]) -> dict[str, GroundTruth]:
    """The ground truths to rank like proxies, by the name of their row."""
    found = {}
    for text in wanted:
        other = benchmark.ground_truth(truth.dataset, *parse_truth(text))
        if (other.split, other.epochs) == (truth.split, truth.epochs):
            raise HarnessError(f"'{text}' is already the main ground truth; choose another one of {benchmark.name}")
        found[other.row] = other
    return found
