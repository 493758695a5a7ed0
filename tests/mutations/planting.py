"""Planting a bug in a proxy, and the gate's check of the few proxies that are wanted."""

from __future__ import annotations

import functools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from weakref import WeakKeyDictionary

from harness.gate import compare
from harness.gate.rerun import rerun
from harness.probe import Probe
from harness.registry import proxies

BASELINES = Path(__file__).parents[2] / "results" / "baselines"


@contextmanager
def planted(name: str, formula) -> Iterator[None]:
    """The registered proxy computes another formula for a while; nothing else of it changes."""
    proxy = proxies()[name]
    original = proxy.function
    object.__setattr__(proxy, "function", functools.wraps(original)(formula))
    try:
        yield
    finally:
        object.__setattr__(proxy, "function", original)


def only(baseline, names, networks=None):
    """A baseline of some of its proxies, and of the first networks of it if a number is given."""
    kept = baseline.architectures[:networks]
    scores = baseline.scores
    scores = scores[scores["proxy"].isin(names) & scores["architecture"].isin(kept)].reset_index(drop=True)
    from harness.gate.baseline import truth_digest
    from harness.registry import load_benchmark

    truth = load_benchmark(baseline.setting.benchmark).ground_truth(baseline.setting.dataset)
    return replace(
        baseline,
        proxies={name: baseline.proxies[name] for name in names},
        scores=scores,
        truth=replace(baseline.truth, sha256=truth_digest(truth, kept)),
    )


def checked(baseline):
    """The gate's check of a baseline's own plan, without costs."""
    with tempfile.TemporaryDirectory() as directory:
        return compare(baseline, rerun(baseline, Path(directory) / "run"))


TIMED = 20


def slowed(name: str, share: float):
    """The proxy's own formula and then idle counting, for that share of the shortest time that the formula took.

    Counting asks the system for nothing, and the formula is timed in the first calls alone: a clock that is read all
    the time slows down what is beside it, too.
    """
    original = proxies()[name].function
    times: WeakKeyDictionary[Probe, list[float]] = WeakKeyDictionary()

    @functools.wraps(original)
    def formula(probe):
        of_probe = times.setdefault(probe, [])
        if len(of_probe) < TIMED:
            start = time.thread_time()
            value = original(probe)
            of_probe.append(time.thread_time() - start)
        else:
            value = original(probe)
        for _ in range(int(share * min(of_probe) / seconds_of_counting())):
            pass
        return value

    return formula


@functools.cache
def seconds_of_counting(steps: int = 10_000) -> float:
    """How long one step of an idle loop takes."""
    times = []
    for _ in range(50):
        start = time.thread_time()
        for _ in range(steps):
            pass
        times.append(time.thread_time() - start)
    return min(times) / steps
