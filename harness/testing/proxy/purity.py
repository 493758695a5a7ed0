"""The contract of a proxy's side effects: it has none."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from harness._utils.process_settings import SETTINGS, Snapshot
from harness._utils.surroundings import Surroundings
from harness.contracts.proxy import Proxy
from harness.probe import Probe
from harness.testing.proxy.networks import CELLS, OTHERS, make
from harness.testing.proxy.subject import (
    ProxySubject,
    batches_for,
    changed,
    described,
    seed_everything,
    state_of,
)

EVERY_NETWORK = [*CELLS, *OTHERS]


class ProxyPurityContract(ProxySubject):
    """The contract of what a proxy must not change, because other proxies and networks follow."""

    @pytest.mark.parametrize("network", EVERY_NETWORK)
    def test_it_leaves_the_network_as_it_was(self, network: str) -> None:
        """Weights, gradients, running statistics, training mode, hooks: bit for bit."""
        difference = _traces(self.proxy, network).network
        assert difference is None, (
            f"it changes {difference} of {described(network)}: work on probe.copy(), or use the probe's passes"
        )

    @pytest.mark.parametrize("network", EVERY_NETWORK)
    def test_it_leaves_the_images_and_labels_as_they_were(self, network: str) -> None:
        """Every network of a run sees the same mini-batches."""
        traces = _traces(self.proxy, network)
        assert not traces.batches, f"it changes the images or labels ({described(network)}): work on a clone"
        assert not traces.gradients, (
            f"it sets requires_grad on the images ({described(network)}): work on images.detach().clone()"
        )

    @pytest.mark.parametrize("network", ["of every kind", "unconnected", "dropout"])
    def test_it_leaves_the_random_state_as_it_was(self, network: str) -> None:
        """The random states of torch, NumPy and Python."""
        drawn = _traces(self.proxy, network).random
        for library, remedy in (
            ("torch", "use probe.random_state(...)"),
            ("numpy", "use numpy.random.default_rng(probe.seed)"),
            ("random", "use random.Random(probe.seed)"),
        ):
            assert library not in drawn, f"it draws from the global random state of {library}: {remedy}"

    def test_it_leaves_torch_s_settings_as_they_were(self) -> None:
        """Gradient mode, default dtype, threads, determinism, backends, modes, hooks."""
        probe = self.probe("of every kind")
        before = Snapshot(SETTINGS)
        self._run(probe)
        changed = before.put_back()
        assert not changed, f"it changes settings of torch or Python: {', '.join(changed)}"

    def test_it_leaves_the_process_as_it_was(self) -> None:
        """Functions of other modules, environment variables, working directory, signals, warnings."""
        probe = self.probe("of every kind")
        before = Surroundings({type(module) for module in probe.network.modules()})
        self._run(probe)
        changed = before.put_back()
        assert not changed, f"it changes {', '.join(changed)}, which affects the proxies after it"

    def test_it_prints_nothing(self) -> None:
        """A run scores thousands of networks."""
        printed = "".join(_traces(self.proxy, network).printed for network in EVERY_NETWORK)
        assert not printed, f"it prints {printed[:60]!r}: return a score or raise an error with the reason instead"

    def _run(self, probe: Probe) -> None:
        """Score the network; errors are covered by other tests."""
        with contextlib.suppress(Exception):
            self.outcome(probe)


@dataclass(frozen=True)
class _Traces:
    """What one computation changed.

    Attributes:
        network: the first part of the network that it changed, or None.
        batches: whether it changed images or labels.
        gradients: whether it asked for gradients of the images.
        random: the libraries whose global random state it moved.
        printed: what it printed.
    """

    network: str | None
    batches: bool
    gradients: bool
    random: frozenset[str]
    printed: str


@functools.cache
def _traces(proxy: Proxy, network: str) -> _Traces:
    """Score a fresh network once, for all tests of what that changes; errors are covered by other tests."""
    probe = Probe(make(network), batches_for(proxy, network))
    state = state_of(probe.network)
    seed_everything(20_261)  # a state that no earlier test can have left
    states = _random_states()
    with _printing() as printed, contextlib.suppress(Exception):
        proxy(probe)
    pairs = list(zip(batches_for(proxy, network), probe.batches, strict=True))
    return _Traces(
        network=changed(state, state_of(probe.network)),
        batches=not all(torch.equal(a.images, b.images) and torch.equal(a.labels, b.labels) for a, b in pairs),
        gradients=any(batch.images.requires_grad or batch.images.grad is not None for batch in probe.batches),
        random=frozenset(library for library, now in _random_states().items() if now != states[library]),
        printed="".join(printed),
    )


@contextlib.contextmanager
def _printing() -> Iterator[list[str]]:
    """A block whose output goes to the yielded list when it ends, also the output of compiled code."""
    texts: list[str] = []
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:
        kept = [os.dup(stream) for stream in (1, 2)]
        try:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
            with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
                yield texts
        finally:
            file.flush()
            for stream, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, stream)
                os.close(copy)
            file.seek(0)
            texts.append(file.read())


def _random_states() -> dict[str, object]:
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": str(np.random.get_state()),  # noqa: NPY002
        "random": random.getstate(),
    }
