"""Costs are those of a proxy's own work, repeated: passes that others make too are no part of it."""

import math
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import harness
from harness.errors import HarnessError
from harness.execution.executors import InlineExecutor
from harness.execution.job import read_batches_of
from harness.execution.unit import make_probe
from harness.gate import measure_costs as own_work
from harness.gate.costs import OwnCosts, Place, median_of
from harness.gate.measure_costs import job_of, measure, measure_here, representative
from harness.registry import STANDARD, proxies, reference
from harness.results import open_run

CALLS = []


@harness.proxy("spinning", better="higher", data="nothing", cite="none")
def spinning(probe):
    """Waits as long as its passes take, and counts which it makes."""
    CALLS.append(len(probe.loss_gradients(0)) + len(probe.loss_gradients(1)))
    return 0.0


@harness.proxy("failing", better="higher", data="nothing", cite="none")
def failing(probe):
    """Fails."""
    raise ZeroDivisionError


@pytest.fixture
def quick(monkeypatch):
    for name, value in {"ROUNDS": 3, "BLOCK": 1e-4}.items():
        monkeypatch.setattr(own_work, name, value)


def test_the_networks_are_those_with_the_most_scores(run):
    scores = run.scores.copy()
    first = scores["architecture"].unique()[0]
    scores.loc[(scores["architecture"] == first) & (scores["proxy"] == "zico"), "status"] = "failed"
    chosen = representative(scores)
    assert len(chosen) == len(set(chosen)) == own_work.NETWORKS and first not in chosen
    assert representative(scores) == chosen
    assert set(representative(scores, 99)) == set(scores["architecture"]) - {first}


def test_a_pass_over_another_mini_batch_is_own_work_and_sums_are_next_to_nothing(run, quick):
    places = [reference(proxies()[name]) for name in ("zico", "plain", "params")]
    costs = measure_here(job_of(run, places), representative(run.scores, 4))
    # Medians, and compared with each other: so short a measurement varies on a busy machine.
    usual = costs.passes.median()
    assert usual["zico"] > max(0.2, 2 * usual[["plain", "params"]].max())
    assert costs.calls.between(0, 1).all() and costs.place.torch == run.setting.torch


def test_scores_on_the_repeating_probe_are_those_of_the_run(run, quick):
    from harness.gate.measure_costs import _Repeated

    job = job_of(run, [])
    batches = read_batches_of(job)
    architecture = representative(run.scores, 1)[0]
    probe = _Repeated(make_probe(job, run.benchmark, architecture, batches, []))
    kept = run.scores.set_index(["architecture", "proxy"])["value"]
    for name in set(STANDARD) & set(run.scores["proxy"]):
        probe.score(proxies()[name])
        assert proxies()[name](probe) == kept[architecture, name]


def test_what_fails_has_no_cost(run, quick):
    architecture = representative(run.scores, 1)
    job = job_of(run, [f"{__name__}:failing", f"{__name__}:spinning"])
    costs = measure_here(job, architecture).passes.loc[architecture[0]]
    assert math.isnan(costs["failing"]) and costs["spinning"] > 0.25
    assert len(set(CALLS)) == 1 and len(CALLS) >= 3


def test_a_fresh_process_measures_a_proxy_of_one_s_own(run, quick, tmp_path):
    file = tmp_path / "my_timed.py"
    source = '''import harness
@harness.proxy("timed", better="higher", data="nothing", cite="none")
def timed(probe):
    """Nothing."""
    return 0
'''
    file.write_text(source)
    place = f"{file}:timed"
    harness.run("digits", sample=2, batch_size=8, proxies=["params", place], out=tmp_path / "run")
    mine = open_run(tmp_path / "run")
    architectures = representative(mine.scores, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_work, "spawned_workers", lambda workers: InlineExecutor())
        assert list(measure(mine, architectures).passes) == ["params"]
    assert set(measure(mine, architectures, own=[place]).passes) == {"params", "timed"}
    file.write_text(source + "# changed")
    with pytest.raises(HarnessError, match="the file of the proxy 'timed' has changed since the run"):
        measure(mine, architectures, own=[place])
    del sys.modules["harness_own_my_timed"]


def test_a_run_of_unknown_proxies_alone_has_no_costs(run, quick):
    none = measure_here(job_of(run, []), representative(run.scores, 2))
    assert median_of([none, none]).passes.shape == (2, 0)


def test_the_median_of_measurements_is_taken_for_each_network():
    networks = ["b", "a", "c"]
    single = OwnCosts(
        pd.DataFrame({"x": [1.0, 2.0, math.nan]}, index=networks), pd.Series(1.0, networks), Place("", "", "")
    )
    twice, thrice = (replace(single, passes=k * single.passes, calls=k * single.calls) for k in (2, 3))
    middle = median_of([thrice, single, twice])
    np.testing.assert_array_equal(middle.passes["x"], [2, 4, math.nan])
    assert list(middle.passes.index) == networks and (middle.calls == 2).all()
