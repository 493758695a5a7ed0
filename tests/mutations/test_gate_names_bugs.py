"""The gate names the proxy that a bug was planted in, and no other; all bugs are recorded in results/baselines."""

from __future__ import annotations

import pandas as pd
import pytest
from mutants import MUTANTS
from planting import BASELINES, checked, only, planted

from harness.gate import read_baseline
from harness.registry import STANDARD

QUICK = [("snip", "dropped abs"), ("l2_norm", "mean for sum"), ("zico", "last batch ignored")]


@pytest.fixture(scope="module")
def small():
    return only(read_baseline(BASELINES / "digits"), ["params", "snip", "l2_norm", "zico"], 10)


def test_there_are_two_bugs_for_each_proxy():
    assert all(sum(proxy == name for proxy, _ in MUTANTS) >= 2 for name in STANDARD)


@pytest.mark.parametrize(("proxy", "bug"), QUICK)
def test_a_planted_bug_is_named(small, proxy, bug):
    with planted(proxy, MUTANTS[proxy, bug]):
        outcome = checked(small)
    assert [row.proxy for row in outcome.rows if row.verdict != "same"] == [proxy]


def test_what_was_recorded_is_every_bug_and_the_gate_s_promise():
    record = pd.read_csv(BASELINES / "mutations.csv")
    assert set(zip(record["proxy"], record["bug"], strict=True)) == set(MUTANTS)
    assert record["only_the_right_one"].mean() >= 0.95


def test_the_committed_baseline_is_checked_here_too(small):
    assert {row.verdict for row in checked(small).rows} == {"same"}
