"""Structure strings of Zen-NAS: read, written back, repaired, and refused with one clear line."""

import csv
from pathlib import Path

import pytest
from harness_benchmarks.zen import ZenMobile, ZenResNet, repaired
from harness_benchmarks.zen.grammar import BLOCK_TYPES, parse, parse_unchecked, written
from harness_benchmarks.zen.mutation import MOBILE, RESNET, parse_of
from harness_benchmarks.zen.published import INITIAL_CIFAR, INITIAL_FLOPS, INITIAL_LATENCY, published

from harness.errors import HarnessError

COUNTS = Path(__file__).parent / "zen_official_counts.csv"
STRUCTURES = sorted({row["structure"] for row in csv.DictReader(COUNTS.open(encoding="utf-8"))})


def refusal(structure, read=parse):
    with pytest.raises(HarnessError) as caught:
        read(structure)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 600
    return message


def test_every_published_and_initial_structure_is_written_back_as_it_was():
    assert len(STRUCTURES) == 19  # 16 published structures on 19 rows, and 3 initial ones
    for structure in [*STRUCTURES, INITIAL_LATENCY]:
        assert written(parse_unchecked(structure)) == structure
    for row in published():
        assert row.structure in STRUCTURES
        assert parse_of(MOBILE if row.excites else RESNET, row.structure) == parse_unchecked(row.structure)


def test_the_numbers_of_a_block_are_those_of_its_text():
    (stem, block) = parse("SuperConvK5BNRELU(3,16,2,1)SuperResIDWE4K7(16,40,1,24,3)")
    assert (stem.type.kernel, stem.inputs, stem.outputs, stem.stride, stem.layers) == (5, 3, 16, 2, 1)
    assert (block.type.kind, block.type.kernel, block.type.expansion) == ("inverted", 7, 4)
    assert (block.inputs, block.outputs, block.stride, block.bottleneck, block.layers) == (16, 40, 1, 24, 3)


def test_there_are_four_convolutions_six_residual_types_and_twelve_inverted_ones():
    kinds = [kind.kind for kind in BLOCK_TYPES.values()]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "convolution": 4,
        "basic": 3,
        "bottleneck": 3,
        "inverted": 12,
    }


def test_the_initial_structure_of_the_latency_search_is_refused_and_repaired_on_request():
    message = refusal(INITIAL_LATENCY)
    assert message.startswith("block 6, 'SuperConvK1BNRELU(256,512,1,1)', at character 139")
    assert "takes 256 channels, but block 5, 'SuperResK3K3(256,512,2,256,1)', gives 512" in message
    assert "'SuperConvK1BNRELU(512,512,1,1)' would fit" in message
    assert repaired(INITIAL_LATENCY) == INITIAL_LATENCY.replace("K1BNRELU(256,", "K1BNRELU(512,")
    assert repaired(INITIAL_CIFAR) == INITIAL_CIFAR
    assert ZenResNet().initial("imagenet-1k") == repaired(INITIAL_LATENCY)


def test_only_input_channels_are_repaired():
    assert repaired("SuperConvK3BNRELU(4,8,1,1)SuperResK3K3(9,16,2,7,1)") == (
        "SuperConvK3BNRELU(3,8,1,1)SuperResK3K3(8,16,2,7,1)"
    )
    assert "stride is 3" in refusal("SuperConvK3BNRELU(4,8,3,1)", repaired)


@pytest.mark.parametrize(
    ("structure", "words"),
    [
        ("", "it is empty"),
        ("SuperConvK3BNRELU(3,8,1,1", "ends with 'SuperConvK3BNRELU(3,8,1,1', which no ')' closes"),
        ("SuperConvK3BNRELU(3,8,1,1)\n", "it ends with '\\n', which"),
        ("SuperConvK3BNRELU(3,8,1,1) SuperResK3K3(8,8,1,8,1)", "block 2, ' SuperResK3K3(8,8,1,8,1)', at character 27"),
        ("SuperConvK2BNRELU(3,8,1,1)", "unknown block 'SuperConvK2BNRELU'"),
        ("SuperResK3K5(3,8,1,8,1)", "'SuperResK3K3'"),
        ("8,8,1)", "a block is written NAME(numbers)"),
        ("SuperConvK3BNRELU(3,8,1,8,1)", "it has 5 numbers; SuperConvK3BNRELU has 4: inputs, outputs, stride, layers"),
        ("SuperResK3K3(3,8,1,1)", "it has 4 numbers; SuperResK3K3 has 5: inputs, outputs, stride, bottleneck, layers"),
        ("SuperResK3K3()", "it has 1 numbers"),
        ("SuperConvK3BNRELU(3,0,1,1)", "its number of outputs is '0'; it must be a whole number from 1 to 999,999"),
        ("SuperConvK3BNRELU(3,-8,1,1)", "its number of outputs is '-8'"),
        ("SuperConvK3BNRELU(3,8.0,1,1)", "its number of outputs is '8.0'"),
        ("SuperConvK3BNRELU(3, 8,1,1)", "its number of outputs is ' 8'"),
        ("SuperConvK3BNRELU(3,٨,1,1)", "its number of outputs is '٨'"),
        (f"SuperConvK3BNRELU(3,{'9' * 9000},1,1)", "its number of outputs is '999"),
        ("SuperConvK3BNRELU(3,8,1,0)", "its number of layers is '0'"),
        ("SuperResK3K3(3,8,1,0,1)", "its number of bottleneck channels is '0'"),
        ("SuperConvK3BNRELU(3,8,3,1)", "its stride is 3; it must be 1 or 2"),
        ("SuperConvK3BNRELU(1,8,1,1)", "it takes 1 channels, but images have 3"),
    ],
)
def test_what_is_wrong_where_and_what_would_be_right(structure, words):
    assert words in refusal(structure)


def test_a_block_of_the_other_space_is_refused():
    message = refusal(INITIAL_CIFAR, lambda structure: ZenMobile().build(structure, "imagenet-1k"))
    assert message.startswith(
        "block 2, 'SuperResK3K3(8,16,1,8,1)', does not belong to zen-mobile; its blocks are SuperResIDWE1K3"
    )
    assert "does not belong to zen-resnet" in refusal(INITIAL_FLOPS, lambda text: parse_of(RESNET, text))
