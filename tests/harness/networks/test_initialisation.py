"""Weights are drawn as asked for, and part of what determines a score."""

import math

import pytest
import torch
from torch import nn

import harness
from harness.errors import HarnessError, StoreError
from harness.networks.initialisation import IN_WORDS, initialised, name_of


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(24, 48, 3, groups=2)
        self.up = nn.ConvTranspose2d(48, 32, 3)
        self.norm = nn.BatchNorm2d(32)
        self.head = nn.Linear(320, 200)
        self.position = nn.Parameter(torch.full((3,), 7.0))


FANS = {"conv": (12 * 9, 24 * 9), "up": (48 * 9, 32 * 9), "head": (320, 200)}
VARIANCES = {
    "kaiming_fan_in": lambda fan_in, fan_out: 2 / fan_in,
    "kaiming_fan_out": lambda fan_in, fan_out: 2 / fan_out,
    "xavier": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "gaussian": lambda fan_in, fan_out: 1.0,
}


@pytest.mark.parametrize("name", VARIANCES)
def test_weights_have_the_variance_of_the_rule(name):
    torch.manual_seed(0)
    network = Network()
    nn.init.constant_(network.norm.weight, 5.0)
    initialised(network, name)
    for layer, fans in FANS.items():
        weight = getattr(network, layer).weight
        assert weight.std().item() == pytest.approx(math.sqrt(VARIANCES[name](*fans)), rel=0.04)
        assert abs(weight.mean().item()) < 4 * weight.std().item() / math.sqrt(weight.numel())
        assert not getattr(network, layer).bias.any()
    assert (network.norm.weight == 1).all()
    assert (network.position == 7).all()


@pytest.mark.parametrize(("name", "mode"), [("kaiming_fan_in", "fan_in"), ("kaiming_fan_out", "fan_out")])
def test_the_rules_are_those_of_torch(name, mode):
    """Torch calls the second axis of a transposed convolution's weight what it reads; here it is what it writes to."""
    ours, theirs = nn.Conv2d(8, 16, 3, groups=1), nn.Conv2d(8, 16, 3, groups=1)
    torch.manual_seed(1)
    initialised(ours, name)
    torch.manual_seed(1)
    nn.init.kaiming_normal_(theirs.weight, mode=mode, nonlinearity="relu")
    assert torch.allclose(ours.weight, theirs.weight, rtol=1e-6)


def test_the_default_changes_nothing_and_a_shared_weight_is_drawn_once():
    network = Network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    initialised(network, "default")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    first, second = nn.Linear(6, 6), nn.Linear(6, 6)
    second.weight = first.weight
    torch.manual_seed(2)
    initialised(nn.Sequential(first, second), "gaussian")
    torch.manual_seed(2)
    assert torch.equal(first.weight, torch.randn(6, 6))


def test_every_initialisation_has_words_and_a_name():
    assert [name_of(words) for words in IN_WORDS.values()] == list(IN_WORDS)


def test_it_is_part_of_a_run_and_stands_above_its_tables(tmp_path):
    kept = {"sample": 4, "proxies": "params,l2_norm,grad_norm", "batch_size": 8}
    default = harness.run("digits", out=tmp_path / "default", **kept)
    drawn = harness.run("digits", out=tmp_path / "gaussian", init="gaussian", **kept)
    by_proxy = [table.pivot(index="architecture", columns="proxy", values="value") for table in (default, drawn)]
    assert (by_proxy[0]["params"] == by_proxy[1]["params"]).all()
    assert (by_proxy[1]["l2_norm"] > 2 * by_proxy[0]["l2_norm"]).all()
    assert "Weights drawn anew: N(0, 1)" in "\n".join(harness.report(tmp_path / "gaussian").heading.lines())
    assert "drawn anew" not in "\n".join(harness.report(tmp_path / "default").heading.lines())
    with pytest.raises(StoreError, match="initialisation"):
        harness.run("digits", out=tmp_path / "gaussian", init="xavier", **kept)
    with pytest.raises(HarnessError, match="init"):
        harness.run("digits", out=tmp_path / "none", init="kaiming", **kept)


def test_workers_draw_the_same_weights(tmp_path):
    kept = {"sample": 3, "proxies": "l2_norm", "batch_size": 8, "init": "kaiming_fan_out"}
    one = harness.run("digits", out=tmp_path / "one", **kept)
    two = harness.run("digits", out=tmp_path / "two", workers=2, **kept)
    assert dict(one[["architecture", "value"]].to_numpy()) == dict(two[["architecture", "value"]].to_numpy())


def test_parametrised_weights_are_not_silently_left_as_they_were():
    network = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 3)))
    with pytest.raises(HarnessError, match="parametrised weights, which cannot be drawn anew"):
        initialised(network, "gaussian")
    assert initialised(network, "default") is network
