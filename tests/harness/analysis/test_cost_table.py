"""What each proxy costs."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis import cost_table
from harness.errors import HarnessError

ROWS = pd.DataFrame(
    [
        ("a", "snip", "ok", 0.001, 0.010, 0.005),
        ("b", "snip", "non_finite", 0.003, 0.020, 0.005),
        ("c", "snip", "ok", 0.002, 0.040, 0.010),
        ("d", "snip", "failed", 9.0, 9.0, 0.005),
        ("a", "params", "ok", 0.0001, 0.0001, 0.005),
        ("b", "params", "ok", 0.0003, 0.0003, 0.0),
        ("a", "zico", "skipped", np.nan, np.nan, np.nan),
    ],
    columns=["architecture", "proxy", "status", "own_seconds", "standalone_seconds", "forward_backward_seconds"],
)


def test_medians_over_the_networks_on_which_the_proxy_ran_cheapest_first():
    table = cost_table(ROWS)
    assert table.columns.tolist() == ["proxy", "networks", "own_ms", "standalone_ms", "own_ratio", "standalone_ratio"]
    assert table["proxy"].tolist() == ["params", "snip", "zico"]
    assert table["networks"].tolist() == [2, 3, 0]
    assert table.loc[1, "own_ms":].tolist() == pytest.approx([2.0, 20.0, 0.2, 4.0])


def test_the_ratio_is_taken_before_the_median_and_never_by_zero():
    params = cost_table(ROWS[ROWS["proxy"] == "params"]).loc[0]
    assert params["own_ms"] == pytest.approx(0.2)
    assert params["own_ratio"] == pytest.approx(0.02)


def test_a_unit_without_a_pass_takes_that_of_the_network_in_others():
    assert cost_table(ROWS).loc[0, "own_ratio"] == pytest.approx((0.02 + 0.06) / 2)


def test_what_never_ran_has_no_time():
    assert cost_table(ROWS).loc[2, "own_ms":].isna().all()


def test_a_missing_column_is_named():
    with pytest.raises(HarnessError, match="lack the column 'standalone_seconds'"):
        cost_table(ROWS.drop(columns="standalone_seconds"))
