"""Mutations of Zen-NAS's structures: always valid, as far from the parent as stated, drawn as by the official code."""

import time
from collections import Counter

import numpy as np
import pytest
from harness_benchmarks.zen import repaired
from harness_benchmarks.zen.counters import counts
from harness_benchmarks.zen.grammar import parse, written
from harness_benchmarks.zen.mutation import (
    MOBILE,
    RESNET,
    _growing,
    channel_choices,
    mutate,
    parse_of,
    split,
)
from harness_benchmarks.zen.published import INITIAL_CIFAR, INITIAL_FLOPS, INITIAL_LATENCY, published
from scipy.stats import chisquare

from harness.errors import HarnessError

STARTS = [(INITIAL_FLOPS, MOBILE), (repaired(INITIAL_LATENCY), RESNET), (INITIAL_CIFAR, RESNET)]
MOBILE_WEIGHTS = (12, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)
RESNET_WEIGHTS = (3, 3, 2, 3, 3, 2)


@pytest.mark.parametrize(("start", "family"), STARTS)
def test_ten_thousand_mutations_are_valid_and_change_what_they_may(start, family):
    generator = np.random.default_rng(0)
    parents, splits = [start], 0
    for number in range(10_000):
        parent = parents[int(generator.integers(len(parents)))]
        mutant = mutate(parent, family, generator, 2, ("official", "uniform")[number % 2])
        before, after = parse(parent), parse_of(family, mutant)  # refuses what is not valid
        assert written(after) == mutant
        assert np.prod([block.stride for block in after]) == np.prod([block.stride for block in before])
        assert all(block.layers < 6 for block in after if block.type.kind != "convolution")
        widths = [block.outputs for block in after] + [block.bottleneck for block in after]
        assert all(width % 8 == 0 for width in widths) and min(block.outputs for block in after) >= 8
        if family is RESNET:
            assert max(widths) <= 2048
        else:
            assert str(after[-1]).startswith("SuperConvK1BNRELU(") and after[-1].outputs == 2048
        splits += len(after) > len(before)
        assert 0 <= len(after) - len(before) <= 2
        if counts(after, 32, 10, links=True, excites=False).layers <= 18:
            parents = [*parents[-50:], mutant]
    assert splits > 100


@pytest.mark.parametrize(
    ("family", "block", "weights"),
    [
        (MOBILE, "SuperResIDWE6K3(3,32,2,8,1)", MOBILE_WEIGHTS),
        (RESNET, "SuperResK3K3(3,32,2,8,1)", RESNET_WEIGHTS),
    ],
)
def test_block_types_are_drawn_as_stated(family, block, weights):
    generator = np.random.default_rng(0)
    for moves, expected in (("official", weights), ("uniform", (1,) * len(weights))):
        drawn = Counter(parse(mutate(block, family, generator, 1, moves))[0].type for _ in range(10_000))
        found = np.array([drawn[kind] for kind in family.types])
        shares = np.array(expected) / sum(expected)
        assert chisquare(found, shares * found.sum()).pvalue > 0.001
        other = (1,) * len(weights) if moves == "official" else weights
        assert chisquare(found, np.array(other) / sum(other) * found.sum()).pvalue < 1e-9


def test_the_official_weights_are_those_of_a_list_that_grows_while_it_is_copied():
    kinds = MOBILE.types
    collected, copy = [], []
    for kind in kinds:
        copy.append(kind)
        copy = list(copy)  # the official code: list(set(copy)), which the next type is added to
        collected.append(copy)
    official = Counter(kind for each in collected for kind in each)
    assert Counter(_growing(kinds)) == official
    assert tuple(official[kind] for kind in kinds) == MOBILE_WEIGHTS
    assert [kind.label for kind in kinds[:5]] == ["E1K3", "E2K3", "E4K3", "E6K3", "E1K5"]


def test_channels_layers_and_places_are_drawn_uniformly():
    generator = np.random.default_rng(1)
    drawn = [parse(mutate("SuperResK3K3(3,40,1,64,4)", RESNET, generator))[0] for _ in range(10_000)]
    # Two to six layers are drawn; six are split into three and three, so three come twice as often.
    layers = Counter(block.layers for block in drawn)
    for found, choices in (
        (Counter(block.outputs for block in drawn), channel_choices(40, 2048)),
        (Counter(block.bottleneck for block in drawn), channel_choices(64, 2048)),
        (Counter({count: layers[count] // (2 if count == 3 else 1) for count in layers}), (2, 3, 4, 5)),
    ):
        assert set(found) == set(choices)
        assert chisquare(list(found.values())).pvalue > 0.001


def test_channels_are_the_old_ones_times_nine_factors_rounded_to_eight():
    assert channel_choices(40, 2048) == (
        96,
        80,
        64,
        48,
        40,
        32,
        24,
        16,
    )  # 100 and 50 are halfway or nearer to 96 and 48
    assert channel_choices(8, 2048) == (16, 8)
    assert channel_choices(2048, 2048) == (2048, 1640, 1368, 1024, 816)
    assert max(channel_choices(2048, MOBILE.most_channels)) == 5120
    assert channel_choices(6704, 2048) == (2048,)


def test_convolutions_change_their_channels_alone_and_the_last_of_the_mobile_space_nothing():
    generator = np.random.default_rng(0)
    mobile = [mutate("SuperConvK1BNRELU(3,2048,1,1)", MOBILE, generator) for _ in range(50)]
    assert set(mobile) == {"SuperConvK1BNRELU(3,2048,1,1)"}
    resnet = {mutate("SuperConvK1BNRELU(3,128,1,1)", RESNET, generator) for _ in range(500)}
    assert resnet == {f"SuperConvK1BNRELU(3,{width},1,1)" for width in channel_choices(128, 2048)}
    stems = {mutate("SuperConvK3BNRELU(3,8,2,1)", MOBILE, generator) for _ in range(50)}
    assert stems == {"SuperConvK3BNRELU(3,8,2,1)", "SuperConvK3BNRELU(3,16,2,1)"}


def test_two_mutations_draw_two_blocks_which_may_be_the_same():
    generator = np.random.default_rng(0)
    changed = Counter()
    parent = parse(INITIAL_CIFAR)
    for _ in range(5_000):
        mutant = parse(mutate(INITIAL_CIFAR, RESNET, generator, 2))
        own = [(block.type, block.outputs, block.bottleneck, block.layers) for block in mutant]
        changed[
            sum(a != b for a, b in zip(own, [(p.type, p.outputs, p.bottleneck, p.layers) for p in parent], strict=True))
        ] += 1
    assert set(changed) == {0, 1, 2}
    # Both draws hit one block once in six times; a drawn block may also become what it was.
    assert 0.55 < changed[2] / 5_000 < 5 / 6


def test_followers_take_what_comes():
    generator = np.random.default_rng(3)
    for _ in range(200):
        blocks = parse(mutate(INITIAL_CIFAR, RESNET, generator, 1))
        assert [block.inputs for block in blocks[1:]] == [block.outputs for block in blocks[:-1]]


def test_a_block_of_six_layers_is_split_and_its_second_part_has_no_stride():
    (block,) = parse("SuperResIDWE6K7(3,200,2,112,6)")
    assert written(split([block])) == "SuperResIDWE6K7(3,200,2,112,3)SuperResIDWE6K7(200,200,1,112,3)"
    (block,) = parse("SuperResIDWE6K7(3,200,2,112,5)")
    assert split([block]) == [block]
    (block,) = parse("SuperConvK3BNRELU(3,8,2,9)")
    assert split([block]) == [block]
    (block,) = parse("SuperResK3K3(3,16,2,8,20)")
    assert [part.layers for part in split([block])] == [3, 3, 3, 3, 3, 5]


def test_a_structure_that_only_grows_stays_valid():
    structure = "SuperResIDWE6K3(3,999992,2,999992,1)"
    assert parse(mutate(structure, MOBILE, np.random.default_rng(0)))[0].outputs <= 999_992
    assert max(channel_choices(999_992, MOBILE.most_channels)) == 999_992


def test_the_same_generator_gives_the_same_mutants():
    def drawn(seed):
        generator = np.random.default_rng(seed)
        return [mutate(INITIAL_FLOPS, MOBILE, generator, 2) for _ in range(20)]

    assert drawn(0) == drawn(0) != drawn(1)


def test_published_structures_are_reachable_in_their_widths():
    # All of them are multiples of eight, which only the official rounding gives.
    for row in published():
        assert all(block.outputs % 8 == 0 and block.bottleneck % 8 == 0 for block in parse(row.structure))
        assert all(block.layers < 6 for block in parse(row.structure))


def test_a_mutation_takes_microseconds():
    generator = np.random.default_rng(0)
    began = time.process_time()
    for _ in range(2_000):
        mutate(INITIAL_FLOPS, MOBILE, generator, 2)
    assert (time.process_time() - began) / 2_000 < 500e-6  # measured: 25 to 45 µs


def test_what_cannot_be_mutated_is_refused():
    generator = np.random.default_rng(0)
    with pytest.raises(HarnessError, match=r"block 6, .* takes 256 channels"):
        mutate(INITIAL_LATENCY, RESNET, generator)
    with pytest.raises(HarnessError, match="does not belong to zen-mobile"):
        mutate(INITIAL_CIFAR, MOBILE, generator)
    with pytest.raises(HarnessError, match="'official'"):
        mutate(INITIAL_CIFAR, RESNET, generator, moves="oficial")
