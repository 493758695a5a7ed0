"""Each verdict, what earns it, and what comes first."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.errors import HarnessError
from harness.gate import Limits, compare, compare_with_costs
from harness.gate.verdicts import ALARMS, MEANINGS

RNG = np.random.default_rng(0)


def shuffled(values):
    return RNG.permutation(values)


def test_the_same_run_is_the_same(baseline, run, verdict):
    checked = compare(baseline, run)
    assert verdict(checked) == {} and checked.alarms == []
    assert all(row.scores.largest == 0 and row.ranking.difference == 0 for row in checked.rows)


def test_what_ranks_worse_is_worse(baseline, altered, verdict):
    checked = compare(baseline, altered("snip", value=lambda v: -v))
    assert verdict(checked) == {"snip": "worse"}
    (row,) = checked.alarms
    assert row.now == pytest.approx(-row.then) and row.ranking.high < 0
    assert row.scores.agreement == pytest.approx(-1)


def test_what_ranks_better_is_better_and_no_alarm(baseline, run, altered, verdict):
    accuracy = run.truth.accuracy
    rows = run.scores[run.scores["proxy"] == "plain"]
    checked = compare(baseline, altered("plain", value=lambda v: accuracy[rows["architecture"]].to_numpy()))
    assert verdict(checked) == {"plain": "better"} and checked.alarms == []


def test_what_ranks_alike_with_other_scores_is_changed(baseline, altered, verdict):
    checked = compare(baseline, altered("synflow", value=lambda v: 2 * v))
    assert verdict(checked) == {"synflow": "changed"}
    (row,) = checked.alarms
    assert row.scores.agreement == 1 and row.scores.largest == pytest.approx(1)


def test_changed_can_be_allowed(baseline, altered):
    assert compare(baseline, altered("synflow", value=lambda v: 2 * v), allowed={"changed"}).alarms == []


def test_rounding_is_the_same(baseline, altered, verdict):
    assert verdict(compare(baseline, altered("synflow", value=lambda v: v * (1 + 1e-9)))) == {}
    strict = compare(baseline, altered("synflow", value=lambda v: v * (1 + 1e-9)), Limits(floats=1e-12))
    assert verdict(strict) == {"synflow": "changed"}


def test_a_fall_within_the_tolerance_is_changed_not_worse(baseline, altered, verdict):
    run = altered("snip", value=lambda v: -v)
    assert verdict(compare(baseline, run, Limits(tolerance=2.0))) == {"snip": "changed"}


def test_the_tolerance_is_where_worse_begins(baseline, altered, verdict):
    run = altered("snip", value=lambda v: -v)
    (row,) = compare(baseline, run).alarms
    fall = row.then - row.now
    assert verdict(compare(baseline, run, Limits(tolerance=0.99 * fall))) == {"snip": "worse"}
    assert verdict(compare(baseline, run, Limits(tolerance=1.01 * fall))) == {"snip": "changed"}


def test_more_networks_without_a_score_is_failed(baseline, altered, verdict):
    broken = altered(
        "zico",
        status=lambda s: ["failed", *s[1:]],
        value=lambda v: [np.nan, *v[1:]],
        error=lambda e: ["ZeroDivisionError: division by zero (zico.py:7)", *e[1:]],
    )
    checked = compare(baseline, broken)
    assert verdict(checked) == {"zico": "failed"}
    assert "ZeroDivisionError" in checked.alarms[0].note


def test_a_proxy_that_is_gone_is_missing(baseline, run, verdict):
    checked = compare(baseline, replace(run, scores=run.scores[run.scores["proxy"] != "zen"]))
    assert verdict(checked) == {"zen": "missing"}


def test_a_proxy_that_came_is_new_and_no_alarm(baseline, run, verdict):
    added = run.scores[run.scores["proxy"] == "snip"].assign(proxy="grad_norm")
    checked = compare(baseline, replace(run, scores=pd.concat([run.scores, added], ignore_index=True)))
    assert verdict(checked) == {"grad_norm": "new"} and checked.alarms == []


@pytest.mark.parametrize("proxy", ["flops", "zico"])
def test_a_third_more_is_slower_of_the_cheapest_and_of_the_dearest(baseline, run, costs, dearer, verdict, proxy):
    assert (costs.passes[proxy].max() < 0.05) == (proxy == "flops")
    checked = compare(baseline, run, costs=dearer(proxy, 1.3))
    assert verdict(checked) == {proxy: "slower"}
    assert checked.alarms[0].cost.ratio == pytest.approx(1.3, rel=1e-3)
    assert compare(baseline, run, costs=dearer(proxy, 1.3), allowed={"slower"}).alarms == []


def test_a_little_more_is_not_slower(baseline, run, dearer, verdict):
    assert verdict(compare(baseline, run, costs=dearer("zico", 1.1))) == {}
    assert verdict(compare(baseline, run, Limits(slower=1.05), costs=dearer("zico", 1.1))) == {"zico": "slower"}


def test_a_few_networks_that_took_long_are_not_slower(baseline, run, dearer, verdict):
    held_up = np.where(np.arange(12) < 5, 50, 1)
    assert verdict(compare(baseline, run, costs=dearer("zico", held_up))) == {}


def test_what_is_small_is_set_beside_small_operations(baseline, run, costs, dearer, verdict):
    slow_interpreter = replace(dearer("flops", 1.5), calls=1.5 * costs.calls)
    assert verdict(compare(baseline, run, costs=slow_interpreter)) == {}
    assert verdict(compare(baseline, run, costs=dearer("calls", 0.5))) == {"flops": "slower", "naswot": "slower"}


@pytest.mark.parametrize("other", ["processor", "torch"])
def test_elsewhere_costs_may_differ_more(baseline, run, dearer, verdict, other):
    costs = dearer("zico", 1.5)
    costs = replace(costs, place=costs.place._replace(**{other: "9.9"}))
    checked = compare(baseline, run, costs=costs)
    assert verdict(checked) == {}
    assert any(note.startswith("The baseline's costs are from abacus") for note in checked.notes)
    assert verdict(compare(baseline, run, Limits(slower_elsewhere=1.2), costs=costs)) == {"zico": "slower"}


def test_another_clock_tells_nothing(baseline, run, dearer, verdict):
    costs = dearer("zico", 50)
    costs = replace(costs, place=costs.place._replace(clock="wall"))
    checked = compare(baseline, run, costs=costs)
    assert verdict(checked) == {} and "the baseline used the processor clock, this check wall" in checked.notes[0]


def test_what_was_not_measured_is_told(baseline, run, costs):
    assert "Costs are not judged: they were not measured." in compare(baseline, run).notes
    assert compare(replace(baseline, costs=None), run, costs=costs).notes[0].startswith("Costs are not judged")
    partly = replace(costs, passes=costs.passes.drop(columns="snip"))
    assert any(note.endswith("both: SNIP.") for note in compare(baseline, run, costs=partly).notes)


def test_what_seems_slower_is_measured_twice_more_and_the_median_decides(baseline, run, costs, dearer, verdict):
    slow, left = dearer("zico", 1.5), []

    def check(*measurements):
        left[:] = measurements
        return verdict(compare_with_costs(baseline, run, lambda: left.pop(0)))

    assert check(costs, slow, slow) == {} and len(left) == 2
    assert check(slow, costs, costs) == {} and left == []
    assert check(slow, costs, slow) == {"zico": "slower"}


def test_the_gravest_verdict_comes_first(baseline, altered, dearer, verdict):
    assert verdict(compare(baseline, altered("snip", value=lambda v: -v), costs=dearer("snip", 9))) == {"snip": "worse"}
    slow_and_changed = compare(baseline, altered("synflow", value=lambda v: 2 * v), costs=dearer("synflow", 9))
    assert verdict(slow_and_changed) == {"synflow": "changed"}
    assert list(MEANINGS)[: len(ALARMS)] == ["missing", "failed", "worse", "changed", "slower"]


def test_a_new_version_and_a_turned_direction_are_told(baseline, run):
    facts = {**run.facts, "snip": run.facts["snip"]._replace(better="lower")}
    turned = replace(run, scores=run.scores.assign(version=2))
    turned.__dict__["facts"] = facts
    rows = {row.proxy: row for row in compare(baseline, turned).rows}
    assert rows["snip"].verdict == "worse"
    assert rows["snip"].note == "version 1 in the baseline, 2 now; higher is better in the baseline, lower now"


@pytest.mark.parametrize(
    "limits",
    [{"tolerance": -1}, {"slower": 0.5}, {"slower_elsewhere": float("nan")}, {"floats": -1e-9}],
)
def test_senseless_limits_are_refused(limits):
    with pytest.raises(HarnessError, match=r"must be (0|1) or more"):
        Limits(**limits)
