"""A fast copy is what a deep copy is, and shares nothing with the network."""

import copy

import pytest
import torch
from torch import nn

from harness.probe import copying
from harness.probe.copying import copy_network
from harness.registry import load_benchmark

ORIGINAL = copy.deepcopy
CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"


class WithATensor(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.mask = nn.Linear(2, 2), torch.ones(2)


class WithItsOwnWay(nn.Linear):
    def __deepcopy__(self, memo):
        return nn.Identity()


def tied():
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.BatchNorm1d(3))
    network[1].weight = network[0].weight
    network.append(network[2])
    network[0].bias.requires_grad_(False)
    network.facts = {"widths": [3, 3], "name": "tied"}
    return network.eval()


def cell():
    return load_benchmark("nats-tss").build(CELL, "cifar10").to(memory_format=torch.channels_last)


def state(network):
    return [
        (name, tensor.stride(), tensor.requires_grad, type(tensor), tensor.clone())
        for name, tensor in [*network.named_parameters(remove_duplicate=False), *network.named_buffers()]
    ]


@pytest.mark.parametrize("make", [tied, cell])
def test_it_equals_a_deep_copy(make, monkeypatch):
    network = make()
    expected = copy.deepcopy(network)
    deep_copies = []
    monkeypatch.setattr(copying.copy, "deepcopy", lambda value: deep_copies.append(value) or ORIGINAL(value))
    copied = copy_network(network)
    assert not any(isinstance(value, nn.Module) for value in deep_copies)
    assert str(copied) == str(expected)
    assert [m.training for m in copied.modules()] == [m.training for m in expected.modules()]
    for mine, theirs in zip(state(copied), state(expected), strict=True):
        assert mine[:4] == theirs[:4]
        assert torch.equal(mine[4], theirs[4])


@pytest.mark.parametrize("make", [tied, cell])
def test_it_shares_nothing(make):
    network = make()
    before = state(network)
    copied = copy_network(network)
    with torch.no_grad():
        for tensor in copied.state_dict().values():
            tensor.add_(1)
    copied.register_forward_hook(lambda *_: None)
    copied.extra = nn.Identity()
    assert all(torch.equal(a[4], b[4]) for a, b in zip(state(network), before, strict=True))
    assert not network._forward_hooks
    assert not hasattr(network, "extra")


def test_what_stands_twice_stands_twice():
    copied = copy_network(tied())
    assert copied[1].weight is copied[0].weight
    assert copied[3] is copied[2]
    copied.facts["widths"].append(4)


def test_hooks_are_copied():
    calls = []
    network = tied()
    network.register_forward_hook(lambda *_: calls.append(1))
    copy_network(network)(torch.zeros(2, 3))
    assert calls == [1]


def test_what_holds_other_things_is_copied_deeply():
    network = WithATensor()
    copied = copy_network(network)
    copied.mask.zero_()
    assert network.mask.sum() == 2
    assert isinstance(copy_network(nn.Sequential(WithItsOwnWay(2, 2)))[0], nn.Identity)
