"""What a search found: the best networks, the trace of its candidates, and its population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness._utils.arguments import accepts, path
from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GroundTruth
from harness.contracts.search_space import SearchSpace
from harness.errors import DataError, HarnessError, StoreError, UnknownNameError
from harness.registry.own_benchmarks import benchmark_of_run
from harness.searching.algorithms import Setup, algorithm
from harness.searching.budgets import budgets
from harness.searching.loop import AGAIN, Limits, Search
from harness.searching.objective import Objective, objective
from harness.searching.run import MEASURED_FILE, SearchOptions, known_scores, oriented, remembered
from harness.store import Store
from harness.store.records import SEARCH

if TYPE_CHECKING:
    from harness.display.exhibit import Exhibit
    from harness.display.figures.drawing import Panels
    from harness.store.records import Setting


@dataclass(frozen=True, eq=False)
class SearchResult:
    """A search, finished or not.

    Attributes:
        directory: its scores, which ``harness report`` and the analyses open like those of a run.
        space: the space.
        setting: everything that determines a score.
        options: what determines the search.
        search: the state of the loop.
        objective: what is maximised.
        truth: the accuracies of the space's networks, if any are known here.
    """

    directory: Path
    space: Benchmark
    setting: Setting
    options: SearchOptions
    search: Search
    objective: Objective
    truth: GroundTruth | None = None

    def __repr__(self) -> str:
        """Space, objective, and the best network."""
        found = self.best(1)
        best = f"; best {found['score'].iloc[0]:.6g}: {found['architecture'].iloc[0]}" if len(found) else ""
        return (
            f"<search of {self.setting.benchmark}, {self.setting.dataset}, for {self.objective.words} by "
            f"{self.options.algorithm}: {self.search.evaluations:,} networks scored{best}>"
        )

    def _repr_html_(self) -> str:
        return self.exhibit()._repr_html_()

    @property
    def budget_columns(self) -> Mapping[str, str]:
        """The quantities that budgets limit, and their columns in :attr:`networks`."""
        names = [budget.quantity.name for budget in self.search.budgets.each]
        proxies = {proxy.name for proxy in self.objective.proxies}
        return {name: f"{name} (budget)" if name in proxies else name for name in names}

    @cached_property
    def networks(self) -> pd.DataFrame:
        """The different networks that entered, the best first.

        Columns: ``architecture``; ``score``, the objective at the end of the search, higher is better; the raw score of
        each proxy, NaN where it has none; the quantities that budgets limit, as ``NAME (budget)`` if a proxy is called
        NAME too, which may count otherwise; ``accuracy``, where it is known;
        ``candidate``, the number of the candidate that it was first.
        """
        search, entered = self.search, self.search.entered
        better = {proxy.name: proxy.better for proxy in self.objective.proxies}
        candidates = [search.candidates[number] for number in entered]
        table = pd.DataFrame(
            {
                "architecture": [each.architecture for each in candidates],
                "score": search.values(),
                **{name: values if better[name] == "higher" else -values for name, values in search.scores().items()},
                **{column: [each.sizes[name] for each in candidates] for name, column in self.budget_columns.items()},
            }
        )
        if self.truth is not None:
            table["accuracy"] = self.truth.accuracy.reindex(table["architecture"]).to_numpy(dtype=float)
        table["candidate"] = entered
        first: pd.DataFrame = table.drop_duplicates("architecture")
        return first.sort_values("score", ascending=False, kind="stable", ignore_index=True)

    def best(self, count: int = 10) -> pd.DataFrame:
        """The first rows of :attr:`networks`, of those with a score."""
        scored: pd.DataFrame = self.networks[np.isfinite(self.networks["score"])]
        return scored.head(count)

    @cached_property
    def population(self) -> pd.DataFrame:
        """The rows of :attr:`networks` that the algorithm keeps at the end."""
        kept = self.search.algorithm.population(self.search.values)
        architectures = self.search.architectures()
        names = {architectures[place] for place in kept}
        return self.networks[self.networks["architecture"].isin(names)].reset_index(drop=True)

    @cached_property
    def trace(self) -> pd.DataFrame:
        """One row per candidate, in order.

        Columns: ``candidate``; ``evaluations``, the different networks scored up to it; ``architecture``; ``parent``;
        ``outcome``, ``scored``, ``again`` or the budget that it exceeds; the quantities that were looked at; ``score``,
        the objective at the end of the search; ``best``, the highest score up to it; ``accuracy``, where it is known;
        ``best_accuracy``, the accuracy of the network with the highest score up to it.
        """
        search = self.search
        table = pd.DataFrame(
            {
                "candidate": [each.number for each in search.candidates],
                "evaluations": np.cumsum([each.is_accepted and each.outcome != AGAIN for each in search.candidates]),
                "architecture": [each.architecture for each in search.candidates],
                "parent": [each.parent for each in search.candidates],
                "outcome": [each.outcome for each in search.candidates],
                **{
                    budget.quantity.name: [each.sizes.get(budget.quantity.name, np.nan) for each in search.candidates]
                    for budget in search.budgets.each
                },
            }
        )
        score = np.full(len(table), np.nan)
        score[search.entered] = search.values()
        table["score"] = np.where(np.isneginf(score), np.nan, score)
        filled = np.where(np.isfinite(score), score, -np.inf)
        best = np.maximum.accumulate(filled) if len(filled) else filled
        table["best"] = np.where(np.isneginf(best), np.nan, best)
        if self.truth is not None:
            accuracy = self.truth.accuracy.reindex(table["architecture"]).to_numpy(dtype=float)
            table["accuracy"] = accuracy
            earlier = np.append(-np.inf, best[:-1])[: len(best)]
            rises = np.flatnonzero(best > earlier)
            leader = np.full(len(table), -1)
            leader[rises] = rises
            leader = np.maximum.accumulate(leader) if len(leader) else leader
            table["best_accuracy"] = np.where(leader >= 0, accuracy[leader], np.nan)
        return table

    def exhibit(self) -> Exhibit:
        """The best networks and the figures, as tables and drawings for the terminal, Markdown, LaTeX and files."""
        from harness.searching.exhibit import search_exhibit

        return search_exhibit(self)

    def plot(self) -> Panels:
        """The best score, and the accuracy of the network with the best score, against the networks scored."""
        return self.exhibit().plot()


@accepts(directory=path)
def open_search(directory: Path | str) -> SearchResult:
    """Open a search, finished or not, from its scores; nothing is computed.

    Args:
        directory: the ``out`` of a search.

    Raises:
        StoreError: if it holds no search.
    """
    place = Path(directory)
    with Store.read(place) as store:
        manifest, setting, known = store.manifest(), store.setting, known_scores(store)
    entry = manifest.get(SEARCH)
    if entry is None:
        raise StoreError(f"{place} contains a run that is no search; open it with harness.open_run")
    options = SearchOptions.of_manifest(entry)
    space, _ = benchmark_of_run(setting.benchmark, manifest)
    if not isinstance(space, SearchSpace):
        raise HarnessError(f"{setting.benchmark} is no search space any more")
    maximised = objective(options.proxies, entry["scored"])
    setup = Setup(space, setting.dataset, options.start, options.moves, options.population)
    limited = remembered(budgets(options.budgets, space, setting.dataset), place / MEASURED_FILE, reads_only=True)
    limits = Limits(entry["evaluations"], entry["candidates"])
    search = Search(
        algorithm(options.algorithm, setup), maximised, limited, limits, seed=options.seed, ahead=options.ahead
    )
    better = {proxy.name: proxy.better for proxy in maximised.proxies}
    steering = {proxy.name for proxy in objective(options.proxies).proxies}
    while (architecture := search.advance()) is not None:
        scores = known.get(architecture, {})
        if not steering <= scores.keys():
            break
        search.take(architecture, oriented(scores, better))
    truth = truth_of_space(space, setting.dataset)
    return SearchResult(place, space, setting, options, search, maximised, truth)


def truth_of_space(space: Benchmark, dataset: str) -> GroundTruth | None:
    """The default accuracies of a space; None if it has none, or they were not imported."""
    try:
        return space.ground_truth(dataset)
    except (DataError, UnknownNameError):
        return None
