"""The intervals hold the population's value in 95 % of samples. The full simulation is in docs/analysis.md."""

import pytest

from tools.interval_coverage import coefficient_coverage, comparison_coverage

pytestmark = pytest.mark.nightly

DRAWS = 1000
# Four standard deviations of a share of 0.95 in 1,000 draws are 0.028; the population's own error is small beside it.
LOWEST, HIGHEST = 0.922, 0.978


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False], ids=["28 values", "continuous"])
def test_intervals_of_the_coefficients(tied):
    table = coefficient_coverage((0.0, 0.6, 0.8), (50, 200), (tied,), DRAWS, population=200_000)
    assert len(table) == 6
    assert table["kendall held"].between(LOWEST, HIGHEST).all()
    assert table["spearman held"].between(LOWEST, HIGHEST).all()


@pytest.mark.slow
def test_intervals_of_the_paired_difference():
    table = comparison_coverage(((0.6, 0.6), (0.7, 0.5)), (50, 200), DRAWS, population=200_000)
    assert table["held"].between(LOWEST, HIGHEST).all()
    exchangeable = table[table["difference"] == 0]
    assert len(exchangeable) == 2
    assert (exchangeable["win"] + exchangeable["loss"]).between(1 - HIGHEST, 1 - LOWEST).all()
    assert (table.loc[table["difference"] > 0, "loss"] < 0.001).all()
