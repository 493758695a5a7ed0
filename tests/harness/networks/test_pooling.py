"""Quick average pooling gives what torch's gives, in both directions."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from harness.networks import pooling
from harness.networks.pooling import average_pooling, average_pooling_backward, with_quick_pooling

CENTRED = [(3, 1, 1, False, False, None), ((5, 5), (1, 1), (2, 2), False, True, None)]
OTHER = [
    (2, 2, 0, False, False, None),
    (3, 1, 1, False, False, 5),
    (3, 2, 1, True, False, None),
    (3, 1, 0, False, True, None),
]


def maps(channels=16):
    torch.manual_seed(0)
    return torch.randn(6, channels, 9, 11).to(memory_format=torch.channels_last)


def both_ways(given, how):
    """The pooling and the gradient of a weighted sum of it, by torch."""
    given = given.clone().requires_grad_(True)
    expected = F.avg_pool2d(given, *how)
    passed = torch.linspace(-1, 1, expected.numel()).view(expected.shape).to(memory_format=torch.channels_last)
    return expected.detach(), passed, torch.autograd.grad(expected, given, passed)[0]


@pytest.mark.parametrize("how", CENTRED)
def test_it_is_torchs(how, monkeypatch):
    monkeypatch.setattr(pooling, "_has_one_dnn", lambda: True)
    given = maps()
    expected, passed, gradient = both_ways(given, how)
    torch.testing.assert_close(average_pooling(given, *how), expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(average_pooling_backward(passed, *how), gradient, rtol=1e-6, atol=1e-6)
    assert average_pooling(given, *how).stride() == expected.stride()


@pytest.mark.parametrize("how", OTHER)
def test_other_windows_are_left_to_torch(how):
    given = maps()
    expected, passed, _ = both_ways(given, how)
    assert torch.equal(average_pooling(given, *how), expected)
    assert average_pooling_backward(passed, *how) is None


@pytest.mark.parametrize("given", [maps().double(), maps(3), maps().contiguous()], ids=["double", "narrow", "layout"])
def test_other_maps_are_left_to_torch(given):
    assert torch.equal(average_pooling(given, *CENTRED[0]), F.avg_pool2d(given, *CENTRED[0]))
    assert average_pooling_backward(given, *CENTRED[0]) is None


def test_a_network_pools_as_it_did():
    network = nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1))
    expected = network(maps())
    torch.testing.assert_close(with_quick_pooling(network)(maps()), expected, rtol=1e-6, atol=1e-6)
    assert not any(type(module) is nn.AvgPool2d for module in network.modules())
