"""Dextr equals singular values from numpy and a curvature from derivatives taken another way."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from harness.images import Batch
from harness.probe import Probe
from harness.proxies import dextr as module
from harness.proxies.dextr import _conditioning, _extrinsic_curvature, dextr


def median_image(batch):
    return batch.images[batch.images.flatten(1).norm(dim=1).argsort()[4]][None]


def conditioning_by_definition(network, image):
    network, total = copy.deepcopy(network), []

    def after(_, __, output):
        values = np.linalg.svd(output[0].detach().reshape(output.shape[1], -1).numpy(), compute_uv=False)
        total.append(values[-1] / values[0] if values[0] > 0 else 0.0)

    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
        part.register_forward_hook(after)
    network(image.clone())
    return sum(total)


@pytest.fixture
def drawn(monkeypatch):
    """The plane and the coordinates that are drawn."""
    kept, qr, randint = {}, torch.linalg.qr, torch.randint

    def keep(name, value):
        kept[name] = value
        return value

    monkeypatch.setattr(torch.linalg, "qr", lambda x: keep("plane", qr(x)))
    monkeypatch.setattr(torch, "randint", lambda *args: keep("coordinates", randint(*args)))
    return kept


def curvature_by_definition(network, shape, drawn):
    """First derivatives by autograd, second ones by their differences along the circle."""
    network, plane = copy.deepcopy(network), drawn["plane"].Q.double()
    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False

    def velocity(angle):
        angle = torch.tensor(angle, dtype=torch.float64, requires_grad=True)
        point = plane @ torch.stack([angle.cos(), angle.sin()])
        outputs = network(point.reshape(1, *shape))[0][drawn["coordinates"]]
        return np.array([torch.autograd.grad(z, angle, retain_graph=True)[0].item() for z in outputs])

    v, a = velocity(0.0), (velocity(1e-6) - velocity(-1e-6)) / 2e-6
    return math.sqrt(max((v @ v) * (a @ a) - (v @ a) ** 2, 0)) / (v @ v) ** 1.5


def test_the_conditioning_sums_inverse_condition_numbers_over_all_modules(network, batches):
    expected = conditioning_by_definition(network, median_image(batches[0]))
    assert _conditioning(Probe(network, batches)).item() == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_the_curvature_is_that_of_the_path_of_the_outputs(network, batches, drawn):
    curvature = _extrinsic_curvature(Probe(network, batches)).item()
    assert len(drawn["coordinates"]) == 10
    assert curvature == pytest.approx(curvature_by_definition(network, (3, 8, 8), drawn), rel=1e-4, abs=1e-4)


def test_the_score_is_half_the_harmonic_mean_of_the_logarithms(network, batches):
    probe = Probe(network, batches)
    s, k = math.log1p(_conditioning(probe)), math.log1p(_extrinsic_curvature(probe))
    assert dextr(probe) == pytest.approx(1 / (1 / s + 1 / k) if k else 0, rel=1e-12)


class ToCircle(nn.Module):
    """The input's first entries, scaled: the outputs move on an ellipse that is known."""

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, images):
        return images.flatten(1) * self.scale


@pytest.mark.parametrize("scale", [0.5, 4.0])
def test_a_circle_has_the_curvature_of_its_radius(scale, batches, monkeypatch):
    # All coordinates once: the outputs move on a circle of that radius, at whatever angle it lies.
    monkeypatch.setattr(torch, "randint", lambda n, size: torch.arange(n))
    assert _extrinsic_curvature(Probe(ToCircle(scale), batches)).item() == pytest.approx(1 / scale, rel=1e-6)


def test_a_straight_path_has_no_curvature(batches):
    class Line(nn.Module):
        def forward(self, images):
            return images.sum() * torch.ones(1, 4, dtype=images.dtype)

    # One coordinate four times: v and a are parallel.
    assert _extrinsic_curvature(Probe(Line(), batches)).item() == pytest.approx(0, abs=1e-5)


def test_float32_is_accurate(named_network, batches):
    for name in ("mixed", "convolutions", "grouped"):
        network = named_network(name)
        single = Probe(copy.deepcopy(network).float(), [Batch(batches[0].images.float(), batches[0].labels)])
        assert dextr(single) == pytest.approx(dextr(Probe(network, batches)), rel=2e-3)


def test_where_the_outputs_do_not_move_the_conditioning_alone_counts(batches):
    class Deaf(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 5, 3)

        def forward(self, images):
            return self.conv(images).mean(dim=(2, 3)).detach() * 0 + 1

    probe = Probe(Deaf().double(), batches)
    assert math.isnan(_extrinsic_curvature(probe))
    assert dextr(probe) == pytest.approx(math.log1p(_conditioning(probe)), rel=1e-12)


@pytest.mark.parametrize("name", ["unconnected", "all none"])
def test_unconnected_cells_have_a_score(name, named_network, batches):
    probe = Probe(named_network(name), batches)
    assert dextr(probe) == pytest.approx(math.log1p(_conditioning(probe)), rel=1e-12)
    assert module.COORDINATES == 10
