"""Carry out a search: candidates of the loop as units of a run, in the same store, by the same executors."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

from harness.contracts.benchmark import Benchmark
from harness.contracts.proxy import Proxy
from harness.contracts.search_space import SearchSpace
from harness.errors import HarnessError, StoreError
from harness.execution.executors import InlineExecutor, spawned_workers
from harness.execution.options import RunOptions
from harness.execution.plan import Plan, make_plan
from harness.execution.runner import WINDOW, Dispatcher, job_of, opened
from harness.registry import is_registered
from harness.registry.own_benchmarks import OWN_BENCHMARK, as_benchmark
from harness.searching.algorithms import Setup, algorithm
from harness.searching.budgets import Budget, Budgets, budgets
from harness.searching.loop import Limits, Search
from harness.searching.objective import Objective
from harness.store import Store
from harness.store.records import SEARCH, Score, Unit, UnitResult
from harness.store.sqlite import FILE_NAME

MEASURED_FILE = "measured.csv"
"""The quantities that were measured on this machine, beside the scores: architecture, quantity, value."""


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """What determines a search besides the setting of its scores; the manifest of the run holds it.

    Attributes:
        proxies: the names that are maximised.
        algorithm: its name.
        budgets: as they were given, such as ``params=1e6``.
        population: the number of networks that evolution keeps.
        moves: the named distribution of mutations; None: the space's default.
        start: the architecture to start from; None: as the algorithm and the space do.
        ahead: the number of candidates on their way.
        seed: of the random choices of the search.
    """

    proxies: tuple[str, ...]
    algorithm: str = "evolution"
    budgets: tuple[str, ...] = ()
    population: int = 512
    moves: str | None = None
    start: str | None = None
    ahead: int = 8
    seed: int = 0

    @classmethod
    def of_manifest(cls, entry: Mapping[str, Any]) -> SearchOptions:
        """The options that a manifest holds."""
        known: dict[str, Any] = {each.name: entry[each.name] for each in fields(cls)}
        known |= {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        return cls(**known)


class Watch(Protocol):
    """Is told how far a search is."""

    def __call__(self, search: Search) -> None:
        """Called at the start, and whenever a network was scored."""


def prepared(
    space: str | Benchmark, given: Objective, options: SearchOptions, limits: Limits, run: RunOptions
) -> tuple[Plan, Search]:
    """The plan of the scores and the state of the search, before anything is scored.

    Raises:
        HarnessError: if the benchmark is no search space, or an option does not fit it.
    """
    benchmark = as_benchmark(space)
    if not isinstance(benchmark, SearchSpace):
        raise HarnessError(
            f"{benchmark.name} is no search space; derive its class from harness.contracts.SearchSpace too, and define "
            "mutate"
        )
    dataset = run.dataset or benchmark.datasets[0]
    benchmark.check_dataset(dataset)
    setup = Setup(benchmark, dataset, options.start, options.moves, options.population)
    method = algorithm(options.algorithm, setup)
    if options.start is not None:
        _check_start(benchmark, dataset, options.start)
    limited = budgets(options.budgets, benchmark, dataset)
    plan = make_plan(benchmark, replace(run, dataset=dataset, proxies=given.proxies))
    return plan, Search(method, given, limited, limits, seed=options.seed, ahead=options.ahead)


def carry_out(
    plan: Plan,
    search: Search,
    options: SearchOptions,
    directory: Path,
    *,
    workers: int = 1,
    executor: Callable[[], Executor] | None = None,
    time_limit: float | None = None,
    memory_limit: int | None = None,
    retry_failed: bool = False,
    reuse: Path | None = None,
    watch: Watch | None = None,
    say: Callable[[str], None] | None = None,
) -> bool:
    """Search to the end, or until an interruption; returns whether the end was reached.

    Scores that the store has are not computed again, so a repeated call resumes. ``reuse`` is a run with the same
    setting whose scores are taken over where they are needed.

    Raises:
        StoreError: if the directory has another run or search, or cannot be written.
        HarnessError: if no candidate keeps to the budgets.
    """
    if workers < 1:
        raise HarnessError(f"invalid number of workers {workers}; use 1 or more")
    _refuse_another_search(directory, options)
    make = executor or (InlineExecutor if workers == 1 else lambda: spawned_workers(workers))
    with opened(plan, directory, retry_failed, say) as store:
        store.note(SEARCH, asdict(options) | asdict(search.limits) | {"scored": [proxy.name for proxy in plan.proxies]})
        search.budgets = remembered(search.budgets, directory / MEASURED_FILE)
        job = job_of(plan, store, make is not InlineExecutor, time_limit, memory_limit)
        versions = {proxy.name: proxy.version for proxy in plan.proxies}
        dispatcher = Dispatcher(job, versions, make, window=WINDOW * workers)
        units = _Units(search, plan, store, reuse)
        if watch:
            watch(search)
        try:
            for result in dispatcher.compute(units):
                store.add(result)
                units.take(result)
                if watch:
                    watch(search)
        except KeyboardInterrupt:
            for result in dispatcher.finish():
                store.add(result)
            return False
        finally:
            dispatcher.close()
    return search.ended


class _Units(Iterator[Unit]):
    """The networks that a search asks for and the store lacks.

    It stops while a search waits for a score, and goes on after :meth:`take`.
    """

    def __init__(self, search: Search, plan: Plan, store: Store, reuse: Path | None) -> None:
        self._search, self._store = search, store
        self._better = {proxy.name: proxy.better for proxy in plan.proxies}
        self._known = known_scores(store)
        self._elsewhere = {} if reuse is None else scores_of(reuse, store, plan.proxies)

    def __next__(self) -> Unit:
        while True:
            architecture = self._search.advance()
            if architecture is None:
                raise StopIteration
            known = self._known.setdefault(architecture, {})
            found = [self._elsewhere[key] for name in self._better if (key := (architecture, name)) in self._elsewhere]
            found = [score for score in found if score.proxy not in known]
            if found:
                self._store.add(UnitResult(architecture, tuple(found), float("nan")))
                known |= {score.proxy: score.value for score in found}
            missing = tuple(name for name in self._better if name not in known)
            if missing:
                return Unit(architecture, missing)
            self._give(architecture)

    def take(self, result: UnitResult) -> None:
        """Note the outcome of a unit, and hand it to the search."""
        self._known[result.architecture] |= {score.proxy: score.value for score in result.scores}
        self._give(result.architecture)

    def _give(self, architecture: str) -> None:
        self._search.take(architecture, oriented(self._known[architecture], self._better))


def oriented(scores: Mapping[str, float | None], better: Mapping[str, str]) -> dict[str, float]:
    """Scores with the sign turned where lower is better; NaN where there is none."""
    signs = {"higher": 1.0, "lower": -1.0}
    values = {name: scores.get(name) for name in better}
    return {name: float("nan") if value is None else signs[better[name]] * value for name, value in values.items()}


def known_scores(store: Store) -> dict[str, dict[str, float | None]]:
    """The stored score of each network by each proxy; None where it has an outcome but no score."""
    known: dict[str, dict[str, float | None]] = {}
    table = store.scores()
    for architecture, proxy, status, value in zip(
        table["architecture"], table["proxy"], table["status"], table["value"], strict=True
    ):
        known.setdefault(str(architecture), {})[str(proxy)] = float(value) if status == "ok" else None
    return known


def scores_of(directory: Path, ours: Store, proxies: Sequence[Proxy]) -> dict[tuple[str, str], Score]:
    """The scores of another run with the same setting, by registered proxies of the same version.

    Raises:
        StoreError: if the run has another setting, or its benchmark other code or data.
    """
    with Store.read(directory) as store:
        theirs, table, benchmark = store.setting, store.scores(), store.manifest().get(OWN_BENCHMARK)
    if benchmark != ours.manifest().get(OWN_BENCHMARK):
        raise StoreError(f"the scores of {directory} are of another version of the benchmark; leave them out")
    # The code of other proxies may have changed without a new version.
    versions = {proxy.name: proxy.version for proxy in proxies if is_registered(proxy)}
    mine = asdict(ours.setting)
    # Which networks a run scored does not change the score of any of them.
    differing = [
        name for name, value in asdict(theirs).items() if value != mine[name] and name not in ("subset", "sample_seed")
    ]
    if differing:
        raise StoreError(f"the scores of {directory} have another setting ({', '.join(differing)}); leave them out")
    columns = ("architecture", "proxy", "version", "status", "value", "error", "own_seconds", "standalone_seconds")
    return {
        (str(architecture), str(proxy)): Score(
            str(proxy), int(version), status, float(value) if status == "ok" else None, error, float(own), float(alone)
        )
        for architecture, proxy, version, status, value, error, own, alone in zip(
            *(table[column] for column in columns), strict=True
        )
        if versions.get(str(proxy)) == version
    }


def _refuse_another_search(directory: Path, options: SearchOptions) -> None:
    if not (directory / FILE_NAME).is_file():
        return
    with Store.read(directory) as store:
        entry = store.manifest().get(SEARCH)
    if entry is None:
        raise StoreError(f"{directory} contains a run that is no search; use a new --out")
    before, now = asdict(SearchOptions.of_manifest(entry)), asdict(options)
    differing = [name for name in now if before[name] != now[name]]
    if differing:
        parts = "; ".join(f"{name}: stored '{_shown(before[name])}', now '{_shown(now[name])}'" for name in differing)
        raise StoreError(f"{directory} contains another search ({parts}); use the same options, or a new --out")


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _check_start(benchmark: Benchmark, dataset: str, start: str) -> None:
    """Refuse a start that the space cannot build, with the space's own message."""
    import torch

    with torch.random.fork_rng(devices=[]):
        benchmark.build(start, dataset)


def remembered(limited: Budgets, file: Path, reads_only: bool = False) -> Budgets:
    """The same budgets; what they measure is read from a file where it was measured before, and added to it.

    If it only reads, what was not measured before exceeds every budget.
    """
    if not any(budget.quantity.is_measured for budget in limited.each):
        return limited
    known: dict[tuple[str, str], float] = {}
    if file.is_file():
        # A killed search may have left half a line, whose number was not used.
        whole = file.read_bytes().rpartition(b"\n")[0] + b"\n"
        if not reads_only:
            file.write_bytes(whole)
        rows = list(csv.reader(whole.decode().splitlines()))
        known = {(architecture, name): float(value) for architecture, name, value in rows[1:]}
    elif not reads_only:
        with file.open("w", newline="") as lines:
            csv.writer(lines).writerow(["architecture", "quantity", "value"])

    def remembering(budget: Budget) -> Budget:
        name, measure = budget.quantity.name, budget.quantity.measure

        def measured(architecture: str) -> float:
            if (architecture, name) not in known:
                if reads_only:
                    return float("inf")
                known[architecture, name] = measure(architecture)
                with file.open("a", newline="") as lines:
                    csv.writer(lines).writerow([architecture, name, repr(known[architecture, name])])
            return known[architecture, name]

        return replace(budget, quantity=replace(budget.quantity, measure=measured))

    return Budgets(tuple(remembering(b) if b.quantity.is_measured else b for b in limited.each))
