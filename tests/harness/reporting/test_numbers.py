"""Numbers are written one way everywhere."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.display.tables.numbers import coefficient, estimate, p_value, ratio, signed

coefficients = st.floats(-1, 1)


@given(coefficients)
def test_a_coefficient_reads_back_to_its_rounded_value(value):
    assert float(coefficient(value)) == pytest.approx(value, abs=0.0005 + 1e-12)


@given(st.floats(-2, 2))
def test_a_difference_reads_back_and_shows_its_sign(value):
    text = signed(value)
    assert float(text) == pytest.approx(value, abs=0.0005 + 1e-12)
    assert text[0] == ("+" if float(text) > 0 else "-" if float(text) < 0 else ".")


@given(st.floats(0, 1))
def test_a_p_value_is_never_written_as_zero(value):
    assert p_value(value) == "<.001" if value < 0.001 else float(p_value(value)) > 0


@pytest.mark.parametrize("write", [coefficient, signed, p_value, ratio])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_a_dash(write, value):
    assert write(value) == "–"


def test_a_value_without_an_interval_stands_alone():
    assert estimate(0.5, math.nan, math.nan) == ".500"
