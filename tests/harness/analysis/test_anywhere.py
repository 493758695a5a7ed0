"""Comparisons in several runs, corrected together, and mean ranks across spaces."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare

from harness.analysis.anywhere import anywhere_table, critical_difference
from harness.analysis.statistics.multiplicity import holm
from harness.errors import HarnessError

# Demšar, JMLR 2006, Table 5 (a): q at 5 % for two to ten classifiers.
PRINTED = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}


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


@pytest.mark.parametrize(("number", "printed"), PRINTED.items())
def test_the_critical_difference_has_the_printed_quantiles(number, printed):
    spaces = 7
    found = critical_difference(number, spaces) / np.sqrt(number * (number + 1) / (6 * spaces))
    assert found == pytest.approx(printed, abs=0.001)
    assert np.isnan(critical_difference(number, 1))


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
    ranks = found.proxies.set_index("proxy")["mean_rank"]
    # tss: a first in both, #Params second and second to third; macro: b, #Params, a among the three that all runs have.
    assert ranks["a"] == pytest.approx((1 + 3) / 2)
    assert ranks["params"] == pytest.approx(((2 + 2.5) / 2 + 2) / 2)
    assert np.isnan(ranks["c"]), "two runs lack it"
    assert (found.spaces, found.ranked) == (2, 3)
    assert found.critical_difference == pytest.approx(critical_difference(3, 2))
    counts = found.proxies.set_index("proxy")[["runs", "better", "no different", "worse"]]
    assert counts.loc["a"].tolist() == [3, 1, 2, 0]
    assert counts.loc["c"].tolist() == [1, 1, 0, 0]
    assert found.proxies.set_index("proxy").loc["a", ["spaces", "spaces_better"]].tolist() == [2, 1]
    mean = found.proxies.set_index("proxy")["mean_difference"]["a"]
    assert mean == pytest.approx((0.1 - 0.05) / 2)


def test_friedmans_test_is_that_of_scipy():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(4, 3))
    tables = {
        f"run {i}": table(dict(zip(("params", "a", "b"), row, strict=True)), [np.nan, 0.5, 0.5])
        for i, row in enumerate(values)
    }
    found = anywhere_table(tables, {name: name for name in tables})
    assert found.friedman_p == pytest.approx(friedmanchisquare(*values.T).pvalue)


def test_a_run_without_the_set_or_the_baseline_is_named():
    with pytest.raises(HarnessError, match="macro has no set of architectures 'unique'"):
        anywhere_table({"macro": TABLES["macro"]}, SPACES, "unique")
    with pytest.raises(HarnessError, match="macro has no scores of 'flops'"):
        anywhere_table({"macro": TABLES["macro"]}, SPACES, baseline="flops")
    with pytest.raises(HarnessError, match="no run was given"):
        anywhere_table({}, {})
