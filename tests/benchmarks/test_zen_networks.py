"""Networks of Zen-NAS's structures and their sizes: the official code's numbers, and a reference written by hand."""

import csv
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from harness_benchmarks.zen.counters import counts
from harness_benchmarks.zen.grammar import parse, parse_unchecked
from harness_benchmarks.zen.mutation import MOBILE, RESNET, mutate
from harness_benchmarks.zen.network import SqueezeExcite, ZenNetwork
from harness_benchmarks.zen.published import INITIAL_CIFAR, INITIAL_FLOPS, INITIAL_LATENCY
from torch import nn
from torch.nn import functional as F

TASKS = {"cifar10": (32, 10), "cifar100": (32, 100), "imagenet-1k": (224, 1000)}
COUNTS = Path(__file__).parent / "zen_official_counts.csv"
"""Of the networks of idstcv/ZenNAS d1d617e: its get_model_size, get_FLOPs and get_num_layers, and torch's counts."""

WAYS = [(links, excites) for links in (True, False) for excites in (True, False)]


def official_counts():
    with COUNTS.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def operations(network, side):
    """By watching a pass on the meta device: multiply-accumulates, and what ptflops counts of the official network.

    In the official network, the ReLUs outside squeeze and excitation and the last pooling are functions, which ptflops
    does not see.
    """
    totals = Counter()
    gates = {module for each in network.modules() if isinstance(each, SqueezeExcite) for module in each.modules()}

    def add(module, inputs, output):
        match module:
            case nn.Conv2d() | nn.Linear():
                positions = output[0, 0].numel()
                totals["macs"] += positions * module.weight.numel()
                totals["beyond"] += 0 if module.bias is None else positions * len(module.bias)
            case nn.BatchNorm2d():
                totals["beyond"] += 2 * output.numel()
            case nn.ReLU() if module in gates:
                totals["beyond"] += output.numel()
            case nn.AdaptiveAvgPool2d() if module in gates:
                totals["beyond"] += inputs[0].numel()

    for module in network.modules():
        module.register_forward_hook(add)
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, side, side, device="meta"))
    return totals["macs"], totals["macs"] + totals["beyond"]


def built(structure, classes=10, *, links, excites, device="meta"):
    with torch.device(device):
        return ZenNetwork(parse(structure), classes, links=links, excites=excites)


def assert_counted(structure, side, classes, links, excites):
    network = built(structure, classes, links=links, excites=excites)
    found = counts(parse(structure), side, classes, links=links, excites=excites)
    assert found.params == sum(parameter.numel() for parameter in network.parameters())
    assert found.convolutions == sum(isinstance(module, nn.Conv2d) for module in network.modules())
    assert (found.macs, found.profiled) == operations(network, side)


def test_every_size_is_the_official_code_s():
    for row in official_counts():
        side, classes = TASKS[row["dataset"]]
        found = counts(parse(row["structure"]), side, classes, links=True, excites=row["se"] == "1")
        columns = ("params", "macs", "model_size", "flops", "layers", "convolutions")
        assert found[:6] == tuple(float(row[column]) for column in columns), row["network"]


def test_the_profiler_s_operations_are_those_of_ptflops_on_the_official_networks():
    # ptflops 0.6.4 on the networks of idstcv/ZenNAS d1d617e.
    printed = {
        ("zennet_imagenet1k_flops400M_SE_res224", "0"): 409661576,
        ("zennet_imagenet1k_flops400M_SE_res224", "1"): 412754916,
        ("zennet_imagenet1k_flops600M_SE_res224", "0"): 611344400,
        ("zennet_imagenet1k_flops900M_SE_res224", "1"): 933723994,
        ("ZiCo_imagenet1k_flops1G_res224", "0"): 1002971216,
        ("ZiCo_imagenet1k_flops1G_res224", "1"): 1018395338,
        ("zennet_cifar10_model_size05M_res32", "0"): 140244234,
        ("zennet_cifar10_model_size1M_res32", "0"): 162753930,
        ("zennet_cifar10_model_size2M_res32", "0"): 487456906,
    }
    for row in official_counts():
        key = (row["network"], row["se"])
        if key in printed:
            side, classes = TASKS[row["dataset"]]
            found = counts(parse(row["structure"]), side, classes, links=True, excites=row["se"] == "1")
            assert found.profiled == printed.pop(key)
    assert not printed


def test_the_unrepaired_initial_structure_has_the_official_sizes_that_a_search_would_limit():
    found = counts(parse_unchecked(INITIAL_LATENCY), 224, 1000, links=True, excites=False)
    assert (found.params, found.official_params, found.official_flops, found.layers) == (3175944, 3171041, 372096640, 6)


def test_built_networks_have_the_sizes_of_the_formulas():
    for row in official_counts():
        if row["network"].startswith(("initial", "Params")) and row["se"] == "1":
            side, classes = TASKS[row["dataset"]]
            assert_counted(row["structure"], side, classes, links=True, excites=True)


@pytest.mark.nightly
@pytest.mark.parametrize(("links", "excites"), WAYS)
def test_built_networks_do_the_operations_of_the_formulas(links, excites):
    for structure in {row["structure"] for row in official_counts()}:
        assert_counted(structure, 224, 1000, links=links, excites=excites)


@pytest.mark.parametrize(("start", "family"), [(INITIAL_FLOPS, MOBILE), (INITIAL_CIFAR, RESNET)])
def test_built_mutants_have_the_sizes_of_the_formulas_at_odd_resolutions_too(start, family):
    generator = np.random.default_rng(0)
    for side, (links, excites) in zip((32, 33, 50, 225), WAYS, strict=True):
        structure = start
        for _ in range(2):
            structure = mutate(structure, family, generator, 2, "uniform")
        assert_counted(structure, side, 10, links, excites)


def test_an_odd_map_has_the_official_count_of_its_own():
    # At 33 torch halves to 17 and the official code to 16, which counts 33² / 4 positions of the convolution.
    (block,) = parse("SuperConvK3BNRELU(3,8,2,1)")
    found = counts([block], 33, 10, links=True, excites=False)
    assert found.macs == 27 * 8 * 17**2 + 80
    assert found.official_flops == 27 * 8 * 33**2 // 4 + 8 * 16**2 + 80


def test_counting_is_fast_enough_for_every_candidate_of_a_search():
    generator = np.random.default_rng(0)
    structures = [mutate(INITIAL_FLOPS, MOBILE, generator, 2) for _ in range(2000)]
    began = time.process_time()
    for structure in structures:
        counts(parse(structure), 224, 1000, links=True, excites=False)
    assert (time.process_time() - began) / len(structures) < 500e-6  # measured: 20 to 60 µs


def reference(weights, x, layout):
    """What a structure computes, from its weights in the order of use: each unit is a list of steps."""
    weights = iter(weights)

    def convolved(x, kernel, stride=1, groups=1):
        weight = next(weights)
        return normed(F.conv2d(x, weight, None, stride, (kernel - 1) // 2, 1, groups))

    def normed(x):
        scale, shift = next(weights), next(weights)
        mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
        return (x - mean) / (variance + 1e-3).sqrt() * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)

    for branch, shortcut in layout:
        inside = x
        for step in branch:
            match step:
                case "relu":
                    inside = inside.clamp(min=0)
                case "excite":
                    gate = convolved(inside.mean((2, 3), keepdim=True), 1).clamp(min=0)
                    inside = inside * (1 / (1 + (-convolved(gate, 1)).exp()))
                case _:
                    inside = convolved(inside, *step)
        if shortcut == "identity":
            inside = inside + x
        elif shortcut is not None:
            weight, bias = next(weights), next(weights)
            inside = inside + normed(F.conv2d(x, weight, bias, shortcut))
        x = inside.clamp(min=0)
    return x


def layouts(links, excites):
    """Two layers of each kind of block, with a stride, by hand."""
    gate = ["excite"] if excites else []
    project, stay, projected = (2, "identity", 1) if links else (None, None, None)

    def bottleneck(kernel, stride=1, groups=1):
        return [(1,), "relu", (kernel, stride, groups), "relu", *gate, (1,)]

    return {
        "SuperConvK3BNRELU(3,8,2,2)": [([(3, 2)], None), ([(3,)], None)],
        "SuperResK5K5(3,8,2,16,2)": [
            ([(5, 2), "relu", *gate, (5,)], project),
            ([(5,), "relu", *gate, (5,)], stay),
        ],
        "SuperResK1K3K1(3,16,2,8,2)": [
            (bottleneck(3, 2), project),
            (bottleneck(3), stay),
            (bottleneck(3), stay),
            (bottleneck(3), stay),
        ],
        "SuperResIDWE2K7(3,16,2,8,2)": [
            (bottleneck(7, 2, 16), project),
            (bottleneck(7, 1, 32), projected),
            (bottleneck(7, 1, 16), projected),
            (bottleneck(7, 1, 32), projected),
        ],
        "SuperResIDWE1K3(3,8,1,8,1)": [(bottleneck(3, 1, 8), projected), (bottleneck(3, 1, 8), stay)],
    }


@pytest.mark.parametrize(("links", "excites"), WAYS)
def test_each_kind_of_block_computes_what_a_network_written_by_hand_does(links, excites):
    for structure, layout in layouts(links, excites).items():
        torch.manual_seed(0)
        network = built(structure, links=links, excites=excites, device="cpu").double()
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.5)
        images = torch.randn(4, 3, 9, 9, dtype=torch.float64)
        *weights, matrix, bias = network.parameters()
        expected = reference(weights, images, layout)
        assert torch.allclose(network.forward_features(images), expected), structure
        logits = expected.mean((2, 3)) @ matrix.T + bias
        assert torch.allclose(network(images), logits), structure
        outputs = network.forward_blocks(images)
        assert len(outputs) == len(layout) and torch.equal(outputs[-1], network.forward_features(images))


def test_a_block_that_keeps_its_shape_still_begins_with_a_projection():
    (unit, _) = built("SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,8,1,8,1)", links=True, excites=False).units
    assert unit.shortcut is None
    (_, unit) = built("SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,8,1,8,1)", links=True, excites=False).units
    assert isinstance(unit.shortcut[0], nn.Conv2d) and unit.shortcut[0].bias is not None


def test_every_batch_norm_has_the_official_epsilon():
    network = built(INITIAL_FLOPS, links=True, excites=True)
    assert {module.eps for module in network.modules() if isinstance(module, nn.BatchNorm2d)} == {1e-3}
