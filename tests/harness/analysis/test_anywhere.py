"""Comparisons in several runs, corrected together."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.anywhere import anywhere_table
from harness.analysis.statistics.multiplicity import holm
from harness.errors import HarnessError


def table(taus, p_values, subset="all"):
    """A correlation table of #Params and others, by their τ and the p-value of the difference."""
    rows = [
        {"set": subset, "proxy": proxy, "kendall": tau, "difference": tau - taus["params"], "p_value": p, "used": 100}
        for (proxy, tau), p in zip(taus.items(), p_values, strict=True)
    ]
    frame = pd.DataFrame(rows)
    for name in ("kendall_low", "kendall_high", "difference_low", "difference_high"):
        frame[name] = np.nan
    return frame


TABLES = {
    "tss cifar10": table({"params": 0.5, "a": 0.6, "b": 0.4}, [np.nan, 0.001, 0.001]),
    "tss cifar100": table({"params": 0.5, "a": 0.6, "b": 0.5}, [np.nan, 0.02, np.nan]),
    "macro": table({"params": 0.5, "a": 0.45, "b": 0.6, "c": 0.9}, [np.nan, 0.6, 0.03, 0.0001]),
}
SPACES = {"tss cifar10": "tss", "tss cifar100": "tss", "macro": "macro"}


def test_verdicts_are_those_after_holms_correction_for_all_runs_together():
    found = anywhere_table(TABLES, SPACES).comparisons
    others = found[found["proxy"] != "params"]
    assert others["p_holm"].to_numpy() == pytest.approx(
        holm([0.001, 0.001, 0.02, np.nan, 0.6, 0.03, 0.0001]), nan_ok=True
    )
    verdicts = {(row["run"], row["proxy"]): row["verdict"] for row in found.to_dict("records")}
    assert verdicts["tss cifar10", "a"] == "better" and verdicts["tss cifar10", "b"] == "worse"
    assert verdicts["tss cifar100", "a"] == "no different", "significant alone, but not among six"
    assert verdicts["tss cifar100", "b"] == "no different", "the same ranking has no p-value"
    assert verdicts["macro", "params"] == "baseline"


def test_runs_of_one_benchmark_count_as_one_space():
    found = anywhere_table(TABLES, SPACES)
    assert found.ranking.spaces == 2
    counts = found.proxies.set_index("proxy")[["runs", "better", "no different", "worse"]]
    assert counts.loc["a"].tolist() == [3, 1, 2, 0]
    assert counts.loc["c"].tolist() == [1, 1, 0, 0]
    assert found.proxies.set_index("proxy").loc["a", ["spaces", "spaces_better"]].tolist() == [2, 1]
    mean = found.proxies.set_index("proxy")["mean_difference"]["a"]
    assert mean == pytest.approx((0.1 - 0.05) / 2)


def test_a_run_without_the_set_or_the_baseline_is_named():
    with pytest.raises(HarnessError, match="macro has no set of architectures 'unique'"):
        anywhere_table({"macro": TABLES["macro"]}, SPACES, "unique")
    with pytest.raises(HarnessError, match="macro has no scores of 'flops'"):
        anywhere_table({"macro": TABLES["macro"]}, SPACES, baseline="flops")
    with pytest.raises(HarnessError, match="no run was given"):
        anywhere_table({}, {})
