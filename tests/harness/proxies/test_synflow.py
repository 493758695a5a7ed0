"""SynFlow lets ones flow through absolute weights, without data and without batch norm."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.synflow import log_synflow, synflow, synflow_bn


def flow_by_definition(network, shape):
    """Σ |W · ∂R/∂W| on a copy with absolute parameters, whose batch norms pass their input on by a forward hook."""
    network = copy.deepcopy(network).double()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda _, inputs, output: inputs[0])
    for parameter in network.parameters():
        parameter.data = parameter.data.abs()
    network(torch.ones(1, *shape, dtype=torch.float64)).sum().backward()
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return sum(
        (layer.weight * layer.weight.grad).abs().sum().item() for layer in layers if layer.weight.grad is not None
    )


def chain(*widths):
    layers = [nn.Linear(a, b, bias=False) for a, b in itertools.pairwise(widths)]
    return nn.Sequential(nn.Flatten(), *layers).double()


def batch_like(width, images=3):
    return [Batch(torch.randn(images, width, 1, 1, dtype=torch.float64), torch.zeros(images, dtype=torch.int64))]


def test_it_equals_its_definition(probe, network, batches):
    assert synflow(probe) == pytest.approx(flow_by_definition(network, batches[0].images.shape[1:]), rel=1e-10)


def test_float32_weights_flow_in_float64(network, batches):
    network = network.float()
    batch = Batch(batches[0].images.float(), batches[0].labels)
    assert synflow(Probe(network, [batch])) == pytest.approx(
        flow_by_definition(network, batch.images.shape[1:]), rel=1e-12
    )


def test_log_synflow_is_its_natural_logarithm(probe):
    assert log_synflow(probe) == pytest.approx(math.log(synflow(probe)), rel=1e-12)


@settings(deadline=None, max_examples=30)
@given(widths=st.lists(st.integers(1, 5), min_size=2, max_size=6), seed=st.integers(0, 100))
def test_in_a_linear_chain_all_that_flows_passes_every_layer(widths, seed):
    # Each layer's saliency is R = 1ᵀ |W_L| ... |W_1| 1, so the score is R for every layer.
    torch.manual_seed(seed)
    network = chain(*widths)
    flow = np.ones(widths[0])
    for layer in network[1:]:
        flow = np.abs(layer.weight.detach().numpy()) @ flow
    layers = len(widths) - 1
    assert synflow(Probe(network, batch_like(widths[0]))) == pytest.approx(layers * flow.sum(), rel=1e-10)


@settings(deadline=None, max_examples=20)
@given(factor=st.floats(0.001, 1000), layer=st.integers(1, 3), sign=st.sampled_from([-1, 1]))
def test_scaling_one_layer_of_a_chain_scales_the_score(factor, layer, sign):
    torch.manual_seed(0)
    network = chain(4, 5, 6, 2)
    before = synflow(Probe(network, batch_like(4)))
    with torch.no_grad():
        network[layer].weight.mul_(sign * factor)
    after = Probe(network, batch_like(4))
    assert synflow(after) == pytest.approx(factor * before, rel=1e-10)
    assert log_synflow(after) == pytest.approx(math.log(before) + math.log(factor), rel=1e-10, abs=1e-10)


def test_the_signs_of_the_weights_do_not_matter(network, batches):
    before = synflow(Probe(network, batches))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(torch.where(torch.rand(parameter.shape) < 0.5, -1.0, 1.0))
    assert synflow(Probe(network, batches)) == before


@settings(deadline=None, max_examples=10)
@given(order=st.permutations(range(6)))
def test_the_order_of_a_layers_channels_does_not_matter(plain_convolutions, batches, order):
    permuted = copy.deepcopy(plain_convolutions)
    with torch.no_grad():
        permuted[0].weight.copy_(plain_convolutions[0].weight[list(order)])
        permuted[0].bias.copy_(plain_convolutions[0].bias[list(order)])
        permuted[2].weight.copy_(plain_convolutions[2].weight[:, list(order)])
    expected = synflow(Probe(plain_convolutions, batches))
    assert synflow(Probe(permuted, batches)) == pytest.approx(expected, rel=1e-12)


def test_neither_images_nor_their_number_matter_but_their_shape_does(named_network, batches):
    network = named_network("mixed")
    nonsense = Batch(torch.full((2, 3, 8, 8), torch.nan, dtype=torch.float64), torch.zeros(2, dtype=torch.int64))
    assert synflow(Probe(network, [nonsense])) == synflow(Probe(network, batches))
    larger = Batch(torch.zeros(2, 3, 16, 16, dtype=torch.float64), torch.zeros(2, dtype=torch.int64))
    assert synflow(Probe(network, [larger])) != synflow(Probe(network, batches))


def test_batch_norm_does_not_matter(named_network, batches):
    network = named_network("mixed")
    before = synflow(Probe(network, batches))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
            module.running_var.fill_(7)
    assert synflow(Probe(network, batches)) == before


def test_nothing_flows_through_a_layer_of_zeros(batches):
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.Linear(4, 10, bias=False)).double()
    nn.init.zeros_(network[2].weight)
    silent = Probe(network, batches)
    assert (synflow(silent), log_synflow(silent)) == (0, -math.inf)


def flow_with_batch_norm_by_hand(network, shape):
    """Batch norm in its own words: minus mean, over the root of the biased variance and ε, times |γ| plus |β|."""
    network = copy.deepcopy(network).double()
    for parameter in network.parameters():
        parameter.data = parameter.data.abs()

    def normalise(norm, inputs, _):
        (x,) = inputs
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        variance = ((x - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
        return (x - mean) / (variance + norm.eps).sqrt() * norm.weight[:, None, None] + norm.bias[:, None, None]

    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(normalise)
    network(torch.ones(1, *shape, dtype=torch.float64)).sum().backward()
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return sum(
        (layer.weight * layer.weight.grad).abs().sum().item() for layer in layers if layer.weight.grad is not None
    )


@pytest.mark.parametrize("name", ["convolutions", "mixed", "with a dead end", "grouped", "all skip", "all pool"])
def test_with_batch_norm_it_goes_through_the_statistics_of_the_one_image(name, named_network, batches):
    network = named_network(name)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    expected = flow_with_batch_norm_by_hand(network, batches[0].images.shape[1:])
    assert synflow_bn(Probe(network, batches)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["linear only", "plain convolutions"])
def test_without_batch_norms_it_makes_no_difference_to_keep_them(name, named_network, batches):
    network = named_network(name)
    assert synflow_bn(Probe(network, batches)) == synflow(Probe(network, batches))


@settings(deadline=None, max_examples=10)
@given(factor=st.floats(0.5, 100))
def test_scaling_a_layer_before_a_batch_norm_leaves_its_flow_as_it_is(padded, factor):
    before = synflow_bn(Probe(padded, [Batch(torch.zeros(1, 3, 8, 8).double(), torch.zeros(1, dtype=torch.int64))]))
    scaled = copy.deepcopy(padded)
    with torch.no_grad():
        scaled[0].weight.mul_(factor)
    after = synflow_bn(Probe(scaled, [Batch(torch.zeros(1, 3, 8, 8).double(), torch.zeros(1, dtype=torch.int64))]))
    assert after == pytest.approx(before, rel=1e-6)


def test_a_map_of_one_position_has_no_variance(batches):
    network = nn.Sequential(nn.Conv2d(3, 4, 8), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 10)).double()
    with pytest.raises(NotApplicableError, match="single value per channel"):
        synflow_bn(Probe(network, batches))
    assert synflow(Probe(network, batches)) > 0


def test_other_errors_of_the_pass_are_not_taken_for_it(batches):
    class Refuses(nn.Module):
        def forward(self, images):
            raise ValueError("something else")

    with pytest.raises(ValueError, match="something else"):
        synflow_bn(Probe(Refuses(), batches))


@pytest.fixture(scope="module")
def padded():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4, eps=1e-14), nn.Flatten(), nn.Linear(256, 5)
    ).double()


@pytest.fixture(scope="module")
def plain_convolutions(named_network):
    return named_network("plain convolutions")
