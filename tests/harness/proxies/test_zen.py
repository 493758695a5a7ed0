"""Zen-Score equals an explicit computation from two passes and the batch variances seen in them."""

import copy
import math

import pytest
import torch
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.zen import zen

ALPHA = 0.01
WITH_FEATURES = ["convolutions", "mixed", "with a dead end", "without relu modules", "grouped"]


def zen_by_definition(network, shape, seed):
    """log mean ‖f(x + αε) - f(x)‖₁ + Σ log sqrt(mean σ²), σ² = .81 + .09 (first variance) + .1 (second variance)."""
    network = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data = torch.randn(module.weight.shape, generator=generator).double()
            if module.bias is not None:
                module.bias.data.zero_()
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.fill_(1)
            module.bias.data.zero_()
    x = torch.randn(shape, generator=generator).double()
    noise = torch.randn(shape, generator=generator).double()
    variances = {module: [] for module in network.modules() if isinstance(module, nn.BatchNorm2d)}
    for module, seen in variances.items():
        module.register_forward_pre_hook(lambda _, inputs, seen=seen: seen.append(inputs[0].var(dim=(0, 2, 3))))
    with torch.no_grad():
        difference = network.forward_features(x + ALPHA * noise) - network.forward_features(x)
        distance = sum(image.abs().sum().item() for image in difference) / len(difference)
        scales = 0.0
        for moved, still in variances.values():  # the perturbed images went first here, and second in the harness
            running = 0.9 * (0.9 * 1.0 + 0.1 * still) + 0.1 * moved
            scales += math.log(math.sqrt(running.mean()))
    return math.log(distance) + scales


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("name", WITH_FEATURES)
def test_it_equals_its_definition(name, seed, named_network, batches):
    network = named_network(name)
    expected = zen_by_definition(network, batches[0].images.shape, seed)
    assert zen(Probe(network, batches, seed=seed)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ["mixed", "grouped"])
def test_float32_is_accurate(name, named_network, batches):
    network = named_network(name)
    single = Probe(copy.deepcopy(network).float(), [Batch(batches[0].images.float(), batches[0].labels)])
    assert zen(single) == pytest.approx(zen(Probe(network, batches)), rel=1e-4)


@pytest.mark.parametrize("name", WITH_FEATURES)
def test_weights_and_statistics_of_the_network_do_not_matter(name, named_network, batches):
    network = named_network(name)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    assert zen(Probe(network, batches)) == zen(Probe(named_network(name, seed=1), batches))


def test_only_the_shape_of_the_images_matters(named_network, batches):
    network = named_network("mixed")
    assert zen(Probe(network, [batches[1]])) == zen(Probe(network, [batches[0]]))


def test_the_seed_draws_weights_and_images(named_network, batches):
    network = named_network("mixed")
    assert zen(Probe(network, batches, seed=1)) != zen(Probe(network, batches, seed=2))


@pytest.mark.parametrize("name", ["unconnected", "all none"])
def test_it_is_not_finite_where_nothing_arrives(name, named_network, batches):
    # All-zero cells still let nothing through the reduction blocks, so both feature maps are equal.
    assert not math.isfinite(zen(Probe(named_network(name), batches)))


@pytest.mark.parametrize("name", ["linear only", "plain convolutions"])
def test_a_network_without_a_feature_map_is_skipped(name, named_network, batches):
    with pytest.raises(NotApplicableError, match="forward_features"):
        zen(Probe(named_network(name), batches))


def test_batch_norm_without_running_statistics_adds_nothing(named_network, batches):
    network = named_network("without relu modules")
    with_scale = zen(Probe(network, batches))
    seen = []
    handle = network.norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].var(dim=(0, 2, 3))))
    zen(Probe(network, batches))
    handle.remove()
    running = 0.81 + 0.09 * seen[0] + 0.1 * seen[1]
    network.norm = nn.BatchNorm2d(6, track_running_stats=False).double()
    assert zen(Probe(network, batches)) == pytest.approx(with_scale - math.log(running.mean()) / 2, rel=1e-9)


def test_a_linear_network_by_hand():
    # f(x + αε) - f(x) = α W ε, whatever x is.
    class OneConvolution(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 3, 1)

        def forward_features(self, images):
            return self.conv(images)

    images = torch.zeros(4, 2, 5, 5, dtype=torch.float64)
    generator = torch.Generator().manual_seed(11)
    weight = torch.randn(3, 2, 1, 1, generator=generator)
    torch.randn(4, 2, 5, 5, generator=generator)
    noise = torch.randn(4, 2, 5, 5, generator=generator)
    expected = math.log(ALPHA * torch.einsum("oi,nihw->nohw", weight[:, :, 0, 0], noise).double().abs().sum() / 4)
    probe = Probe(OneConvolution().double(), [Batch(images, torch.zeros(4, dtype=torch.int64))], seed=11)
    assert zen(probe) == pytest.approx(expected, rel=1e-6)


def test_dropout_draws_from_the_probes_seed_and_not_from_the_global_state(named_network, batches):
    network = named_network("dropout")
    torch.manual_seed(1)
    first = zen(Probe(network, batches))
    torch.manual_seed(2)
    assert zen(Probe(network, batches)) == first
