"""The networks built from cells compute what the cell says."""

import hashlib

import pytest
import torch
from harness_benchmarks.nb201.cells import (
    CellModule,
    CellNetwork,
    Layer,
    LayeredNetwork,
    ReductionBlock,
    make_operation,
)
from harness_benchmarks.nb201.topology import EDGES, OPERATIONS, parse_cell
from torch.nn import functional as F

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


class TestWidths:
    """A cell may lead from one width to another; what is between its other nodes has the second."""

    def test_edges_from_the_first_node_change_the_width(self, features):
        cell = CellModule(
            ("nor_conv_3x3", "skip_connect", "nor_conv_1x1", "skip_connect", "none", "avg_pool_3x3"), 8, 12
        )
        assert cell(features).shape == (4, 12, 6, 6)
        widths = [parameter.shape[1] for parameter in cell.parameters() if parameter.ndim == 4]
        assert widths == [8, 8, 12, 8]

    def test_a_skip_between_widths_is_a_convolution_and_a_batch_norm_without_relu(self, features):
        operation = make_operation("skip_connect", 8, 12)
        weight = next(p for p in operation.parameters() if p.ndim == 4)
        assert weight.shape == (12, 8, 1, 1)
        assert sum(p.numel() for p in operation.parameters()) == 8 * 12 + 2 * 12
        convolved = F.conv2d(features, weight)
        mean, variance = convolved.mean((0, 2, 3), keepdim=True), convolved.var((0, 2, 3), correction=0, keepdim=True)
        assert torch.allclose(operation(features), (convolved - mean) / (variance + 1e-5).sqrt(), atol=1e-5)

    def test_a_cell_of_one_width_is_the_same_however_it_is_asked_for(self, features):
        torch.manual_seed(0)
        one = CellModule(MIXED, 8)
        torch.manual_seed(0)
        two = CellModule(MIXED, 8, 8)
        assert torch.equal(one(features), two(features))

    @pytest.mark.parametrize("name", ["none", "avg_pool_3x3"])
    def test_what_cannot_change_the_width_is_refused(self, name):
        with pytest.raises(ValueError, match=f"'{name}' cannot map 8 to 12 channels"):
            make_operation(name, 8, 12)

    def test_layers_have_the_stated_widths(self, images):
        layers = [Layer(4), Layer(12, reduces=True), Layer(8)]
        network = LayeredNetwork(("nor_conv_3x3",) * 6, layers, classes=7)
        assert network.forward_features(images).shape == (4, 8, 8, 8)
        assert network(images).shape == (4, 7)
        assert [type(block) for block in network.blocks] == [CellModule, ReductionBlock, CellModule]


# Stored scores, those of the digits benchmark's trainings among them, are of these weights: were a layer named, ordered
# or drawn otherwise, the same seed would give another network and a resumed run would mix the two.
WEIGHTS_OF_SEED_0 = [
    (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
        ((16, 32, 64), 5, 10, 3),
        "1429df7f70628183440000009a2f8a0cf60f6b59e09a3844b8f91500eb167b56",
    ),
    (
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
        ((4, 8), 1, 10, 1),
        "9747b2b8af610fb03f422a43ef30ae858092a186677256fb0819c555e625f464",
    ),
    (
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|",
        ((16, 32, 64), 5, 10, 3),
        "af082741f6289c096cb2a18bde4cadcacc23c8c7f134cd4aca6081b62aabf64d",
    ),
    (
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|",
        ((4, 8), 1, 10, 1),
        "19fc8d9eb0f63da6b78ab7d2964c9e84f110810800be587eff10d0208e32bd59",
    ),
]


@pytest.mark.parametrize(("architecture", "arguments", "expected"), WEIGHTS_OF_SEED_0)
def test_a_seed_gives_the_weights_that_it_always_gave(architecture, arguments, expected):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = CellNetwork(parse_cell(architecture), *arguments)
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        # Rounded, because processors differ in the last bit of what they draw.
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.double().sum():.4f}\n".encode())
    assert digest.hexdigest() == expected


def test_a_thin_network_is_its_cell_at_one_channel():
    cell = ("nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none", "nor_conv_1x1", "nor_conv_3x3")
    thin = CellNetwork(cell, (16, 32), 2, 7).thin_network()
    assert thin.forward_features(torch.randn(5, 1, 3, 3)).shape == (5, 1, 3, 3)
    convolutions = [module for module in thin.modules() if isinstance(module, torch.nn.Conv2d)]
    assert sorted(module.kernel_size[0] for module in convolutions) == [1, 3, 3]
