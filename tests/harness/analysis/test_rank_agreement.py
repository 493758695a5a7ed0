"""Agreement of two sources of the same proxies' scores."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis import kendall, rank_agreement, spearman
from harness.errors import HarnessError

RANDOM = np.random.default_rng(0)
NAMES = [f"net{i}" for i in range(50)]
OURS = pd.DataFrame({"snip": RANDOM.normal(size=50), "zen": RANDOM.normal(size=50), "new": 1.0}, index=NAMES)
THEIRS = pd.DataFrame(
    {"zen": OURS["zen"] + RANDOM.normal(size=50), "snip": np.exp(OURS["snip"]), "old": 2.0}, index=NAMES
).sample(frac=1, random_state=1)


def test_networks_are_matched_by_name_and_the_best_agreement_comes_first():
    table = rank_agreement(OURS, THEIRS)
    assert table.columns.tolist() == ["proxy", "networks", "spearman", "spearman_low", "spearman_high", "kendall"]
    assert table["proxy"].tolist() == ["snip", "zen"]
    assert table.loc[0, ["networks", "spearman", "kendall"]].tolist() == [50, 1, 1]
    theirs = THEIRS.loc[NAMES, "zen"]
    expected = spearman(OURS["zen"], theirs)
    assert table.loc[1, "spearman":].tolist() == [
        expected.value, expected.low, expected.high, kendall(OURS["zen"], theirs).value,
    ]  # fmt: skip


def test_only_networks_with_a_finite_score_in_both_are_used():
    ours, theirs = OURS.copy(), THEIRS.loc[NAMES].copy()
    ours.iloc[:5, 1], theirs.iloc[4:8, 0] = np.nan, -np.inf
    found = rank_agreement(ours, theirs.iloc[:-2]).set_index("proxy").loc["zen"]
    assert found["networks"] == 40
    assert found["spearman"] == spearman(OURS["zen"][8:-2], THEIRS.loc[NAMES, "zen"][8:-2]).value


def test_sources_without_a_common_proxy_are_refused():
    with pytest.raises(HarnessError, match="no proxy in common: one has 'new', the other 'old'"):
        rank_agreement(OURS[["new"]], THEIRS[["old"]])


def test_sources_without_a_common_architecture_are_refused():
    with pytest.raises(HarnessError, match="no architecture in common: one has 'net0', 'net1', 'net2'…, the other '"):
        rank_agreement(OURS, THEIRS.rename(index=str.upper))


def test_an_architecture_named_twice_is_refused():
    with pytest.raises(HarnessError, match="second source of scores contains the architecture 'net7' twice"):
        rank_agreement(OURS, pd.concat([THEIRS, THEIRS.loc[["net7"]]]))
