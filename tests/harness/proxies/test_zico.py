"""ZiCo equals numpy's mean and standard deviation over the gradients of two mini-batches."""

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
from harness.proxies.l_swag import l_swag
from harness.proxies.zico import zico, zico_bc, zico_half_batches, zico_magnitude
from harness.tasks import PIXEL_CLASSES, Objective


def gradients_of(network, batches):
    """For each layer the gradients of both batches, shape (2, weights), after zero_grad in between."""
    layers = []
    for batch in batches:
        fresh = copy.deepcopy(network)
        F.cross_entropy(fresh(batch.images), batch.labels).backward()
        modules = [module for module in fresh.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
        layers.append(
            [np.zeros(m.weight.numel()) if m.weight.grad is None else m.weight.grad.flatten().numpy() for m in modules]
        )
    return [np.stack(pair) for pair in zip(*layers, strict=True)]


def zico_by_numpy(network, batches, of_magnitudes):
    score = 0.0
    for gradients in gradients_of(network, batches):
        deviation = np.std(np.abs(gradients) if of_magnitudes else gradients, axis=0)
        varying = deviation > 0
        ratio = np.sum(np.mean(np.abs(gradients), axis=0)[varying] / deviation[varying])
        score += math.log(ratio) if ratio > 0 else 0.0
    return score


def test_zico_takes_the_deviation_of_signed_gradients(probe, network, batches):
    assert zico(probe) == pytest.approx(zico_by_numpy(network, batches, of_magnitudes=False), rel=1e-6)


def test_zico_magnitude_takes_the_deviation_of_their_magnitudes(probe, network, batches):
    assert zico_magnitude(probe) == pytest.approx(zico_by_numpy(network, batches, of_magnitudes=True), rel=1e-6)


@pytest.mark.parametrize("name", ["unconnected", "all none", "all skip", "all pool"])
def test_weights_and_layers_without_a_gradient_are_left_out(name, named_network, batches):
    network = named_network(name)
    expected = zico_by_numpy(network, batches, of_magnitudes=False)
    assert zico(Probe(network, batches)) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_it_is_bounded_below_by_the_logarithms_of_the_numbers_of_weights(probe, network, batches):
    # (|a| + |b|) / |a - b| is at least one for every weight.
    bound = sum(math.log(n) for g in gradients_of(network, batches) if (n := np.count_nonzero(np.std(g, axis=0))))
    assert bound > 0
    assert zico(probe) >= bound - 1e-9
    assert zico_magnitude(probe) >= zico(probe) - 1e-9


class OneWeight(nn.Module):
    """Its loss is the weight times the mean of the images, so that a batch sets its gradient."""

    def __init__(self, size=1):
        super().__init__()
        self.linear = nn.Linear(size, 1, bias=False)

    def forward(self, images):
        return self.linear(images.flatten(1))


def given_gradients(first, second, proxy):
    network = OneWeight(len(first)).double()
    batches = [
        Batch(torch.tensor([values], dtype=torch.float64)[:, :, None, None], torch.tensor([0]))
        for values in (first, second)
    ]
    return proxy(Probe(network, batches, objective=Objective("class", lambda outputs, _: outputs.sum(), "sum")))


magnitude = st.floats(0.01, 100)


@settings(deadline=None, max_examples=30)
@given(a=magnitude, b=magnitude)
def test_one_weight_by_hand(a, b):
    expected = math.log((a + b) / abs(a - b)) if a != b else 0.0
    assert given_gradients([a], [b], zico) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert given_gradients([a], [-b], zico) == pytest.approx(0.0, abs=1e-12)
    assert given_gradients([a], [-b], zico_magnitude) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=20)
@given(factor=st.floats(0.01, 100))
def test_scaling_the_loss_and_swapping_the_batches_do_not_matter(mixed_network, batches, factor):
    expected = {proxy: proxy(Probe(mixed_network, batches)) for proxy in (zico, zico_magnitude)}
    scaled = Probe(
        mixed_network,
        batches[::-1],
        objective=Objective("class", lambda z, y: factor * F.cross_entropy(z, y), "scaled"),
    )
    for proxy, value in expected.items():
        assert proxy(scaled) == pytest.approx(value, rel=1e-6)


def test_equal_batches_leave_no_weight(named_network, batches):
    assert zico(Probe(named_network("mixed"), [batches[0], batches[0]])) == 0


def test_gradients_that_are_no_numbers_give_no_score(named_network, batches):
    """They do not count as gradients that do not vary."""
    network = named_network("mixed")
    lost = Objective("class", lambda outputs, labels: F.cross_entropy(outputs, labels) * math.nan, "lost")
    for proxy in (zico, zico_magnitude, zico_bc, l_swag):
        assert math.isnan(proxy(Probe(network, batches, objective=lost))), proxy


def test_more_than_two_batches_change_nothing(named_network, batches):
    network = named_network("mixed")
    assert zico(Probe(network, [*batches, batches[0]])) == zico(Probe(network, batches))


def test_one_batch_is_not_enough(named_network, batches):
    with pytest.raises(NotApplicableError, match="needs 2 mini-batches; there is 1"):
        zico(Probe(named_network("mixed"), batches[:1]))


@pytest.mark.parametrize("proxy", [zico])
def test_float32_is_accurate(proxy, network, batches):
    single = Probe(copy.deepcopy(network).float(), [Batch(batch.images.float(), batch.labels) for batch in batches])
    assert proxy(single) == pytest.approx(proxy(Probe(network, batches)), rel=2e-2)


def halves(batch):
    middle = len(batch.images) // 2
    return [Batch(batch.images[:middle], batch.labels[:middle]), Batch(batch.images[middle:], batch.labels[middle:])]


def test_half_batches_are_two_batches_of_half_the_size(network, batches):
    expected = zico_by_numpy(network, halves(batches[0]), of_magnitudes=False)
    assert zico_half_batches(Probe(network, batches[:1])) == pytest.approx(expected, rel=1e-6)
    assert zico_half_batches(Probe(network, batches[:1])) == pytest.approx(zico(Probe(network, halves(batches[0]))))


def test_the_second_half_of_an_odd_batch_is_the_larger(named_network, batches):
    network, odd = named_network("mixed"), Batch(batches[0].images[:7], batches[0].labels[:7])
    assert [len(half.images) for half in halves(odd)] == [3, 4]
    expected = zico_by_numpy(network, halves(odd), of_magnitudes=False)
    assert zico_half_batches(Probe(network, [odd])) == pytest.approx(expected, rel=1e-6)


@settings(deadline=None, max_examples=10)
@given(first=st.permutations(range(4)), second=st.permutations(range(4, 8)), swap=st.booleans())
def test_what_matters_is_which_images_share_a_half(mixed_network, batches, first, second, swap):
    order = [*second, *first] if swap else [*first, *second]
    permuted = Batch(batches[0].images[order], batches[0].labels[order])
    expected = zico_half_batches(Probe(mixed_network, batches))
    assert zico_half_batches(Probe(mixed_network, [permuted])) == pytest.approx(expected, rel=1e-6)
    exchanged = [0, 1, 2, 7, 4, 5, 6, 3]
    other = Batch(batches[0].images[exchanged], batches[0].labels[exchanged])
    assert zico_half_batches(Probe(mixed_network, [other])) != pytest.approx(expected, rel=1e-6)


def test_a_single_image_has_no_halves(named_network, batches):
    with pytest.raises(NotApplicableError, match="needs at least two images"):
        zico_half_batches(Probe(named_network("linear only"), [Batch(batches[0].images[:1], batches[0].labels[:1])]))


def zico_bc_by_numpy(network, batches, beta=1):
    """ZiCo minus β log(H W / √C) of the output of each layer that has a gradient, the output caught by a hook."""
    shapes = {}
    watched = copy.deepcopy(network)
    modules = [module for module in watched.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    for module in modules:
        module.register_forward_hook(lambda module, _, output: shapes.update({module: output.shape}))
    watched(batches[0].images)
    score = zico_by_numpy(network, batches, of_magnitudes=False)
    for module, gradients in zip(modules, gradients_of(network, batches), strict=True):
        if np.any(gradients[0] != gradients[1]):
            _, channels, height, width = (*shapes[module], 1, 1)[:4]
            score -= beta * math.log(height * width / math.sqrt(channels))
    return score


def test_the_bias_correction_takes_resolution_and_width_of_each_layer(network, batches):
    assert zico_bc(Probe(network, batches)) == pytest.approx(zico_bc_by_numpy(network, batches), rel=1e-6)


@pytest.mark.parametrize("name", ["unconnected", "all none", "all skip", "all pool"])
def test_layers_that_zico_leaves_out_pay_nothing(name, named_network, batches):
    network = named_network(name)
    expected = zico_bc_by_numpy(network, batches)
    assert zico_bc(Probe(network, batches)) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_an_unused_layer_pays_nothing_either(named_network, batches):
    network = named_network("linear only")
    expected = zico_bc(Probe(network, batches))
    network[1].unused = nn.Linear(3, 3).double()
    assert zico_bc(Probe(network, batches)) == expected


@pytest.mark.parametrize(("objective", "beta"), [(PIXEL_CLASSES, 2), (Objective("vector", PIXEL_CLASSES.loss, ""), 1)])
def test_beta_is_two_where_pixels_are_labelled(objective, beta):
    torch.manual_seed(0)
    network = nn.Conv2d(3, 4, 3).double()
    batches = [Batch(torch.randn(2, 3, 9, 7).double(), torch.randint(4, (2, 7, 5))) for _ in range(2)]
    probe = Probe(network, batches, objective=objective)
    assert zico_bc(probe) == pytest.approx(zico(probe) - beta * math.log(7 * 5 / math.sqrt(4)), rel=1e-12)


def test_a_layer_that_is_called_twice_pays_once(batches):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3)

        def forward(self, images):
            return self.conv(self.conv(images)).mean(dim=(2, 3))

    torch.manual_seed(0)
    probe = Probe(Twice().double(), [Batch(batch.images, batch.labels % 3) for batch in batches])
    assert zico_bc(probe) == pytest.approx(zico(probe) - math.log(36 / math.sqrt(3)), rel=1e-12)


@pytest.fixture(scope="module")
def mixed_network(named_network):
    return named_network("mixed")
