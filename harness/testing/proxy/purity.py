"""The contract of a proxy's side effects: it has none."""

from __future__ import annotations

import contextlib
import random

import numpy as np
import pytest
import torch

from harness._utils.process_settings import SETTINGS, Snapshot
from harness._utils.surroundings import Surroundings
from harness.probe import Probe
from harness.testing.proxy.networks import CELLS, OTHERS
from harness.testing.proxy.subject import ProxySubject, changed, described, seed_everything, state_of

EVERY_NETWORK = [*CELLS, *OTHERS]


class ProxyPurityContract(ProxySubject):
    """The contract of what a proxy must not change, because other proxies and networks follow."""

    @pytest.mark.parametrize("network", EVERY_NETWORK)
    def test_it_leaves_the_network_as_it_was(self, network: str) -> None:
        """Weights, gradients, running statistics, training mode, hooks: bit for bit."""
        probe = self.probe(network)
        before = state_of(probe.network)
        self._run(probe)
        difference = changed(before, state_of(probe.network))
        assert difference is None, (
            f"it changes {difference} of {described(network)}: work on probe.copy(), or use the probe's passes"
        )

    @pytest.mark.parametrize("network", EVERY_NETWORK)
    def test_it_leaves_the_images_and_labels_as_they_were(self, network: str) -> None:
        """Every network of a run sees the same mini-batches."""
        probe = self.probe(network)
        self._run(probe)
        for before, after in zip(self.batches(network), probe.batches, strict=True):
            same = torch.equal(before.images, after.images) and torch.equal(before.labels, after.labels)
            assert same, f"it changes the images or labels ({described(network)}): work on a clone"
            assert not after.images.requires_grad and after.images.grad is None, (
                f"it sets requires_grad on the images ({described(network)}): work on images.detach().clone()"
            )

    @pytest.mark.parametrize("network", ["of every kind", "unconnected", "dropout"])
    def test_it_leaves_the_random_state_as_it_was(self, network: str) -> None:
        """The random states of torch, NumPy and Python."""
        probe = self.probe(network)
        seed_everything(20_261)  # a state that no earlier test can have left
        before = _random_states()
        self._run(probe)
        after = _random_states()
        for library, remedy in (
            ("torch", "use probe.random_state(...)"),
            ("numpy", "use numpy.random.default_rng(probe.seed)"),
            ("random", "use random.Random(probe.seed)"),
        ):
            assert before[library] == after[library], f"it draws from the global random state of {library}: {remedy}"

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

    def test_it_prints_nothing(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A run scores thousands of networks."""
        for network in EVERY_NETWORK:
            self._run(self.probe(network))
        printed = "".join(capfd.readouterr())
        assert not printed, f"it prints {printed[:60]!r}: return a score or raise an error with the reason instead"

    def _run(self, probe: Probe) -> None:
        """Score the network; errors are covered by other tests."""
        with contextlib.suppress(Exception):
            self.outcome(probe)


def _random_states() -> dict[str, object]:
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": str(np.random.get_state()),  # noqa: NPY002
        "random": random.getstate(),
    }
