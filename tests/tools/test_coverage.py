"""The intervals hold the population's value in 95 % of samples. The full simulation is in docs/analysis.md."""

import pytest

from tools.interval_coverage import coefficient_coverage, comparison_coverage, seed_coverage

DRAWS = 1000
# Four standard deviations of a share of 0.95 in 1,000 draws are 0.028; the population's own error is small beside it.
LOWEST, HIGHEST = 0.922, 0.978


def test_few_draws_hold_it_almost_always():
    coefficients = coefficient_coverage((0.6,), (50,), (True, False), 20, population=5_000)
    assert coefficients["distinct scores"].tolist() == [28, "all"]
    assert coefficients["tau"].tolist() == pytest.approx([0.6, 0.6], abs=0.03)
    assert coefficients[["kendall held", "spearman held"]].ge(0.8).all(axis=None)
    (comparison,) = comparison_coverage(((0.6, 0.6),), (50,), 20, population=5_000).to_dict("records")
    assert comparison["difference"] == 0 and comparison["held"] >= 0.8
    assert comparison["win"] + comparison["loss"] == pytest.approx(1 - comparison["held"])
    (over_seeds,) = seed_coverage(((0.5, 0),), (3,), 60, 40, population=2_000).to_dict("records")
    assert over_seeds["tau"] == pytest.approx(0.475, abs=0.03) and over_seeds["held"] >= 0.8


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False], ids=["28 values", "continuous"])
def test_intervals_of_the_coefficients(tied):
    table = coefficient_coverage((0.0, 0.6, 0.8), (50, 200), (tied,), DRAWS, population=200_000)
    assert len(table) == 6
    assert table["kendall held"].between(LOWEST, HIGHEST).all()
    assert table["spearman held"].between(LOWEST, HIGHEST).all()


@pytest.mark.nightly
@pytest.mark.slow
def test_intervals_of_the_mean_over_seeds():
    """Where all networks share the chance of a seed, the interval of one seed holds the value far too rarely."""
    table = seed_coverage(((0, 0), (0, 1), (0.5, 0)), (3,), 100, DRAWS)
    assert table["held"].between(LOWEST, HIGHEST).all()
    assert table["one held"].iloc[2] < 0.9


@pytest.mark.nightly
@pytest.mark.slow
def test_intervals_of_the_paired_difference():
    table = comparison_coverage(((0.6, 0.6), (0.7, 0.5)), (50, 200), DRAWS, population=200_000)
    assert table["held"].between(LOWEST, HIGHEST).all()
    exchangeable = table[table["difference"] == 0]
    assert len(exchangeable) == 2
    assert (exchangeable["win"] + exchangeable["loss"]).between(1 - HIGHEST, 1 - LOWEST).all()
    assert (table.loc[table["difference"] > 0, "loss"] < 0.001).all()
