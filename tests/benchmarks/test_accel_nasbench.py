"""Accel-NASBench's architectures, networks and sizes, and its moves as a search space."""

import itertools
import math
import time

import numpy as np
import pandas as pd
import pytest
import torch
from harness_benchmarks.accel_nasbench import AccelNasBench
from harness_benchmarks.accel_nasbench.architecture import (
    EXAMPLE,
    SPACE,
    Stage,
    of_columns,
    of_fields,
    of_lists,
    parse,
    written,
)
from harness_benchmarks.accel_nasbench.network import AccelNetwork, SqueezeExcite
from harness_benchmarks.accel_nasbench.sizes import sizes
from torch import nn
from torch.nn import functional as F

import harness
from harness.analysis.statistics.correlation import kendall
from harness.errors import HarnessError, UnknownNameError
from harness.registry import benchmark_named

BENCHMARK = AccelNasBench()
PUBLISHED = {
    "e6k3l1-e4k5l2-e6k3l3-e6k5l3-e6k5l2-e1k3l2-e1k3l2": (2.50116, 415.361072),
    "e6k3l1-e1k5l3-e6k3l2-e6k3l1-e4k3l2-e6k5l1-e4k5l2": (3.44436, 372.73264),
    "e4k3l2-e4k3l2-e6k3l3-e1k5l2-e1k5l3-e4k3l1-e6k5l3": (5.162752, 462.240352),
    "e1k5l3se-e4k5l3-e4k3l3-e4k3l2se-e1k5l2-e4k5l1se-e4k5l1se": (2.54093, 248.007392),
}
"""Parameters and operations in millions: results 0, 1 and 460 of the archive of afzalxo/Accel-NASBench @ 4260357, and
the first line of its plots/ablations_plots/csvs/proxified-seed1.csv, which has squeeze and excitation."""


def drawn(number, seed=0):
    generator = np.random.default_rng(seed)
    return [BENCHMARK.random(generator) for _ in range(number)]


def built(architecture, device="meta"):
    with torch.device(device):
        return AccelNetwork(parse(architecture), 1000)


class TestArchitectures:
    def test_a_stage_says_its_fields(self):
        stages = parse(EXAMPLE)
        assert stages[:2] == (Stage(1, 3, 1, True), Stage(6, 3, 2, True)) and stages[5].layers == 4
        assert written(stages) == EXAMPLE

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "is not an architecture of accel-nasbench; one has 7 stages such as 'e6k3l2'"),
            (EXAMPLE + "-e6k3l1", "has 7 stages"),
            (EXAMPLE.replace("e6k5l2se", "e6k7l2"), "stage 3, 'e6k7l2', has the kernel 7; known: 3, 5"),
            (EXAMPLE.replace("e1k3l1se", "e2k3l1"), "stage 1, 'e2k3l1', has the expansion 2; known: 1, 4, 6"),
            (
                EXAMPLE.replace("e6k5l3se", "e6k5l4se"),
                "stage 5, 'e6k5l4se', has the number of layers 4; known: 1, 2, 3",
            ),
            (EXAMPLE.replace("e6k5l4se", "e6k5l4-"), "is not an architecture"),
            (EXAMPLE.replace("e6k5l4se", "E6K5L4"), "stage 6 is 'E6K5L4'; a stage is 'e' and its expansion"),
            (EXAMPLE.replace("e6k5l4se", "e6k5l4 se\n"), r"stage 6 is 'e6k5l4 se\\n'"),
        ],
    )
    def test_what_is_none_is_refused_with_its_place(self, text, words):
        with pytest.raises(HarnessError, match=words) as caught:
            BENCHMARK.build(text, "imagenet-1k")
        assert "\n" not in str(caught.value)

    def test_the_official_ways_of_writing_one_are_read(self):
        # The example in the README of afzalxo/Accel-NASBench: EfficientNet-B0.
        lists = f"[[1, 6, 6, 6, 6, 6, 6], [3, 3, 5, 3, 5, 5, 3], [1, 2, 2, 3, 3, 4, 1], {[True] * 7}]"
        assert of_lists(lists) == EXAMPLE
        assert of_lists(lists.replace("4", "5")) is None and of_lists(lists.replace(", 1]", "]")) is None
        assert of_lists("['a']") is None
        for architecture in drawn(20):
            fields = {
                f"block{n}_{f}": v for n, s in enumerate(parse(architecture)) for f, v in zip("eklx", s, strict=True)
            }
            text = str(fields).replace("_x", "_se")
            assert of_fields(text) == of_fields(text.replace("'", '"').lower()) == architecture
            texts = [str(value) for stage in parse(architecture) for value in stage]
            assert of_columns(" ".join(texts)) == architecture
            assert of_columns(" ".join(texts).replace("True", "1.0").replace("False", "0")) == architecture
            assert of_fields(text.replace("block3_k", "block8_k")) is None
            assert of_columns(" ".join(texts[1:])) is None


class TestSizes:
    def test_they_are_the_published_ones(self):
        for architecture, (params, macs) in PUBLISHED.items():
            found = sizes(architecture, 224, 1000)
            assert (found.params, found.stored) == (round(params * 1e6), round(macs * 1e6))

    def test_built_networks_have_them(self):
        for side, architecture in zip((224, 65, 64), [EXAMPLE, *drawn(2)], strict=True):
            network, found = built(architecture), sizes(architecture, side, 1000)
            assert found.params == sum(parameter.numel() for parameter in network.parameters())
            assert (found.macs, found.stored) == self.watched(network, side)

    @staticmethod
    def watched(network, side):
        """Multiply-accumulates in a pass, and what thop adds: 4 per output of a batch norm, and poolings."""
        totals = {"macs": 0, "more": 0}

        def add(module, inputs, output):
            match module:
                case nn.Conv2d() | nn.Linear():
                    totals["macs"] += output[0, 0].numel() * module.weight.numel()
                case nn.BatchNorm2d():
                    totals["more"] += 4 * output.numel()
                case nn.AdaptiveAvgPool2d():
                    totals["more"] += inputs[0].numel() + output.numel()

        for module in network.modules():
            module.register_forward_hook(add)
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, side, side, device="meta"))
        return totals["macs"], totals["macs"] + totals["more"]

    def test_they_are_what_the_proxies_count(self):
        scores = harness.score(built(EXAMPLE, "cpu"), torch.zeros(2, 3, 224, 224), proxies="params,flops")
        counted = dict(zip(scores["proxy"], scores["value"], strict=True))
        for name in ("params", "flops"):
            assert BENCHMARK.quantity(name, EXAMPLE, "imagenet-1k") == counted[name]
        assert BENCHMARK.operation_counts([EXAMPLE], "imagenet-1k").tolist() == [counted["flops"]]
        assert BENCHMARK.parameters(EXAMPLE, "imagenet-1k") == counted["params"]

    def test_other_quantities(self):
        assert BENCHMARK.quantity("layers", EXAMPLE, "imagenet-1k") == 16
        (first, (_, macs)), *_ = PUBLISHED.items()
        assert BENCHMARK.quantity("stored_flops", first, "imagenet-1k") == round(macs * 1e6)
        with pytest.raises(UnknownNameError, match="'stored_flops'"):
            BENCHMARK.quantity("stored_flop", EXAMPLE, "imagenet-1k")

    def test_counting_is_fast_enough_for_every_candidate_of_a_search(self):
        architectures = drawn(2000)
        began = time.process_time()
        BENCHMARK.parameter_counts(architectures, "imagenet-1k")
        assert (time.process_time() - began) / len(architectures) < 500e-6  # measured: 20 µs


def reference(network, stages, x):
    """What a network computes, in plain functions on its parameters in their order."""
    weights = iter([parameter.detach() for parameter in network.parameters()])

    def normed(x):
        scale, shift = next(weights), next(weights)
        mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
        return (x - mean) / (variance + 1e-5).sqrt() * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)

    def convolved(x, stride=1, groups=1):
        weight = next(weights)
        return normed(F.conv2d(x, weight, None, stride, weight.shape[-1] // 2, 1, groups))

    x = convolved(x, 2).clamp(min=0)
    for stage, stride in zip(stages, (1, 2, 2, 2, 1, 2, 1), strict=True):
        for layer in range(stage.layers):
            y = convolved(x).clamp(min=0) if stage.expansion > 1 else x
            y = convolved(y, stride if layer == 0 else 1, y.shape[1]).clamp(min=0)
            if stage.excites:
                gate = F.conv2d(y.mean((2, 3), keepdim=True), next(weights), next(weights)).clamp(min=0)
                y = y * ((F.conv2d(gate, next(weights), next(weights)) + 3) / 6).clamp(0, 1)
            y = convolved(y)
            x = x + y if y.shape == x.shape else y
    features = convolved(x).clamp(min=0)
    return features, features.mean((2, 3)) @ next(weights).T + next(weights)


class TestNetworks:
    @pytest.mark.parametrize(
        "architecture", ["e1k3l2se-e4k5l1-e6k3l1se-e1k5l2-e4k3l2se-e6k5l1-e1k3l1se", "e6k5l1-" * 6 + "e4k3l2"]
    )
    def test_a_network_computes_what_is_written(self, architecture):
        torch.manual_seed(0)
        network = built(architecture, "cpu").double()
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.2)
        images = torch.randn(3, 3, 40, 40, dtype=torch.float64)
        features, logits = reference(network, parse(architecture), images)
        torch.testing.assert_close(network.forward_features(images), features)
        torch.testing.assert_close(network(images), logits)
        assert next(weight.numel() for weight in reversed(list(network.parameters()))) == 1000

    def test_blocks_lead_to_the_features(self):
        network, images = built(EXAMPLE, "cpu").eval(), torch.randn(1, 3, 64, 64)
        blocks = network.forward_blocks(images)
        assert [tuple(each.shape[1:]) for each in blocks[:3]] == [(32, 32, 32), (16, 32, 32), (24, 16, 16)]
        assert len(blocks) == 1 + 16 + 1 and torch.equal(blocks[-1], network.forward_features(images))
        for before, after in itertools.pairwise(blocks):
            assert torch.autograd.grad(after.sum(), before, retain_graph=True)[0].any()

    def test_weights_are_drawn_as_the_training_drew_them(self):
        torch.manual_seed(0)
        network = built(EXAMPLE, "cpu")
        last = network.last[0].weight
        assert last.std().item() == pytest.approx(math.sqrt(2 / 1280), rel=0.02)  # fan-out, not fan-in
        assert network.classifier.weight.abs().max().item() == pytest.approx(1 / math.sqrt(1000), rel=0.01)
        assert not network.classifier.bias.any()
        gates = [module for module in network.modules() if isinstance(module, SqueezeExcite)]
        assert len(gates) == 16 and not any(gate.gate[1].bias.any() for gate in gates)


class TestSpace:
    def test_there_are_as_many_neighbours_as_other_choices(self):
        for here in drawn(5):
            mine, near = BENCHMARK.places(here), BENCHMARK.neighbours(here)
            assert BENCHMARK.of_places(mine) == here
            assert len(set(near)) == len(near) == 7 * (2 + 1 + 2 + 1) + 1
            for other in near:
                assert written(parse(other)) == other
                assert sum(a != b for a, b in zip(mine, BENCHMARK.places(other), strict=True)) == 1
            generator = np.random.default_rng(0)
            assert {BENCHMARK.mutate(here, generator) for _ in range(1000)} == set(near)
            child = BENCHMARK.places(BENCHMARK.crossover(here, EXAMPLE, generator))
            parents = zip(mine, BENCHMARK.places(EXAMPLE), strict=True)
            assert all(place in either for place, either in zip(child, parents, strict=True))

    def test_draws_are_uniform_at_each_place(self):
        places = np.array([BENCHMARK.places(each) for each in drawn(2000)])
        assert math.prod(len(np.unique(places[:, place])) for place in range(28)) == SPACE
        for place in range(28):
            values, counts = np.unique(places[:, place], return_counts=True)
            assert list(values) == list(BENCHMARK.choices_at(place))
            assert abs(counts / len(places) - 1 / len(values)).max() < 0.06

    def test_blocks_are_the_stages(self):
        blocks = BENCHMARK.blocks(EXAMPLE)
        assert [(b.label, b.channels, b.layers, b.stride) for b in (blocks[0], blocks[6], blocks[-1])] == [
            ("conv3", 32, 1, 2),
            ("E6K5 SE", 192, 4, 2),
            ("conv1", 1280, 1, 1),
        ]

    def test_features_are_counts_and_means(self):
        features = BENCHMARK.features("e1k3l2-e6k5l2se-e1k3l1-e1k3l1-e1k3l1-e1k3l2-e4k3l1")
        assert features["layers"] == 10 and features["layers with SE"] == 2
        assert features["layers at 14×14 and below"] == 5 and features["expansion of the last stage"] == 4
        assert features["mean expansion"] == (7 * 1 + 2 * 6 + 4) / 10 and features["mean kernel"] == 3.4


def test_other_names_are_known():
    assert (
        benchmark_named("anb")
        == benchmark_named("Accel-NAS-Bench")
        == benchmark_named("AccelNASBench")
        == "accel-nasbench"
    )


@pytest.mark.real_data
class TestAllTrainings:
    @pytest.fixture
    def published(self, real_data):
        table = pd.read_csv(real_data / "more" / "accel-nasbench-imagenet.csv.gz")
        fields = [f"{field}{stage}" for stage in range(7) for field in ("e", "k", "l", "se")]
        rows = [of_columns(" ".join(map(str, row))) for row in table[fields].itertuples(index=False)]
        return table.set_index(pd.Index(rows))

    def test_every_network_has_the_published_sizes(self, published):
        found = [sizes(each, 224, 1000) for each in published.index]
        assert len(found) == 5138 and len(set(published.index)) == 5125
        assert np.array_equal([each.params for each in found], (published["params_M"] * 1e6).round())
        assert np.array_equal([each.stored for each in found], (published["macs_M"] * 1e6).round())

    def test_params_and_flops_over_all_rows(self, published):
        found = [sizes(each, 224, 1000) for each in published.index]
        for name, tau in (("params", 0.621), ("macs", 0.464), ("stored", 0.441)):
            estimate = kendall([getattr(each, name) for each in found], published["val_top1"])
            assert (estimate.networks, round(estimate.value, 3)) == (5138, tau)
        assert round(kendall([each.params for each in found], published["val_top5"]).value, 3) == 0.616

    def test_thirteen_networks_were_trained_twice(self, published):
        """Their accuracies differ by less than a tenth of a point in the median; all networks' deviate by 3.3."""
        twice = published[published.index.duplicated(keep=False)]
        spread = twice.groupby(level=0)["val_top1"].agg(lambda values: values.max() - values.min())
        assert len(spread) == 13 and set(twice["id"]) == {*range(14), *range(443, 456)} - {9}
        assert spread.median() == pytest.approx(0.086, abs=0.001) and spread.max() == pytest.approx(1.276, abs=0.001)
        assert published["val_top1"].std() == pytest.approx(3.31, abs=0.005)
