"""The contract of a proxy's scores: one number per network, the same in every order and process."""

from __future__ import annotations

import functools
import math

import pytest
import torch

from harness.contracts.proxy import Proxy
from harness.images import Batch
from harness.probe import Probe
from harness.registry import load_benchmark, proxies
from harness.testing.proxy.networks import CELLS, CLASSES, OTHERS, Residual, make
from harness.testing.proxy.subject import (
    BATCHES,
    IMAGES,
    SKIPPED,
    ProxySubject,
    batches_for,
    described,
    outcome,
    seed_everything,
)

COMPANY = ("params", "flops", "grad_norm", "snip", "grasp", "fisher", "synflow", "jacob_cov", "naswot", "zen", "zico")
SHARED_BY = ("of every kind", "of skip connections", "grouped")


class ProxyScoresContract(ProxySubject):
    """The contract of a proxy's scores."""

    def test_it_gives_a_finite_number_on_connected_cells(self) -> None:
        """Connected networks have a score."""
        for network in self.applicable():
            value = self.score(network)
            assert isinstance(value, float) and math.isfinite(value), (
                f"'{self.proxy.name}' must be finite on {described(network)}, which is connected; it is {value}"
            )

    def test_every_connected_cell_of_the_embedded_benchmark_has_a_finite_score_or_a_reason(self) -> None:
        """Scores that are not finite cannot be ranked; a run counts them and shows the reason."""
        if self.not_finite:
            pytest.skip(f"not finite on some cells: {self.not_finite}")
        connected = load_benchmark("digits").subset("connected")
        for network in connected[:: max(1, len(connected) // self.cells)] if self.cells else connected:
            value = self.score(network)
            assert value == SKIPPED or math.isfinite(float(value)), (
                f"it is {value} on {described(network)}, which is connected: raise NotApplicableError with the reason "
                "where the formula is not defined"
            )

    @pytest.mark.parametrize("network", CELLS)
    def test_on_every_kind_of_cell_it_gives_a_number_or_the_reason_why_not(self, network: str) -> None:
        """Even if nothing reaches the output or nothing can be learnt; infinity and NaN count as numbers here."""
        self.score(network)

    @pytest.mark.parametrize("network", OTHERS)
    def test_on_other_networks_it_gives_a_number_or_the_reason_why_not(self, network: str) -> None:
        """Without batch norm, without ReLU modules, without convolutions, with groups, with dropout."""
        self.score(network)

    @pytest.mark.parametrize("channels", [1, 3])
    def test_it_takes_images_of_one_and_of_three_channels(self, channels: int) -> None:
        """Digits are greyscale, CIFAR images are not."""
        generator = torch.Generator().manual_seed(0)
        count = max(BATCHES, self.proxy.batches)
        pixels = torch.randn(count, IMAGES, channels, 8, 8, generator=generator)
        batches = [Batch(images, torch.randint(CLASSES, (IMAGES,), generator=generator)) for images in pixels]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = Residual(channels)
        self.score(f"of two convolutions for images of {channels} × 8 × 8", Probe(network, batches))

    @pytest.mark.parametrize("network", ["of every kind", "unconnected", "dropout"])
    def test_it_gives_the_same_bits_again(self, network: str) -> None:
        """Whatever the global random state; random numbers come only from the probe's seed."""
        seed_everything(1)
        probe = self.probe(network)
        first, once_more = self.outcome(probe), self.outcome(probe)
        seed_everything(2)
        again = self.outcome(self.probe(network))
        assert first == again == once_more, (
            f"the same network ({described(network)}) scores {first}, then {once_more}, then {again}: draw random "
            "numbers inside probe.random_state(...) or from a generator seeded with probe.seed"
        )

    @pytest.mark.parametrize("network", SHARED_BY)
    def test_its_score_does_not_depend_on_what_else_is_computed(self, network: str) -> None:
        """With other proxies before it, after it, or none, with quantities anticipated or not."""
        alone = self.alone(network)
        for company in (_company(self.proxy), _company(self.proxy)[::-1]):
            probe = self.probe(network, anticipate=("layer_output_gradients", *self.proxy.anticipates))
            for other in company:
                outcome(other, probe)
            together = self.outcome(probe)
            assert together == alone, (
                f"alone it returns {alone} on {described(network)}, after other proxies {together}: keep no state "
                "between calls, and take shared quantities from the probe"
            )

    @pytest.mark.parametrize("network", SHARED_BY)
    def test_the_scores_of_others_do_not_depend_on_it(self, network: str) -> None:
        """The probe's tensors are shared, so they must not be written to."""
        probe = self.probe(network)
        self.outcome(probe)
        for other in _company(self.proxy):
            alone, after = _alone(other, network), outcome(other, probe)
            assert after == alone, (
                f"'{other.name}' returns {alone} on {described(network)}, but {after} after '{self.proxy.name}': do "
                "not change the probe's tensors in place"
            )

    @pytest.mark.parametrize("network", ["of every kind", "grouped", "residual"])
    def test_the_layout_of_the_images_in_memory_does_not_matter(self, network: str) -> None:
        """Rows, columns or channels innermost: the same images, compared in float64 up to rounding."""
        plain = [Batch(batch.images.double(), batch.labels) for batch in self.batches(network)]
        columns_last = [Batch(b.images.transpose(2, 3).contiguous().transpose(2, 3), b.labels) for b in plain]
        channels_last = [Batch(b.images.contiguous(memory_format=torch.channels_last), b.labels) for b in plain]
        found = {}
        for name, batches in {"rows": plain, "columns": columns_last, "channels": channels_last}.items():
            found[name] = self.score(network, Probe(make(network).double(), batches))
        for name, value in found.items():
            if found["rows"] == SKIPPED or value == SKIPPED:
                assert value == found["rows"], f"whether it applies depends on the memory layout ({name} last): {found}"
            else:
                assert value == pytest.approx(found["rows"], rel=1e-3, abs=1e-9, nan_ok=True), (
                    f"with the {name} last it returns {value}, with the rows last {found['rows']}, for the same images "
                    f"({described(network)}): randn_like, view and as_strided depend on the memory layout"
                )


def _company(proxy: Proxy) -> list[Proxy]:
    return [other for other in proxies().values() if other.name in COMPANY and other.name != proxy.name]


@functools.cache
def _alone(proxy: Proxy, network: str) -> str:
    """Another proxy's outcome on its own probe."""
    return outcome(proxy, Probe(make(network), batches_for(proxy, network)))
