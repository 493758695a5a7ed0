"""NAS-Bench-Macro: its architectures, which of them are the same network, its networks and their sizes."""

import itertools
import time

import numpy as np
import pytest
import torch
from harness_benchmarks.nasbench_macro import NasBenchMacro
from harness_benchmarks.nasbench_macro.codes import layers
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

import harness
from harness.contracts.search_space import Block
from harness.errors import HarnessError, UnknownNameError

BENCHMARK = NasBenchMacro()
CORNERS = ["00000000", "11111111", "22222222", "02012100", "10201020", "00100002"]

PUBLISHED = {
    # data/nas-bench-macro_cifar10.json of xiusu/NAS-Bench-Macro @ 61a2bfc (Apache-2.0): parameters, FLOPs.
    "00000000": (387_882, 7_713_280),
    "02012100": (890_666, 47_327_744),
    "11111221": (2_181_386, 65_012_224),
}


def on_meta(architecture):
    with torch.device("meta"):
        return BENCHMARK.build(architecture, "cifar10").eval()


def counted(network):
    """Parameters, and multiply-accumulates of one image as torch counts them."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 32, 32, device="meta"))
    return sum(parameter.numel() for parameter in network.parameters()), counter.get_total_flops() // 2


def reference(architecture, weights, x):
    """What a network in training mode computes, from its parameters in the order of use."""
    take = iter(weights)

    def convolution(x, stride=1, groups=1):
        weight, scale, shift = next(take), next(take), next(take)
        x = F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2, groups=groups)
        return F.batch_norm(x, None, None, scale, shift, training=True)

    x = F.relu(convolution(x))
    place = iter(architecture)
    for stage in (2, 3, 3):
        for first, digit in zip([True, False, False][:stage], place, strict=False):
            stride = 2 if first else 1
            if digit == "0":
                x = convolution(x, stride) if first else x
                continue
            inside = F.relu(convolution(x))
            assert inside.shape[1] == x.shape[1] * {"1": 3, "2": 6}[digit]
            inside = F.relu(convolution(inside, stride, groups=inside.shape[1]))
            inside = convolution(inside)
            x = inside if first else inside + x
    x = F.relu(convolution(x)).mean(dim=(2, 3))
    out = F.linear(x, next(take), next(take))
    assert next(take, None) is None
    return out


class TestArchitectures:
    def test_every_choice_at_each_of_eight_layers_once(self):
        architectures = list(BENCHMARK.architectures())
        assert len(architectures) == len(set(architectures)) == 3**8 == 6561
        assert architectures[:4] == ["00000000", "00000001", "00000002", "00000010"]
        assert architectures == sorted(architectures)

    @pytest.mark.parametrize("call", [BENCHMARK.build, BENCHMARK.quantity])
    @pytest.mark.parametrize(
        ("architecture", "cause"),
        [
            ("", "expected: eight digits, such as '02012100'"),
            ("0201210", "expected: eight digits"),
            ("020121000", "expected: eight digits"),
            ("02012103", "layer 8 is '3'; known: 0 identity, 1 MBConv"),
            ("0201-100", "layer 5 is '-'"),
            ("0201210٢", "layer 8 is"),
        ],
    )
    def test_anything_else_is_refused(self, call, architecture, cause):
        arguments = (architecture,) if call == BENCHMARK.build else ("params", architecture)
        with pytest.raises(HarnessError, match=cause):
            call(*arguments, "cifar10")

    def test_they_may_be_lists_or_numbers(self):
        in_list, number = BENCHMARK.dialects()
        assert in_list.parse(in_list.example) == number.parse(number.example) == "02012100"
        assert [in_list.parse(text) for text in ("[0,2,0,1,2,1,0,0]", "0 2 0 1 2 1 0 0")] == ["02012100"] * 2
        assert [number.parse(text) for text in ("0", "12", "22222222")] == ["00000000", "00000012", "22222222"]
        for dialect in (in_list, number):
            assert [dialect.parse(text) for text in ("3", "-1", "1.0", "222222222", "ab", "(0, 1, 2)")] == [None] * 6


class TestCanonicalForm:
    def test_identities_sink_to_the_end_of_their_stage_behind_its_first_layer(self):
        forms = {
            "00000000": "00000000",
            "01001002": "01010020",
            "12012021": "12012021",
            "20102011": "20120011",
            "00201202": "00210220",
            "10010100": "10010100",
        }
        assert {architecture: BENCHMARK.canonical_form(architecture) for architecture in forms} == forms

    def test_3969_of_the_networks_are_distinct(self):
        forms = {BENCHMARK.canonical_form(architecture) for architecture in BENCHMARK.architectures()}
        assert len(forms) == len(BENCHMARK.subset("unique")) == 9 * 21 * 21 == 3969
        assert all(BENCHMARK.canonical_form(form) == form for form in forms)

    def test_equal_forms_have_the_same_layers_and_others_do_not(self):
        of_form = {}
        for architecture in BENCHMARK.architectures():
            of_form.setdefault(BENCHMARK.canonical_form(architecture), set()).add(tuple(layers(architecture)))
        assert all(len(made) == 1 for made in of_form.values())
        assert len(set.union(*of_form.values())) == len(of_form)

    def test_a_class_is_scored_once(self):
        assert BENCHMARK.representatives(["01001020", "01012002", "11111111"]) == {
            "01001020": "01001002",
            "01012002": "01012002",
            "11111111": "11111111",
        }

    def test_equal_forms_have_the_same_features(self):
        of_form = {}
        for architecture in BENCHMARK.architectures():
            features = tuple(BENCHMARK.features(architecture).items())
            assert of_form.setdefault(BENCHMARK.canonical_form(architecture), features) == features
        assert dict(BENCHMARK.features("02012100")) == {
            "E3K3 blocks": 2, "E6K5 blocks": 2, "bare reductions": 2,
            "stage 1 blocks": 1, "stage 2 blocks": 2, "stage 3 blocks": 1,
        }  # fmt: skip


class TestNetworks:
    @pytest.mark.parametrize("architecture", CORNERS)
    def test_they_compute_what_the_layers_say(self, architecture):
        torch.manual_seed(0)
        network, images = BENCHMARK.build(architecture, "cifar10"), torch.randn(3, 3, 32, 32)
        expected = reference(architecture, network.parameters(), images)
        torch.testing.assert_close(network(images), expected, rtol=1e-5, atol=1e-5)

    def test_shapes_of_features_and_blocks(self):
        network, images = BENCHMARK.build("02012100", "cifar10"), torch.zeros(2, 3, 32, 32)
        assert network.training
        assert network(images).shape == (2, 10)
        assert network.forward_features(images).shape == (2, 1280, 4, 4)
        assert [tuple(block.shape[1:]) for block in network.forward_blocks(images)] == [
            (32, 32, 32), (64, 16, 16), (64, 16, 16), (128, 8, 8), (128, 8, 8), (128, 8, 8), (256, 4, 4), (1280, 4, 4)
        ]  # fmt: skip

    def test_the_same_network_is_built_alike_wherever_its_identities_stand(self):
        built = []
        for architecture in ("01001002", "01010020"):
            torch.manual_seed(0)
            built.append(BENCHMARK.build(architecture, "cifar10").state_dict())
        assert all(torch.equal(mine, other) for mine, other in zip(*map(dict.values, built), strict=True))

    def test_a_seed_draws_the_weights_that_the_official_code_draws(self):
        """Of train/model.py of xiusu/NAS-Bench-Macro @ 61a2bfc, after torch.manual_seed(0)."""
        torch.manual_seed(0)
        network = BENCHMARK.build("02012100", "cifar10")
        drawn = [network.stem[0].weight, network.blocks[1].branch[1][0].weight, network.classifier.bias]
        sums = [tensor.double().sum().item() for tensor in drawn]
        assert sums == pytest.approx([-0.07490452515, -2.93070652839, -0.02639614034], rel=1e-6)


class TestSizes:
    def test_they_are_the_published_ones(self):
        for architecture, (params, flops) in PUBLISHED.items():
            assert BENCHMARK.quantity("params", architecture, "cifar10") == params
            assert BENCHMARK.quantity("flops", architecture, "cifar10") == flops

    def test_they_are_those_of_built_networks(self):
        sample = [*CORNERS[:3], *BENCHMARK.sample(3, seed=0)]
        built = [counted(on_meta(architecture)) for architecture in sample]
        assert BENCHMARK.parameter_counts(sample, "cifar10").tolist() == [params for params, _ in built]
        assert BENCHMARK.operation_counts(sample, "cifar10").tolist() == [flops for _, flops in built]

    @pytest.mark.nightly
    def test_the_parameters_are_those_of_every_built_network(self):
        every = BENCHMARK.subset("unique")
        built = [sum(parameter.numel() for parameter in on_meta(each).parameters()) for each in every]
        assert BENCHMARK.parameter_counts(every, "cifar10").tolist() == built

    @pytest.mark.nightly
    def test_the_operations_are_those_of_built_networks_with_each_choice_beside_each(self):
        every = BENCHMARK.architectures()[::16]
        pairs = {(places, architecture[places[0]] + architecture[places[1]]) for architecture in every
                 for places in itertools.combinations(range(8), 2)}  # fmt: skip
        assert len(pairs) == 28 * 9
        built = [counted(on_meta(architecture))[1] for architecture in every]
        assert BENCHMARK.operation_counts(every, "cifar10").tolist() == built

    def test_whole_spaces_are_counted_in_a_tenth_of_a_second(self):
        every = list(BENCHMARK.architectures())
        start = time.process_time()
        for count in (BENCHMARK.parameter_counts, BENCHMARK.operation_counts):
            assert count(every, "cifar10").shape == (6561,)
            assert count([], "cifar10").shape == (0,)
        assert time.process_time() - start < 1  # measured: 0.03

    def test_equal_forms_have_equal_sizes(self):
        every = list(BENCHMARK.architectures())
        forms = [BENCHMARK.canonical_form(architecture) for architecture in every]
        for count in (BENCHMARK.parameter_counts, BENCHMARK.operation_counts):
            assert np.array_equal(count(every, "cifar10"), count(forms, "cifar10"))


class TestSearchSpace:
    def test_a_quantity_that_it_does_not_have_is_named(self):
        with pytest.raises(UnknownNameError, match="unknown quantity of nasbench-macro 'param': did you mean 'params'"):
            BENCHMARK.quantity("param", "00000000", "cifar10")

    def test_the_drawing_has_stem_layers_and_head(self):
        assert BENCHMARK.blocks("00100002") == [
            Block("conv3", 32, 1), Block("conv1", 64, 1, 2), Block("E3K3", 128, 1, 2), Block("conv1", 256, 1, 2),
            Block("E6K5", 256, 1), Block("conv1", 1280, 1),
        ]  # fmt: skip

    def test_a_search_keeps_to_its_budgets_without_building_a_network_for_them(self, tmp_path, home):
        found = harness.search(
            BENCHMARK, proxy="params", budget={"flops": 3e7, "params": 1e6}, images="noise", evaluations=6,
            batch_size=2, out=tmp_path / "search",
        )  # fmt: skip
        best = found.best(6)
        assert (best["flops"] <= 3e7).all() and (best["params"] <= 1e6).all()
        assert list(best["params"]) == list(BENCHMARK.parameter_counts(list(best["architecture"]), "cifar10"))
