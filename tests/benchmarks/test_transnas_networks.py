"""The networks of TransNAS-Bench-101: shapes, gradients, and the particulars that the benchmark trained with."""

import copy
import itertools
import math

import pytest
import torch
from harness_benchmarks.nb201.topology import EDGES, live_cell
from harness_benchmarks.transnas101 import macro, micro
from harness_benchmarks.transnas101.backbone import MicroCell
from harness_benchmarks.transnas101.decoder_layers import generator_layers, segmentation_layers
from harness_benchmarks.transnas101.network import build_network
from harness_benchmarks.transnas101.operations import FactorizedReduce, StridedZero, make_operation
from harness_benchmarks.transnas101.skeleton import CellShape, halvings
from harness_benchmarks.transnas101.tasks import HEADS, TASKS
from torch import nn

from harness.errors import HarnessError, UnknownNameError

MICRO, MACRO = "64-41414-0_23_131", "64-3412-basic"
ARCHITECTURES = (MICRO, MACRO)
CLASSIFYING = [task for task in TASKS if HEADS[task].kind == "classifier"]
IMAGE_TASKS = [task for task in TASKS if HEADS[task].kind in ("segmentation", "generator")]


def images(task, batch=4, side=64):
    torch.manual_seed(1)
    return torch.randn(batch, 9, 3, side // 2, side // 2) if task == "jigsaw" else torch.randn(batch, 3, side, side)


def build(architecture, task, **options):
    torch.manual_seed(0)
    return build_network(architecture, task, **options)


class TestNetworks:
    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    @pytest.mark.parametrize("task", TASKS)
    def test_forward_and_backward_reach_every_live_weight_of_the_backbone(self, architecture, task):
        network = build(architecture, task)
        outputs = network(images(task))
        assert outputs.shape == (4, HEADS[task].outputs, *((64, 64) if task in IMAGE_TASKS else ()))
        outputs.square().mean().backward()
        reached = {
            name
            for name, weight in network.named_parameters()
            if weight.ndim == 4 and weight.grad is not None and weight.grad.any()
        }
        dead = set()
        if architecture == MICRO:
            cell = micro.parse_cell(MICRO)
            idle = [edge for edge, (a, b) in enumerate(zip(cell, live_cell(cell), strict=True)) if a != b]
            dead = {f"backbone.cells.{place}.operations.{edge}.1.weight" for place in range(10) for edge in idle}
        convolutions = {name for name, weight in network.named_parameters() if weight.ndim == 4}
        assert dead <= convolutions
        assert reached == convolutions - dead

    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    @pytest.mark.parametrize("task", TASKS)
    def test_a_deep_copy_computes_the_same_and_shares_nothing(self, architecture, task):
        network = build(architecture, task).eval()
        twin = copy.deepcopy(network)
        batch = images(task, batch=1)
        with torch.no_grad():
            assert torch.equal(network(batch), twin(batch))
        own = {parameter.data_ptr() for parameter in network.parameters()}
        assert own.isdisjoint(parameter.data_ptr() for parameter in twin.parameters())

    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    @pytest.mark.parametrize("task", TASKS)
    def test_the_last_layer_reads_the_features(self, architecture, task):
        network = build(architecture, task).eval()
        batch = images(task, batch=2)
        with torch.no_grad():
            features, outputs = network.forward_features(batch), network(batch)
            if task in IMAGE_TASKS:
                predicted = network.decoder.last(features)
                predicted = predicted if task == "segmentsemantic" else predicted.tanh()
            else:
                predicted = network.classifier(features.mean(dim=(2, 3)))
        torch.testing.assert_close(predicted, outputs)

    def test_features_of_each_kind_of_head(self):
        def shape(task):
            with torch.device("meta"):
                network = build_network(MICRO, task)
                return tuple(network.forward_features(images(task)).shape)

        assert shape("class_scene") == (4, 512, 2, 2)
        assert shape("jigsaw") == (4, 9 * 512, 1, 1)
        assert shape("segmentsemantic") == (4, 32, 64, 64)
        assert shape("autoencoder") == shape("normal") == (4, 16, 64, 64)

    @pytest.mark.parametrize("task", IMAGE_TASKS)
    def test_an_image_of_any_size_that_the_stride_divides_gives_one_of_its_size(self, task):
        for architecture, (height, width) in (
            (MICRO, (96, 160)),
            ("64-1124-basic", (16, 24)),
            ("64-333142-basic", (64, 192)),
        ):
            with torch.device("meta"):
                outputs = build_network(architecture, task)(torch.empty(1, 3, height, width))
            assert outputs.shape == (1, HEADS[task].outputs, height, width)

    def test_no_activation_works_in_place(self):
        for architecture, task in itertools.product(ARCHITECTURES, TASKS):
            with torch.device("meta"):
                network = build_network(architecture, task)
            assert not any(getattr(module, "inplace", False) for module in network.modules())

    def test_a_generator_gives_values_between_minus_one_and_one(self):
        outputs = build(MACRO, "normal")(images("normal"))
        assert outputs.abs().max() < 1


class TestTasks:
    def test_classes_are_those_of_the_benchmarks_training_unless_given(self):
        with torch.device("meta"):
            trained = {task: build_network(MACRO, task).classifier.out_features for task in (*CLASSIFYING, "jigsaw")}
            assert build_network(MACRO, "class_object", classes=100).classifier.out_features == 100
            assert build_network(MACRO, "segmentsemantic", classes=5).decoder.last.out_channels == 5
        assert trained == {"class_scene": 47, "class_object": 75, "room_layout": 9, "jigsaw": 1000}

    def test_an_unknown_task_is_refused_with_near_names(self):
        with pytest.raises(UnknownNameError, match="did you mean 'autoencoder'"):
            build_network(MACRO, "autoencode")

    def test_classes_for_a_task_without_classes_are_refused(self):
        with pytest.raises(HarnessError, match="normal gives an image and has no classes, but 7 classes"):
            build_network(MACRO, "normal", classes=7)

    def test_no_classes_at_all_are_refused(self):
        with pytest.raises(HarnessError, match="0 classes were asked for"):
            build_network(MACRO, "class_scene", classes=0)

    def test_what_is_no_code_is_refused(self):
        with pytest.raises(HarnessError, match="is not a code of the micro space"):
            build_network("resnet50", "class_scene")


class TestJigsaw:
    def test_batch_norm_takes_its_statistics_from_each_place_alone(self):
        network = build(MACRO, "jigsaw")
        norm = network.backbone.stem[1]
        tiles = images("jigsaw")
        moved = tiles.clone()
        moved[:, 3:] = 5 * moved[:, 3:] + 1
        with torch.no_grad():
            first, second = network.forward_features(tiles), network.forward_features(moved)
        width = first.shape[1] // 9
        assert norm.num_batches_tracked == 18
        assert torch.equal(first[:, : 3 * width], second[:, : 3 * width])
        assert not torch.equal(first[:, 3 * width :], second[:, 3 * width :])


class TestInitialisation:
    def test_the_backbone_has_kaimings_for_fan_out(self):
        network = build("64-41414-1_23_333", "class_scene")
        for module in network.backbone.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.out_channels * math.prod(module.kernel_size)
                entries = module.weight.numel()
                deviation = module.weight.std().item() / math.sqrt(2 / fan_out)
                assert abs(deviation - 1) < 5 / math.sqrt(2 * entries)
                assert module.bias is None
            if isinstance(module, nn.BatchNorm2d):
                assert module.weight.eq(1).all()
                assert module.bias.eq(0).all()

    @pytest.mark.parametrize("task", IMAGE_TASKS)
    def test_decoders_keep_the_default(self, task):
        for layer in build(MACRO, task).decoder.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                fan_in = layer.weight[0].numel()
                largest = layer.weight.abs().max().item() * math.sqrt(fan_in)
                assert 0.98 < largest <= 1
                assert layer.bias.abs().max().item() * math.sqrt(fan_in) <= 1

    def test_the_shortcuts_batch_norm_has_eps_and_momentum_of_one_and_no_other_has(self):
        network = build(MACRO, "class_scene")
        unusual = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d) and (m.eps, m.momentum) == (1.0, 1.0)]
        shortcuts = [block.shortcut[1] for block in network.backbone.cells if isinstance(block.shortcut, nn.Sequential)]
        assert unusual == shortcuts
        assert len(unusual) == 3
        usual = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d) and m not in unusual]
        assert {(m.eps, m.momentum) for m in usual} == {(1e-5, 0.1)}


class TestOperations:
    def test_a_factorized_reduction_sees_both_diagonal_pixels_of_each_patch(self):
        operation = FactorizedReduce(CellShape(2, 4, 2)).eval()
        x = torch.rand(1, 2, 6, 8)
        first, second = (convolution.weight[:, :, 0, 0] for convolution in operation.convolutions)
        expected = torch.cat(
            [
                torch.einsum("oc,bchw->bohw", first, x[:, :, 0::2, 0::2]),
                torch.einsum("oc,bchw->bohw", second, x[:, :, 1::2, 1::2]),
            ],
            dim=1,
        )
        torch.testing.assert_close(operation(x), expected / math.sqrt(1 + 1e-5))

    def test_a_factorized_reduction_begins_with_a_relu(self):
        assert not FactorizedReduce(CellShape(2, 4, 2)).eval()(-torch.rand(1, 2, 4, 4)).any()

    @pytest.mark.parametrize("name", micro.OPERATIONS)
    @pytest.mark.parametrize("side", [8, 7, 1])
    def test_every_operation_halves_in_the_same_way(self, name, side):
        outputs = make_operation(name, CellShape(4, 6, 2)).eval()(torch.randn(2, 4, side, side))
        assert outputs.shape == (2, 6, math.ceil(side / 2), math.ceil(side / 2))

    def test_a_skip_is_the_identity_where_nothing_changes(self):
        assert isinstance(make_operation("skip_connect", CellShape(4, 4, 1)), nn.Identity)

    def test_none_gives_zeros(self):
        assert not StridedZero(CellShape(4, 4, 1))(torch.randn(1, 4, 5, 5)).any()

    def test_an_unknown_operation_is_refused(self):
        with pytest.raises(ValueError, match="unknown operation 'avg_pool_3x3'"):
            make_operation("avg_pool_3x3", CellShape(4, 4, 1))


class TestCells:
    @pytest.mark.parametrize("shape", [CellShape(4, 4, 1), CellShape(4, 8, 2)])
    def test_codes_of_one_form_are_one_function_with_their_weights_moved(self, shape):
        one, other = "64-41414-3_10_213", "64-41414-1_30_231"
        assert micro.canonical_form(one) == micro.canonical_form(other)
        cell = MicroCell(micro.parse_cell(one), shape)
        twin = MicroCell(micro.parse_cell(other), shape)
        a, b, c, d, e, f = cell.operations
        twin.operations = nn.ModuleList([b, a, c, d, f, e])
        x = torch.randn(2, 4, 8, 8)
        torch.testing.assert_close(cell(x), twin(x))

    def test_a_node_is_the_sum_of_what_comes_in(self):
        cell = MicroCell(micro.parse_cell("64-41414-1_11_111"), CellShape(4, 4, 1))
        x = torch.randn(2, 4, 8, 8)
        torch.testing.assert_close(cell(x), 4 * x)  # nodes: x, x, x + x, x + x + 2x

    def test_edges_stand_at_their_places(self):
        cell = MicroCell(("none",) * 5 + ("nor_conv_3x3",), CellShape(4, 8, 2))
        assert EDGES[5] == (2, 3)
        assert cell.operations[5][1].in_channels == 8
        assert not cell(torch.randn(2, 4, 8, 8)).any()


class TestDecoderLayers:
    def test_they_double_as_often_as_the_official_arithmetic_says_for_every_code(self):
        codes = [micro.MODULES, *(macro.parse_modules(code) for code in macro.enumerate_architectures())]
        for modules in codes:
            width = 224 // 4
            for module in modules:
                width //= 2 if module in "34" else 1
            official = int(math.log2(256 / width))
            assert halvings(modules) == official
            for layers in (segmentation_layers(official), generator_layers(official)):
                assert sum(doubles for _, doubles in layers) == official

    def test_widths_do_not_depend_on_how_many_layers_double(self):
        for layers in (segmentation_layers, generator_layers):
            assert len({tuple(width for width, _ in layers(doublings)) for doublings in range(2, 7)}) == 1
