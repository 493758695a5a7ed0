"""epsinas equals the distance between two scaled output vectors, of networks whose weights are set by hand."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.epsinas import epsinas, epsinas_nasbench101

PAIRS = {epsinas: (1e-7, 1.0), epsinas_nasbench101: (1e-4, 10.0)}


def distance(first, second):
    """Of two vectors of outputs, by loops over the entries that are not the smallest."""
    scaled = [[(z - min(outputs)) / (max(outputs) - min(outputs)) for z in outputs] for outputs in (first, second)]
    both = [abs(a - b) for a, b in zip(*scaled, strict=True) if min(a, b) > 1e-9]
    every = [p for outputs in scaled for p in outputs if p > 1e-9]
    return np.mean(both) / np.mean(every)


def outputs(network, images, weight):
    """In a network in which only what is trained is touched, with batch norms written out."""
    network = copy.deepcopy(network).double()

    def normalise(module, inputs, _):
        return F.batch_norm(inputs[0], None, None, module.weight, module.bias, training=True, eps=module.eps)

    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.register_forward_hook(normalise)
    for name, parameter in network.named_parameters():
        nn.init.constant_(parameter, weight if name.endswith("weight") else 0)
    return network.eval()(images.double()).flatten().tolist()


@pytest.mark.parametrize("proxy", PAIRS, ids=lambda p: p.name)
def test_it_is_the_distance_of_scaled_outputs(proxy, network, batches):
    expected = distance(*(outputs(network, batches[0].images, weight) for weight in PAIRS[proxy]))
    assert proxy(Probe(network, batches)) == pytest.approx(expected, rel=1e-9)


def test_weights_labels_and_biases_of_the_network_do_not_matter(named_network, batches):
    other = [Batch(batches[0].images, (batches[0].labels + 1) % 10)]
    assert epsinas(Probe(named_network("mixed"), batches)) == epsinas(Probe(named_network("mixed", seed=1), other))


def test_running_statistics_do_not_matter(named_network, batches):
    network = named_network("mixed")
    expected = epsinas(Probe(network, batches))
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.fill_(3)
            part.running_var.fill_(7)
    assert epsinas(Probe(network, batches)) == expected


def test_both_precisions_give_one_score(named_network, batches):
    """Where the small weight leaves nothing that float32 could hold."""
    single = [Batch(batches[0].images.float(), batches[0].labels)]
    value = epsinas(Probe(named_network("convolutions").float(), single))
    assert value == pytest.approx(epsinas(Probe(named_network("convolutions"), batches)), rel=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=8, unique=True))
def test_a_network_that_is_linear_in_its_weights_scores_zero(values):
    """Both vectors are one and the same once they are scaled."""
    linear = nn.Sequential(nn.Flatten(), nn.Linear(1, 1)).double()
    images = torch.tensor(values, dtype=torch.float64).reshape(-1, 1, 1, 1)
    labels = torch.zeros(len(values), dtype=torch.int64)
    assert epsinas(Probe(linear, [Batch(images, labels)])) == pytest.approx(0, abs=1e-6)


def test_more_classes_do_not_matter(batches):
    def network(classes):
        return nn.Sequential(
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, classes),
        ).double()

    assert epsinas(Probe(network(1), batches)) == pytest.approx(epsinas(Probe(network(10), batches)), rel=1e-9)


def test_no_output_that_is_the_smallest_but_for_rounding_counts(batches):
    class Nearly(nn.Module):
        def forward(self, images):
            outputs = torch.tensor([0.0, 1e-16, 1.0, 2.0], dtype=torch.float64)
            return outputs[:, None] ** (1 + int(next(counter)))

    counter = iter([0, 1])
    assert epsinas(Probe(Nearly(), batches)) == pytest.approx(np.mean([0.25, 0]) / np.mean([0.5, 1, 0.25, 1]))


def test_dropout_is_off(named_network, batches):
    network = named_network("dropout")
    assert epsinas(Probe(network, batches, seed=1)) == epsinas(Probe(network, batches, seed=2))


def test_where_nothing_arrives_it_is_not_a_number(named_network, batches):
    assert math.isnan(epsinas(Probe(named_network("unconnected"), batches)))


def test_a_single_image_has_no_spread(named_network, batches):
    with pytest.raises(NotApplicableError, match="needs at least two images"):
        epsinas(Probe(named_network("mixed"), [Batch(batches[0].images[:1], batches[0].labels[:1])]))
