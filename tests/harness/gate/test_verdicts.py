"""Each verdict, what earns it, and what comes first."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.errors import HarnessError
from harness.gate import Limits, compare
from harness.gate.check import confirm_slower
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


def test_a_proxy_that_is_gone_is_missing_and_costs_are_left_alone(baseline, run, verdict):
    scores = run.scores[run.scores["proxy"] != "zen"].assign(own_seconds=lambda t: 3 * t["own_seconds"])
    checked = compare(baseline, replace(run, scores=scores))
    assert verdict(checked) == {"zen": "missing"}
    assert any("Costs are not judged" in note for note in checked.notes)


def test_a_proxy_that_came_is_new_and_no_alarm(baseline, run, verdict):
    added = run.scores[run.scores["proxy"] == "snip"].assign(proxy="grad_norm")
    checked = compare(baseline, replace(run, scores=pd.concat([run.scores, added], ignore_index=True)))
    assert verdict(checked) == {"grad_norm": "new"} and checked.alarms == []


def test_half_as_much_again_is_slower(baseline, altered, verdict):
    checked = compare(baseline, altered("zico", own_seconds=lambda s: 1.5 * s))
    assert verdict(checked) == {"zico": "slower"}
    assert checked.alarms[0].cost.ratio == pytest.approx(1.5, rel=1e-3)


def test_a_little_more_or_more_of_next_to_nothing_is_not_slower(baseline, altered, verdict):
    assert verdict(compare(baseline, altered("zico", own_seconds=lambda s: 1.1 * s))) == {}
    assert verdict(compare(baseline, altered("zico", own_seconds=lambda s: 2 * s), Limits(noticeable=99))) == {}


def test_a_few_networks_that_took_long_are_not_slower(baseline, altered, verdict):
    held_up = altered("zico", own_seconds=lambda s: s * np.where(np.arange(len(s)) < 8, 50, 1))
    assert verdict(compare(baseline, held_up)) == {}


@pytest.mark.parametrize("other", ["processor", "torch"])
def test_elsewhere_costs_may_differ_more(baseline, altered, verdict, other):
    run = altered("zico", own_seconds=lambda s: 1.5 * s)
    if other == "torch":
        run = replace(run, setting=replace(run.setting, torch="9.9"))
    else:
        run = replace(run, manifest={**run.manifest, "processor": "abacus"})
    checked = compare(baseline, run)
    assert verdict(checked) == {}
    assert any(note.startswith(f"Another {other}") for note in checked.notes)
    assert verdict(compare(baseline, run, Limits(slower_elsewhere=1.2))) == {"zico": "slower"}


def test_another_clock_tells_nothing(baseline, altered, verdict):
    run = altered("zico", own_seconds=lambda s: 50 * s)
    assert verdict(compare(baseline, replace(run, manifest={**run.manifest, "clock": "wall"}))) == {}


def test_slower_is_what_is_slower_twice(baseline, run, altered, verdict):
    slow = compare(baseline, altered("zico", own_seconds=lambda s: 1.5 * s))
    assert verdict(confirm_slower(slow, compare(baseline, run))) == {}
    assert verdict(confirm_slower(slow, slow)) == {"zico": "slower"}


def test_the_gravest_verdict_comes_first(baseline, altered, verdict):
    both = altered("snip", value=lambda v: -v, own_seconds=lambda s: 99 * s)
    assert verdict(compare(baseline, both)) == {"snip": "worse"}
    slow_and_changed = altered("synflow", value=lambda v: 2 * v, own_seconds=lambda s: 99 * s)
    assert verdict(compare(baseline, slow_and_changed)) == {"synflow": "changed"}
    assert list(MEANINGS)[: len(ALARMS)] == ["missing", "failed", "worse", "changed", "slower"]


def test_a_new_version_and_a_turned_direction_are_told(baseline, run):
    facts = {**run.facts, "snip": run.facts["snip"]._replace(better="lower")}
    turned = replace(run, scores=run.scores.assign(version=2))
    turned.__dict__["facts"] = facts
    rows = {row.proxy: row for row in compare(baseline, turned).rows}
    assert rows["snip"].verdict == "worse"
    assert rows["snip"].note == "version 1 then, 2 now; higher was better then, lower is now"


@pytest.mark.parametrize(
    "limits",
    [{"tolerance": -1}, {"slower": 0.5}, {"slower_elsewhere": float("nan")}, {"floats": -1e-9}, {"noticeable": -1}],
)
def test_senseless_limits_are_refused(limits):
    with pytest.raises(HarnessError, match=r"give (0|1) or more"):
        Limits(**limits)
