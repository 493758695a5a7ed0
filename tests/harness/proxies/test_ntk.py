"""κ of the neural tangent kernel equals that of a plain loop of backward passes, written in numpy."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.ntk import ntk, ntk_eval

WITHOUT_BATCH_NORM = ["linear only", "plain convolutions"]


def kappa_by_loop(network, images, training):
    """One joint forward pass, one backward pass of each image's summed outputs, the quotient of the eigenvalues."""
    network = copy.deepcopy(network).train(training)
    outputs = network(images)
    rows = []
    for i in range(len(images)):
        network.zero_grad()
        outputs[i].sum().backward(retain_graph=True)
        named = network.named_parameters()
        rows.append(torch.cat([w.grad.flatten() for name, w in named if "weight" in name and w.grad is not None]))
    jacobian = torch.stack(rows).numpy()
    eigenvalues = np.linalg.eigvalsh(jacobian @ jacobian.T)
    return eigenvalues[-1] / eigenvalues[0]


def test_ntk_is_the_loop_in_training_mode(network, batches, probe):
    assert ntk(probe) == pytest.approx(kappa_by_loop(network, batches[0].images, True), rel=1e-6)


def test_ntk_eval_is_the_loop_in_evaluation_mode(network, batches, probe):
    assert ntk_eval(probe) == pytest.approx(kappa_by_loop(network, batches[0].images, False), rel=1e-6)


@pytest.mark.parametrize("name", WITHOUT_BATCH_NORM)
def test_without_batch_norm_both_modes_agree(named_network, batches, name):
    probe = Probe(named_network(name), batches)
    assert ntk(probe) == pytest.approx(ntk_eval(probe), rel=1e-9)


def test_with_batch_norm_they_do_not(named_network, batches):
    probe = Probe(named_network("mixed"), batches)
    assert ntk(probe) != pytest.approx(ntk_eval(probe), rel=0.1)


@pytest.mark.parametrize("proxy", [ntk, ntk_eval])
def test_the_scale_of_the_outputs_does_not_matter_where_they_come_from_one_linear_layer(proxy):
    torch.manual_seed(0)
    batch = Batch(torch.randn(4, 3, 5, 5, dtype=torch.float64), torch.zeros(4, dtype=torch.int64))

    class Scaled(nn.Sequential):
        factor = 1.0

        def forward(self, images):
            return self.factor * super().forward(images)

    network = Scaled(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Tanh(), nn.Flatten(), nn.Linear(36, 5)).double()
    expected = proxy(Probe(network, [batch]))
    network.factor = 37.0
    assert proxy(Probe(network, [batch])) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("proxy", [ntk, ntk_eval])
def test_orthonormal_images_of_a_linear_network_give_one(proxy):
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3, bias=False)).double()
    images = torch.eye(4, dtype=torch.float64)[:, :, None, None]
    assert proxy(Probe(network, [Batch(images, torch.zeros(4, dtype=torch.int64))])) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("proxy", [ntk, ntk_eval])
def test_an_image_that_is_there_twice_makes_it_infinite(proxy, named_network, batches):
    images = batches[0].images.clone()
    images[3] = images[5]
    twice = Batch(images, batches[0].labels)
    assert proxy(Probe(named_network("linear only"), [twice])) == math.inf
    if proxy is ntk_eval:
        assert proxy(Probe(named_network("mixed"), [twice])) == math.inf


@pytest.mark.parametrize("proxy", [ntk, ntk_eval])
def test_no_number_where_no_gradient_arrives(proxy, named_network, batches):
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 2)

        def forward(self, images):
            return torch.ones(len(images), 3, dtype=images.dtype)

    assert math.isnan(proxy(Probe(Constant().double(), batches)))
    assert math.isnan(proxy(Probe(named_network("all none"), batches)))


@pytest.mark.parametrize("proxy", [ntk, ntk_eval])
def test_no_number_where_the_outputs_overflow(proxy, batches):
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 3), nn.Linear(3, 2)).double()
    with torch.no_grad():
        network[1].weight.fill_(math.inf)
    assert math.isnan(proxy(Probe(network, batches)))


@pytest.mark.parametrize("proxy", [ntk, ntk_eval])
def test_not_applicable_without_weights(proxy, batches):
    with pytest.raises(NotApplicableError, match="weight"):
        proxy(Probe(nn.Flatten(), batches))


@pytest.mark.parametrize("proxy", [ntk, ntk_eval])
def test_float32_is_accurate(proxy, named_network, batches):
    network = named_network("mixed")
    single = Probe(copy.deepcopy(network).float(), [Batch(batches[0].images.float(), batches[0].labels)])
    assert proxy(single) == pytest.approx(proxy(Probe(network, batches)), rel=1e-2)
