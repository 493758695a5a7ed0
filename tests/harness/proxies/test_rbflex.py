"""RBFleX equals log-determinants of kernels that numpy makes with many digits, of rows gathered image by image."""

import copy
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies import rbflex as module
from harness.proxies.rbflex import rbflex


def exact_log_determinant(squared, gamma):
    """Of exp(−γ d²) for three images, by fractions: the series of exp to a term far below the last digit of a float."""

    def kernel(i, j):
        x = -Fraction(gamma) * Fraction(float(squared[i][j]))
        return 1 + x + x**2 / 2 + x**3 / 6

    a, b, c = kernel(0, 1), kernel(0, 2), kernel(1, 2)
    determinant = 1 + 2 * a * b * c - a**2 - b**2 - c**2
    return math.log(abs(determinant)) if determinant else -math.inf


def squared_distances(rows):
    rows = np.array(rows)
    kept = rows[:, rows.max(0) > rows.min(0)]
    scaled = (kept - kept.min(0)) / (kept.max(0) - kept.min(0))
    return [[((a - b) ** 2).sum() for b in scaled] for a in scaled]


def gathered(network, images):
    """What leaves modules named for a ReLU and what enters the last module, a row an image."""
    network = copy.deepcopy(network)
    leaving, entering = [], []
    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
        if "ReLU" in type(part).__name__:
            part.register_forward_hook(lambda _, __, output: leaving[-1].extend(output.flatten().tolist()))
    list(network.modules())[-1].register_forward_hook(lambda _, i, __: entering[-1].extend(i[0].flatten().tolist()))
    for image in images:
        leaving.append([])
        entering.append([])
        network(image[None].clone())
    return leaving, entering


def middle_of_thirds(images):
    order = images.flatten(1).norm(dim=1).argsort()
    return images[order[[len(images) // 6, len(images) // 2, 5 * len(images) // 6]]]


RELU_NETWORKS = ["convolutions", "mixed", "with a dead end", "all skip", "linear only", "plain convolutions", "grouped"]


@pytest.mark.parametrize("name", RELU_NETWORKS)
def test_it_is_the_sum_of_two_log_determinants_of_three_images(name, named_network, batches):
    network = named_network(name)
    leaving, entering = gathered(network, middle_of_thirds(batches[0].images))
    expected = 3 * (
        exact_log_determinant(squared_distances(leaving), 2.68690173088039e-12)
        + exact_log_determinant(squared_distances(entering), 1.02460061284506e-11)
    )
    assert rbflex(Probe(network, batches)) == pytest.approx(expected, rel=1e-9)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.lists(st.integers(-9, 9), min_size=4, max_size=4), min_size=3, max_size=3),
    st.sampled_from([1e-13, 1e-9, 1e-6]),
)
def test_its_determinant_keeps_the_digits_that_entries_near_one_would_lose(rows, gamma):
    points = torch.tensor(rows, dtype=torch.float64)
    squared = (points[:, None] - points[None]).square().sum(2)
    expected = exact_log_determinant(squared.tolist(), gamma)
    found = float(module._log_determinant(squared, gamma))
    # Of points on one line, whose determinant is of a higher order in γ, fewer digits are left.
    on_one_line = np.linalg.matrix_rank(np.array(rows)[1:] - np.array(rows)[0]) < 2
    assert on_one_line or found == pytest.approx(expected, rel=1e-9)


def test_gamma_adds_a_constant(named_network, batches, monkeypatch):
    before = [rbflex(Probe(named_network(name), batches)) for name in ("mixed", "convolutions", "grouped")]
    monkeypatch.setattr(module, "GAMMA_ACTIVATIONS", module.GAMMA_ACTIVATIONS / 10)
    monkeypatch.setattr(module, "GAMMA_LAST", module.GAMMA_LAST / 10)
    after = [rbflex(Probe(named_network(name), batches)) for name in ("mixed", "convolutions", "grouped")]
    for one, other in zip(before, after, strict=True):
        assert one - other == pytest.approx(12 * math.log(10), rel=1e-6)


def test_the_scale_of_a_layer_does_not_matter(named_network, batches):
    network = named_network("linear only")
    scaled = copy.deepcopy(network)
    with torch.no_grad():
        scaled[1].weight *= 3
        scaled[1].bias *= 3
    assert rbflex(Probe(scaled, batches)) == pytest.approx(rbflex(Probe(network, batches)), rel=1e-9)


def test_images_that_look_the_same_give_minus_infinity(named_network, batches):
    same = batches[0].images[:1].expand(8, -1, -1, -1).clone()
    assert rbflex(Probe(named_network("mixed"), [Batch(same, batches[0].labels)])) == -math.inf


def test_each_image_has_its_own_batch_statistics(named_network, batches):
    """An image brighter than the others is the same to a batch norm that sees it alone."""
    network = named_network("convolutions")
    images = middle_of_thirds(batches[0].images)
    brighter = images * torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)[:, None, None, None]
    labels = batches[0].labels[:3]
    expected = rbflex(Probe(network, [Batch(images, labels)]))
    assert rbflex(Probe(network, [Batch(brighter, labels)])) == pytest.approx(expected, rel=1e-3)


def test_where_it_is_not_defined_the_reason_is_told(named_network, batches):
    with pytest.raises(NotApplicableError, match="no ReLU modules"):
        rbflex(Probe(named_network("without relu modules"), batches))
    with pytest.raises(NotApplicableError, match="needs 3 images"):
        rbflex(Probe(named_network("mixed"), [Batch(batches[0].images[:2], batches[0].labels[:2])]))
    normed = nn.Sequential(nn.Flatten(), nn.Linear(192, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 10)).double()
    with pytest.raises(NotApplicableError, match="single value per channel"):
        rbflex(Probe(normed.train(), batches))

    class LastIsIdle(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu, self.idle = nn.ReLU(), nn.Linear(1, 1)

        def forward(self, images):
            return self.relu(images)

    with pytest.raises(NotApplicableError, match="does not call its last module"):
        rbflex(Probe(LastIsIdle(), batches))
