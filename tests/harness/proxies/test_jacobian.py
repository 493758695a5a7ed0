"""jacob_cov and EPE-NAS equal the official formulas, written as loops over images and classes in numpy."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.jacobian import epe_nas, epe_nas_classes, jacob_cov

K = 1e-5


def jacobian_by_images(network, images):
    """Row i is the gradient of the sum of all logits with respect to image i."""
    network = copy.deepcopy(network)
    leaves = [image.clone().requires_grad_(True) for image in images]
    logits = network(torch.stack(leaves))
    return np.stack([g.flatten().numpy() for g in torch.autograd.grad(logits.sum(), leaves)])


def jacob_cov_by_numpy(jacobian):
    eigenvalues = np.linalg.eigvalsh(np.corrcoef(jacobian))
    return -np.sum(np.log(eigenvalues + K) + 1.0 / (eigenvalues + K))


def rows_of_classes(jacobian, labels):
    rows = {}
    for row, label in zip(jacobian, labels.tolist(), strict=True):
        rows.setdefault(label, []).append(row)
    return rows.values()


def epe_of_few_classes(jacobian, labels):
    return sum(abs(np.sum(np.log(np.abs(np.corrcoef(rows)) + K))) for rows in rows_of_classes(jacobian, labels))


def epe_of_many_classes(jacobian, labels):
    scores = [
        np.sum(np.log(np.abs(np.corrcoef(rows)) + K)) / len(rows)
        for rows in rows_of_classes(jacobian, labels)
        if len(rows) > 1
    ]
    return sum(abs(a - b) for a in scores for b in scores) / len(scores)


def linear_classifier(classes, features=12):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(features, 9), nn.Tanh(), nn.Linear(9, classes)).double()


def random_batch(labels, features=12):
    generator = torch.Generator().manual_seed(3)
    return Batch(
        torch.randn(len(labels), features, 1, 1, generator=generator, dtype=torch.float64), torch.tensor(labels)
    )


def test_jacob_cov_is_the_spectrum_of_the_jacobians_correlations(probe, network, batches):
    expected = jacob_cov_by_numpy(jacobian_by_images(network, batches[0].images))
    assert jacob_cov(probe) == pytest.approx(expected, rel=1e-7)


def test_epe_nas_sums_over_classes(probe, network, batches):
    expected = epe_of_few_classes(jacobian_by_images(network, batches[0].images), batches[0].labels)
    assert epe_nas(probe) == pytest.approx(expected, rel=1e-8)
    assert epe_nas_classes(probe) == epe_nas(probe)


def test_the_batch_holds_a_class_with_one_image_and_one_with_more(batches):
    counts = np.bincount(batches[0].labels)
    assert 1 in counts and counts.max() > 1


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [5, 5, 5, 5], [1, 0, 1, 0, 7, 1], [3, 3, 2]])
def test_epe_nas_with_classes_of_any_size(labels):
    network, batch = linear_classifier(10), random_batch(labels)
    expected = epe_of_few_classes(jacobian_by_images(network, batch.images), batch.labels)
    assert epe_nas(Probe(network, [batch])) == pytest.approx(expected, rel=1e-8)


def test_a_class_of_one_image_adds_the_logarithm_of_its_correlation_with_itself():
    probe = Probe(linear_classifier(10), [random_batch([4, 8, 6])])
    assert epe_nas(probe) == pytest.approx(3 * math.log(1 + K), rel=1e-6)


def test_up_to_a_hundred_classes_both_variants_agree_and_beyond_they_do_not():
    batch = random_batch([1, 0, 1, 0, 7, 1, 7, 100 - 1])
    hundred, more = Probe(linear_classifier(100), [batch]), Probe(linear_classifier(101), [batch])
    assert epe_nas_classes(hundred) == epe_nas(hundred)
    jacobian = jacobian_by_images(more.network, batch.images)
    assert epe_nas(more) == pytest.approx(epe_of_few_classes(jacobian, batch.labels), rel=1e-8)
    assert epe_nas_classes(more) == pytest.approx(epe_of_many_classes(jacobian, batch.labels), rel=1e-8)


def test_with_many_classes_and_one_image_of_each_there_is_nothing_to_compare():
    with pytest.raises(NotApplicableError, match="no class has two images"):
        epe_nas_classes(Probe(linear_classifier(120), [random_batch([3, 5, 110])]))


@pytest.mark.parametrize("proxy", [jacob_cov, epe_nas, epe_nas_classes])
def test_nan_where_the_logits_do_not_depend_on_the_images(proxy, named_network, batches):
    assert math.isnan(proxy(Probe(named_network("all none"), batches)))


@pytest.mark.parametrize("proxy", [jacob_cov, epe_nas, epe_nas_classes])
def test_nan_where_the_logits_do_not_depend_on_one_image(proxy):
    class IgnoresBlack(nn.Module):
        """The third power's gradient vanishes at zero."""

        def forward(self, images):
            return images.flatten(1).pow(3)

    batch = random_batch([0, 1, 2, 0])
    batch.images[3] = 0
    assert math.isnan(proxy(Probe(IgnoresBlack(), [batch])))


def test_jacob_cov_is_highest_where_images_move_the_logits_in_unrelated_ways():
    class Identity(nn.Module):
        """∂Σz/∂x = 2x: the Jacobian's rows are those of the images."""

        def forward(self, images):
            return images.flatten(1).square()

    # Rows of a Hadamard matrix without its constant row: correlations are exactly the identity.
    signs = torch.tensor([[1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=torch.float64)
    unrelated = Batch(signs[:, :, None, None], torch.zeros(3, dtype=torch.int64))
    best = -3 * (math.log(1 + K) + 1 / (1 + K))
    assert jacob_cov(Probe(Identity(), [unrelated])) == pytest.approx(best, rel=1e-12)
    assert jacob_cov(Probe(Identity(), [random_batch([0, 1, 2])])) < best


@settings(deadline=None, max_examples=15)
@given(order=st.permutations(range(8)), shift=st.integers(0, 9))
def test_neither_the_order_of_images_nor_the_names_of_classes_matter(mixed_network, batches, order, shift):
    batch = batches[0]
    other = Batch(batch.images[list(order)], (batch.labels[list(order)] + shift) % 10)
    for proxy in (jacob_cov, epe_nas, epe_nas_classes):
        expected = proxy(Probe(mixed_network, [batch]))
        assert proxy(Probe(mixed_network, [other])) == pytest.approx(expected, rel=1e-7)


@settings(deadline=None, max_examples=10)
@given(factor=st.floats(0.01, 100))
def test_scaling_the_logits_does_not_matter(factor):
    network, batch = linear_classifier(10), random_batch([1, 0, 1, 0, 7, 1])
    expected = {proxy: proxy(Probe(network, [batch])) for proxy in (jacob_cov, epe_nas)}
    with torch.no_grad():
        network[3].weight.mul_(factor)
    for proxy, value in expected.items():
        assert proxy(Probe(network, [batch])) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("proxy", [jacob_cov, epe_nas])
def test_float32_is_accurate(proxy, network, batches):
    single = Probe(copy.deepcopy(network).float(), [Batch(batches[0].images.float(), batches[0].labels)])
    assert proxy(single) == pytest.approx(proxy(Probe(network, batches)), rel=1e-3)


@pytest.fixture(scope="module")
def mixed_network(named_network):
    return named_network("mixed")
