"""The board of a benchmark and data set: the coefficients of all entries, for every truth and set of networks.

A board is made from the entries and the ground truth, and written beside the entries, so that it can be shown without
the ground truth: ``board.csv`` has the numbers, ``board.json`` what they are about.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._utils.visible import csv_text, json_page, write_page
from harness.analysis import cost_table, selection_table
from harness.errors import DataError, HarnessError
from harness.exhibits._heading import correlations_of
from harness.leaderboard.collection import as_run, by_setting, entries_in, first_seeds
from harness.leaderboard.entry import Entry
from harness.reproduction.tables import published_coefficients, published_names
from harness.results import OpenedRun, opened_from
from harness.store.records import Setting

if TYPE_CHECKING:
    import pandas as pd

    from harness.contracts.benchmark import Benchmark

BOARD, ABOUT = "board.csv", "board.json"
TOP = 5.0
"""The percentage of networks whose choice is judged."""

COLUMNS = (
    "setting", "truth", "set", "proxy", "kind", "networks", "ok", "failed", "non_finite", "skipped", "used", "distinct",
    "tied_pairs", "kendall", "kendall_low", "kendall_high", "spearman", "spearman_low", "spearman_high", "difference",
    "difference_low", "difference_high", "p_value", "p_holm", "verdict", "top5", "cost",
)  # fmt: skip
"""As in :func:`harness.analysis.correlation_table`; and ``setting`` and ``truth``; ``top5``, the expected share of the
best-scored 5 % that are among the most accurate 5 %; ``cost``, alone, in forward and backward passes."""


@dataclass(frozen=True)
class About:
    """What a board is about.

    Attributes:
        benchmark: the benchmark's name.
        dataset: the data set.
        title: the benchmark in words.
        settings: the settings, the default first: ``id``, ``words``, ``networks``, ``proxies``.
        truths: the ground truths, the default first: ``name``, ``words``.
        sets: the sets of architectures, all first: ``name``, ``words``.
        printed: the coefficients that papers print for this benchmark, data set and these proxies: ``proxy``,
            ``coefficient``, ``printed``, ``architectures``, ``source``, ``note``, ``doubt``, and ``measured``, that of
            the default setting, ground truth and set.
    """

    benchmark: str
    dataset: str
    title: str
    settings: tuple[Mapping[str, Any], ...] = ()
    truths: tuple[Mapping[str, str], ...] = ()
    sets: tuple[Mapping[str, str], ...] = ()
    printed: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Board:
    """The coefficients of a benchmark and data set, and what they are about.

    Attributes:
        about: what it is about.
        table: the coefficients, with the columns :data:`COLUMNS`.
    """

    about: About
    table: pd.DataFrame = field(repr=False)

    def write(self, root: Path) -> list[Path]:
        """Write both files beside the entries; returns them."""
        folder = root / self.about.benchmark / self.about.dataset
        write_page(folder / BOARD, csv_text(self.table))
        write_page(folder / ABOUT, json_page(asdict(self.about)))
        return [folder / BOARD, folder / ABOUT]


def boards_in(root: Path, within: str = "") -> list[tuple[str, str]]:
    """The benchmarks and data sets that a collection has entries of."""
    return sorted({(entry.benchmark, entry.dataset) for entry in entries_in(root, within)})


def make_board(root: Path, benchmark: str, dataset: str) -> Board:
    """The board of a benchmark and data set.

    Further seeds of a setting are left out, and so are truths that this machine has no values of, but for the default.

    Raises:
        HarnessError: if there is no entry, or no ground truth.
    """
    import pandas as pd

    groups = first_seeds(by_setting(entries_in(root, f"{benchmark}/{dataset}")))
    parts: list[pd.DataFrame] = []
    truths: dict[str, str] = {}
    run: OpenedRun | None = None
    for name, entries in groups.items():
        for run in _against_each_truth(entries, benchmark, dataset):
            truth = run.truth.name
            truths.setdefault(truth, run.truth.describe())
            parts.append(_part(run).assign(setting=name, truth=truth))
    if run is None:
        raise HarnessError(f"'{root}' has no entries of {benchmark}, {dataset}")
    table = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
    shown = set(table["set"])
    about = About(
        benchmark,
        dataset,
        run.benchmark.title,
        tuple(
            {
                "id": name,
                "words": in_words(entries[0].setting),
                "networks": max(entry.networks for entry in entries),
                "proxies": len(entries),
            }
            for name, entries in groups.items()
        ),
        tuple({"name": name, "words": words} for name, words in truths.items()),
        tuple({"name": name, "words": words} for name, words in run.benchmark.subsets.items() if name in shown),
        _printed(parts[0], benchmark, dataset),
    )
    return Board(about, table)


def _printed(default: pd.DataFrame, benchmark: str, dataset: str) -> tuple[Mapping[str, Any], ...]:
    """What papers print, beside the coefficients over all architectures in the default setting."""
    ours = default[default["set"] == "all"].set_index("proxy")
    found: list[Mapping[str, Any]] = []
    for name in published_names():
        if "/" in name:
            # Those in folders are accuracies of searches.
            continue
        table = published_coefficients(name)
        table = table[
            (table["benchmark"] == benchmark) & (table["dataset"] == dataset) & table["proxy"].isin(ours.index)
        ]
        for row in table.to_dict("records"):
            architectures = float(row["architectures"])
            found.append(
                {
                    **{column: row[column] for column in ("proxy", "coefficient", "source", "note", "doubt")},
                    "printed": float(row["value"]),
                    "measured": float(ours.loc[row["proxy"], row["coefficient"]]),
                    "architectures": None if math.isnan(architectures) else int(architectures),
                }
            )
    return tuple(sorted(found, key=lambda each: (each["proxy"], each["coefficient"], each["source"])))


def in_words(setting: Setting) -> str:
    """A setting in one line."""
    if setting.origin is not None:
        return setting.origin
    resolution = f" at {setting.resolution} × {setting.resolution}" if setting.resolution else ""
    once = "; one network of each class scored for all of it" if setting.once_per_class else ""
    return (
        f"mini-batches of {setting.batch_size}{resolution} from {setting.images}; seed {setting.seed}; initialisation: "
        f"{setting.initialisation}; torch {setting.torch} on {setting.device}{once}"
    )


def _against_each_truth(entries: Sequence[Entry], benchmark: str, dataset: str) -> Iterator[OpenedRun]:
    """The entries of a setting as a run, opened with each ground truth, the default first."""
    setting, manifest, scores = as_run(entries)
    first = opened_from(Path(f"{benchmark}/{dataset}"), setting, manifest, scores)
    yield first
    for split, epochs in _other_truths(first.benchmark, dataset, first):
        try:
            yield opened_from(first.directory, setting, manifest, scores, split=split, epochs=epochs)
        except DataError:
            # This machine's table lacks the column.
            continue


def _other_truths(benchmark: Benchmark, dataset: str, first: OpenedRun) -> Iterator[tuple[str, int | str]]:
    for split, epochs in benchmark.truths_of(dataset):
        if f"{split}/{epochs}" != first.truth.name:
            yield split, epochs


def _part(run: OpenedRun) -> pd.DataFrame:
    """The rows of one setting and truth."""
    table = correlations_of(run)
    costs = cost_table(run.scores if run.setting.origin is None else run.scores[:0])
    table["cost"] = table["proxy"].map(dict(zip(costs["proxy"], costs["standalone_ratio"], strict=True)))
    chosen: dict[tuple[str, str], float] = {}
    for subset in table["set"].unique():
        joined = run.within(subset)
        if len(joined):
            choice = selection_table(joined, (), (TOP,))
            chosen |= {(subset, row): share for row, share in zip(choice["proxy"], choice["precision"], strict=True)}
    table["top5"] = [chosen.get(key, float("nan")) for key in zip(table["set"], table["proxy"], strict=True)]
    return table
