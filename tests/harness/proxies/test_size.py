"""The baselines count what is there."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from harness.images import Batch
from harness.probe import Probe
from harness.proxies.size import (
    convolutions,
    flops,
    l2_norm,
    layers,
    log_layer_sizes,
    log_layer_sizes_all,
    parameter_tensors,
    params,
)
from harness.proxies.zico import zico


def flops_by_torch(network, image):
    """Half of torch's own count, which takes a multiply-accumulate for two operations."""
    evaluated = copy.deepcopy(network).eval()
    with FlopCounterMode(display=False) as counter:
        evaluated(image)
    return counter.get_total_flops() / 2


def score(proxy, network, images):
    return proxy(Probe(network, [Batch(images, torch.zeros(len(images), dtype=torch.int64))]))


def test_params_counts_every_entry_of_every_parameter(probe, network):
    assert params(probe) == sum(math.prod(parameter.shape) for parameter in network.parameters())


def test_params_of_a_cell_network_by_hand(named_network, batches):
    # Stem, two reductions (a 3x3 pair and the 1x1 shortcut), last batch norm, classifier; batch norms have 2 a channel.
    stem = 3 * 4 * 9 + 2 * 4
    reductions = (4 * 8 * 9 + 16 + 8 * 8 * 9 + 16 + 4 * 8) + (8 * 8 * 9 + 16 + 8 * 8 * 9 + 16 + 8 * 8)
    head = 2 * 8 + 8 * 10 + 10
    assert params(Probe(named_network("all none"), batches)) == stem + reductions + head
    one_by_one = 6 * ((4 * 4 + 8) + 2 * (8 * 8 + 16))
    convolutions = 3 * ((4 * 4 * 9 + 8) + 2 * (8 * 8 * 9 + 16)) + one_by_one // 2
    assert params(Probe(named_network("convolutions"), batches)) == stem + reductions + head + convolutions


def test_a_shared_parameter_counts_once(batches):
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 192), nn.Linear(192, 192))
    network[2].weight = network[1].weight
    assert params(Probe(network.double(), batches)) == 192 * 192 + 2 * 192


def test_flops_are_half_of_what_torch_counts_for_one_image(probe, network, batches):
    assert flops(probe) == flops_by_torch(network, batches[0].images[:1])


def test_flops_of_odd_cells_are_half_of_what_torch_counts(odd_network, batches):
    assert flops(Probe(odd_network, batches)) == flops_by_torch(odd_network, batches[0].images[:1])


@given(
    groups=st.sampled_from([1, 2, 3, 6]),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    images=st.integers(1, 4),
)
def test_flops_of_any_convolution(groups, kernel, stride, padding, dilation, images):
    network = nn.Conv2d(6, 12, kernel, stride, padding, dilation, groups)
    inputs = torch.zeros(images, 6, 9, 7)
    height, width = network(inputs).shape[2:]
    assert score(flops, network, inputs) == height * width * 12 * (6 // groups) * kernel**2
    assert score(flops, network, inputs) == flops_by_torch(network, inputs[:1])


def test_a_linear_layer_on_a_sequence_takes_its_weights_at_every_position():
    network = nn.Linear(5, 7)
    assert score(flops, network, torch.zeros(3, 11, 5)) == 11 * 5 * 7


def test_flops_do_not_depend_on_the_number_of_images(network, batches):
    few = Batch(batches[0].images[:3], batches[0].labels[:3])
    assert flops(Probe(network, [few])) == flops(Probe(network, batches))


class CalledTwice(nn.Module):
    """One convolution, run twice."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, images):
        return self.conv(self.conv(images)).flatten(1)


class WithUnusedLayer(nn.Module):
    """A layer that the forward pass leaves out, as an auxiliary head is."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Linear(3, 3)
        self.classifier = nn.Linear(192, 10)

    def forward(self, images):
        return self.classifier(images.flatten(1))


@pytest.mark.parametrize("make", [CalledTwice, WithUnusedLayer])
def test_flops_count_calls_and_not_layers(make, batches):
    network = make().double()
    assert flops(Probe(network, batches)) == flops_by_torch(network, batches[0].images[:1])


def test_l2_norm_sums_the_norms_of_convolution_and_linear_weights(probe, network):
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    norms = [math.sqrt(sum(entry**2 for entry in layer.weight.flatten().tolist())) for layer in layers]
    assert l2_norm(probe) == pytest.approx(sum(norms), rel=1e-12)


@given(factor=st.floats(-4, 4))
def test_l2_norm_scales_with_the_weights(factor):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2)).double()
    before = l2_norm(Probe(network, []))
    with torch.no_grad():
        network[0].weight.mul_(factor)
        network[2].weight.mul_(factor)
    assert l2_norm(Probe(network, [])) == pytest.approx(abs(factor) * before, rel=1e-12)


def test_size_without_layers_is_zero(batches):
    nothing = Probe(nn.Flatten(), batches)
    assert (params(nothing), flops(nothing), l2_norm(nothing)) == (0, 0, 0)
    assert (layers(nothing), convolutions(nothing), parameter_tensors(nothing), log_layer_sizes_all(nothing)) == (
        0,
    ) * 4


def test_layers_of_a_cell_network_by_hand(named_network, batches):
    # Stem, two reductions of two convolutions and a shortcut, classifier; then three cells of six edges.
    skeleton = 1 + 2 * 3 + 1
    assert layers(Probe(named_network("all none"), batches)) == skeleton
    assert layers(Probe(named_network("mixed"), batches)) == skeleton + 3 * 3
    assert convolutions(Probe(named_network("mixed"), batches)) == skeleton - 1 + 3 * 3
    # A batch norm has two tensors; the shortcuts have none, and one follows the last cell. The classifier has a bias.
    expected = 3 * (skeleton - 1 - 2 + 3 * 3) + 2 + 2 + 2
    assert parameter_tensors(Probe(named_network("mixed"), batches)) == expected


def test_transposed_convolutions_are_layers_and_batch_norms_are_none():
    network = nn.Sequential(nn.ConvTranspose2d(3, 4, 2), nn.BatchNorm2d(4), nn.Conv1d(4, 4, 1), nn.Linear(4, 2))
    probe = Probe(network, [])
    assert (layers(probe), convolutions(probe), parameter_tensors(probe)) == (3, 2, 8)


def test_a_layer_that_is_called_twice_is_one(batches):
    probe = Probe(CalledTwice().double(), batches)
    assert (layers(probe), convolutions(probe)) == (1, 1)


@given(shapes=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 3)), min_size=1, max_size=5))
def test_log_layer_sizes_all_by_hand(shapes):
    network = nn.Sequential(*(nn.Conv2d(a, b, k) for a, b, k in shapes))
    product = math.prod(a * b * k * k for a, b, k in shapes)
    assert log_layer_sizes_all(Probe(network, [])) == pytest.approx(math.log(product), abs=1e-12)


def gradients_by_backward(network, batches):
    """Two gradients for each convolution and linear layer, zeros where there is none, as numpy arrays."""
    found = []
    for batch in batches:
        twin = copy.deepcopy(network)
        F.cross_entropy(twin(batch.images), batch.labels).backward()
        weights = [m.weight for m in twin.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        found.append([(torch.zeros_like(w) if w.grad is None else w.grad).flatten().numpy() for w in weights])
    return list(zip(*found, strict=True))


def check_against_zico(network, batches):
    pairs = gradients_by_backward(network, batches)
    varying = [int(np.count_nonzero(np.std(pair, axis=0))) for pair in pairs]
    reached = [len(first) for (first, _), count in zip(pairs, varying, strict=True) if count]
    probe = Probe(network, batches)
    assert log_layer_sizes(probe) == pytest.approx(sum(map(math.log, reached)), rel=1e-12)
    bound = sum(math.log(count) for count in varying if count)
    assert bound <= log_layer_sizes(probe) + 1e-12
    assert zico(probe) >= bound - 1e-9


def test_zico_is_not_below_the_log_layer_sizes_of_the_weights_that_vary(network, batches):
    check_against_zico(network, batches)


def test_neither_is_it_where_layers_are_not_reached(odd_network, batches):
    check_against_zico(odd_network, batches)


def test_log_layer_sizes_leave_out_what_no_gradient_reaches(batches):
    probe = Probe(WithUnusedLayer().double(), batches)
    assert log_layer_sizes(probe) == pytest.approx(math.log(192 * 10))
    assert log_layer_sizes_all(probe) == pytest.approx(math.log(192 * 10) + math.log(9))


@given(numbers=st.lists(st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-3), min_size=2, max_size=20))
def test_the_mean_magnitude_of_two_numbers_is_at_least_their_deviation(numbers):
    # The inequality that the bound rests on, with equality where signs differ.
    for a, b in itertools.pairwise(numbers):
        mean, deviation = np.mean([abs(a), abs(b)]), np.std([a, b])
        assert mean >= deviation - 1e-12
        assert np.mean([abs(a), abs(-abs(a))]) == pytest.approx(np.std([abs(a), -abs(a)]))
        if a * b < 0:
            assert mean == pytest.approx(deviation)
