"""The features after each block lead to the network's feature map and hang together in one graph."""

from itertools import pairwise

import pytest
import torch
from harness_benchmarks.nasbench101.cell import Cell
from harness_benchmarks.nasbench101.network import CellNetwork as NasBench101Network
from harness_benchmarks.nb201.cells import CellNetwork
from harness_benchmarks.transnas101.network import build_network

MICRO = "64-41414-3_33_333"
IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def follows(features):
    """Whether each feature map is computed from the one before."""
    return all(torch.autograd.grad(b.sum(), a, retain_graph=True)[0].any() for a, b in pairwise(features))


def test_cells_of_nas_bench_201():
    network = CellNetwork(("nor_conv_3x3",) * 6, (4, 8), cells_per_stage=2, classes=10).eval()
    features = network.forward_blocks(IMAGES)
    assert [tuple(feature.shape[1:]) for feature in features] == [(4, 32, 32)] * 3 + [(8, 16, 16)] * 3
    assert torch.equal(network.last(features[-1]), network.forward_features(IMAGES))
    assert follows(features)


def test_cells_of_nas_bench_101():
    network = NasBench101Network(Cell(vertices=4, adjacency=0b110111, operations="10"), classes=10).eval()
    features = network.forward_blocks(IMAGES)
    shapes = [(128, 32, 32)] * 4 + [(256, 16, 16)] * 3 + [(512, 8, 8)] * 3
    assert [tuple(feature.shape[1:]) for feature in features] == shapes
    assert torch.equal(features[-1], network.forward_features(IMAGES))
    assert follows(features)


@pytest.mark.parametrize("task", ["class_scene", "segmentsemantic", "autoencoder"])
def test_cells_of_transnas_bench(task):
    network = build_network(MICRO, task).eval()
    features = network.forward_blocks(IMAGES)
    assert features[0].shape == (2, 64, 8, 8)
    assert torch.equal(features[-1], network.backbone(IMAGES))
    assert follows(features)


def test_tiles_pass_as_images_of_their_own():
    network = build_network(MICRO, "jigsaw").eval()
    tiles = torch.randn(2, 9, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    features = network.forward_blocks(tiles)
    assert len(features[0]) == 18
    of_place = features[-1].unflatten(0, (2, 9)).flatten(1, 2)
    assert torch.allclose(of_place, network.forward_features(tiles), atol=1e-5)
