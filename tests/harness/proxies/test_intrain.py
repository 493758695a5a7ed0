"""InTrain equals its formula, computed layer by layer with numpy from what was drawn."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies import intrain as module
from harness.proxies.intrain import intrain, intrain_geometry, intrain_resilience


@pytest.fixture
def drawn(monkeypatch):
    kept = {}
    gaussian_images, randint = module.gaussian_images, torch.randint

    def images(probe, count):
        kept["images"] = gaussian_images(probe, count)
        return kept["images"]

    def labels(*args):
        kept["labels"] = randint(*args)
        return kept["labels"]

    monkeypatch.setattr(module, "gaussian_images", images)
    monkeypatch.setattr(torch, "randint", labels)
    return kept


def ratio(output):
    values = output.detach().double().numpy()
    rows = np.moveaxis(values, 1, -1).reshape(-1, values.shape[1])
    spectrum = np.linalg.eigvalsh(np.cov(rows.T, bias=True).reshape(rows.shape[1], -1))
    return spectrum.sum() ** 2 / (spectrum**2).sum()


@pytest.mark.parametrize("name", ["convolutions", "mixed", "grouped", "linear only"])
def test_it_is_the_formula_of_the_paper(name, named_network, batches, drawn):
    network = named_network(name)
    plain, outputs = copy.deepcopy(network), []
    probe = Probe(network, batches)
    score, geometry, resilience = (float(proxy(probe)) for proxy in (intrain, intrain_geometry, intrain_resilience))
    for layer in plain.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(lambda _, __, output: outputs.append(output))
    logits = plain(drawn["images"])
    F.cross_entropy(logits, drawn["labels"]).backward()
    gamma = sum(math.log(ratio(output)) for output in outputs)
    even = 0.0
    for parameter in plain.parameters():
        gradient = np.zeros(1) if parameter.grad is None else parameter.grad.numpy()
        even += min(1.0, gradient.std() / (np.abs(gradient).max() + 1e-8))
    assert drawn["images"].shape[0] == 64
    assert geometry == pytest.approx(gamma, rel=1e-8)
    assert resilience == pytest.approx(even, rel=1e-8)
    assert score == pytest.approx(gamma * (1 + even) / math.log(len(outputs) + 1), rel=1e-8)


def test_tokens_have_their_channels_last(drawn):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(2), nn.Linear(16, 3), nn.Flatten(1), nn.Linear(9, 4)).double()
    probe = Probe(network, [Batch(torch.randn(4, 3, 4, 4, dtype=torch.float64), torch.tensor([0, 1, 2, 3]))])
    geometry = float(intrain_geometry(probe))
    tokens = network[1](drawn["images"].flatten(2))
    logits = network[3](tokens.flatten(1))
    wanted = math.log(ratio(tokens.transpose(1, 2))) + math.log(ratio(logits))
    assert geometry == pytest.approx(wanted, rel=1e-8)


def test_a_layer_that_does_not_vary_counts_as_one_direction(drawn):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 4))
    nn.init.zeros_(network[0].weight)
    probe = Probe(network, [Batch(torch.randn(4, 3, 4, 4), torch.tensor([0, 1, 2, 3]))])
    assert float(intrain_geometry(probe)) == 0.0


def test_networks_without_logits_are_not_scored():
    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    with pytest.raises(NotApplicableError, match="needs image classes: logits"):
        intrain(Probe(network, [Batch(torch.randn(4, 3, 8, 8), torch.tensor([0, 1, 2, 3]))]))
