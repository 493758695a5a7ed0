"""NASWOT compares the binary codes that images leave in the ReLUs."""

import copy
import math

import numpy as np
import pytest
import torch
from harness_benchmarks.nb201.cells import Zero
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe, activity
from harness.proxies.activation import logdet, naswot, naswot_blocks

WITH_RELUS = ["convolutions", "mixed", "with a dead end", "linear only", "plain convolutions", "grouped"]


def kernel_by_hooks(network, images):
    """K = Σ x xᵀ + (1 - x)(1 - x)ᵀ over every ReLU module, x taken at the very moment it runs."""
    network = copy.deepcopy(network)
    kernel = np.zeros((len(images), len(images)))

    def add(_, inputs):
        x = (inputs[0].detach().numpy() > 0).reshape(len(images), -1).astype(float)
        nonlocal kernel
        kernel = kernel + x @ x.T + (1 - x) @ (1 - x).T

    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(add)
    network(images)
    return kernel


def batch_of(images):
    return Batch(images, torch.zeros(len(images), dtype=torch.int64))


@pytest.mark.parametrize("name", WITH_RELUS)
def test_it_is_the_log_determinant_of_the_kernel_of_agreements(name, named_network, batches):
    network = named_network(name)
    kernel = kernel_by_hooks(network, batches[0].images)
    probe = Probe(network, batches)
    assert np.array_equal(probe.relu_kernel().numpy(), kernel)
    assert naswot(probe) == pytest.approx(np.linalg.slogdet(kernel)[1], rel=1e-9)


def test_a_tensor_that_several_relus_read_counts_for_each(batches):
    class ReadByThree(nn.Module):
        def __init__(self):
            super().__init__()
            self.relus = nn.ModuleList(nn.ReLU() for _ in range(3))

        def forward(self, images):
            return sum(relu(images) for relu in self.relus).flatten(1)

    one, three = nn.Sequential(nn.ReLU(), nn.Flatten()), ReadByThree()
    images = batches[0].images
    assert torch.equal(Probe(three, batches).relu_kernel(), 3 * Probe(one, batches).relu_kernel())
    assert naswot(Probe(three, batches)) == pytest.approx(naswot(Probe(one, batches)) + len(images) * math.log(3))


def test_a_relu_that_is_called_twice_counts_twice(batches):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, images):
            return self.relu(self.relu(images) - 0.5).flatten(1)

    network = Twice()
    assert np.array_equal(Probe(network, batches).relu_kernel().numpy(), kernel_by_hooks(network, batches[0].images))


def test_codes_are_taken_before_the_relus_input_is_changed_in_place(batches):
    class ChangesInputLater(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, images):
            hidden = images * 1.0
            active = self.relu(hidden)
            hidden += 1.0
            return (active + hidden).flatten(1)

    network = ChangesInputLater()
    assert np.array_equal(Probe(network, batches).relu_kernel().numpy(), kernel_by_hooks(network, batches[0].images))


def test_the_diagonal_counts_all_units(named_network, batches):
    # The linear network has twelve ReLU units, and each image agrees with itself on all of them.
    assert Probe(named_network("linear only"), batches).relu_kernel().diagonal().tolist() == [12] * 8


def test_two_equal_images_make_the_kernel_singular(named_network, batches):
    images = batches[0].images.clone()
    images[5] = images[2]
    assert naswot(Probe(named_network("mixed"), [batch_of(images)])) == -math.inf


def test_a_network_without_relu_modules_is_skipped(named_network, batches):
    with pytest.raises(NotApplicableError, match="ReLU"):
        naswot(Probe(named_network("without relu modules"), batches))


@settings(deadline=None, max_examples=15)
@given(order=st.permutations(range(8)))
def test_the_order_of_the_images_does_not_matter(mixed_network, batches, order):
    permuted = Probe(mixed_network, [batch_of(batches[0].images[list(order)])])
    assert naswot(permuted) == pytest.approx(naswot(Probe(mixed_network, batches)), rel=1e-9)


@settings(deadline=None, max_examples=15)
@given(order=st.permutations(range(12)), scale=st.floats(0.1, 10))
def test_neither_the_order_of_the_units_nor_the_scale_of_their_inputs_matters(linear_network, batches, order, scale):
    changed = copy.deepcopy(linear_network)
    with torch.no_grad():
        changed[1].weight.copy_(scale * linear_network[1].weight[list(order)])
        changed[1].bias.copy_(scale * linear_network[1].bias[list(order)])
        changed[3].weight.copy_(linear_network[3].weight[:, list(order)])
    assert naswot(Probe(changed, batches)) == naswot(Probe(linear_network, batches))


def test_memory_layout_does_not_matter(named_network, batches):
    network = named_network("mixed")
    images = batches[0].images.contiguous(memory_format=torch.channels_last)
    apart = Probe(copy.deepcopy(network).to(memory_format=torch.channels_last), [batch_of(images)])
    assert torch.equal(apart.relu_kernel(), Probe(network, batches).relu_kernel())


def test_a_container_that_is_named_for_its_relu_is_none(batches):
    class ReLUThenFlatten(nn.Sequential):
        def __init__(self):
            super().__init__(nn.ReLU(), nn.Flatten())

    plain = nn.Sequential(nn.ReLU(), nn.Flatten())
    assert torch.equal(Probe(ReLUThenFlatten(), batches).relu_kernel(), Probe(plain, batches).relu_kernel())


def test_every_kind_of_relu_counts(batches):
    # What leaves a ReLU6 is positive exactly where what enters is, so the leaky ReLU sees the same pattern again.
    network = nn.Sequential(nn.ReLU6(), nn.LeakyReLU(), nn.Flatten())
    alone = nn.Sequential(nn.ReLU(), nn.Flatten())
    assert torch.equal(Probe(network, batches).relu_kernel(), 2 * Probe(alone, batches).relu_kernel())


def multiplied_by_zero(network):
    """The network with ``none`` as the official networks have it, which hands gradients of zero on."""

    class MultipliesByZero(nn.Module):
        def forward(self, x):
            return x.mul(0.0)

    changed = copy.deepcopy(network)
    for module in changed.modules():
        for name, child in module.named_children():
            if isinstance(child, Zero):
                setattr(module, name, MultipliesByZero())
    return changed


def kernel_of_the_second_pass(network, images, of_blocks=False):
    """The official procedure: forward, backward, forward; a module counts once the backward pass went through it."""
    network = copy.deepcopy(network)
    kernel, visited = np.zeros((len(images), len(images))), set()

    def count(module, inputs, _):
        nonlocal kernel
        if module in visited:
            x = (inputs[0].detach().numpy() > 0).reshape(len(images), -1).astype(float)
            kernel = kernel + x @ x.T + (1 - x) @ (1 - x).T

    for module in network.modules():
        if "ReLU" in type(module).__name__ and (of_blocks or not list(module.children())):
            module.register_forward_hook(count)
            module.register_full_backward_hook(lambda module, *_: visited.add(module))
    network(images.clone().requires_grad_(True)).sum().backward()
    assert not kernel.any()
    before = {name: buffer.clone() for name, buffer in network.named_buffers() if "running" in name}
    network(images.clone())
    assert not before or any(not torch.equal(before[name], dict(network.named_buffers())[name]) for name in before)
    return kernel


@pytest.mark.parametrize("name", [*WITH_RELUS, "unconnected", "all none", "all skip", "all pool"])
def test_the_official_second_pass_after_a_backward_pass_gives_the_same_kernel(name, named_network, batches):
    network = multiplied_by_zero(named_network(name))
    for module in network.modules():  # hooks of the backward pass and ReLUs in place do not go together
        if isinstance(module, nn.ReLU):
            module.inplace = False
    expected = kernel_of_the_second_pass(network, batches[0].images)
    assert np.array_equal(Probe(network, batches).relu_kernel().numpy(), expected)
    assert np.array_equal(Probe(named_network(name), batches).relu_kernel().numpy(), expected)


def test_only_a_relu_that_does_not_reach_the_outputs_tells_the_two_procedures_apart(batches):
    class DeadEnd(nn.Module):
        def __init__(self):
            super().__init__()
            self.live, self.dead = nn.ReLU(), nn.ReLU()

        def forward(self, images):
            self.dead(images + 1)
            return self.live(images).flatten(1)

    alive = nn.Sequential(nn.ReLU(), nn.Flatten())
    second_pass = kernel_of_the_second_pass(DeadEnd(), batches[0].images)
    assert np.array_equal(second_pass, Probe(alive, batches).relu_kernel().numpy())
    assert not np.array_equal(second_pass, Probe(DeadEnd(), batches).relu_kernel().numpy())


@pytest.mark.parametrize("name", WITH_RELUS)
def test_logdet_is_naswot_to_the_bit(name, named_network, batches):
    network = named_network(name)
    assert logdet(Probe(network, batches)) == naswot(Probe(network, batches))


@pytest.mark.parametrize("name", [*WITH_RELUS, "all none", "all pool"])
def test_with_blocks_it_is_the_official_procedure_with_hooks_on_every_class_named_for_a_relu(
    name, named_network, batches
):
    network = named_network(name)
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    kernel = kernel_of_the_second_pass(multiplied_by_zero(network), batches[0].images, of_blocks=True)
    assert naswot_blocks(Probe(network, batches)) == pytest.approx(np.linalg.slogdet(kernel)[1], rel=1e-12)


def test_on_cells_every_relu_but_the_last_begins_a_block(named_network, batches):
    network = named_network("mixed")
    kernel = kernel_of_the_second_pass(multiplied_by_zero(network), batches[0].images, of_blocks=True)
    # Eight channels of two by two positions enter the last ReLU.
    assert kernel.diagonal().tolist() == (2 * Probe(network, batches).relu_kernel().diagonal() - 8 * 2 * 2).tolist()


def test_without_blocks_it_is_naswot(named_network, batches):
    network = named_network("grouped")
    assert naswot_blocks(Probe(network, batches)) == naswot(Probe(network, batches))


@pytest.fixture(scope="module")
def mixed_network(named_network):
    return named_network("mixed")


@pytest.fixture(scope="module")
def linear_network(named_network):
    return named_network("linear only")


@pytest.mark.parametrize("shape", [(5, 3), (4, 2, 7), (6, 16, 8, 8), (3, 5, 2, 3, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_products_of_bytes_count_what_products_of_floats_count(shape, dtype, monkeypatch):
    torch.manual_seed(0)
    values = torch.randn(shape, dtype=dtype)
    values.view(-1)[:4] = torch.tensor([0.0, -0.0, math.nan, math.inf])
    kernels = []
    for of_bytes in (True, False):
        monkeypatch.setattr(activity, "_has_products_of_bytes", lambda it=of_bytes: it)
        kernels.append(activity.agreeing_units([values]))
    assert torch.equal(*kernels)
    assert kernels[0].dtype == torch.float64
    assert (kernels[0].diagonal() == values[0].numel()).all()
