"""What every registered proxy promises, whoever wrote it."""

import contextlib
import copy
import inspect
import math
import struct

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.citations import CITATIONS
from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies import Proxy
from harness.registry import proxies, reference, resolve

PROXIES = proxies()
EVERY = pytest.mark.parametrize("proxy", PROXIES.values(), ids=PROXIES)
CONNECTED = ["convolutions", "mixed", "with a dead end"]
UNUSUAL = ["unconnected", "all none", "all skip", "all pool", "dropout", "begins in place"]
NAMES = [*CONNECTED, *UNUSUAL, "linear only", "plain convolutions", "without relu modules", "grouped"]


def bits(value):
    """The score's bit pattern; every NaN counts as the same."""
    return "nan" if math.isnan(value) else struct.pack("<d", value)


def outcome(proxy, probe):
    """The score's bits, or the word skipped."""
    try:
        return bits(proxy(probe))
    except NotApplicableError:
        return "skipped"


def state_of(network):
    """Everything about a network that a proxy could change."""
    state = {}
    for name, parameter in network.named_parameters():
        state[name] = (
            parameter.detach().clone(),
            parameter.requires_grad,
            parameter.grad,
            id(parameter),
            parameter._version,
        )
    for name, buffer in network.named_buffers():
        state[name] = (buffer.clone(), id(buffer), buffer._version)
    hooks = [name for name in vars(network) if name.endswith(("_hooks", "_hooks_with_kwargs", "_hooks_always_called"))]
    assert "_forward_hooks" in hooks and "_forward_pre_hooks" in hooks
    for name, module in network.named_modules():
        counts = {hook: len(getattr(module, hook)) for hook in hooks}
        state[f"module {name}"] = (id(module), module.training, module.forward.__func__, counts, sorted(vars(module)))
    return state


def same(before, after):
    if isinstance(before, torch.Tensor) and isinstance(after, torch.Tensor):
        return before.dtype == after.dtype and before.stride() == after.stride() and torch.equal(before, after)
    if isinstance(before, tuple):
        return len(before) == len(after) and all(map(same, before, after))
    return before == after


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
def test_its_declared_facts_are_complete(proxy):
    assert isinstance(proxy, Proxy)
    assert proxy.better in ("higher", "lower")
    assert proxy.data in ("nothing", "noise", "images", "labels")
    assert proxy.cite in CITATIONS
    assert proxy.label and proxy.source
    assert isinstance(proxy.version, int) and proxy.version >= 1
    assert proxy.variant_of is None or PROXIES[proxy.variant_of].variant_of is None
    assert all(hasattr(Probe, quantity) for quantity in proxy.anticipates)


@EVERY
def test_its_summary_is_one_sentence_with_a_paragraph_of_its_own(proxy):
    lines = inspect.getdoc(proxy.function).splitlines()
    assert proxy.summary == lines[0]
    assert proxy.summary.endswith(".") and proxy.summary[0].isupper() and len(proxy.summary) <= 115
    assert len(lines) == 1 or lines[1] == ""


@EVERY
def test_another_process_can_import_it_by_its_reference(proxy):
    assert resolve(reference(proxy)) is proxy


@EVERY
@pytest.mark.parametrize("name", CONNECTED)
def test_it_gives_a_finite_number_on_a_connected_cell(proxy, name, named_network, batches, batches32):
    network = named_network(name)
    for probe in (Probe(network, batches), Probe(float32(network), batches32)):
        value = proxy(probe)
        assert type(value) is float and math.isfinite(value)


@EVERY
@pytest.mark.parametrize("name", UNUSUAL)
def test_on_an_odd_network_it_gives_a_number_or_is_not_applicable(proxy, name, named_network, batches32):
    batches = [Batch(batch.images.clone(), batch.labels) for batch in batches32]
    try:
        assert type(proxy(Probe(float32(named_network(name)), batches))) is float
    except NotApplicableError as reason:
        assert str(reason)


@EVERY
@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_the_network_the_images_and_the_random_state_as_they_were(proxy, name, named_network, batches):
    batches = [Batch(batch.images.clone(), batch.labels.clone()) for batch in batches]
    network = named_network(name)
    images = [(batch.images.clone(), batch.images.requires_grad, batch.labels.clone()) for batch in batches]
    before, random_state, grad_mode = state_of(network), torch.get_rng_state(), torch.is_grad_enabled()
    with contextlib.suppress(RuntimeError):  # whether it works there is another test's question
        outcome(proxy, Probe(network, batches))
    after = state_of(network)
    assert before.keys() == after.keys()
    assert [key for key in before if not same(before[key], after[key])] == []
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(random_state, torch.get_rng_state())
    assert torch.is_grad_enabled() == grad_mode
    for (old, required, labels), batch in zip(images, batches, strict=True):
        assert torch.equal(old, batch.images) and torch.equal(labels, batch.labels)
        assert batch.images.requires_grad == required and batch.images.grad is None


def test_a_pass_that_fails_leaves_the_network_as_it_was(named_network, batches):
    network = named_network("mixed")
    before = state_of(network)
    wrong = [Batch(torch.zeros(4, 7, 8, 8, dtype=torch.float64), batches[0].labels[:4])] * 2
    for proxy in PROXIES.values():
        if proxy.data in ("images", "labels"):
            with pytest.raises(RuntimeError):
                proxy(Probe(network, wrong))
    after = state_of(network)
    assert [key for key in before if not same(before[key], after[key])] == []


@EVERY
@pytest.mark.parametrize("name", ["mixed", "unconnected", "dropout"])
def test_it_gives_the_same_bits_again_whatever_the_global_random_state(proxy, name, named_network, batches):
    network = named_network(name)
    torch.manual_seed(1)
    first = outcome(proxy, Probe(network, batches, seed=3))
    torch.manual_seed(2)
    assert outcome(proxy, Probe(network, batches, seed=3)) == first


@EVERY
@pytest.mark.parametrize("name", [name for name in NAMES if name != "begins in place"])
def test_anticipation_does_not_change_a_bit(proxy, name, named_network, batches32):
    network = float32(named_network(name))
    expected = outcome(proxy, Probe(network, batches32))
    for anticipated in (["layer_output_gradients"], proxy.anticipates):
        assert outcome(proxy, Probe(network, batches32, anticipate=anticipated)) == expected


@pytest.fixture(scope="module")
def alone(named_network, batches32):
    """Each proxy's outcome with a probe of its own, for some networks."""
    networks = {name: float32(named_network(name)) for name in ("mixed", "all skip", "dropout", "grouped")}
    return {
        name: (network, {p: outcome(proxy, Probe(network, batches32)) for p, proxy in PROXIES.items()})
        for name, network in networks.items()
    }


@settings(deadline=None, max_examples=12)
@given(
    name=st.sampled_from(["mixed", "all skip", "dropout", "grouped"]),
    order=st.permutations(list(PROXIES)),
    count=st.integers(2, len(PROXIES)),
    anticipate=st.booleans(),
)
def test_neither_company_nor_order_changes_a_bit(alone, batches32, name, order, count, anticipate):
    network, expected = alone[name]
    anticipated = {quantity for p in order[:count] for quantity in PROXIES[p].anticipates} if anticipate else ()
    probe = Probe(network, batches32, anticipate=anticipated)
    assert {p: outcome(PROXIES[p], probe) for p in order[:count]} == {p: expected[p] for p in order[:count]}


@EVERY
def test_it_needs_no_more_than_the_batches_it_declares(proxy, named_network, batches):
    network = named_network("mixed")
    expected = proxy(Probe(network, batches))
    # Even without looking at images, some need a batch for its shape.
    assert proxy(Probe(network, batches[: max(1, proxy.batches)])) == expected


@EVERY
@pytest.mark.parametrize("name", ["mixed", "grouped", "plain convolutions"])
def test_it_looks_at_no_more_than_it_declares(proxy, name, named_network, batches):
    network = named_network(name)
    expected = outcome(proxy, Probe(network, batches))
    if proxy.data != "labels":
        others = [Batch(batch.images, (batch.labels + 1) % 10) for batch in batches]
        assert outcome(proxy, Probe(network, others)) == expected
    if proxy.data in ("nothing", "noise"):
        others = [Batch(batch.images.flip(0) * 3 - 1, batch.labels) for batch in batches]
        assert outcome(proxy, Probe(network, others)) == expected
    if proxy.data == "nothing":
        assert outcome(proxy, Probe(network, batches, seed=99)) == expected


@EVERY
def test_it_does_look_at_what_it_declares(proxy, named_network, batches):
    network = named_network("mixed")
    expected = outcome(proxy, Probe(network, batches))
    if proxy.data in ("images", "labels"):
        assert outcome(proxy, Probe(network, [Batch(b.images.flip(1) ** 2, b.labels) for b in batches])) != expected
    if proxy.data == "labels":
        others = [Batch(batch.images, batch.labels.roll(i + 1)) for i, batch in enumerate(batches)]
        assert outcome(proxy, Probe(network, others)) != expected
    if proxy.data == "noise":
        assert outcome(proxy, Probe(network, batches, seed=99)) != expected


@pytest.mark.parametrize("proxy", [p for p in PROXIES.values() if p.name != "zico_half_batches"], ids=lambda p: p.name)
@settings(deadline=None, max_examples=3)
@given(order=st.permutations(range(8)))
def test_the_order_of_the_images_does_not_matter(proxy, mixed_network, batches, order):
    """But for the proxy that tells the first half of a mini-batch from the second."""
    permuted = [Batch(batch.images[list(order)], batch.labels[list(order)]) for batch in batches]
    expected = proxy(Probe(mixed_network, batches))
    assert proxy(Probe(mixed_network, permuted)) == pytest.approx(expected, rel=1e-5, abs=1e-10)


@pytest.fixture(scope="module")
def mixed_network(named_network):
    return named_network("mixed")
