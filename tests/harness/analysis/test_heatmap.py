"""Several runs side by side: ranks among the proxies that all of them have."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from harness.analysis.heatmap import COLUMNS, across_table
from harness.errors import HarnessError


def table(values, subset="all"):
    """A correlation table with nothing in it but τ."""
    columns = {name: np.nan for name in COLUMNS if name not in ("mean_rank", "run", "rank")}
    rows = [columns | {"set": subset, "proxy": proxy, "kendall": kendall} for proxy, kendall in values.items()]
    return pd.DataFrame(rows)


coefficients = st.sampled_from([-0.5, 0.0, 0.1, 0.25, 0.25001, 0.7])


@settings(deadline=None)
@given(st.lists(st.lists(coefficients, min_size=4, max_size=4), min_size=1, max_size=4))
def test_mean_ranks_are_those_of_scipy(taus):
    tables = {f"run {number}": table(dict(zip("abcd", row, strict=True))) for number, row in enumerate(taus)}
    found = across_table(tables).drop_duplicates("proxy").set_index("proxy")["mean_rank"]
    expected = np.mean([rankdata(-np.array(row)) for row in taus], axis=0)
    assert found[list("abcd")].to_numpy() == pytest.approx(expected)
    assert found.is_monotonic_increasing


def test_a_proxy_that_a_run_lacks_has_no_rank_and_stands_last():
    found = across_table({"first": table({"a": 0.1, "b": 0.2, "best": 0.9}), "second": table({"a": 0.3, "b": 0.2})})
    assert list(found["proxy"].unique()) == ["a", "b", "best"]
    assert found[found["proxy"] == "best"][["rank", "mean_rank"]].isna().all(axis=None)
    assert found[found["proxy"] == "a"]["rank"].tolist() == [2, 1]


def test_an_undefined_coefficient_counts_as_lacking():
    found = across_table({"first": table({"a": 0.1, "b": np.nan}), "second": table({"a": 0.3, "b": 0.2})})
    assert found.set_index(["proxy", "run"])["mean_rank"].isna().to_dict() == {
        ("a", "first"): False, ("a", "second"): False, ("b", "first"): True, ("b", "second"): True,
    }  # fmt: skip


def test_runs_keep_their_order_within_a_proxy():
    found = across_table({"z": table({"a": 0.1}), "b": table({"a": 0.9}), "y": table({"a": 0.5})})
    assert list(found["run"]) == ["z", "b", "y"]


def test_a_run_without_the_set_is_named():
    with pytest.raises(HarnessError, match="second has no set of architectures 'connected'; it has all"):
        across_table({"first": table({"a": 1}, "connected"), "second": table({"a": 1})}, "connected")
