"""L-SWAG equals numpy's deviations of gradients, times patterns counted in a Python set."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from harness.errors import HarnessError
from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies._patterns import distinct_patterns, packed
from harness.proxies.l_swag import l_swag, l_swag_of_interval
from harness.tasks import Objective

WITH_UNITS = ["convolutions", "mixed", "with a dead end", "grouped", "plain convolutions"]


def watched(network, images):
    """The layers in the order of their calls; for each unit call, the number of layers called before, and its codes."""
    layers, units = [], []

    def after_layer(layer, _, __):
        layers.append(layer)

    def before_unit(_, inputs):
        units.append((len(layers), (inputs[0] > 0).flatten(1).T.tolist()))

    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.register_forward_hook(after_layer)
        elif isinstance(part, nn.ReLU | nn.GELU):
            part.register_forward_pre_hook(before_unit)
    network(images.clone())
    return layers, units


def by_hand(network, batches, start=0, end=1):
    """Λ · Ψ in numpy and Python, layer for layer and unit for unit."""
    layers, units = watched(copy.deepcopy(network), batches[0].images)
    indices = range(len(layers))
    kept = [start * len(layers) <= index < end * len(layers) for index in indices]

    def gradients(batch):
        fresh = copy.deepcopy(network)
        called = list(watched(fresh, batch.images)[0])
        F.cross_entropy(fresh(batch.images), batch.labels).backward()
        return [np.zeros(1) if layer.weight.grad is None else layer.weight.grad.numpy() for layer in called]

    steadiness = 0.0
    for index, pair in enumerate(zip(*map(gradients, batches), strict=True)):
        deviations = np.std(np.abs(np.stack(pair)), axis=0)
        if kept[index] and (deviations > 0).any():
            steadiness += math.log(np.sum(1 / deviations[deviations > 0]))
    patterns = {tuple(code) for before, codes in units if kept[max(before - 1, 0)] for code in codes}
    return steadiness * len(patterns)


@pytest.mark.parametrize("name", WITH_UNITS)
def test_it_is_its_formula(name, named_network, batches):
    network = named_network(name)
    assert l_swag(Probe(network, batches)) == pytest.approx(by_hand(network, batches), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [*[("convolutions", *ends) for ends in ((0, 1), (0, 0.5), (0.5, 1), (0.3, 0.8))], ("plain convolutions", 0.2, 0.6)],
)
def test_an_interval_takes_its_layers_and_the_units_after_them(name, start, end, named_network, batches):
    network = named_network(name)
    found = l_swag_of_interval(Probe(network, batches), start, end)
    assert found == pytest.approx(by_hand(network, batches, start, end), rel=1e-6)


def test_the_whole_network_is_an_interval(named_network, batches):
    probe = Probe(named_network("mixed"), batches)
    assert l_swag_of_interval(probe, 0, 1) == l_swag(probe)


def test_units_on_tokens_count_and_more_images_than_bits_of_a_word():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 4), nn.GELU(), nn.Flatten(), nn.Linear(12, 3)
    ).double()
    batches = [Batch(torch.randn(60, 3, 6).double(), torch.randint(3, (60,))) for _ in range(2)]
    assert l_swag(Probe(network, batches)) == pytest.approx(by_hand(network, batches), rel=1e-6)


def test_one_weight_and_one_unit_by_hand():
    """The gradients are the images, whose deviation is half their distance; there is one pattern."""

    class Small(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu, self.linear = nn.ReLU(), nn.Linear(1, 1, bias=False)

        def forward(self, x):
            return self.linear(self.relu(x))

    def scored(first, second):
        batches = [Batch(torch.tensor([[value]], dtype=torch.float64), torch.tensor([0])) for value in (first, second)]
        loss = Objective("class", lambda outputs, _: outputs.sum(), "sum")
        return float(l_swag(Probe(Small().double(), batches, objective=loss)))

    assert scored(3.0, 1.0) == pytest.approx(0.0, abs=1e-12)
    assert scored(3.0, 2.5) == pytest.approx(math.log(4))
    assert scored(3.0, 13.0) == pytest.approx(-math.log(5))
    assert scored(2.0, 2.0) == 0


def test_the_order_of_the_images_does_not_matter(named_network, batches):
    network = named_network("mixed")
    order = [3, 1, 0, 2, 7, 6, 5, 4]
    shuffled = [Batch(batch.images[order], batch.labels[order]) for batch in batches]
    assert l_swag(Probe(network, shuffled)) == pytest.approx(float(l_swag(Probe(network, batches))), rel=1e-9)


def test_what_is_undefined_says_why(named_network, batches):
    network = named_network("convolutions")
    with pytest.raises(NotApplicableError, match="needs 2 mini-batches; there is 1"):
        l_swag(Probe(network, batches[:1]))
    with pytest.raises(NotApplicableError, match="no ReLU modules or relatives"):
        l_swag(Probe(nn.Sequential(nn.Flatten(), nn.Linear(192, 10)).double(), batches))
    for start, end in [(0.5, 0.5), (0.7, 0.2), (-0.1, 0.5), (0.5, 1.1), (math.nan, 1)]:
        with pytest.raises(HarnessError, match="goes from one share to a larger one"):
            l_swag_of_interval(Probe(network, batches), start, end)
    with pytest.raises(NotApplicableError, match="no layers from 1% to 1%"):
        l_swag_of_interval(Probe(network, batches), 0.01, 0.011)
    with pytest.raises(NotApplicableError, match="no units from 50% to 100%"):
        l_swag_of_interval(Probe(named_network("plain convolutions"), batches), 0.5, 1)


@pytest.mark.parametrize("images", [1, 24, 25, 48, 49, 130])
def test_every_image_tells_patterns_apart(images):
    """The identity's columns, each twice, and one of zeros."""
    codes = torch.cat([torch.eye(images), torch.eye(images), torch.zeros(images, 1)], dim=1)
    assert distinct_patterns(packed(codes)) == images + 1
