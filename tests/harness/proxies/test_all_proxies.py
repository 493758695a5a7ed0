"""What this project's proxies promise beyond the contract of every proxy, which tests/conformance holds them to."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness._utils.citations import CITATIONS
from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.registry import proxies
from harness.testing.proxy.subject import changed, outcome, state_of

PROXIES = proxies()
FOR_TRANSFORMERS = ("dss", "az_expressivity_tokens", "az_trainability_tokens")
CELLS = {name: proxy for name, proxy in PROXIES.items() if name not in FOR_TRANSFORMERS}
EVERY = pytest.mark.parametrize("proxy", PROXIES.values(), ids=PROXIES)
EVERY_OF_CELLS = pytest.mark.parametrize("proxy", CELLS.values(), ids=CELLS)
CONNECTED = ["convolutions", "mixed", "with a dead end"]
TOGETHER = ["mixed", "all skip", "dropout", "grouped"]


def float32(network):
    return copy.deepcopy(network).float()


@pytest.fixture(scope="module")
def batches32(batches):
    return [Batch(batch.images.float(), batch.labels) for batch in batches]


def test_the_fourteen_families_are_here():
    expected = "params flops l2_norm grad_norm plain snip grasp fisher synflow jacob_cov naswot zen epe_nas zico"
    main = {name for name, proxy in PROXIES.items() if proxy.variant_of is None}
    assert set(expected.split()) <= main


@EVERY
def test_its_paper_and_its_source_are_known(proxy):
    assert proxy.cite in CITATIONS
    assert proxy.source
    assert proxy.variant_of is None or PROXIES[proxy.variant_of].variant_of is None


@pytest.mark.parametrize("name", FOR_TRANSFORMERS)
def test_a_proxy_for_transformers_says_what_a_cell_lacks(name, named_network, batches):
    with pytest.raises(NotApplicableError, match=r"batch norms; one image has no variance|has no layer norms"):
        PROXIES[name](Probe(named_network("mixed"), batches))


@EVERY_OF_CELLS
@pytest.mark.parametrize("name", CONNECTED)
def test_it_gives_a_finite_number_in_both_precisions(proxy, name, named_network, batches, batches32):
    network = named_network(name)
    for probe in (Probe(network, batches), Probe(float32(network), batches32)):
        value = proxy(probe)
        assert type(value) is float and math.isfinite(value)


def test_a_pass_that_fails_leaves_the_network_as_it_was(named_network, batches):
    network = named_network("mixed")
    before = state_of(network)
    wrong = [Batch(torch.zeros(4, 7, 8, 8, dtype=torch.float64), batches[0].labels[:4])] * 2
    for proxy in PROXIES.values():
        # One looks at crops of a single channel, of which any image has one.
        if proxy.data in ("images", "labels") and proxy.name != "linear_regions_thin":
            with pytest.raises(RuntimeError):
                proxy(Probe(network, wrong))
    assert changed(before, state_of(network)) is None


@pytest.fixture(scope="module")
def alone(named_network, batches32):
    """Each proxy's outcome with a probe of its own, for some networks."""
    networks = {name: float32(named_network(name)) for name in TOGETHER}
    return {
        name: (network, {p: outcome(proxy, Probe(network, batches32)) for p, proxy in PROXIES.items()})
        for name, network in networks.items()
    }


@settings(deadline=None, max_examples=4)
@given(
    name=st.sampled_from(TOGETHER),
    order=st.permutations(list(PROXIES)),
    count=st.integers(2, len(PROXIES)),
    anticipate=st.booleans(),
)
def test_in_any_company_and_any_order_all_keep_their_bits(alone, batches32, name, order, count, anticipate):
    network, expected = alone[name]
    anticipated = {quantity for p in order[:count] for quantity in PROXIES[p].anticipates} if anticipate else ()
    probe = Probe(network, batches32, anticipate=anticipated)
    assert {p: outcome(PROXIES[p], probe) for p in order[:count]} == {p: expected[p] for p in order[:count]}


@pytest.mark.parametrize("proxy", [p for p in CELLS.values() if p.name != "zico_half_batches"], ids=lambda p: p.name)
@settings(deadline=None, max_examples=1)
@given(order=st.permutations(range(8)))
def test_the_order_of_the_images_does_not_matter(proxy, mixed_network, batches, order):
    """But for the proxy that tells the first half of a mini-batch from the second."""
    permuted = [Batch(batch.images[list(order)], batch.labels[list(order)]) for batch in batches]
    expected = proxy(Probe(mixed_network, batches))
    assert proxy(Probe(mixed_network, permuted)) == pytest.approx(expected, rel=1e-5, abs=1e-10)


@pytest.fixture(scope="module")
def mixed_network(named_network):
    return named_network("mixed")


def _without_statistics(norm):
    norm.track_running_stats = False
    norm.running_mean = norm.running_var = norm.num_batches_tracked = None


@EVERY_OF_CELLS
def test_what_batch_norms_declare_about_running_statistics_does_not_matter(proxy, mixed_network, batches):
    """Their momentum, a cumulative average, and keeping none; a proxy that needs them says that they are missing."""
    score = proxy(Probe(mixed_network, batches))
    changes = (
        lambda norm: setattr(norm, "momentum", 0.997),
        lambda norm: setattr(norm, "momentum", None),
        _without_statistics,
    )
    for change in changes:
        declared = copy.deepcopy(mixed_network)
        for norm in (module for module in declared.modules() if isinstance(module, nn.BatchNorm2d)):
            change(norm)
        try:
            assert proxy(Probe(declared, batches)) == score
        except NotApplicableError as reason:
            assert change is _without_statistics and "keeps no running statistics" in str(reason)
