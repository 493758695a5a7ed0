"""Zen-Score equals an explicit computation from two passes and the batch variances seen in them."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.zen import zen, zen_32, zen_paper

ALPHA = 0.01
EVERY = [zen, zen_32, zen_paper]
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


def test_the_scale_is_that_of_the_running_variance(named_network, batches):
    network = named_network("without relu modules")
    with_scale = zen(Probe(network, batches))
    seen = []
    handle = network.norm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].var(dim=(0, 2, 3))))
    zen(Probe(network, batches))
    handle.remove()
    running = 0.81 + 0.09 * seen[0] + 0.1 * seen[1]
    network.norm = OfTheBatch()
    assert zen(Probe(network, batches)) == pytest.approx(with_scale - math.log(running.mean()) / 2, rel=1e-9)


class OfTheBatch(nn.Module):
    """Normalises as batch norm does, but is none."""

    def forward(self, x):
        centred = x - x.mean(dim=(0, 2, 3), keepdim=True)
        return centred / (centred.square().mean(dim=(0, 2, 3), keepdim=True) + 1e-5).sqrt()


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


def draw_weights(network, generator):
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data = torch.randn(module.weight.shape, generator=generator).double()
            if module.bias is not None:
                module.bias.data.zero_()


def zen_of_repeats(network, shape, seed, repeats):
    """The mean of the repeats' scores; running variances by their recurrence r ← .9 r + .1 v through all passes."""
    network = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    running = {m: torch.ones(m.num_features).double() for m in network.modules() if isinstance(m, nn.BatchNorm2d)}

    def update(module, inputs):
        running[module] = 0.9 * running[module] + 0.1 * inputs[0].var(dim=(0, 2, 3))

    for module in running:
        module.register_forward_pre_hook(update)
    scores = []
    for _ in range(repeats):
        draw_weights(network, generator)
        x = torch.randn(shape, generator=generator).double()
        noise = torch.randn(shape, generator=generator).double()
        with torch.no_grad():
            difference = network.forward_features(x) - network.forward_features(x + ALPHA * noise)
        distance = sum(image.abs().sum().item() for image in difference) / len(difference)
        scores.append(math.log(distance) + sum(math.log(math.sqrt(r.mean())) for r in running.values()))
    return sum(scores) / repeats


@pytest.mark.parametrize("name", WITH_FEATURES)
def test_32_repeats_go_on_with_the_running_variances(name, named_network, batches):
    network, shape = named_network(name), batches[0].images.shape
    assert zen_32(Probe(network, batches, seed=3)) == pytest.approx(zen_of_repeats(network, shape, 3, 32), rel=1e-9)
    assert zen(Probe(network, batches, seed=3)) == pytest.approx(zen_of_repeats(network, shape, 3, 1), rel=1e-9)


def zen_of_the_paper(network, shape, seed):
    """log E‖f(x) - f(x + αε)‖_F + Σ log sqrt(Σ_j σ_j² / m), σ the batch's own as the batch norm divides by it."""
    network = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    draw_weights(network, generator)
    x = torch.randn(shape, generator=generator).double()
    noise = torch.randn(shape, generator=generator).double()
    with torch.no_grad():
        still_and_moved = network.forward_features(x), network.forward_features(x + ALPHA * noise)
        scales = 0.0
        seen = {m: [] for m in network.modules() if isinstance(m, nn.BatchNorm2d)}
        for module, inputs in seen.items():
            module.register_forward_pre_hook(lambda _, given, inputs=inputs: inputs.append(given[0]))
        network.forward_features(x)
        for (entering,) in seen.values():
            channels = entering.transpose(0, 1).flatten(1).numpy()
            scales += math.log(math.sqrt(sum(channel.var() for channel in channels) / len(channels)))
    frobenius = [math.sqrt(((a - b) ** 2).sum()) for a, b in zip(*still_and_moved, strict=True)]
    return math.log(sum(frobenius) / len(frobenius)) + scales


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("name", WITH_FEATURES)
def test_the_papers_algorithm(name, seed, named_network, batches):
    network = named_network(name)
    expected = zen_of_the_paper(network, batches[0].images.shape, seed)
    assert zen_paper(Probe(network, batches, seed=seed)) == pytest.approx(expected, rel=1e-9)


@settings(deadline=None, max_examples=10)
@given(scale=st.floats(0.1, 10))
def test_the_papers_score_is_what_it_would_be_without_batch_norm(scale):
    # Dividing by σ and adding log σ leaves log E‖α W ε‖, so a scale of the images' noise is all that counts.
    class Normalised(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 3, 1, bias=False)
            self.norm = nn.BatchNorm2d(1, eps=1e-12)

        def forward_features(self, images):
            hidden = self.conv(images).flatten(1)[:, None, :, None] * scale
            return self.norm(hidden)

    probe = Probe(Normalised().double(), [Batch(torch.zeros(4, 2, 5, 5).double(), torch.zeros(4, dtype=torch.int64))])
    generator = torch.Generator().manual_seed(probe.seed)
    weight = torch.randn(3, 2, 1, 1, generator=generator).double()
    x, noise = (torch.randn(4, 2, 5, 5, generator=generator).double() for _ in range(2))

    def f(images):
        return scale * nn.functional.conv2d(images, weight).flatten(1)

    # The moved batch is divided by a deviation of its own, which differs by about α.
    expected = (f(x + ALPHA * noise) - f(x)).norm(dim=1).mean().log().item()
    assert zen_paper(probe) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("proxy", EVERY)
def test_no_variant_leaves_gradients_switched_off(proxy, named_network, batches):
    proxy(Probe(named_network("mixed"), batches))
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("proxy", [zen_32, zen_paper])
@pytest.mark.parametrize("name", ["linear only", "plain convolutions"])
def test_no_variant_is_defined_without_a_feature_map(proxy, name, named_network, batches):
    with pytest.raises(NotApplicableError, match="forward_features"):
        proxy(Probe(named_network(name), batches))


@pytest.mark.parametrize("proxy", [zen_32, zen_paper])
@pytest.mark.parametrize("name", ["unconnected", "all none"])
def test_no_variant_is_finite_where_nothing_arrives(proxy, name, named_network, batches):
    assert not math.isfinite(proxy(Probe(named_network(name), batches)))
