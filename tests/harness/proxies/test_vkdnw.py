"""VKDNW equals a computation image by image and weight by weight with autograd and numpy."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe, per_sample
from harness.proxies import vkdnw as module
from harness.proxies._entry_jacobian import entry_jacobian
from harness.proxies.vkdnw import _covariance_root, vkdnw, vkdnw_entropy, vkdnw_entropy_fisher
from harness.tasks import IMAGE, PIXEL_CLASSES, VECTOR


@pytest.fixture
def drawn(monkeypatch):
    """The network and the images that are drawn."""
    kept = {}
    kaiming_copy, gaussian_images = module.kaiming_copy, module.gaussian_images

    def network(probe):
        kept["network"] = kaiming_copy(probe)
        return copy.deepcopy(kept["network"])

    def images(probe, count):
        kept["images"] = gaussian_images(probe, count)
        return kept["images"]

    monkeypatch.setattr(module, "kaiming_copy", network)
    monkeypatch.setattr(module, "gaussian_images", images)
    return kept


def jacobian_by_autograd(network, images, count):
    """∂z_nc/∂θ, one image and one class at a time."""
    network = copy.deepcopy(network).eval()
    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    parameters = list(network.parameters())[:count]
    rows = []
    for image in images:
        logits = network(image[None].clone())[0]
        grads = [
            torch.autograd.grad(z, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
            for z in logits
        ]
        rows.append([[g.flatten()[0].item() for g in of_class] for of_class in grads])
    return np.array(rows)


def entropy_by_definition(network, images, of_root):
    jacobian = jacobian_by_autograd(network, images, 128)
    with torch.no_grad():
        logits = copy.deepcopy(network).eval()(images.clone()).numpy()
    total = 0
    for z, J in zip(logits, jacobian, strict=True):
        p = np.exp(z - z.max())
        p = 0.95 * p / p.sum() + 0.05 / len(p)
        covariance = np.diag(p) - np.outer(p, p)
        if of_root:
            # The smallest class fixes the last pivot at zero; a touch on the diagonal lets numpy factor it.
            L = np.linalg.cholesky(covariance + 1e-15 * np.eye(len(p)))
            L[:, -1] = 0
            covariance = L.T @ L
        total = total + J.T @ covariance @ J
    values = np.linalg.svd(total / len(images), compute_uv=False)
    deciles = np.quantile(values, np.arange(1, 10) / 10)
    shares = deciles / (deciles.sum() + 1e-10)
    return -(shares * np.log(shares + 1e-10)).sum()


@pytest.mark.parametrize(("proxy", "of_root"), [(vkdnw_entropy, True), (vkdnw_entropy_fisher, False)])
def test_the_entropy_equals_its_definition(proxy, of_root, network, batches, drawn):
    score = proxy(Probe(network, batches))
    assert drawn["images"].shape[0] == 64
    assert score == pytest.approx(entropy_by_definition(drawn["network"], drawn["images"], of_root), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("name", ["unconnected", "all none"])
def test_where_nothing_gets_through_what_comes_after_still_counts(name, named_network, batches, drawn):
    network = named_network(name)
    score = vkdnw_entropy(Probe(network, batches))
    assert score == pytest.approx(entropy_by_definition(drawn["network"], drawn["images"], True), rel=1e-5, abs=1e-8)


def test_vkdnw_adds_the_number_of_parameter_tensors(network, batches):
    probe = Probe(network, batches)
    assert vkdnw(probe) == pytest.approx(vkdnw_entropy(probe) + len(list(network.parameters())), rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-8, 8), min_size=2, max_size=12))
def test_the_root_is_triangular_and_its_square_is_the_covariance_of_the_classes(logits):
    p = torch.tensor([logits], dtype=torch.float64).softmax(dim=1) * 0.95 + 0.05 / len(logits)
    root = _covariance_root(p)[0]
    assert torch.equal(root, root.tril())
    assert torch.allclose(root @ root.T, torch.diag(p[0]) - torch.outer(p[0], p[0]), atol=1e-14)


def test_the_covariance_does_not_care_for_the_order_of_the_classes(named_network, batches, monkeypatch):
    network = named_network("mixed")
    expected, as_run = vkdnw_entropy_fisher(Probe(network, batches)), vkdnw_entropy(Probe(network, batches))
    original = module.entry_jacobian

    def permuted(*args):
        logits, jacobian = original(*args)
        return logits.flip(1), jacobian.flip(1)

    monkeypatch.setattr(module, "entry_jacobian", permuted)
    assert vkdnw_entropy_fisher(Probe(network, batches)) == pytest.approx(expected, rel=1e-9)
    assert vkdnw_entropy(Probe(network, batches)) != pytest.approx(as_run, rel=1e-6)


def test_it_lies_between_zero_and_the_logarithm_of_nine(network, batches):
    assert 0 <= vkdnw_entropy(Probe(network, batches)) <= math.log(9) + 1e-9


def test_only_the_first_128_tensors_are_asked(named_network, batches, monkeypatch):
    network = named_network("mixed")
    everything = vkdnw_entropy(Probe(network, batches))
    monkeypatch.setattr(module, "TENSORS", 10)
    assert vkdnw_entropy(Probe(network, batches)) != everything
    assert entry_jacobian(network, batches[0].images, 10)[1].shape == (8, 10, 10)


def test_weights_of_the_network_do_not_matter(named_network, batches):
    assert vkdnw(Probe(named_network("mixed"), batches)) == vkdnw(Probe(named_network("mixed", seed=1), batches))


def test_float32_is_accurate(named_network, batches):
    network = named_network("mixed")
    single = Probe(copy.deepcopy(network).float(), [Batch(batches[0].images.float(), batches[0].labels)])
    assert vkdnw_entropy(single) == pytest.approx(vkdnw_entropy(Probe(network, batches)), rel=1e-3)


@pytest.mark.parametrize("objective", [VECTOR, IMAGE, PIXEL_CLASSES])
def test_without_class_probabilities_it_is_skipped(objective, named_network, batches):
    with pytest.raises(NotApplicableError, match="class probabilities"):
        vkdnw(Probe(named_network("mixed"), batches, objective=objective))


def test_a_module_of_unknown_kind_is_skipped(batches):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.PReLU(), nn.Flatten(), nn.Linear(144, 10)).double()
    with pytest.raises(NotApplicableError, match="PReLU"):
        vkdnw(Probe(network, batches))


class Unusual(nn.Module):
    """Strides, dilation, reflection, groups, a layer called twice, one called never, and work in place."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=(2, 1), padding_mode="reflect")
        self.norm = nn.BatchNorm2d(4)
        self.never = nn.Conv2d(4, 4, 1)
        self.twice = nn.Conv2d(4, 4, 3, padding="same", dilation=2, groups=2, bias=False)
        self.head = nn.Linear(4, 5)

    def forward(self, images):
        x = self.norm(self.first(images)).relu_()
        x = self.twice(self.twice(x).tanh_())
        x *= 2
        return self.head(x.mean(dim=(2, 3)))


def test_derivatives_at_entries_equal_autograds_for_unusual_layers(batches):
    torch.manual_seed(0)
    network = Unusual().double()
    network.norm.running_mean.normal_()
    network.norm.running_var.uniform_(0.5, 2)
    network.eval()
    expected = jacobian_by_autograd(network, batches[0].images, 99)
    outputs, jacobian = entry_jacobian(copy.deepcopy(network), batches[0].images, 99)
    assert torch.allclose(outputs, network(batches[0].images))
    assert np.allclose(jacobian.numpy(), expected, rtol=1e-9, atol=1e-12)
    assert np.abs(expected).max(axis=(0, 1)).tolist().count(0) == 2  # those of the layer never called


def test_tiles_of_one_image_are_added_up():
    class Siamese(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(8, 5)

        def forward(self, tiles):
            features = self.conv(tiles.flatten(0, 1)).relu().mean(dim=(2, 3))
            return self.head(features.reshape(len(tiles), -1))

    torch.manual_seed(0)
    network, tiles = Siamese().double().eval(), torch.randn(6, 2, 3, 5, 5, dtype=torch.float64)
    expected = jacobian_by_autograd(network, tiles, 4)
    assert np.allclose(entry_jacobian(network, tiles, 4)[1].numpy(), expected, rtol=1e-9, atol=1e-13)


def test_few_images_pass_at_a_time_and_the_score_is_that_of_all_at_once(network, batches, monkeypatch):
    passed = []

    def counting(copied, images, count):
        passed.append(len(images))
        return entry_jacobian(copied, images, count)

    monkeypatch.setattr(module, "entry_jacobian", counting)
    split = vkdnw_entropy(Probe(network, batches))
    assert passed == [16] * 4
    monkeypatch.setattr(per_sample, "MICRO_BATCH", 64)
    assert vkdnw_entropy(Probe(network, batches)) == pytest.approx(split, rel=1e-5)
    assert passed == [16] * 4 + [64]


@pytest.mark.parametrize("name", ["mixed", "unconnected", "all none"])
@pytest.mark.parametrize("left_out", [0, 1])
def test_more_classes_than_features_are_derived_from_the_features(name, left_out, named_network, batches):
    network = named_network(name).double()
    features = network.classifier.in_features
    torch.manual_seed(0)
    network.classifier = nn.Linear(features, features + 3).double()
    images = batches[0].images.double()
    count = len(list(network.parameters())) - left_out
    passes = []
    original = torch.autograd.grad

    def counted(*args, **kwargs):
        passes.append(args)
        return original(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.autograd, "grad", counted)
        logits, jacobian = entry_jacobian(copy.deepcopy(network).eval(), images, count)
    assert len(passes) <= features
    expected = jacobian_by_autograd(network, images, count)
    assert np.allclose(jacobian.numpy(), expected, rtol=1e-9, atol=1e-12)
    assert torch.allclose(logits, copy.deepcopy(network).eval()(images))
