"""ViT-Bench-101's architectures, networks and sizes, and its moves as search spaces."""

import itertools
import time
from collections import Counter

import numpy as np
import pytest
import torch
from harness_benchmarks.vit_bench_101 import VitBenchAutoFormer, VitBenchPit, autoformer, pit
from harness_benchmarks.vit_bench_101.networks import build_network
from harness_benchmarks.vit_bench_101.sizes import sizes
from torch import nn
from torch.nn import functional as F

import harness
from harness.errors import HarnessError, UnknownNameError
from harness.registry import benchmark_named

AUTOFORMER, PIT = VitBenchAutoFormer(), VitBenchPit()
SPACES = [AUTOFORMER, PIT]
SMALLEST = "e192-" + "-".join(["h3r3.5"] * 12)

space = pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)


def drawn(space, number, seed=0):
    generator = np.random.default_rng(seed)
    return [space.random(generator) for _ in range(number)]


class TestArchitectures:
    @space
    def test_they_are_written_as_they_are_read(self, space):
        for architecture in drawn(space, 50):
            assert str(space.parsed(architecture)) == architecture

    def test_they_say_what_they_are(self):
        width, layers = autoformer.parse("e216-h3r4-h4r3.5" + "-h4r4" * 10)
        assert (width, len(layers), layers[:2]) == (216, 12, (autoformer.Layer(3, 4.0), autoformer.Layer(4, 3.5)))
        assert [layer.hidden(216) for layer in layers[:2]] == [864, 756]
        found = pit.parse("b40-r8-d1h2-d6h4-d2h8")
        assert (found.base, found.ratio, found.widths) == (40, 8, (80, 160, 320))
        assert found.stages[1] == pit.Stage(layers=6, heads=4)

    @pytest.mark.parametrize(
        ("space", "text", "words"),
        [
            (AUTOFORMER, "", "it begins with its width .e192, e216, e240., then come its layers"),
            (AUTOFORMER, "e200" + "-h3r4" * 12, "'e200-h3r4-.*' is not an architecture of vit-bench-101-autoformer"),
            (AUTOFORMER, "e192" + "-h3r4" * 11, "has 11 layers; it must have 12 to 14"),
            (AUTOFORMER, "e192" + "-h3r4" * 11 + "-h5r4", "layer 12 is 'h5r4'; known: h3r3.5, h3r4, h4r3.5, h4r4"),
            (AUTOFORMER, "e192" + "-h3r4" * 11 + "-h3r4.0", "layer 12 is 'h3r4.0'; known"),
            (AUTOFORMER, "e192" + "-h3r4" * 11 + "-\n", r"layer 12 is '\\n'"),
            (PIT, "", "is not an architecture of vit-bench-101-pit; one is a base, a ratio and three stages"),
            (PIT, "b48-r2-d1h2-d4h2-d2h2", "the base of 'b48-.*' is 'b48'; known: b16, b24, b32, b40"),
            (PIT, "b16-r3-d1h2-d4h2-d2h2", "the ratio of 'b16-.*' is 'r3'; known: r2, r4, r6, r8"),
            (PIT, "b16-r2-d1h2-d5h2-d2h2", "stage 2 is 'd5h2'; it is 'd' and its number of layers .4, 6, 8."),
            (PIT, "b16-r2-d1h2-d4h3-d2h2", "stage 2 is 'd4h3'; .* 'h' and its number of heads .2, 4, 8."),
            (PIT, "b16-r2-d1h4-d4h2-d2h8", "have 4, 2, 8 heads; no stage may have fewer than the one before"),
        ],
    )
    def test_what_is_none_is_refused_with_its_place(self, space, text, words):
        with pytest.raises(HarnessError, match=words) as caught:
            space.build(text, "cifar100")
        assert "\n" not in str(caught.value)

    def test_dictionaries_of_the_published_files_are_read(self):
        # The first records of gt_autoformer.pth and gt_pit.pth of lilujunai/Auto-Prox-AAAI24 @ 90ed458.
        first = {
            "hidden_dim": 192,
            "mlp_ratio": [3.5, 4.0, 3.5, 4.0, 3.5, 3.5, 4.0, 3.5, 4.0, 4.0, 4.0, 3.5],
            "depth": 12,
            "num_heads": [4, 4, 3, 4, 3, 3, 4, 4, 3, 3, 3, 4],
        }
        written = "e192-h4r3.5-h4r4-h3r3.5-h4r4-h3r3.5-h3r3.5-h4r4-h4r3.5-h3r4-h3r4-h3r4-h4r3.5"
        assert autoformer.of_fields(str(first)) == autoformer.of_fields(str(first).replace("'", '"')) == written
        other = {"base_dim": 16, "mlp_ratio": 6, "depth": [2, 8, 4], "num_heads": [2, 4, 4]}
        assert pit.of_fields(str(other)) == "b16-r6-d2h2-d8h4-d4h4"
        for wrong in ({"depth": 13}, {"hidden_dim": 200}, {"num_heads": [4] * 11}, {"mlp_ratio": 4}):
            assert autoformer.of_fields(str(first | wrong)) is None
        for wrong in ({"depth": [2, 8]}, {"base_dim": [16, 24]}, {"num_heads": [4, 2, 2]}, {"mlp_ratio": 5}):
            assert pit.of_fields(str(other | wrong)) is None
        assert autoformer.of_fields(str(other)) is pit.of_fields(str(first)) is pit.of_fields(written) is None


class TestSizes:
    @space
    def test_built_networks_have_them(self, space):
        for architecture, dataset in zip(drawn(space, 3), space.datasets[1:], strict=False):
            classes = space.task(dataset).classes
            with torch.device("meta"):
                network = build_network(space.parsed(architecture), classes)
            assert space.parameters(architecture, dataset) == sum(each.numel() for each in network.parameters())

    @pytest.mark.parametrize(("space", "here"), [(AUTOFORMER, SMALLEST), (PIT, "b16-r6-d1h2-d4h4-d2h8")])
    def test_they_are_what_the_proxies_count(self, space, here):
        network = space.build(here, "chaoyang")
        scores = harness.score(network, torch.zeros(1, 3, 224, 224), proxies="params,flops")
        counted = dict(zip(scores["proxy"], scores["value"], strict=True))
        for name in ("params", "flops"):
            assert space.quantity(name, here, "chaoyang") == counted[name]
        assert space.operation_counts([here], "chaoyang").tolist() == [counted["flops"]]
        assert space.quantity("layers", here, "chaoyang") == len(network.blocks)
        with pytest.raises(UnknownNameError, match="'params'"):
            space.quantity("parms", here, "chaoyang")

    def test_heads_of_an_autoformer_change_no_size(self):
        many = SMALLEST.replace("h3", "h4")
        assert AUTOFORMER.sizes(SMALLEST, "cifar100") == AUTOFORMER.sizes(many, "cifar100")

    @space
    def test_counting_is_fast_enough_for_every_candidate_of_a_search(self, space):
        architectures = drawn(space, 500)
        began = time.process_time()
        for architecture in architectures:
            sizes(space.parsed(architecture), 100)
        assert (time.process_time() - began) / len(architectures) < 1e-3  # measured: 50 µs


def layer(weights, x, heads):
    """A transformer layer in plain functions."""

    def normed(x):
        scale, shift = next(weights), next(weights)
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
        return (x - mean) / (variance + 1e-6).sqrt() * scale + shift

    def linear(x):
        return x @ next(weights).T + next(weights)

    images, tokens, width = x.shape
    q, k, v = linear(normed(x)).reshape(images, tokens, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    attention = torch.softmax(torch.einsum("nhic,nhjc->nhij", q, k) / (width // heads) ** 0.5, dim=-1)
    x = x + linear(torch.einsum("nhij,nhjc->nhic", attention, v).transpose(1, 2).reshape(images, tokens, width))
    y = linear(normed(x))
    return x + linear(y * (1 + torch.erf(y / 2**0.5)) / 2)


def reference_autoformer(network, architecture, images):
    """Features and logits of an AutoFormer."""
    named = dict(network.named_parameters())
    x = F.conv2d(images, named["patches.weight"], named["patches.bias"], 16)
    side = x.shape[-1]
    grid = named["positions"][0, 1:].reshape(14, 14, -1)[:side, :side].reshape(side * side, -1)
    first = named["class_token"][0] + named["positions"][0, :1]
    x = torch.cat([first.expand(len(images), 1, -1), x.flatten(2).transpose(1, 2) + grid], dim=1)
    for block, each in zip(network.blocks, architecture.layers, strict=True):
        x = layer(iter(block.parameters()), x, each.heads)
    x = F.layer_norm(x, x.shape[-1:], named["norm.weight"], named["norm.bias"], 1e-6)[:, 1:]
    return x.transpose(1, 2).unflatten(2, (side, side)), x.mean(dim=1) @ named["classifier.weight"].T + named[
        "classifier.bias"
    ]


def reference_pit(network, architecture, images):
    """Features and logits of a PiT."""
    named = dict(network.named_parameters())
    x = F.conv2d(images, named["patches.weight"], named["patches.bias"], 8)
    side = x.shape[-1]
    x = x + named["positions"][:, :, :side, :side]
    token, blocks = named["class_token"].expand(len(images), 1, -1), iter(network.blocks)
    for number, stage in enumerate(architecture.stages):
        if number:
            kernel, bias, weight, shift = network.poolings[number - 1].parameters()
            x = F.conv2d(x, kernel, bias, 2, 1, 1, x.shape[1])
            token, side = token @ weight.T + shift, x.shape[-1]
        tokens = torch.cat([token, x.flatten(2).transpose(1, 2)], dim=1)
        for _ in range(stage.layers):
            tokens = layer(iter(next(blocks).parameters()), tokens, stage.heads)
        token, x = tokens[:, :1], tokens[:, 1:].transpose(1, 2).unflatten(2, (side, side))
    seen = F.layer_norm(token[:, 0], token.shape[-1:], named["norm.weight"], named["norm.bias"], 1e-6)
    return x, seen @ named["classifier.weight"].T + named["classifier.bias"]


CASES = [
    (AUTOFORMER, "e192-h4r4-h3r3.5-h3r4-h4r3.5" + "-h3r3.5" * 8, reference_autoformer),
    (PIT, "b16-r2-d2h2-d4h4-d2h8", reference_pit),
]


class TestNetworks:
    @pytest.mark.parametrize("side", [48, 224])
    @pytest.mark.parametrize(("space", "here", "reference"), CASES)
    def test_a_network_computes_what_is_written(self, space, here, reference, side):
        torch.manual_seed(0)
        network = space.build(here, "chaoyang").double()
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.1)
        images = torch.randn(2, 3, side, side, dtype=torch.float64)
        with torch.no_grad():
            features, logits = reference(network, space.parsed(here), images)
            torch.testing.assert_close(network.forward_features(images), features)
            torch.testing.assert_close(network(images), logits)

    @pytest.mark.parametrize(("space", "here", "reference"), CASES)
    def test_blocks_hold_all_tokens_and_lead_to_the_features(self, space, here, reference):
        network, images = space.build(here, "cifar100"), torch.randn(2, 3, 64, 64)
        blocks = network.forward_blocks(images)
        assert len(blocks) == 1 + len(network.blocks)
        for before, after in itertools.pairwise(blocks):
            assert torch.autograd.grad(after.square().sum(), before, retain_graph=True)[0].any()
        tokens = blocks[-1].squeeze(-1).transpose(1, 2)
        if space is AUTOFORMER:
            tokens = network.norm(tokens)
        patches = network.forward_features(images).flatten(2).transpose(1, 2)
        torch.testing.assert_close(tokens[:, 1:], patches)
        assert blocks[0].shape == (2, network.patches.out_channels, 1 + (16 if space is AUTOFORMER else 49), 1)

    def test_weights_are_drawn_as_the_training_drew_them(self):
        torch.manual_seed(0)
        former, pooling = AUTOFORMER.build(SMALLEST, "cifar100"), PIT.build("b40-r8-d1h8-d4h8-d2h8", "cifar100")
        for parameter in (
            former.positions,
            former.blocks[0].mlp[0].weight,
            former.classifier.weight,
            pooling.positions,
        ):
            assert parameter.std().item() == pytest.approx(0.02, rel=0.05)
        assert not former.blocks[0].attention.qkv.bias.any()
        # PiT's linear layers have torch's default, uniform in ±1/√inputs.
        assert pooling.blocks[0].mlp[0].weight.abs().max().item() == pytest.approx(1 / 320**0.5, rel=0.01)
        assert {each.eps for each in former.modules() if isinstance(each, nn.LayerNorm)} == {1e-6}

    @space
    def test_larger_images_are_refused(self, space):
        with pytest.raises(HarnessError, match="of 224×224 pixels; use --resolution 224 or less"):
            space.build(drawn(space, 1)[0], "cifar100")(torch.zeros(1, 3, 240, 240))


class TestSpaces:
    def test_neighbours_of_an_autoformer_differ_in_one_thing(self):
        for depth, changed in ((12, 4), (13, 5), (14, 1)):
            here = "e216" + "-h3r4" * depth
            near = AUTOFORMER.neighbours(here)
            assert len(set(near)) == len(near) == 2 + 2 * depth + changed
            assert all(str(AUTOFORMER.parsed(other)) == other != here for other in near)
            kinds = Counter(len(AUTOFORMER.parsed(other).layers) - depth for other in near)
            assert (kinds[0], kinds[1], kinds[-1]) == (2 + 2 * depth, 4 * (depth < 14), depth > 12)
            same = [other.split("-") for other in near if other.count("-") == depth]
            assert all(sum(a != b for a, b in zip(other, here.split("-"), strict=True)) == 1 for other in same)
            assert here in AUTOFORMER.neighbours(near[-1])

    def test_neighbours_of_a_pit_have_another_choice_at_one_place(self):
        here = "b16-r2-d1h2-d4h2-d2h4"
        near = PIT.neighbours(here)
        assert len(set(near)) == len(near) == 3 + 3 + 2 + 2 + 2 + 9
        assert all(PIT.parsed(other) for other in near)
        assert PIT.of_places(PIT.places(here)) == here

    def test_every_pit_can_be_drawn(self):
        every = {PIT.of_places(places) for places in itertools.product(*pit.CHOICES)}
        assert len(every) == 4320 and all(str(PIT.parsed(each)) == each for each in every)
        found = set(drawn(PIT, 2000))
        assert found <= every and len(found) > 1400

    def test_autoformers_are_drawn_uniformly(self):
        found = [AUTOFORMER.parsed(each) for each in drawn(AUTOFORMER, 2000)]
        depths = Counter(len(layers) for _, layers in found)
        assert depths[14] / 2000 == pytest.approx(16 / 21, abs=0.04) and depths[12] / 2000 == pytest.approx(
            1 / 21, abs=0.02
        )
        widths = Counter(width for width, _ in found)
        assert set(widths) == {192, 216, 240} and min(widths.values()) > 570
        assert min(Counter(layers[11] for _, layers in found).values()) > 420

    @space
    def test_children_come_from_both_parents(self, space):
        generator = np.random.default_rng(0)
        for _ in range(50):
            first, second = space.random(generator), space.random(generator)
            child = space.parsed(space.crossover(first, second, generator))
            if space is PIT:
                places = zip(PIT.places(str(child)), PIT.places(first), PIT.places(second), strict=True)
                assert all(mine in theirs for mine, *theirs in places)
                continue
            parents = space.parsed(first), space.parsed(second)
            assert child.width in {parent.width for parent in parents}
            assert len(child.layers) in {len(parent.layers) for parent in parents}
            for place, mine in enumerate(child.layers):
                assert mine in [parent.layers[place] for parent in parents if place < len(parent.layers)]

    @space
    def test_mutations_walk_over_neighbours(self, space):
        generator, here = np.random.default_rng(0), drawn(space, 1)[0]
        near = set(space.neighbours(here))
        assert {space.mutate(here, generator) for _ in range(20 * len(near))} == near
        for mutated in (space.mutate(here, generator, 3) for _ in range(20)):
            assert str(space.parsed(mutated)) == mutated

    def test_blocks_and_features_describe_an_architecture(self):
        blocks = PIT.blocks("b40-r8-d1h2-d6h4-d2h8")
        assert [(each.label, each.channels, each.layers, each.stride) for each in blocks] == [
            ("patch16", 80, 1, 8),
            ("h2 r8", 80, 1, 1),
            ("h4 r8", 160, 6, 2),
            ("h8 r8", 320, 2, 2),
        ]
        assert PIT.features("b40-r8-d1h2-d6h4-d2h8")["layers"] == 9
        former = AUTOFORMER.features("e216-h3r4-h4r3.5" + "-h4r4" * 10)
        assert (former["layers"], former["mean heads"], former["MLP units"]) == (12, 47 / 12, 11 * 864 + 756)
        assert [each.label for each in AUTOFORMER.blocks(SMALLEST)] == ["patch16"] + ["h3 r3.5"] * 12


def test_other_names_are_known():
    assert benchmark_named("vit-bench-autoformer") == benchmark_named("ViT-Bench-101 AutoFormer") == AUTOFORMER.name
    assert benchmark_named("vitbench101-pit") == PIT.name
