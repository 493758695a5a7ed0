"""Corrected p-values reject what the procedures reject, by brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.statistics.multiplicity import benjamini_hochberg, holm

families = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.05, 1.0])), min_size=1, max_size=12)


def holm_rejects(p_values, level):
    """Holm's procedure as it is written down: step by step from the smallest, until one is not rejected."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    rejected = set()
    for step, which in enumerate(order):
        if p_values[which] * (len(p_values) - step) > level:
            break
        rejected.add(which)
    return rejected


@given(families, st.floats(0.001, 0.999))
def test_holm_rejects_what_the_procedure_rejects(p_values, level):
    corrected = holm(p_values)
    if np.min(np.abs(corrected - level)) > 1e-12:
        assert set(np.flatnonzero(corrected <= level)) == holm_rejects(p_values, level)


def benjamini_hochberg_rejects(p_values, level):
    """Their procedure as it is written down: as many of the smallest as lie, at the last of them, under the line."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    below = [k for k, which in enumerate(order, start=1) if p_values[which] <= level * k / len(order)]
    return set(order[: max(below, default=0)])


@settings(deadline=None)
@given(families, st.floats(0.001, 0.999))
def test_benjamini_hochberg_rejects_what_the_procedure_rejects(p_values, level):
    corrected = benjamini_hochberg(p_values)
    if np.min(np.abs(corrected - level)) > 1e-12:
        assert set(np.flatnonzero(corrected <= level)) == benjamini_hochberg_rejects(p_values, level)


@settings(deadline=None)
@given(families)
def test_corrections_only_raise_p_values_and_holms_the_most(p_values):
    mild, strict = benjamini_hochberg(p_values), holm(p_values)
    assert (np.array(p_values) <= mild * (1 + 1e-15)).all()
    assert (mild <= strict * (1 + 1e-15)).all()
    assert strict.min() == pytest.approx(min(1, len(p_values) * min(p_values)))


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_what_could_not_be_tested_stays_undefined_and_does_not_count(correct):
    found = correct([0.01, np.nan, 0.04])
    assert np.isnan(found[1])
    np.testing.assert_array_equal(found[[0, 2]], correct([0.01, 0.04]))


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_the_empty_family_is_empty(correct):
    assert correct([]).shape == (0,)


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_what_is_no_p_value_is_refused(correct):
    with pytest.raises(ValueError, match="between 0 and 1"):
        correct([0.2, 1.2])


def test_holm_keeps_the_familywise_error_and_no_correction_does_not():
    p_values = np.random.default_rng(0).uniform(size=(2000, 20))
    wrong = np.mean([holm(family).min() < 0.05 for family in p_values])
    assert 0.05 - 5 * (0.05 * 0.95 / 2000) ** 0.5 < wrong < 0.05 + 5 * (0.05 * 0.95 / 2000) ** 0.5
    assert np.mean(p_values.min(axis=1) < 0.05) > 0.5
