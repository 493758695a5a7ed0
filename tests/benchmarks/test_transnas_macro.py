"""The macro space: codes and enumeration, proven on all 3,256 skeletons."""

import itertools
from collections import Counter

import pytest
from harness_benchmarks.transnas101.codes import parse_code
from harness_benchmarks.transnas101.macro import SUBSETS, enumerate_architectures, parse_modules
from harness_benchmarks.transnas101.skeleton import CellShape, cell_shapes, halvings, output_width

from harness.errors import HarnessError


class TestCodes:
    def test_a_code_gives_its_modules(self):
        assert [f"64-{parse_modules(code)}-basic" for code in enumerate_architectures()] == list(
            enumerate_architectures()
        )

    @pytest.mark.parametrize(
        "text", ["", "64--basic", "64-basic", "1234", "32-1234-basic", "64-1234-basi", "64-41414-1_02_333"]
    )
    def test_what_is_no_code_is_refused_and_a_code_is_shown(self, text):
        with pytest.raises(HarnessError, match="is not a code of the macro space, such as '64-1234-basic'"):
            parse_modules(text)

    @pytest.mark.parametrize("digit", "05x٣")
    def test_an_unknown_module_is_named_with_the_known_ones(self, digit):
        with pytest.raises(HarnessError, match=rf"unknown module '{digit}'.*4 does both"):
            parse_modules(f"64-12{digit}4-basic")

    @pytest.mark.parametrize(
        ("modules", "reason"),
        [
            ("124", "it has 3 modules; expected: 4 to 6"),
            ("1212134", "it has 7 modules; expected: 4 to 6"),
            ("1133", "it doubles the channels 0 times; expected: 1 to 3 times"),
            ("22243", "it doubles the channels 4 times; expected: 1 to 3 times"),
            ("1112", "it halves the resolution 0 times; expected: 1 to 4 times"),
            ("333344", "it halves the resolution 6 times; expected: 1 to 4 times"),
        ],
    )
    def test_what_is_outside_the_space_is_refused_with_the_reason(self, modules, reason):
        with pytest.raises(HarnessError, match=reason):
            parse_modules(modules.join(["64-", "-basic"]))

    def test_exactly_the_enumerated_codes_are_accepted(self):
        accepted = []
        for length in range(1, 8):
            for modules in map("".join, itertools.product("1234", repeat=length)):
                try:
                    parse_modules(f"64-{modules}-basic")
                except HarnessError:
                    continue
                accepted.append(f"64-{modules}-basic")
        assert sorted(accepted) == list(enumerate_architectures())

    def test_the_end_of_a_code_tells_its_space(self):
        assert parse_code("64-1234-basic").cell is None
        assert parse_code("64-41414-1_02_333").cell is not None


class TestEnumeration:
    def test_3256_codes_of_four_to_six_modules(self):
        assert Counter(len(parse_modules(code)) for code in enumerate_architectures()) == {4: 210, 5: 750, 6: 2_296}

    def test_no_two_are_the_same_sequence_of_cells(self):
        sequences = {tuple(cell_shapes(parse_modules(code))) for code in enumerate_architectures()}
        assert len(sequences) == len(enumerate_architectures()) == 3_256
        assert list(SUBSETS) == ["all"]

    @pytest.mark.real_data
    def test_the_order_is_that_of_the_table(self, real_data):
        import pandas as pd

        assert tuple(pd.read_csv(real_data / "transnas-macro.csv.gz")["arch"]) == enumerate_architectures()


class TestSkeleton:
    def test_a_module_changes_channels_and_resolution_in_its_first_cell(self):
        assert list(cell_shapes("1234")) == [
            CellShape(64, 64, 1),
            CellShape(64, 64, 1),
            CellShape(64, 128, 1),
            CellShape(128, 128, 1),
            CellShape(128, 128, 2),
            CellShape(128, 128, 1),
            CellShape(128, 256, 2),
            CellShape(256, 256, 1),
        ]

    def test_width_and_halvings_are_those_of_the_last_cell(self):
        for modules in map(parse_modules, enumerate_architectures()):
            shapes = list(cell_shapes(modules))
            assert output_width(modules) == shapes[-1].outputs
            assert halvings(modules) == 2 + sum(shape.stride == 2 for shape in shapes)
