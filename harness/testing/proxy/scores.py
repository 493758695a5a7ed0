"""The contract of a proxy's scores: one number, the same whenever and wherever the same network is scored."""

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
from harness.testing.proxy.subject import BATCHES, IMAGES, SKIPPED, ProxySubject, described, outcome, seed_everything

COMPANY = ("params", "flops", "grad_norm", "snip", "grasp", "fisher", "synflow", "jacob_cov", "naswot", "zen", "zico")
SHARED_BY = ("of every kind", "of skip connections", "grouped")


class ProxyScoresContract(ProxySubject):
    """What a proxy promises of its scores."""

    def test_it_gives_a_finite_number_on_connected_cells(self) -> None:
        """On a network that works it has something to say."""
        for network in self.applicable():
            value = self.score(network)
            assert isinstance(value, float) and math.isfinite(value), (
                f"'{self.proxy.name}' must be finite on {described(network)}, which is connected; it is {value}"
            )

    def test_every_connected_cell_of_the_embedded_benchmark_has_a_finite_score_or_a_reason(self) -> None:
        """What is not finite cannot be ranked: a run counts it, and tells the reason if there is one."""
        if self.not_finite:
            pytest.skip(f"not finite on every cell: {self.not_finite}")
        connected = load_benchmark("digits").subset("connected")
        for network in connected[:: max(1, len(connected) // self.cells)] if self.cells else connected:
            value = self.score(network)
            assert value == SKIPPED or math.isfinite(float(value)), (
                f"it is {value} on {described(network)}, which is connected: raise NotApplicableError with the reason "
                "where the formula is not defined"
            )

    @pytest.mark.parametrize("network", CELLS)
    def test_on_every_kind_of_cell_it_gives_a_number_or_the_reason_why_not(self, network: str) -> None:
        """Also where nothing reaches the output, or nothing can be learnt; infinity and NaN are numbers here."""
        self.score(network)

    @pytest.mark.parametrize("network", OTHERS)
    def test_on_other_networks_it_gives_a_number_or_the_reason_why_not(self, network: str) -> None:
        """Without batch norm, without ReLU modules, without convolutions, with groups, with dropout."""
        self.score(network)

    @pytest.mark.parametrize("channels", [1, 3])
    def test_it_takes_images_of_one_and_of_three_channels(self, channels: int) -> None:
        """Digits are grey, CIFAR is not."""
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
        """Whatever the global random state; chance comes from the probe's seed alone."""
        seed_everything(1)
        probe = self.probe(network)
        first, once_more = self.outcome(probe), self.outcome(probe)
        seed_everything(2)
        again = self.outcome(self.probe(network))
        assert first == again == once_more, (
            f"the same network ({described(network)}) gives {first}, then {once_more}, then {again}: draw random "
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
                f"alone it gives {alone} on {described(network)}, after other proxies {together}: keep nothing between "
                "calls, and take shared quantities from the probe"
            )

    @pytest.mark.parametrize("network", SHARED_BY)
    def test_the_scores_of_others_do_not_depend_on_it(self, network: str) -> None:
        """What the probe gives is shared: it is read, never written to."""
        probe = self.probe(network)
        self.outcome(probe)
        for other in _company(self.proxy):
            alone, after = _alone(other, network), outcome(other, probe)
            assert after == alone, (
                f"'{other.name}' gives {alone} on {described(network)}, but {after} after '{self.proxy.name}': do not "
                "change in place what the probe gives"
            )

    @pytest.mark.parametrize("network", ["of every kind", "grouped", "residual"])
    def test_the_layout_of_the_images_in_memory_does_not_matter(self, network: str) -> None:
        """Rows, columns or channels last: the same images. Compared in float64, up to rounding."""
        plain = [Batch(batch.images.double(), batch.labels) for batch in self.batches(network)]
        columns_last = [Batch(b.images.transpose(2, 3).contiguous().transpose(2, 3), b.labels) for b in plain]
        channels_last = [Batch(b.images.contiguous(memory_format=torch.channels_last), b.labels) for b in plain]
        found = {}
        for name, batches in {"rows": plain, "columns": columns_last, "channels": channels_last}.items():
            found[name] = self.score(network, Probe(make(network).double(), batches))
        for name, value in found.items():
            if found["rows"] == SKIPPED or value == SKIPPED:
                assert value == found["rows"], f"it is applicable or not with the {name} last: {found}"
            else:
                assert value == pytest.approx(found["rows"], rel=1e-3, abs=1e-9, nan_ok=True), (
                    f"with the {name} last it gives {value}, with the rows last {found['rows']}, for the same images "
                    f"({described(network)}): randn_like, view and as_strided follow the memory"
                )


def _company(proxy: Proxy) -> list[Proxy]:
    return [other for other in proxies().values() if other.name in COMPANY and other.name != proxy.name]


@functools.cache
def _alone(proxy: Proxy, network: str) -> str:
    """Another proxy's outcome on a probe of its own."""
    return outcome(proxy, _Plain().probe(network))


class _Plain(ProxySubject):
    """The same networks and batches, for the proxies that keep company."""

    proxy = proxies()["params"]
