"""A run opened for reading: its scores, the accuracies to compare them with, and facts about both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness._utils.arguments import accepts, epochs, optional, path, shown
from harness._utils.arguments import text as text_of
from harness._utils.html import facts_html
from harness._utils.names import resolved, unknown_name
from harness.contracts.aggregate import Aggregate
from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GroundTruth
from harness.contracts.proxy import Direction
from harness.data.given_truth import given_truth, names_a_file
from harness.data.ranked_table import RankedTable
from harness.errors import HarnessError, UnknownNameError
from harness.registry import LIST_PROXIES, aggregate_names, aggregates, proxy_facts, proxy_names
from harness.registry.by_file import OWN_PROXIES
from harness.registry.own_benchmarks import benchmark_of_run
from harness.store.records import GIVEN_TRUTHS, TRUTH_ROW
from harness.store.turns import in_turn

if TYPE_CHECKING:
    import pandas as pd

    from harness.analysis.joined import Joined
    from harness.store.records import Setting

    Truth = str | PathLike[str] | GroundTruth | pd.DataFrame | pd.Series[Any] | Mapping[str, float]
    """What a ground truth may be given as."""

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
        notes: sentences about the benchmark that belong in every heading, such as that its file has changed.
        given: every row of a ranked table, with its columns of accuracies as rows; None for other runs.
    """

    directory: Path
    setting: Setting
    manifest: dict[str, Any] = field(repr=False)
    benchmark: Benchmark
    scores: pd.DataFrame = field(repr=False)
    truth: GroundTruth = field(repr=False)
    beside: Mapping[str, GroundTruth] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    given: pd.DataFrame | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        """What was scored, and the ground truth."""
        return (
            f"<run {self.directory}: {self.setting.benchmark}, {self.setting.dataset}; {self.networks:,} networks, "
            f"{self.scores['proxy'].nunique()} proxies; against {self.truth.describe()}>"
        )

    def _repr_html_(self) -> str:
        """The same as a small table, for a notebook."""
        setting = self.setting
        proxies = [self.labels.get(name, name) for name in self.scores["proxy"].unique()]
        facts = {
            "Benchmark": f"{self.benchmark.title}, {setting.dataset}",
            "Networks": f"{self.networks:,} of the set '{setting.subset}', seed {setting.seed}",
            "Proxies": ", ".join(map(str, proxies)),
            "Ground truth": self.truth_in_words,
            "Beside": ", ".join(self.beside),
            "Inputs": f"{setting.images}, mini-batches of {setting.batch_size}",
            "Note": "; ".join(self.notes),
        }
        return facts_html(f"Run {self.directory}", facts)

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
        return labels | {name: truth.row for name, truth in self.beside.items()}

    @property
    def networks(self) -> int:
        """The number of networks with scores."""
        return int(self.scores["architecture"].nunique())

    @cached_property
    def truth_in_words(self) -> str:
        """The ground truth in one line, with the number of networks that it has a value for if any may lack one."""
        described = self.truth.describe()
        return f"{described}; {self._covered()}" if self.truth.partial else described

    def _covered(self) -> str:
        known, networks = len(self.joined), self.networks
        if known == networks:
            return f"a value for each of the {networks:,} networks"
        lacking = "1 network has none and is" if networks - known == 1 else f"{networks - known:,} have none and are"
        return f"a value for {known:,} of {networks:,} networks; {lacking} left out"

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
            if setting.once_per_class:
                scores, _ = in_turn(self.benchmark, setting, scores)
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


@accepts(directory=path, split=optional(text_of), epochs=optional(epochs), truth_dataset=optional(text_of))
def open_run(
    directory: Path | str,
    *,
    truth: Truth | None = None,
    better: Direction | None = None,
    split: str | None = None,
    epochs: int | str | None = None,
    beside: Truth | Iterable[Truth] = (),
    truth_dataset: str | None = None,
    benchmark: Benchmark | type[Benchmark] | str | None = None,
) -> OpenedRun:
    """Open the scores of a run with the benchmark's ground truth, or with any other numbers of the same networks.

    Args:
        directory: the ``out`` of a run.
        truth: the ground truth as ``split/epochs``; or any number per architecture: a file and its column, as
            ``robust.csv:pgd``; a series, a mapping or a data frame by architecture. Networks without a value are left
            out, and counted. Default: the benchmark's for the run's set.
        better: whether ``higher`` or ``lower`` values of such a ``truth`` are better; default: higher, or what the file
            says, as in ``trained.csv:loss:lower``.
        split: the split that accuracies were measured on; default: the benchmark's.
        epochs: the length of training, or the name of an epoch; default: the benchmark's.
        beside: other ground truths, such as ``val/12`` or ``robust.csv:pgd``, to rank like proxies.
        truth_dataset: the data set that accuracies were measured on; default: that of the scores.
        benchmark: the run's benchmark, if it is your own and cannot be found where it was.

    Raises:
        HarnessError: if there is no run, it has no scores yet, or the benchmark or the ground truth is missing.
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
        truth=truth,
        better=better,
        split=split,
        epochs=epochs,
        beside=beside,
        truth_dataset=truth_dataset,
        benchmark=benchmark,
    )


def opened_from(
    directory: Path,
    setting: Setting,
    manifest: Mapping[str, Any],
    scores: pd.DataFrame,
    *,
    truth: Truth | None = None,
    better: Direction | None = None,
    split: str | None = None,
    epochs: int | str | None = None,
    beside: Truth | Iterable[Truth] = (),
    truth_dataset: str | None = None,
    benchmark: Benchmark | type[Benchmark] | str | None = None,
) -> OpenedRun:
    """The same for the content of a run; the directory need not exist."""
    given = None
    own: Benchmark
    notes: tuple[str, ...] = ()
    if GIVEN_TRUTHS in manifest:
        if not isinstance(benchmark, RankedTable | None):
            raise HarnessError(f"{directory} is a table that was ranked by its own accuracies, so it has no benchmark")
        given, scores = scores, scores[~scores["proxy"].str.startswith(TRUTH_ROW)]
        own = _ranked_table(setting, manifest, given)
    else:
        own, notes = benchmark_of_run(setting.benchmark, manifest, benchmark)
    dataset = truth_dataset or setting.dataset
    if truth is None and split is None and epochs is None:
        ranked_by = own.ground_truth(dataset, *own.default_truth(dataset, setting.subset))
    elif truth is None:
        ranked_by = own.ground_truth(dataset, split, epochs)
    elif split is not None or epochs is not None:
        raise HarnessError("give either truth, or split and epochs")
    else:
        ranked_by = ground_truth_of(own, dataset, truth, better)
    if better is not None and not ranked_by.partial:
        raise HarnessError("better is for a truth that you give; the benchmark declares the direction of its own")
    if given is not None and not ranked_by.partial:
        scores = scores[scores["architecture"].isin(ranked_by.accuracy.index)].reset_index(drop=True)
    truths = _truths_beside(own, ranked_by, beside)
    if setting.once_per_class:
        scores, waiting = in_turn(own, setting, scores)
        notes += waiting
    return OpenedRun(directory, setting, dict(manifest), own, scores, ranked_by, truths, notes, given)


def _ranked_table(setting: Setting, manifest: Mapping[str, Any], given: pd.DataFrame) -> RankedTable:
    """The benchmark that a ranked table is, if it brought its own accuracies."""
    columns = given[given["proxy"].str.startswith(TRUTH_ROW)]
    values = columns.pivot(index="architecture", columns="proxy", values="value").astype("float64")
    higher: Mapping[str, bool] = manifest[GIVEN_TRUTHS]
    truths = {column: values[f"{TRUTH_ROW}{column}"] for column in higher}
    return RankedTable(setting.benchmark, truths, higher)


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


def ground_truth_of(benchmark: Benchmark, dataset: str, wanted: Truth, better: Direction | None = None) -> GroundTruth:
    """The benchmark's ground truth with this name, or the one that the user gives, see :func:`open_run`."""
    own = [split for split, _ in (*benchmark.truths_of(dataset), *benchmark.further_truths(dataset))]
    if isinstance(wanted, str) and wanted in own:
        return benchmark.ground_truth(dataset, wanted)
    if isinstance(wanted, str) and not names_a_file(wanted):
        return benchmark.ground_truth(dataset, *parse_truth(wanted))
    return given_truth(wanted, benchmark=benchmark, dataset=dataset, better=better)


def _each(wanted: Any) -> Iterable[Truth]:
    """The truths in a collection of them, or the only one; a table and a series are one."""
    import pandas as pd

    if isinstance(wanted, str | PathLike | Mapping | GroundTruth | pd.DataFrame | pd.Series):
        return [wanted]
    if not isinstance(wanted, Iterable):
        raise HarnessError(f"beside must be ground truths, such as ['val/12', 'robust.csv:pgd'], not {shown(wanted)}")
    return wanted


def _truths_beside(benchmark: Benchmark, truth: GroundTruth, wanted: Truth | Iterable[Truth]) -> dict[str, GroundTruth]:
    """The ground truths to rank like proxies, by the name of their row."""
    found = {}
    for one in _each(wanted):
        other = ground_truth_of(benchmark, truth.dataset, one)
        if other.describe() == truth.describe():
            raise HarnessError(f"'{other.name}' is already the main ground truth; choose another one")
        found[other.name] = other
    return found
