"""Search a space of architectures for the best score under budgets: ``harness.search`` and ``harness search``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._utils.arguments import accepts, optional, path, text, whole
from harness.errors import HarnessError
from harness.searching.algorithms import ALGORITHMS
from harness.searching.result import SearchResult, open_search

if TYPE_CHECKING:
    from harness.contracts.benchmark import Benchmark
    from harness.contracts.proxy import Proxy
    from harness.searching.run import Watch

__all__ = ["ALGORITHMS", "SearchResult", "open_search", "search"]

EVALUATIONS = 1_000


@accepts(
    algorithm=text,
    out=path,
    evaluations=optional(whole()),
    candidates=optional(whole()),
    population=whole(),
    moves=optional(text),
    start=optional(text),
    ahead=whole(),
    search_seed=optional(whole()),
    reuse=optional(path),
)
def search(
    space: Benchmark | str,
    *,
    out: Path | str,
    proxy: str | Proxy | Iterable[str | Proxy],
    algorithm: str = "evolution",
    budget: str | Iterable[str] | Mapping[str, float] = (),
    evaluations: int | None = None,
    candidates: int | None = None,
    also: str | Proxy | Iterable[str | Proxy] = (),
    population: int = 512,
    moves: str | None = None,
    start: str | None = None,
    ahead: int = 8,
    search_seed: int | None = None,
    seed: int = 0,
    dataset: str | None = None,
    images: object = None,
    labels: str = "file",
    batch_size: int = 64,
    resolution: int | None = None,
    init: str = "default",
    device: str = "cpu",
    workers: int = 1,
    executor: Callable[[], Executor] | None = None,
    time_limit: float | None = None,
    memory_limit: int | str | None = None,
    retry_failed: bool = False,
    reuse: Path | str | None = None,
    watch: Watch | None = None,
    say: Callable[[str], None] | None = None,
) -> SearchResult:
    """Search a space for the network with the best score. A repeated call resumes, or goes on with more evaluations.

    The search is the same at any number of workers and after any interruption; see :mod:`harness.searching.loop`. No
    network is scored twice.

    Args:
        space: a benchmark that is also a :class:`harness.contracts.SearchSpace`, or its name.
        out: the directory for the scores; ``harness report`` opens it like a run.
        proxy: what is maximised: a proxy, a rank aggregate, or several, whose mean rank among everything scored so far
            is then maximised; as names (comma-separated) or objects.
        algorithm: ``evolution`` (Zen-NAS), ``evolution-of-all`` (AZ-NAS), ``regularised``, ``local`` or ``random``; see
            :mod:`harness.searching.algorithms`.
        budget: what a network may have at most, such as ``params=1e6`` or ``{"flops": 450e6, "layers": 14}``; see
            :func:`harness.searching.budgets.budgets`.
        evaluations: the number of networks to score; default: 1,000, if ``candidates`` is not given either.
        candidates: the number of candidates to draw, those over a budget included, as Zen-NAS counts its iterations.
        also: further proxies to score, which the search does not look at.
        population: the number of networks that evolution keeps.
        moves: a named distribution of mutations of the space.
        start: the architecture to start from.
        ahead: the number of candidates that may be on their way; 1 is the sequential loop of the papers. At most this
            many workers are busy.
        search_seed: the seed for the random choices of the search; default: ``seed``.
        seed: the seed for the weights and the mini-batches.
        dataset: as for :func:`harness.run`, like all following but these:
        images: see :func:`harness.run`.
        labels: see :func:`harness.run`.
        batch_size: see :func:`harness.run`.
        resolution: see :func:`harness.run`.
        device: see :func:`harness.run`.
        init: see :func:`harness.run`.
        workers: see :func:`harness.run`.
        executor: see :func:`harness.run`.
        time_limit: see :func:`harness.run`.
        memory_limit: see :func:`harness.run`.
        retry_failed: see :func:`harness.run`.
        reuse: the directory of a run or search with the same seed and images, whose scores are taken over.
        watch: called with the :class:`harness.searching.loop.Search` at the start and after each network.
        say: called with each message about a repair of the store; default: a warning.

    Raises:
        HarnessError: for every error that the user can fix; the message says how.
        KeyboardInterrupt: if it was interrupted; all scores are stored.

    >>> import tempfile, harness
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     found = harness.search(
    ...         "digits", proxy="naswot", evaluations=12, budget="params=5000", batch_size=8, out=directory
    ...     )
    >>> found.search.evaluations, bool((found.networks["params"] <= 5000).all())
    (12, True)
    """
    from harness.execution.executors import refuse_in_starting_worker
    from harness.execution.options import RunOptions
    from harness.registry.by_file import refuse_while_loaded
    from harness.searching.loop import Limits
    from harness.searching.objective import objective
    from harness.searching.result import truth_of_space
    from harness.searching.run import SearchOptions, carry_out, prepared

    run = RunOptions.among(locals())
    refuse_in_starting_worker(run.workers)
    refuse_while_loaded()
    maximised = objective(proxy, also)
    if evaluations is None and candidates is None:
        evaluations = EVALUATIONS
    options = SearchOptions(
        proxies=maximised.names,
        algorithm=algorithm,
        budgets=_budgets(budget),
        population=population,
        moves=moves,
        start=start,
        ahead=ahead,
        seed=run.seed if search_seed is None else search_seed,
    )
    plan, state = prepared(space, maximised, options, Limits(evaluations, candidates), run)
    directory = Path(out)
    carry_out_options: dict[str, Any] = {
        name: getattr(run, name) for name in ("workers", "executor", "time_limit", "memory_limit", "retry_failed")
    }
    elsewhere = None if reuse is None else Path(reuse)
    say = say or (lambda words: warnings.warn(f"{directory}: {words}", stacklevel=5))
    if not carry_out(plan, state, options, directory, reuse=elsewhere, watch=watch, say=say, **carry_out_options):
        raise KeyboardInterrupt
    truth = truth_of_space(plan.benchmark, plan.setting.dataset)
    return SearchResult(directory, plan.benchmark, plan.setting, options, state, maximised, truth)


def _budgets(given: str | Iterable[str] | Mapping[str, float]) -> tuple[str, ...]:
    if isinstance(given, Mapping):
        return tuple(f"{name}={float(most)!r}" for name, most in given.items())
    if isinstance(given, str):
        return tuple(given.split())
    if isinstance(given, Iterable):
        return tuple(map(str, given))
    raise HarnessError(f"budgets must be texts such as 'params=1e6', or a mapping of numbers, not {given!r}")
