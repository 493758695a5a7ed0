"""The networks built from cells compute what the cell says."""

import pytest
import torch
from torch.nn import functional as F

from benchmarks.cells import CellModule, CellNetwork, ReductionBlock, make_operation
from benchmarks.topology import EDGES, OPERATIONS

SKIP = ("skip_connect",) * 6
MIXED = ("nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none", "nor_conv_1x1", "nor_conv_3x3")


@pytest.fixture
def images():
    return torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def features():
    return torch.randn(4, 8, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_keeps_the_shape(name, features):
    assert make_operation(name, 8)(features).shape == features.shape


def test_none_gives_zeros_and_skip_gives_its_input(features):
    assert not make_operation("none", 8)(features).any()
    assert torch.equal(make_operation("skip_connect", 8)(features), features)


def test_pooling_averages_over_the_pixels_inside_the_image(features):
    pooled = make_operation("avg_pool_3x3", 8)(features)
    assert torch.allclose(pooled[:, :, 0, 0], features[:, :, :2, :2].mean(dim=(2, 3)), atol=1e-6)
    assert torch.allclose(pooled[:, :, 2, 3], features[:, :, 1:4, 2:5].mean(dim=(2, 3)), atol=1e-6)


def test_a_convolution_is_relu_then_convolution_then_batch_norm(features):
    operation = make_operation("nor_conv_3x3", 8)
    weight = next(p for p in operation.parameters() if p.ndim == 4)
    convolved = F.conv2d(features.relu(), weight, padding=1)
    mean, variance = convolved.mean((0, 2, 3), keepdim=True), convolved.var((0, 2, 3), correction=0, keepdim=True)
    assert torch.allclose(operation(features), (convolved - mean) / (variance + 1e-5).sqrt(), atol=1e-5)


def test_an_unknown_operation_is_refused():
    with pytest.raises(ValueError, match="unknown operation 'conv_7x7'"):
        make_operation("conv_7x7", 8)


def test_a_cell_sums_over_the_edges_of_its_graph(features):
    cell = CellModule(MIXED, 8)
    operation = dict(zip(EDGES, cell.operations, strict=True))
    nodes = [features]
    for target in (1, 2, 3):
        nodes.append(sum(operation[source, target](nodes[source]) for source in range(target)))
    assert torch.allclose(cell(features), nodes[3], atol=1e-6)


def test_a_cell_of_skips_gives_four_times_its_input(features):
    assert torch.allclose(CellModule(SKIP, 8)(features), 4 * features)


def test_a_reduction_block_halves_the_resolution(features):
    assert ReductionBlock(8, 16)(features).shape == (4, 16, 3, 3)


@pytest.mark.parametrize("cell", [SKIP, MIXED, ("none",) * 6])
def test_logits_and_features_have_the_stated_shapes(cell, images):
    network = CellNetwork(cell, (4, 8, 16), 2, classes=7)
    assert network.training
    assert network.forward_features(images).shape == (4, 16, 4, 4)
    assert network(images).shape == (4, 7)


def test_logits_are_the_classifier_on_the_pooled_features(images):
    network = CellNetwork(MIXED, (4, 8, 16), 2, classes=7).eval()
    pooled = network.forward_features(images).mean(dim=(2, 3))
    assert torch.allclose(network(images), network.classifier(pooled), atol=1e-6)


def test_each_stage_has_the_stated_number_of_cells():
    network = CellNetwork(MIXED, (4, 8, 16), 3, classes=7)
    assert sum(isinstance(module, CellModule) for module in network.modules()) == 9
    assert sum(isinstance(module, ReductionBlock) for module in network.modules()) == 2


def test_dead_operations_have_weights_too():
    dead = ("none", "none", "nor_conv_3x3", "skip_connect", "none", "none")
    network, empty = CellNetwork(dead, (4, 8, 16), 1, 7), CellNetwork(SKIP, (4, 8, 16), 1, 7)
    assert sum(p.numel() for p in network.parameters()) > sum(p.numel() for p in empty.parameters())


def test_the_same_random_state_gives_the_same_network():
    torch.manual_seed(5)
    first = CellNetwork(MIXED, (4, 8, 16), 1, 7).state_dict()
    torch.manual_seed(5)
    second = CellNetwork(MIXED, (4, 8, 16), 1, 7).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_images_of_one_channel_are_taken():
    network = CellNetwork(SKIP, (4, 8, 16), 1, 10, image_channels=1)
    assert network(torch.randn(2, 1, 8, 8)).shape == (2, 10)
