"""Proxies of networks that paint, label pixels or compare tiles: same formulas, the task's own loss."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.gradient import fisher, grad_norm, grasp, snip
from harness.proxies.jacobian import epe_nas
from harness.proxies.size import flops
from harness.registry import proxies
from harness.tasks import DISTRIBUTION, IMAGE, PIXEL_CLASSES, VECTOR


class Painter(nn.Module):
    """Halves the image and paints it again; a batch norm with a large ε, a leaky ReLU, a transposed convolution."""

    def __init__(self, channels, last):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6, eps=1.0), nn.ReLU()
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(6, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(8, 5, 3, stride=2, padding=1, output_padding=1),
            nn.BatchNorm2d(5),
            nn.LeakyReLU(0.2),
        )
        self.last = nn.Sequential(nn.Conv2d(5, channels, 3, padding=1), last)

    def forward_features(self, images):
        return self.decoder(self.encoder(images))

    def forward(self, images):
        return self.last(self.forward_features(images))


class Siamese(nn.Module):
    """Passes each tile through one encoder and judges all of them together."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 3))
        self.head = nn.Linear(4 * 6, 5)

    def forward_features(self, tiles):
        return torch.cat([self.encoder(tiles[:, i]) for i in range(tiles.shape[1])], dim=1)

    def forward(self, tiles):
        return self.head(self.forward_features(tiles).mean(dim=(2, 3)))


def painter(channels=3, last=None):
    torch.manual_seed(0)
    return Painter(channels, last or nn.Tanh()).double()


def siamese():
    torch.manual_seed(0)
    return Siamese().double()


def case(kind):
    """Network, objective and two mini-batches of one kind."""
    torch.manual_seed(1)
    images = torch.randn(2, 6, 3, 8, 8, dtype=torch.float64)
    match kind:
        case "image":
            labels, network, objective = torch.rand(2, 6, 3, 8, 8, dtype=torch.float64), painter(), IMAGE
        case "pixel classes":
            labels, network, objective = torch.randint(4, (2, 6, 8, 8)), painter(4, nn.Identity()), PIXEL_CLASSES
        case "vector":
            images = torch.randn(2, 6, 4, 3, 8, 8, dtype=torch.float64)
            labels, network, objective = torch.randn(2, 6, 5, dtype=torch.float64), siamese(), VECTOR
        case "distribution":
            images = torch.randn(2, 6, 4, 3, 8, 8, dtype=torch.float64)
            labels, network, objective = torch.rand(2, 6, 5, dtype=torch.float64), siamese(), DISTRIBUTION
            labels = labels / labels.sum(dim=2, keepdim=True)
    return network, objective, [Batch(*pair) for pair in zip(images, labels, strict=True)]


REASONS = (
    "needs image classes",
    "needs class probabilities",
    "no forward_blocks",
    "no method thin_network",
    "no list of blocks",
    "has batch norms; one image has no variance",
    "no layer norms",
)
KINDS = ("image", "pixel classes", "vector", "distribution")


def layers(network):
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_the_tasks_loss(kind):
    network, objective, batches = case(kind)
    probe = Probe(network, batches, objective=objective)
    twin = copy.deepcopy(network)
    objective.loss(twin(batches[0].images), batches[0].labels).backward()
    weights = [layer.weight for layer in layers(twin)]
    assert grad_norm(probe) == pytest.approx(sum(w.grad.norm().item() for w in weights), rel=1e-9)
    assert snip(probe) == pytest.approx(sum((w * w.grad).abs().sum().item() for w in weights), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_grasp_is_the_double_backward_of_the_tasks_loss(kind):
    network, objective, batches = case(kind)
    twin = copy.deepcopy(network)
    weights = [layer.weight for layer in layers(twin)]
    loss = objective.loss(twin(batches[0].images), batches[0].labels)
    first = torch.autograd.grad(loss, weights, create_graph=True)
    second = torch.autograd.grad(sum((g.detach() * g).sum() for g in first), weights)
    expected = -sum((w * h).sum().item() for w, h in zip(weights, second, strict=True))
    assert grasp(Probe(network, batches, objective=objective)) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_flops_count_transposed_convolutions_and_every_call(kind):
    network, objective, batches = case(kind)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        copy.deepcopy(network)(batches[0].images[:1])
    assert flops(Probe(network, batches, objective=objective)) == counter.get_total_flops() / 2


def test_fisher_adds_up_the_calls_of_a_layer():
    network, objective, batches = case("vector")
    outputs = []

    def catch(layer, _, output):
        output.retain_grad()
        outputs.append((layer, output))

    twin = copy.deepcopy(network)
    for layer in layers(twin):
        layer.register_forward_hook(catch)
    objective.loss(twin(batches[0].images), batches[0].labels).backward()
    assert len(outputs) == 4 * 2 + 1
    expected = 0.0
    for layer, output in outputs:
        product = (output.detach() * output.grad).flatten(2).sum(2) if output.dim() == 4 else output * output.grad
        expected += layer.weight[0].numel() * 0.5 * product.square().mean(0).sum().item()
    assert fisher(Probe(network, batches, objective=objective)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_every_proxy_gives_a_number_or_says_why_not(kind):
    network, objective, batches = case(kind)
    for proxy in proxies().values():
        probe = Probe(network, batches, objective=objective)
        try:
            value = proxy(probe)
        except NotApplicableError as reason:
            assert any(part in str(reason) for part in REASONS), proxy.name
            assert "needs class" not in str(reason) or not objective.has_classes
        else:
            saturated = proxy.name == "log_synflow" and kind == "image"
            assert np.isfinite(value) or saturated, proxy.name


def test_epe_nas_takes_the_likeliest_class():
    network, objective, batches = case("distribution")
    hard = [Batch(batch.images, batch.labels.argmax(dim=1)) for batch in batches]
    assert epe_nas(Probe(network, batches, objective=objective)) == epe_nas(Probe(network, hard))
