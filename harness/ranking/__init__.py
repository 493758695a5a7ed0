"""Rank scores that were computed anywhere: a table of them becomes a run, with everything that a report has."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness._utils.arguments import accepts, number, optional, path, text, texts, yes_or_no
from harness._utils.names import folded, listed
from harness.analysis.score_tables import SCORES, keys_of_proxies
from harness.contracts.benchmark import Benchmark
from harness.data.dialects import official, unknown_architecture
from harness.data.formats import Importable
from harness.data.table_files import by_architecture, place_of_architectures, read_frame, sha256_of, with_index
from harness.errors import DataError, HarnessError
from harness.ranking.columns import Columns, meaning_of
from harness.ranking.sizes import sizes_of
from harness.registry.by_file import OWN_PROXIES
from harness.registry.own_benchmarks import OWN_BENCHMARK, as_benchmark, benchmark_facts
from harness.reporting.report import Report, report_of
from harness.results import ground_truth_of, opened_from
from harness.store import Store
from harness.store.columns import COLUMNS, Row, as_stored
from harness.store.manifest import entries_of
from harness.store.records import GIVEN_TRUTHS, NOTES, TRUTH_ROW, Setting
from harness.store.sqlite import explained

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ranked", "rank", "rank_all"]

_FRAME = "a data frame"
_SAME_SIZE = 0.01
_SIZES = ("params", "flops")
_LABELS = {"params": "#Params", "flops": "#FLOPs"}


@dataclass(frozen=True)
class Ranked:
    """A ranked table.

    Attributes:
        reports: one for each ground truth, the main one first.
        notes: what was read, recognised, added and left out, in sentences.
    """

    reports: tuple[Report, ...]
    notes: tuple[str, ...]


def rank(
    table: pd.DataFrame | Path | str,
    *,
    truth: str | Iterable[str] | None = None,
    benchmark: Benchmark | str | None = None,
    dataset: str | None = None,
    higher: str | Iterable[str] = (),
    lower: str | Iterable[str] = (),
    without: str | Iterable[str] = (),
    sentinel: float | None = None,
    sizes: bool = True,
    baseline: str = "params",
    out: Path | str | None = None,
) -> Report:
    """Rank scores that were computed anywhere, against a benchmark's ground truth or a column of the same table.

    The direction of a column is the registry's if its name is that of a registered proxy; every other one must be
    declared. Scores that are missing, NaN, words, or -1e8 (NAS-Bench-Suite-Zero's sentinel) count as failed.

    Args:
        table: a data frame with one row per architecture, or a file of it; see docs/data.md for the formats.
        truth: with a benchmark, its ground truth as ``split/epochs``, default its first, or the column of another
            table, as ``robust.csv:pgd``; without, the column of accuracies or costs of this table. With several, the
            report is against the first, and ``out`` holds all.
        benchmark: the benchmark whose architectures they are, its name, or your own at ``path.py:name``.
        dataset: the data set; default: the benchmark's first.
        higher: columns in which higher is better; ``rest`` means all that are not known otherwise.
        lower: columns in which lower is better.
        without: columns to leave out.
        sentinel: another number that marks a failed score.
        sizes: with a benchmark, whether to add #Params and #FLOPs where the table lacks them.
        baseline: the row to compare the others with.
        out: where to store the scores, to be opened like those of a run; default: nowhere.

    Returns:
        The same report as :func:`harness.report` gives for a run.

    Raises:
        HarnessError: if the table cannot be read or joined, or a direction is unknown; the message says what to do.

    >>> import pandas as pd
    >>> scores = pd.DataFrame({"arch": ["a", "b", "c", "d"], "mine": [4, 3, 2, 1], "acc": [91.0, 92.0, 92.5, 94.0]})
    >>> float(rank(scores, truth="acc", lower="mine").correlations.loc[0, "kendall"])
    1.0
    """
    ranked = rank_all(
        table,
        truth=truth,
        benchmark=benchmark,
        dataset=dataset,
        higher=higher,
        lower=lower,
        without=without,
        sentinel=sentinel,
        sizes=sizes,
        baseline=baseline,
        out=out,
    )
    return ranked.reports[0]


def _several(value: Any, name: str) -> list[str]:
    return [value] if isinstance(value, str) else texts(value, name)


@accepts(
    truth=optional(_several),
    dataset=optional(text),
    higher=_several,
    lower=_several,
    without=_several,
    sentinel=optional(number),
    sizes=yes_or_no,
    baseline=text,
    out=optional(path),
)
def rank_all(
    table: pd.DataFrame | Path | str,
    *,
    truth: Any = None,
    benchmark: Benchmark | str | None = None,
    dataset: str | None = None,
    higher: Any = (),
    lower: Any = (),
    without: Any = (),
    sentinel: float | None = None,
    sizes: bool = True,
    baseline: str = "params",
    out: Path | str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Ranked:
    """The reports against every ground truth; the arguments are those of :func:`rank`.

    ``progress`` is called with the number of networks whose size is counted.
    """
    if benchmark is None and not truth:
        raise HarnessError("what are the scores to be ranked against? Give --benchmark NAME, or --truth COLUMN")
    if benchmark is None and dataset is not None and isinstance(table, Path | str) is False:
        raise HarnessError("a data set needs a benchmark; give --benchmark NAME too")
    chosen = None if benchmark is None else as_benchmark(benchmark)
    if chosen is not None:
        dataset = dataset or chosen.datasets[0]
        chosen.check_dataset(dataset)
    source = _read(table, chosen, dataset)
    truths = [] if chosen else list(truth)
    meaning = meaning_of(
        source.frame, source.name, truths=truths, higher=higher, lower=lower, without=without, sentinel=sentinel
    )
    architectures = [str(architecture) for architecture in source.frame.index]
    if chosen is not None:
        _check_known(source, chosen, str(dataset), truth)
    rows = _rows(meaning, architectures)
    notes = [*source.notes, *_told(meaning)]
    if sizes and chosen is not None:
        added, words = _sizes(chosen, architectures, str(dataset), meaning, progress)
        rows += added
        notes += words
    if chosen is not None:
        notes += _doubted_sizes(chosen, architectures, str(dataset), meaning)
    setting = _setting(source, chosen, dataset)
    facts: dict[str, Any] = {
        NOTES: notes,
        OWN_PROXIES: {
            each.row: {
                "reference": f"{source.name}:{each.column}",
                "sha256": source.sha256,
                "version": 1,
                "label": each.label,
                "better": each.better,
                "data": "nothing",
                "batches": 0,
                "cite": "",
                "source": f"column '{each.column}' of {source.name}",
                "supervised": None,
            }
            for each in meaning.scores
            if not each.registered
        },
    }
    own = None if chosen is None else benchmark_facts(chosen)
    if own is not None:
        facts[OWN_BENCHMARK] = own
    if chosen is None:
        facts[GIVEN_TRUTHS] = {each.column: each.higher_is_better for each in meaning.truths}
    directory = Path(source.name if out is None else out)
    # As a store returns them, so that a report of the store is the same.
    rows.sort(key=lambda row: row[:2])
    wanted = [each.column for each in meaning.truths] or truth or [""]
    reports = tuple(_report(each, chosen, directory, setting, facts, rows, baseline) for each in wanted)
    if out is not None:
        with Store.create_anew(directory, setting, facts) as store, explained(directory), store.transaction():
            store.outcomes.add(rows)
    return Ranked(reports, tuple(notes))


@dataclass(frozen=True)
class _Source:
    """A table as read.

    Attributes:
        frame: indexed by the official identifiers.
        name: its name, for messages and headings.
        sha256: of the file, or of the data frame.
        notes: what was unusual about it, and how its architectures are written.
    """

    frame: pd.DataFrame
    name: str
    sha256: str
    notes: tuple[str, ...]


def _read(table: pd.DataFrame | Path | str, benchmark: Benchmark | None, dataset: str | None) -> _Source:
    import pandas as pd

    notes: list[str] = []
    if isinstance(table, pd.DataFrame):
        name, frame = _FRAME, with_index(table, _FRAME)
        sha256 = hashlib.sha256(pd.util.hash_pandas_object(frame.astype("str")).to_numpy().tobytes()).hexdigest()
    else:
        file = path(table, "table")
        name = file.name
        frame = read_frame(file, wanted=SCORES, columns=keys_of_proxies(), section=dataset, notes=notes)
        sha256 = sha256_of(file)
    if benchmark is not None:
        frame = official(frame, benchmark.dialects(), benchmark.architectures, name, notes)
    else:
        frame = _by_any_architecture(frame, name, notes)
    twice = frame.index[frame.index.duplicated()].unique()
    if len(twice):
        raise DataError(
            f"{name}: architecture '{twice[0]}' has several rows ({len(twice):,} such architectures); give each "
            "one row, for example the mean over seeds"
        )
    if not len(frame):
        raise DataError(f"{name} has no rows")
    return _Source(frame, name, sha256, tuple(f"Read as: {'; '.join(notes)}" for _ in notes[:1]))


def _by_any_architecture(frame: pd.DataFrame, name: str, notes: list[str]) -> pd.DataFrame:
    """The table, indexed by its architectures; by the number of the row if it names none."""
    if place_of_architectures(frame) is None:
        notes.append("no column of architectures, so rows are numbered")
        return frame.set_axis([f"row {row}" for row in range(1, len(frame) + 1)], axis="index")
    table = by_architecture(frame, name)
    return table.set_axis([str(text).strip() for text in table.index], axis="index")


def _check_known(source: _Source, benchmark: Benchmark, dataset: str, truth: Sequence[str] | None) -> None:
    ranked_by = ground_truth_of(benchmark, dataset, truth[0] if truth else "")
    known = benchmark.architectures() if ranked_by.partial else ranked_by.accuracy.index
    unknown = source.frame.index.difference(list(known), sort=False)
    if len(unknown):
        expected = unknown_architecture(str(unknown[0]), benchmark.dialects(), str(known[0]))
        raise DataError(f"{source.name}: {expected} ({len(unknown):,} of {len(source.frame):,} rows are unknown)")


def _rows(meaning: Columns, architectures: Sequence[str]) -> list[Row]:
    rows = [
        _row(architecture, each.row, *outcome)
        for each in meaning.scores
        for architecture, outcome in zip(architectures, each.outcomes, strict=True)
    ]
    for truth in meaning.truths:
        for architecture, value in zip(architectures, truth.values.tolist(), strict=True):
            outcome = ("failed", None, "no value") if math.isnan(value) else ("ok", value, None)
            rows.append(_row(architecture, f"{TRUTH_ROW}{truth.column}", *outcome))
    return rows


def _row(architecture: str, proxy: str, status: str, value: float | None, error: str | None) -> Row:
    return as_stored((architecture, proxy, 1, status, value, error, 0.0, 0.0, None))


def _told(meaning: Columns) -> list[str]:
    """Names that mean registered proxies, declared directions, failures, and columns that are not used."""
    notes = []
    renamed = [
        f"{each.column} is {each.label}"
        for each in meaning.scores
        if folded(each.column) not in (folded(each.row), folded(each.label))
    ]
    declared = [f"{each.label} ({each.better})" for each in meaning.scores if not each.registered]
    failed = {each.label: sum("sentinel" in (error or "") for _, _, error in each.outcomes) for each in meaning.scores}
    sentinels = [f"{label} {count:,}" for label, count in failed.items() if count]
    for words, what in (
        ("Names", renamed),
        ("Better, as declared", declared),
        ("Sentinels counted as failures", sentinels),
        ("Accuracies, not ranked as scores", meaning.accuracies),
        ("Columns not used", meaning.unused),
    ):
        if what:
            notes.append(f"{words}: {listed(what)}")
    return notes


def _sizes(
    benchmark: Benchmark,
    architectures: Sequence[str],
    dataset: str,
    meaning: Columns,
    progress: Callable[[int], None] | None,
) -> tuple[list[Row], list[str]]:
    """Rows of #Params and #FLOPs, if the table lacks them."""
    lacking = [name for name in _SIZES if name not in {each.row for each in meaning.scores}]
    if not lacking:
        return [], []
    counted = dict(zip(_SIZES, sizes_of(benchmark, architectures, dataset, progress), strict=True))
    rows = [
        _row(architecture, name, "ok", float(value), None)
        for name in lacking
        for architecture, value in zip(architectures, counted[name], strict=True)
    ]
    return rows, [f"Counted here: {' and '.join(_LABELS[name] for name in lacking)}"]


def _doubted_sizes(benchmark: Benchmark, architectures: Sequence[str], dataset: str, meaning: Columns) -> list[str]:
    """Whether #Params of the table are not those of the networks, in any unit: then its rows may be other networks."""
    given = next((each for each in meaning.scores if each.row == "params"), None)
    if given is None or not isinstance(benchmark, Importable):
        return []
    stated = np.array([math.nan if value is None else value for _, value, _ in given.outcomes])
    counted = benchmark.table_format().parameters(list(architectures), dataset)
    ratio = stated / counted
    differ = int((np.abs(ratio / np.nanmedian(ratio) - 1) > _SAME_SIZE).sum())
    if not differ:
        return []
    return [
        f"#Params of the table do not fit the benchmark's networks in {differ:,} of {len(ratio):,} rows: are the "
        "architectures the right ones?"
    ]


def _setting(source: _Source, benchmark: Benchmark | None, dataset: str | None) -> Setting:
    what = "" if source.name == _FRAME else f" (sha256 {source.sha256[:12]}…)"
    return Setting(
        benchmark=source.name if benchmark is None else benchmark.name,
        dataset="" if benchmark is None else str(dataset),
        subset="all",
        sample_seed=0,
        seed=0,
        batch_size=0,
        images="",
        noise=False,
        fingerprint=source.sha256,
        initialisation="",
        dtype="",
        device="",
        torch="",
        origin=f"computed elsewhere, read from {source.name}{what}",
    )


def _report(
    truth: str,
    benchmark: Benchmark | None,
    directory: Path,
    setting: Setting,
    facts: dict[str, Any],
    rows: list[Row],
    baseline: str,
) -> Report:
    import pandas as pd

    scores = pd.DataFrame(rows, columns=list(COLUMNS)).assign(own_seconds=math.nan, standalone_seconds=math.nan)
    scores.insert(COLUMNS.index("status"), "seed", setting.seed)
    manifest = {**entries_of(setting), **facts}
    return report_of(
        opened_from(directory, setting, manifest, scores, truth=truth, benchmark=benchmark), baseline=baseline
    )
