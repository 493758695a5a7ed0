"""A module at two places scores as two modules of equal values do, and a shared weight as one weight used twice."""

import copy
import functools

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from harness._utils.process_settings import one_thread
from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.registry import proxies

PROXIES = proxies()
CLASSES = 5
COUNTS = "it counts parameters, and a shared one is one"
SUMS = "the gradient of a shared scale is the sum over its uses"
OTHER_THAN_SEPARATE = {
    "norm": {
        "params": COUNTS,
        "parameter_tensors": COUNTS,
        "vkdnw": COUNTS,
        "vkdnw_entropy": SUMS,
        "vkdnw_entropy_fisher": SUMS,
        "grad_norm_all": SUMS,
        "ntk": SUMS,
        "ntk_eval": SUMS,
        "intrain": COUNTS,
        "intrain_resilience": COUNTS,
    },
    "relu": {},
}
"""Why a proxy tells shared modules from separate ones."""


class Block(nn.Module):
    def __init__(self, entering, width):
        super().__init__()
        self.conv = nn.Conv2d(entering, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.norm(self.conv(x)))


class Network(nn.Module):
    """A stem and two blocks, the second of which gets some of its modules from the first in one of several ways."""

    def __init__(self, shared=None, how="separate", entering=3, width=6):
        super().__init__()
        self.stem = Block(entering, width)
        self.blocks = nn.ModuleList([Block(width, width), Block(width, width)])
        self.classifier = nn.Linear(width, CLASSES)
        self.shared = (shared, how)
        first, second = self.blocks
        for norm in (self.stem.norm, first.norm, second.norm):
            with torch.no_grad():
                norm.weight.copy_(torch.linspace(0.5, 1.5, width))
                norm.bias.copy_(torch.linspace(-0.2, 0.3, width))
        second.conv.weight = nn.Parameter(first.conv.weight.detach().clone())
        match how:
            case "registered twice":
                setattr(second, shared, getattr(first, shared))
            case "called twice":
                del second._modules[shared]
                second.__dict__[shared] = getattr(first, shared)
            case "tied":
                for name, parameter in getattr(first, shared).named_parameters():
                    setattr(getattr(second, shared), name, parameter)

    def forward_blocks(self, images):
        features = [self.stem(images)]
        for block in self.blocks:
            features.append(block(features[-1]))
        return features

    def forward_features(self, images):
        return self.forward_blocks(images)[-1]

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean(dim=(2, 3)))

    def thin_network(self):
        return nn.Sequential(Network(*self.shared, entering=1, width=1), nn.Flatten())


@functools.cache
def batches():
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(2, 8, 3, 6, 6, generator=generator, dtype=torch.float64)
    labels = torch.arange(8) % CLASSES
    return [Batch(images, labels) for images in pixels]


@functools.cache
def scores(shared=None, how="separate"):
    """Every proxy's outcome on one network, a number or a reason."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return scores_of(Network(shared, how).double())


def scores_of(network):
    probe = Probe(network, batches())
    with one_thread():
        return {name: outcome(proxy, probe) for name, proxy in PROXIES.items()}


def outcome(proxy, probe):
    try:
        return proxy(probe)
    except NotApplicableError as reason:
        return str(reason)


def same(value):
    return value if isinstance(value, str) else pytest.approx(value, rel=1e-8, abs=1e-12, nan_ok=True)


def test_the_network_of_this_table_is_scored_by_every_proxy_but_those_for_transformers():
    reasons = {name for name, value in scores().items() if isinstance(value, str)}
    assert reasons == {"dss", "az_expressivity_tokens", "az_trainability_tokens"}


@pytest.mark.parametrize("how", ["registered twice", "called twice"])
@pytest.mark.parametrize("shared", ["norm", "relu"])
@pytest.mark.parametrize("name", PROXIES)
def test_a_shared_module_counts_as_two_of_equal_values(name, shared, how):
    found, separate = scores(shared, how)[name], scores()[name]
    if name in OTHER_THAN_SEPARATE[shared]:
        assert found != same(separate), "it has no reason to be told as another"
    else:
        assert found == same(separate)


@pytest.mark.parametrize("how", ["registered twice", "called twice"])
@pytest.mark.parametrize("shared", ["norm", "conv"])
@pytest.mark.parametrize("name", PROXIES)
def test_a_module_called_twice_counts_as_two_that_share_their_parameters(name, shared, how):
    assert scores(shared, how)[name] == same(scores(shared, "tied")[name])


def test_synflow_of_a_shared_batch_norm_is_that_of_a_plain_loop():
    network = Network("norm", "called twice").double()
    twin = copy.deepcopy(network)
    for module in twin.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.forward = lambda x: x
    for parameter in twin.parameters():
        parameter.data.abs_()
    twin(torch.ones(1, 3, 6, 6, dtype=torch.float64)).sum().backward()
    weights = [module.weight for module in twin.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    expected = sum(float((weight * weight.grad).abs().sum()) for weight in weights)
    assert PROXIES["synflow"](Probe(network, batches())) == pytest.approx(expected, rel=1e-10)


def test_a_parametrised_weight_counts_as_the_weight_that_it_gives():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = Network().double()
    network = copy.deepcopy(plain)
    for block in (network.stem, network.blocks[0]):
        parametrizations.weight_norm(block.conv)
    found, expected = scores_of(network), scores()
    more = {"params": 2 * 6, "parameter_tensors": 2}
    for name in PROXIES:
        wanted = expected[name] + more[name] if name in more else expected[name]
        assert found[name] == same(wanted), name
    assert parametrizations.torch.nn.utils.parametrize.is_parametrized(network.stem.conv)
