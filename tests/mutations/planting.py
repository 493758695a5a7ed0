"""Planting a bug in a proxy, and the gate's check of the few proxies that are wanted."""

from __future__ import annotations

import functools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from harness.gate import Limits, compare
from harness.gate.rerun import rerun
from harness.probe import Probe, _key
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


def checked(baseline, limits: Limits | None = None):
    """The gate's check of a baseline's own plan."""
    with tempfile.TemporaryDirectory() as directory:
        return compare(baseline, rerun(baseline, Path(directory) / "run"), limits)


def slowed(name: str, share: float):
    """The proxy's own formula, after which it waits for that share of the time that it took itself."""
    original = proxies()[name].function
    shared = [
        _key(Probe.forward, 0),
        _key(Probe._loss_backward, 0),
        _key(Probe.loss_gradients, 0),
        _key(Probe.input_jacobian),
        _key(Probe.jacobian_correlation),
    ]

    def formula(probe):
        before = sum(map(probe.ledger.exclusive, shared))
        start = time.thread_time()
        value = original(probe)
        end = time.thread_time()
        own = end - start - (sum(map(probe.ledger.exclusive, shared)) - before)
        while time.thread_time() - end < share * own:
            pass
        return value

    return formula
