"""The number of linear regions equals the number of distinct rows of zeros and ones."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies.regions import linear_regions, linear_regions_noise, linear_regions_thin


class Units(nn.Module):
    """Every entry of the images is the input of one ReLU."""

    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, images):
        return self.relu(images).flatten(1)


class WithThin(Units):
    """Offers a network with one convolution of one channel."""

    def __init__(self, bias=False):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.layers = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1), nn.ReLU(), nn.Flatten())

    def thin_network(self):
        return copy.deepcopy(self.layers)


def batch_of(codes):
    images = torch.tensor(codes, dtype=torch.float64)[:, :, None, None] * 2 - 1
    return Batch(images, torch.zeros(len(images), dtype=torch.int64))


def patterns_by_hooks(network, images):
    rows = []
    twin = copy.deepcopy(network)
    for module in twin.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda m, i, o: rows.append((o > 0).flatten(1).numpy()))
            module.inplace = False
    twin(images)
    return np.concatenate(rows, axis=1)


@settings(deadline=None, max_examples=60)
@given(codes=st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=24))
def test_it_is_the_number_of_distinct_patterns(codes):
    assert linear_regions(Probe(Units(), [batch_of(codes)])) == len(set(map(tuple, codes)))


def test_patterns_are_those_of_all_relus_in_training_mode(named_network, batches):
    for name in ("convolutions", "mixed", "linear only", "plain convolutions", "grouped", "all pool"):
        network = named_network(name)
        expected = len(np.unique(patterns_by_hooks(network, batches[0].images), axis=0))
        assert linear_regions(Probe(network, batches)) == expected


def test_on_a_network_of_ordinary_width_it_is_the_number_of_images(named_network, batches):
    probe = Probe(named_network("convolutions"), batches)
    assert linear_regions(probe) == linear_regions_noise(probe) == 8


def test_images_that_do_not_arrive_lie_in_one_region(named_network, batches):
    flat = [Batch(torch.zeros_like(batches[0].images), batches[0].labels)]
    assert linear_regions(Probe(named_network("mixed"), flat)) == 1


def test_the_scale_of_what_comes_in_does_not_matter(named_network, batches):
    network = named_network("plain convolutions")
    with torch.no_grad():
        for layer in (network[0], network[2]):
            layer.bias.zero_()
    large = [Batch(batches[0].images * 100, batches[0].labels)]
    assert linear_regions(Probe(network, large)) == linear_regions(Probe(network, batches))


def test_noise_is_standard_normal_and_drawn_from_the_seed(batches):
    seen = []

    class Sees(Units):
        def forward(self, images):
            seen.append(images.detach())
            return super().forward(images)

    big = [Batch(torch.zeros(40, 3, 8, 8, dtype=torch.float64), torch.zeros(40, dtype=torch.int64))]
    for seed in (0, 0, 1):
        assert linear_regions_noise(Probe(Sees(), big, seed=seed)) == 40
    assert torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[2])
    assert abs(seen[0].mean()) < 0.05 and abs(seen[0].std() - 1) < 0.05


@pytest.mark.parametrize("proxy", [linear_regions, linear_regions_noise])
def test_not_applicable_without_relu_modules(proxy, named_network, batches):
    with pytest.raises(NotApplicableError, match="no ReLU modules"):
        proxy(Probe(named_network("without relu modules"), batches))


def test_thin_is_not_applicable_where_the_benchmark_offers_no_thin_network(named_network, batches):
    with pytest.raises(NotApplicableError, match="thin_network"):
        linear_regions_thin(Probe(named_network("linear only"), batches))


def test_thin_counts_distinct_crops_through_one_channel(batches):
    value = linear_regions_thin(Probe(WithThin().double(), batches))
    # Nine units have at most 512 patterns; 3,000 crops meet many of them, the mean is over three draws.
    assert 30 < value <= 512 and (3 * value) % 1 == pytest.approx(0, abs=1e-9)
    assert linear_regions_thin(Probe(WithThin().double(), batches, seed=5)) != value


def test_thin_crops_are_pieces_of_the_images():
    seen = []

    class Sees(nn.Sequential):
        def forward(self, images):
            seen.append(images)
            return super().forward(images)

    class Offers(WithThin):
        def thin_network(self):
            return Sees(nn.ReLU(), nn.Flatten())

    # Every pixel is its own number: image, channel, row and column can be told from it.
    images = torch.arange(4 * 3 * 5 * 6, dtype=torch.float64).reshape(4, 3, 5, 6)
    linear_regions_thin(Probe(Offers().double(), [Batch(images, torch.zeros(4, dtype=torch.int64))]))
    assert [crops.shape for crops in seen] == [(1000, 1, 3, 3)] * 9
    offsets = torch.arange(3)[:, None] * 6 + torch.arange(3)
    firsts = torch.cat([crops[:, 0, 0, 0] for crops in seen]).long()
    assert torch.equal(torch.cat(seen)[:, 0].long(), firsts[:, None, None] + offsets)
    assert firsts.unique().numel() == 4 * 3 * 3 * 4


def test_thin_of_tiles_crops_tiles():
    images = torch.randn(4, 9, 3, 8, 8, dtype=torch.float64)
    probe = Probe(WithThin().double(), [Batch(images, torch.zeros(4, dtype=torch.int64))])
    assert 30 < linear_regions_thin(probe) <= 512
