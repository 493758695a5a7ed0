"""The unit of work: one architecture, all requested proxies, one network and one probe.

Every worker runs this code, wherever it is. A unit's result only depends on the job and the architecture: weights have
their own seed and one thread computes, so neither order nor parallelism changes any bit of a score.
"""

from __future__ import annotations

import math
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from harness._utils.process_settings import Snapshot, settings_as_before, threads
from harness._utils.signals import stops_noted
from harness.contracts.benchmark import Benchmark
from harness.contracts.proxy import Proxy
from harness.execution.clocks import ledger_for
from harness.execution.job import Job, batches_of, benchmark_and_proxies, untouched_batches_of
from harness.execution.left_behind import Watch, changes_in_words, is_own
from harness.execution.limits.memory import check_limit, limited
from harness.execution.limits.out_of_memory import explain, is_out_of_memory
from harness.execution.limits.time import Deadline, OutOfTimeError
from harness.images import Batch
from harness.networks.initialisation import initialised
from harness.probe import NotApplicableError, Probe
from harness.probe.ledger import Ledger
from harness.seeds import derive_seed
from harness.store.records import Score, Status, Unit, UnitResult

_one_unit = threading.Lock()

Outcome = tuple[Status, float | None, str | None]
"""The outcome of one proxy: status, score or None, and the reason if there is no score."""


def compute_unit(job: Job, unit: Unit) -> UnitResult:
    """Build the unit's network once and score it with every requested proxy.

    If a proxy raises an error, runs out of memory or returns a non-finite number, that is its outcome, and the run
    continues.
    """
    check_limit(job.memory_limit)
    benchmark, known = benchmark_and_proxies(job)
    batches_of(job)
    chosen = [known[name] for name in unit.proxies]

    def build(settings: Snapshot | None, ledger: Ledger) -> Probe:
        return make_probe(job, benchmark, unit.architecture, batches_of(job), chosen, settings, ledger)

    made = Scene(
        build,
        chosen,
        device=job.device,
        untouched=lambda: untouched_batches_of(job),
        forget=batches_of.cache_clear,
        time_limit=job.time_limit,
        memory_limit=job.memory_limit,
    ).scores()
    if isinstance(made, str):
        return failed_unit(unit, {p.name: p.version for p in chosen}, made)
    scores, forward_backward, total = made
    return UnitResult(unit.architecture, scores, forward_backward, total)


@dataclass
class Scene:
    """The state that proxies share while they score one network: the network and everything around it.

    If a proxy changes something, all of it is created again, since shared quantities may have been computed after the
    change.

    Attributes:
        build: makes the network and its probe, with the settings and the ledger that it is given.
        chosen: the proxies.
        device: of the network; decides which clock measures costs.
        untouched: returns copies of the mini-batches that no proxy can access.
        forget: called after a proxy changed something, before the network is built again.
        time_limit: seconds for all proxies; None: no limit.
        memory_limit: bytes that the process may use; None: no limit.
        threads: that compute.
    """

    build: Callable[[Snapshot | None, Ledger], Probe]
    chosen: Sequence[Proxy]
    device: str = "cpu"
    untouched: Callable[[], Sequence[Batch]] = list
    forget: Callable[[], object] = lambda: None
    time_limit: float | None = None
    memory_limit: int | None = None
    threads: int = 1
    probe: Probe = field(init=False)
    _watch: Watch = field(init=False)
    _is_set: bool = False

    def __post_init__(self) -> None:
        self._ledger = ledger_for(self.device, self.threads)
        self._deadline = Deadline(self.time_limit)
        self._settings: Snapshot | None = None
        self._stops: Sequence[BaseException] = ()

    def scores(self) -> tuple[tuple[Score, ...], float, float] | str:
        """Every proxy's outcome, the seconds of a forward and backward pass, and those of everything.

        A string is the reason why the network could not be built.
        """
        known_code = all(map(is_own, self.chosen)) and self.time_limit is None
        # Seeds and settings are global to the process, so two concurrent units would interfere.
        with (
            _one_unit,
            threads(self.threads),
            settings_as_before(at_a_glance=known_code) as self._settings,
            self._deadline.running(),
            stops_noted() as self._stops,
        ):
            reason = self._set()
            if reason is not None:
                return reason
            outcomes = [(proxy, *self._outcome(proxy)) for proxy in self.chosen]
        ledger = self.probe.ledger
        names = {proxy.name for proxy in self.chosen}
        scores = tuple(
            Score(p.name, p.version, status, value, error, ledger.marginal(p.name, names), ledger.standalone(p.name))
            for p, status, value, error in outcomes
        )
        return scores, self.probe.forward_backward_seconds(), ledger.total()

    def _set(self) -> str | None:
        """Create the network and its probe; returns the reason if that fails."""
        closely = not all(map(is_own, self.chosen))
        # For foreign proxies, compare with the settings after the network was built, which are read again.
        settings = None if closely else self._settings
        try:
            with self._deadline.interruptible(), limited(self.memory_limit):
                probe = self.build(settings, self._ledger)
                self._watch = Watch(probe, self.untouched() if closely else None)
        except BaseException as error:
            if self._stops:
                raise
            return f"the network could not be built: {_one_line(error)}"
        self._ledger.measure_again()
        self.probe, self._is_set = probe, True
        return None

    def _outcome(self, proxy: Proxy) -> Outcome:
        """One proxy's outcome; a proxy that changes shared state has failed."""
        if not self._is_set:
            reason = self._set()
            if reason is not None:
                return "failed", None, f"{reason} (rebuilt after a proxy changed shared state)"
        self._watch.before(proxy)
        status, value, error = _score(proxy, self.probe, self._deadline, self.memory_limit, self._stops)
        changed = self._watch.after(proxy)
        if self._stops:
            # The proxy suppressed the exception.
            raise self._stops[0]
        if not changed:
            return status, value, error
        self._is_set = False
        self.forget()
        return "failed", None, "; ".join(filter(None, [error, changes_in_words(changed)]))


def failed_unit(unit: Unit, versions: dict[str, int], reason: str) -> UnitResult:
    """The result of a unit in which every proxy failed for the same reason."""
    scores = tuple(Score(name, versions[name], "failed", None, reason, 0.0, 0.0) for name in unit.proxies)
    return UnitResult(unit.architecture, scores, math.nan)


def make_probe(
    job: Job,
    benchmark: Benchmark,
    architecture: str,
    batches: list[Batch],
    chosen: Sequence[Proxy],
    settings: Snapshot | None = None,
    ledger: Ledger | None = None,
) -> Probe:
    """The newly initialised network of an architecture with its mini-batches, as every proxy of the unit sees it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed("weights", benchmark.name, job.dataset, architecture, job.seed))
        network = initialised(benchmark.build(architecture, job.dataset), job.init)
    network = network.to(job.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    anticipated = {quantity for proxy in chosen for quantity in proxy.anticipates}
    objective = benchmark.task(job.dataset).objective
    seed = derive_seed("proxies", job.seed)
    return Probe(
        network, batches, seed, objective, anticipated, settings, ledger_for(job.device) if ledger is None else ledger
    )


def _score(
    proxy: Proxy, probe: Probe, deadline: Deadline, memory_limit: int | None, stops: Sequence[BaseException]
) -> Outcome:
    """One proxy's outcome. If it runs out of memory, it is tried again after freeing all cached quantities.

    Every exception is its outcome, including ``SystemExit`` and ``KeyboardInterrupt``, unless a signal raised it.
    """
    attempts = 2 if probe.results else 1
    reason = ""
    for _ in range(attempts):
        try:
            with (
                deadline.interruptible(),
                limited(memory_limit),
                probe.ledger.measure(proxy.name),
                probe.random_state("proxy", proxy.name, everywhere=not is_own(proxy)),
            ):
                value = proxy(probe)
        except NotApplicableError as error:
            return "skipped", None, str(error)
        except OutOfTimeError as error:
            return "failed", None, str(error)
        except BaseException as error:
            if stops:
                raise
            if not is_out_of_memory(error):
                return "failed", None, _one_line(error)
            reason = explain(error, probe, memory_limit)
        else:
            return ("ok", value, None) if math.isfinite(value) else ("non_finite", None, f"the score is {value}")
        # The error is gone only now; its frames kept the memory of the pass.
        probe.let_go()
    return "failed", None, reason


def _one_line(error: BaseException) -> str:
    """The error's type and message, and the line of code that raised it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    # File names may not be valid Unicode and then could not be stored.
    message = " ".join(str(error).split())[:500].encode(errors="backslashreplace").decode()
    said = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return f"{said} ({Path(frame.filename).name}:{frame.lineno})"
