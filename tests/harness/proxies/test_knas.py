"""KNAS equals the mean of the Gram matrix, made of every pair of images."""

import copy
import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.knas import knas, knas_first


def gradients_of_images(network, batch):
    """For each tensor of at least 50 parameters with a gradient, the images' gradients: (images, entries)."""
    rows = []
    for image, label in zip(batch.images, batch.labels, strict=True):
        network = copy.deepcopy(network)
        network.zero_grad()
        F.cross_entropy(network(image[None]), label[None]).backward()
        rows.append([p.grad.numpy().ravel() for p in network.parameters() if p.grad is not None and p.numel() >= 50])
    return [np.stack(column) for column in zip(*rows, strict=True)]


def mean_of_gram(rows):
    return np.mean([[a @ b for a in rows] for b in rows])


def test_knas_weighs_every_tensor_alike(probe, network, batches):
    tensors = gradients_of_images(network, batches[0])
    expected = np.mean([mean_of_gram(rows) * 50 / rows.shape[1] for rows in tensors])
    assert knas(probe) == pytest.approx(expected, rel=1e-8)


def test_knas_is_the_expectation_over_the_entries_drawn(batches):
    torch.manual_seed(2)
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 10)).double()
    (rows,) = gradients_of_images(network, batches[0])
    rng = np.random.default_rng(0)
    drawn = [mean_of_gram(rows[:, rng.choice(rows.shape[1], 50, replace=False)]) for _ in range(400)]
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert knas(Probe(network, batches)) == pytest.approx(np.mean(drawn), abs=4 * error)


def test_knas_first_takes_the_first_fifty_entries_of_eleven_tensors(named_network, batches):
    network = named_network("convolutions")
    tensors = gradients_of_images(network, batches[0])
    assert len(tensors) > 11
    expected = sum(mean_of_gram(rows[:, :50]) for rows in tensors[:11])
    assert knas_first(Probe(network, batches)) == pytest.approx(expected, rel=1e-8)


def test_the_official_code_as_it_runs_is_zero_on_average_over_the_order_of_the_images(batches):
    torch.manual_seed(2)
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, 10)).double()
    batch = Batch(batches[0].images[:6], batches[0].labels[:6])
    (rows,) = gradients_of_images(network, batch)
    values = []
    for order in itertools.permutations(range(6)):
        first, second = rows[list(order[:3]), :50], rows[list(order[3:]), :50]
        values.append(((first - first.mean(axis=0)) * (second - second.mean(axis=0))).sum())
    assert np.std(values) > 0
    assert np.mean(values) == pytest.approx(0, abs=1e-12 * np.std(values))


def test_the_squared_scale_of_the_loss_is_the_scores(named_network, batches):
    from dataclasses import replace

    from harness.tasks import CLASSES

    network = named_network("mixed")
    thrice = replace(CLASSES, loss=lambda outputs, targets: 3 * F.cross_entropy(outputs, targets))
    for proxy in (knas, knas_first):
        expected = 9 * proxy(Probe(network, batches))
        assert proxy(Probe(network, batches, objective=thrice)) == pytest.approx(expected, rel=1e-9)


def test_not_applicable_without_a_tensor_of_fifty_parameters(batches):
    network = nn.Sequential(nn.Conv2d(3, 1, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 10)).double()
    for proxy in (knas, knas_first):
        with pytest.raises(NotApplicableError, match="at least 50 parameters"):
            proxy(Probe(network, batches))
