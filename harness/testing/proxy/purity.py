"""The contract of what a proxy leaves behind: nothing."""

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
    """What a proxy promises to leave as it is. Other proxies, and the next network, come after it."""

    @pytest.mark.parametrize("network", EVERY_NETWORK)
    def test_it_leaves_the_network_as_it_was(self, network: str) -> None:
        """Weights, gradients, running statistics, training mode, hooks: bit for bit."""
        probe = self.probe(network)
        before = state_of(probe.network)
        self._run(probe)
        difference = changed(before, state_of(probe.network))
        assert difference is None, (
            f"it changes {difference} of {described(network)}: work on probe.copy(), or take passes from the probe"
        )

    @pytest.mark.parametrize("network", EVERY_NETWORK)
    def test_it_leaves_the_images_and_labels_as_they_were(self, network: str) -> None:
        """Every network of a run sees the same mini-batches."""
        probe = self.probe(network)
        self._run(probe)
        for before, after in zip(self.batches(network), probe.batches, strict=True):
            same = torch.equal(before.images, after.images) and torch.equal(before.labels, after.labels)
            assert same, f"it changes the images or labels that it is given ({described(network)}): work on a clone"
            assert not after.images.requires_grad and after.images.grad is None, (
                f"it asks the images for gradients ({described(network)}): work on images.detach().clone()"
            )

    @pytest.mark.parametrize("network", ["of every kind", "unconnected", "dropout"])
    def test_it_leaves_the_random_state_as_it_was(self, network: str) -> None:
        """Torch's, NumPy's and Python's own."""
        probe = self.probe(network)
        seed_everything(20_261)  # a state that no proxy has left behind in a test before
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
        """Gradients, number format, threads, determinism, backends, modes, hooks."""
        probe = self.probe("of every kind")
        before = Snapshot(SETTINGS)
        self._run(probe)
        changed = before.put_back()
        assert not changed, f"it changes a setting of torch or of Python: {', '.join(changed)}"

    def test_it_leaves_the_process_as_it_was(self) -> None:
        """Functions that others call, environment variables, the working directory, signals, warnings."""
        probe = self.probe("of every kind")
        before = Surroundings({type(module) for module in probe.network.modules()})
        self._run(probe)
        changed = before.put_back()
        assert not changed, f"it leaves {', '.join(changed)} changed: other proxies come after it"

    def test_it_prints_nothing(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A run scores thousands of networks."""
        for network in EVERY_NETWORK:
            self._run(self.probe(network))
        printed = "".join(capfd.readouterr())
        assert not printed, f"it prints {printed[:60]!r}: a score and its reason are all that a proxy says"

    def _run(self, probe: Probe) -> None:
        """Whether it works there is another test's question."""
        with contextlib.suppress(Exception):
            self.outcome(probe)


def _random_states() -> dict[str, object]:
    return {
        "torch": torch.get_rng_state().tolist(),
        "numpy": str(np.random.get_state()),  # noqa: NPY002
        "random": random.getstate(),
    }
