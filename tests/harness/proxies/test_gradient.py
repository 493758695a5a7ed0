"""Gradient proxies equal their formulas, computed by plain loops over loss.backward()."""

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
from harness.probe import Probe
from harness.proxies.gradient import fisher, fisher_channel, grad_norm, grad_norm_all, grasp, plain, snip
from harness.tasks import Objective

EXACT = 1e-9
FLOAT32 = 2e-4


def is_layer(module):
    return isinstance(module, nn.Conv2d | nn.Linear)


def weights_and_gradients(network, batch):
    """(W, ∂L/∂W) of every convolution and linear layer of a copy, after loss.backward()."""
    network = copy.deepcopy(network)
    F.cross_entropy(network(batch.images), batch.labels).backward()
    pairs = []
    for layer in filter(is_layer, network.modules()):
        gradient = layer.weight.grad
        pairs.append(
            (layer.weight.detach().numpy(), np.zeros(layer.weight.shape) if gradient is None else gradient.numpy())
        )
    return pairs


def fisher_by_hooks(network, batch, weighted):
    """Σ_l f_l Σ_c ½ mean_n (Σ_hw a ∂L/∂a)², each layer's output caught before anything else touches it."""
    network = copy.deepcopy(network)
    outputs = {}

    def catch(layer, _, output):
        output.retain_grad()
        outputs[layer] = output
        return output.clone()

    for layer in filter(is_layer, network.modules()):
        layer.register_forward_hook(catch)
    F.cross_entropy(network(batch.images), batch.labels).backward()
    score = 0.0
    for layer, output in outputs.items():
        gradient = torch.zeros_like(output) if output.grad is None else output.grad
        product = (output.detach() * gradient).numpy().reshape(*output.shape[:2], -1)
        fan_in = layer.weight.numel() // layer.weight.shape[0] if weighted else 1
        for channel in range(product.shape[1]):
            score += fan_in * 0.5 * np.mean([image[channel].sum() ** 2 for image in product])
    return score


def grasp_by_double_backward(network, batch):
    """-Σ w (H g), where H g is the gradient of g · (g held constant)."""
    network = copy.deepcopy(network).double()
    weights = [layer.weight for layer in network.modules() if is_layer(layer)]
    loss = F.cross_entropy(network(batch.images.double()), batch.labels)
    first = torch.autograd.grad(loss, weights, create_graph=True, materialize_grads=True)
    product = sum((g.detach() * g).sum() for g in first)
    second = torch.autograd.grad(product, weights, materialize_grads=True)
    return -sum((w.detach() * h).sum().item() for w, h in zip(weights, second, strict=True))


def single(network, batches):
    """The same network and batches in float32."""
    return copy.deepcopy(network).float(), [Batch(batch.images.float(), batch.labels) for batch in batches]


def test_grad_norm_sums_the_norms_of_the_layers_gradients(probe, network, batches):
    expected = sum(math.sqrt((g**2).sum()) for _, g in weights_and_gradients(network, batches[0]))
    assert grad_norm(probe) == pytest.approx(expected, rel=EXACT)


def test_plain_sums_weights_times_gradients_with_their_sign(probe, network, batches):
    pairs = weights_and_gradients(network, batches[0])
    scale = sum(abs(w * g).sum() for w, g in pairs)
    assert plain(probe) == pytest.approx(sum((w * g).sum() for w, g in pairs), rel=EXACT, abs=EXACT * scale)


def test_snip_sums_the_magnitudes_of_weights_times_gradients(probe, network, batches):
    expected = sum(abs(w * g).sum() for w, g in weights_and_gradients(network, batches[0]))
    assert snip(probe) == pytest.approx(expected, rel=EXACT)


def test_fisher_is_weighted_by_fan_in(probe, network, batches):
    assert fisher(probe) == pytest.approx(fisher_by_hooks(network, batches[0], weighted=True), rel=EXACT)


def test_fisher_channel_counts_each_channel_once(probe, network, batches):
    assert fisher_channel(probe) == pytest.approx(fisher_by_hooks(network, batches[0], weighted=False), rel=EXACT)


def test_fisher_is_the_same_when_its_gradients_were_anticipated(network, batches):
    anticipating = Probe(network, batches, anticipate=["layer_output_gradients"])
    assert fisher(anticipating) == pytest.approx(fisher_by_hooks(network, batches[0], weighted=True), rel=EXACT)


class AddsInPlace(nn.Module):
    """A convolution whose output is changed in place by what follows."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.classifier = nn.Linear(4, 10)

    def forward(self, images):
        stem = self.stem(images)
        output = self.conv(stem)
        output += stem
        return self.classifier(output.mean(dim=(2, 3)))


class CalledTwice(nn.Module):
    """One convolution, run twice; its gradient collects both runs."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.unused = nn.Linear(3, 3)
        self.classifier = nn.Linear(3, 10)

    def forward(self, images):
        return self.classifier(self.conv(F.relu(self.conv(images))).mean(dim=(2, 3)))


def test_fisher_reads_a_layers_output_before_it_is_changed_in_place(batches):
    torch.manual_seed(0)
    network = AddsInPlace().double()
    expected = fisher_by_hooks(network, batches[0], weighted=True)
    assert fisher(Probe(network, batches)) == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize(
    ("proxy", "power"), [(grad_norm, lambda w, g: math.sqrt((g**2).sum())), (snip, lambda w, g: abs(w * g).sum())]
)
def test_a_layer_that_runs_twice_has_one_gradient_and_an_unused_one_none(proxy, power, batches):
    torch.manual_seed(0)
    network = CalledTwice().double()
    expected = sum(power(w, g) for w, g in weights_and_gradients(network, batches[0]))
    assert proxy(Probe(network, batches)) == pytest.approx(expected, rel=EXACT)


def test_fisher_of_a_network_with_an_unused_layer_leaves_it_out(named_network, batches):
    network = named_network("linear only")
    expected = fisher(Probe(network, batches))
    network[1].unused = nn.Linear(3, 3).double()
    assert fisher(Probe(network, batches)) == expected


def test_grasp_equals_double_backward(probe, network, batches):
    expected = grasp_by_double_backward(network, batches[0])
    assert grasp(probe) == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_grasp_in_float32_equals_double_backward_in_float64(network, batches):
    expected = grasp_by_double_backward(network, batches[0])
    assert grasp(Probe(*single(network, batches))) == pytest.approx(expected, rel=5e-3, abs=1e-4)


def test_grasp_of_a_logistic_regression_by_hand():
    # One linear layer without bias: H = mean of (diag(p) - p pᵀ) ⊗ x xᵀ, g = mean of (p - y) xᵀ.
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3, 2, bias=False)).double()
    images, labels = torch.randn(5, 3, 1, 1, dtype=torch.float64), torch.tensor([0, 1, 1, 0, 1])
    w = network[1].weight.detach().numpy()
    gradient, hessian = np.zeros((2, 3)), np.zeros((6, 6))
    for x, label in zip(images.flatten(1).numpy(), labels.tolist(), strict=True):
        p = np.exp(w @ x) / np.exp(w @ x).sum()
        gradient += np.outer(p - np.eye(2)[label], x) / 5
        hessian += np.kron(np.diag(p) - np.outer(p, p), np.outer(x, x)) / 5
    expected = -w.flatten() @ hessian @ gradient.flatten()
    assert grasp(Probe(network, [Batch(images, labels)])) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("proxy", [grad_norm, snip, fisher, fisher_channel])
def test_float32_is_accurate(proxy, network, batches):
    assert proxy(Probe(*single(network, batches))) == pytest.approx(proxy(Probe(network, batches)), rel=FLOAT32)


def test_plain_nearly_vanishes_under_batch_norm(named_network, batches):
    # A layer followed by batch norm is invariant to its scale, so <W, g> is zero by Euler's theorem, up to ε.
    network = named_network("without relu modules")
    network.norm.eps = 1e-12
    (conv_w, conv_g), (linear_w, linear_g) = weights_and_gradients(network, batches[0])
    assert abs((conv_w * conv_g).sum()) < 1e-9 * abs(conv_w * conv_g).sum()
    assert plain(Probe(network, batches)) == pytest.approx((linear_w * linear_g).sum(), rel=1e-7)


@settings(deadline=None, max_examples=15)
@given(factor=st.floats(0.01, 100))
def test_scaling_the_loss(factor):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).double()
    batch = Batch(torch.randn(6, 3, 4, 4, dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1, 2]))
    one = Probe(network, [batch])
    scaled = Probe(
        network, [batch], objective=Objective("class", lambda z, y: factor * F.cross_entropy(z, y), "scaled")
    )
    powers = {grad_norm: 1, plain: 1, snip: 1, fisher: 2, fisher_channel: 2, grasp: 2}
    for proxy, power in powers.items():
        assert proxy(scaled) == pytest.approx(factor**power * proxy(one), rel=1e-8)


@settings(deadline=None, max_examples=10)
@given(order=st.permutations(range(8)))
def test_the_order_of_the_images_does_not_matter(small_network, batch_of_eight, order):
    permuted = Batch(batch_of_eight.images[list(order)], batch_of_eight.labels[list(order)])
    before, after = Probe(small_network, [batch_of_eight]), Probe(small_network, [permuted])
    for proxy in (grad_norm, plain, snip, fisher, fisher_channel, grasp):
        assert proxy(after) == pytest.approx(proxy(before), rel=1e-8, abs=1e-11)


@settings(deadline=None, max_examples=10)
@given(order=st.permutations(range(6)))
def test_the_order_of_a_layers_channels_does_not_matter(plain_convolutions, batch_of_eight, order):
    permuted = copy.deepcopy(plain_convolutions)
    with torch.no_grad():
        permuted[0].weight.copy_(plain_convolutions[0].weight[list(order)])
        permuted[0].bias.copy_(plain_convolutions[0].bias[list(order)])
        permuted[2].weight.copy_(plain_convolutions[2].weight[:, list(order)])
    before, after = Probe(plain_convolutions, [batch_of_eight]), Probe(permuted, [batch_of_eight])
    for proxy in (grad_norm, plain, snip, fisher, fisher_channel, grasp):
        assert proxy(after) == pytest.approx(proxy(before), rel=1e-8, abs=1e-11)


@pytest.fixture(scope="module")
def batch_of_eight(batches):
    return batches[0]


@pytest.fixture(scope="module")
def small_network(named_network):
    return named_network("grouped")


@pytest.fixture(scope="module")
def plain_convolutions(named_network):
    return named_network("plain convolutions")


def recorded_loss(calls):
    """Cross entropy that keeps what it was given, so that a test can see images' noise through a linear network."""

    def loss(outputs, targets):
        calls.append((outputs.detach(), targets))
        return F.cross_entropy(outputs, targets)

    return Objective("class", loss, "recorded")


def test_grad_norm_all_of_a_logistic_regression_by_hand():
    # ∂L/∂W = mean of (p - y) xᵀ and ∂L/∂b = mean of (p - y), with x as a hook saw it.
    calls = []
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).double()
    batch = Batch(torch.zeros(5, 4, 1, 1, dtype=torch.float64), torch.zeros(5, dtype=torch.int64))
    seen = []
    handle = network[1].register_forward_hook(
        lambda layer, inputs, _: seen.append((inputs[0], layer.weight, layer.bias))
    )
    score = grad_norm_all(Probe(network, [batch], objective=recorded_loss(calls)))
    handle.remove()
    ((outputs, targets),), ((x, weight, bias),) = calls, seen
    assert not torch.equal(weight, network[1].weight) and not bias.any()
    assert targets.dtype == torch.int64 and targets.shape == (5,) and 0 <= targets.min() <= targets.max() < 3
    difference = (outputs.softmax(dim=1) - F.one_hot(targets, 3)).numpy() / 5
    of_weight, of_bias = difference.T @ x.detach().numpy(), difference.sum(axis=0)
    assert score == pytest.approx(math.sqrt((of_weight**2).sum() + (of_bias**2).sum()), rel=1e-12)


@pytest.mark.parametrize("name", ["mixed", "grouped", "plain convolutions"])
def test_grad_norm_all_takes_every_parameter_of_gaussian_weights(name, named_network, batches):
    network, calls, images, state = named_network(name), [], [], {}

    def before(module, inputs):
        images.append(inputs[0].detach().clone())
        state.update(copy.deepcopy(module.state_dict()))

    handle = network.register_forward_pre_hook(before)
    score = grad_norm_all(Probe(network, batches, objective=recorded_loss(calls)))
    handle.remove()
    twin = copy.deepcopy(network)
    twin.load_state_dict(state)
    F.cross_entropy(twin(images[0]), calls[0][1]).backward()
    total = sum(float((p.grad**2).sum()) for p in twin.parameters() if p.grad is not None)
    assert score == pytest.approx(math.sqrt(total), rel=1e-10)
    drawn = torch.cat([m.weight.flatten() for m in twin.modules() if isinstance(m, nn.Conv2d | nn.Linear)])
    assert abs(drawn.mean()) < 5 / math.sqrt(len(drawn)) and abs(drawn.std() - 1) < 4 / math.sqrt(len(drawn))
    norms = [m for m in twin.modules() if isinstance(m, nn.BatchNorm2d)]
    assert all(bool((norm.weight == 1).all()) and not norm.bias.any() for norm in norms)
    assert images[0].shape == batches[0].images.shape and abs(images[0].mean()) < 0.1 and abs(images[0].std() - 1) < 0.1


@settings(deadline=None, max_examples=10)
@given(factor=st.floats(0.01, 100))
def test_grad_norm_all_scales_with_the_loss(factor):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).double()
    batch = Batch(torch.zeros(6, 3, 4, 4, dtype=torch.float64), torch.zeros(6, dtype=torch.int64))
    scaled = Objective("class", lambda z, y: factor * F.cross_entropy(z, y), "scaled")
    one = grad_norm_all(Probe(network, [batch]))
    assert grad_norm_all(Probe(network, [batch], objective=scaled)) == pytest.approx(factor * one, rel=1e-9)


def test_grad_norm_all_does_not_see_the_weights_that_were_drawn(named_network, batches):
    expected = grad_norm_all(Probe(named_network("mixed"), batches))
    assert grad_norm_all(Probe(named_network("mixed", seed=1), batches)) == expected
    assert grad_norm_all(Probe(named_network("mixed"), batches, seed=1)) != expected
