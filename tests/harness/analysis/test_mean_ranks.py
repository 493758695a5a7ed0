"""Mean ranks across spaces: by brute force, and the tests and intervals as printed and as they should cover."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare, rankdata, ttest_1samp

from harness.analysis.mean_ranks import critical_difference, mean_ranks

# Demšar, JMLR 2006, Table 5 (a): q at 5 % for two to ten classifiers.
PRINTED = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}

NAN = float("nan")
RUNS = {
    "tss 10": ("tss", {"a": 0.6, "b": 0.5, "c": 0.4, "d": 0.4, "rare": 0.55, "odd": NAN}),
    "tss 100": ("tss", {"a": 0.4, "b": 0.5, "c": 0.6, "d": 0.1, "rare": 0.5}),
    "sss": ("sss", {"a": 0.3, "b": 0.3, "c": 0.3, "d": 0.2, "odd": 0.9}),
    "macro": ("macro", {"a": -0.1, "b": 0.5, "c": 0.0, "d": -0.2, "odd": -0.3, "new": 0.5}),
    "digits": ("digits", {"a": 0.9, "b": 0.1, "c": 0.2, "d": 0.3}),
}
RIVALS = ("a", "b", "c", "d")


def coefficients(runs):
    rows = [(run, space, proxy, tau) for run, (space, taus) in runs.items() for proxy, tau in taus.items()]
    return pd.DataFrame(rows, columns=["run", "space", "proxy", "kendall"])


def by_hand(runs, proxy):
    """The ranks of a proxy in each space: for every run, pair after pair."""
    spaces = {}
    for space, taus in runs.values():
        if np.isnan(taus.get(proxy, NAN)):
            continue
        points = [
            1.0 if taus[rival] > taus[proxy] else 0.5 if taus[rival] == taus[proxy] else 0.0
            for rival in RIVALS
            if rival != proxy
        ]
        spaces.setdefault(space, []).append(1 + (len(RIVALS) - 1) * sum(points) / len(points))
    return [sum(ranks) / len(ranks) for ranks in spaces.values()]


@pytest.mark.parametrize("proxy", [*RIVALS, "rare", "odd", "new"])
def test_every_mean_rank_is_that_of_counting_pairs(proxy):
    found = mean_ranks(coefficients(RUNS)).proxies.set_index("proxy").loc[proxy]
    expected = by_hand(RUNS, proxy)
    assert found["mean_rank"] == pytest.approx(np.mean(expected))
    assert found["spaces_ranked"] == len(expected)
    assert found["rival"] == (proxy in RIVALS)


def test_rivals_have_the_ranks_that_scipy_gives_and_stand_first():
    found = mean_ranks(coefficients(RUNS))
    assert found.rivals == RIVALS and found.spaces == 4
    assert found.proxies["proxy"][:4].isin(RIVALS).all()
    assert found.proxies["proxy"][4:].tolist() == ["odd", "new", "rare"], "odd is ranked in two of the four spaces"
    assert found.proxies["widespread"].tolist() == [True] * 5 + [False] * 2
    for run, (_, taus) in RUNS.items():
        assert found.ranks.loc[run, [*RIVALS]].tolist() == rankdata([-taus[rival] for rival in RIVALS]).tolist()


def test_who_else_is_there_changes_nothing():
    more = {run: (space, {**taus, **{f"{run} {i}": i / 10 for i in range(9)}}) for run, (space, taus) in RUNS.items()}
    before, after = (mean_ranks(coefficients(runs)).proxies.set_index("proxy") for runs in (RUNS, more))
    pd.testing.assert_frame_equal(after.loc[before.index], before)


def test_the_same_run_twice_in_a_space_changes_nothing():
    twice = RUNS | {"digits again": RUNS["digits"]}
    before, after = (mean_ranks(coefficients(runs)).proxies for runs in (RUNS, twice))
    pd.testing.assert_frame_equal(after, before)


def test_intervals_are_students_over_spaces_within_the_ranks():
    found = mean_ranks(coefficients(RUNS)).proxies.set_index("proxy")
    for proxy in RIVALS:
        bounds = ttest_1samp(by_hand(RUNS, proxy), 0).confidence_interval()
        low, high = found.loc[proxy, ["mean_rank_low", "mean_rank_high"]]
        assert (low, high) == pytest.approx((max(bounds.low, 1), min(bounds.high, 4)))
    assert found.loc[["rare", "odd"], ["mean_rank_low", "mean_rank_high"]].isna().all(axis=None), "one and two spaces"


def test_students_intervals_cover_where_a_bootstraps_percentiles_are_too_narrow():
    """Of 2,000 drawn sets of six spaces, whose ranks are skewed as those of a good proxy are."""
    generator = np.random.default_rng(0)
    ranks = np.minimum(1 + generator.exponential(3.0, size=(2_000, 6)), 13)
    truth = np.minimum(1 + generator.exponential(3.0, size=1_000_000), 13).mean()
    student = ttest_1samp(ranks, 0, axis=1).confidence_interval()
    drawn = generator.integers(6, size=(2_000, 500, 6))
    means = np.take_along_axis(ranks[:, None, :], drawn, axis=2).mean(axis=2)
    low, high = np.quantile(means, [0.025, 0.975], axis=1)
    covered = np.mean((student.low <= truth) & (truth <= student.high))
    by_bootstrap = np.mean((low <= truth) & (truth <= high))
    assert covered > 0.87 and by_bootstrap < covered - 0.05


@pytest.mark.parametrize(("number", "printed"), PRINTED.items())
def test_the_critical_difference_has_the_printed_quantiles(number, printed):
    spaces = 7
    found = critical_difference(number, spaces) / np.sqrt(number * (number + 1) / (6 * spaces))
    assert found == pytest.approx(printed, abs=0.001)
    assert np.isnan(critical_difference(number, 1))


def test_friedmans_test_is_that_of_scipy_over_spaces():
    values = np.random.default_rng(0).normal(size=(4, 3))
    runs = {f"run {i}": (f"space {i}", dict(zip("abc", row, strict=True))) for i, row in enumerate(values)}
    assert mean_ranks(coefficients(runs)).friedman_p == pytest.approx(friedmanchisquare(*values.T).pvalue)
    two = dict(itertools.islice(runs.items(), 2))
    assert np.isnan(mean_ranks(coefficients(two)).friedman_p)


def test_without_two_rivals_nothing_is_ranked():
    runs = {"x": ("x", {"a": 0.5, "b": 0.1}), "y": ("y", {"a": 0.5, "c": 0.1})}
    found = mean_ranks(coefficients(runs))
    assert found.rivals == ("a",) and found.proxies["mean_rank"].isna().all()
    assert np.isnan(found.critical_difference)
