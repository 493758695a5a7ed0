"""Faults drawn from a seed lose nothing; a planted bug is found; a whole space needs no more memory than a part."""

from __future__ import annotations

import pytest
from faults import LostError
from stress import clock_library, stress_round, undisturbed
from whole_space import whole_run, wide_plan

from harness.execution.runner import run

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize(("seed", "number"), [(0, 8), (0, 12), (0, 13)])
def test_a_disturbed_run_ends_as_the_undisturbed_one(tmp_path, expected, seed, number):
    stress_round(seed, number, expected, tmp_path, clock=clock_library(tmp_path))


def test_a_planted_bug_is_found(tmp_path, expected):
    with pytest.raises(LostError, match=r"ended well with \d+ of 144 outcomes"):
        stress_round(0, 0, expected, tmp_path, bug="drop", faults=["kill a worker"])


def test_memory_is_flat_and_few_units_live_at_once(tmp_path):
    plan = wide_plan(30_000)
    summary, watch = whole_run(plan, tmp_path)
    assert summary.done == summary.computed == 30_000
    _, early, *_ = [memory for _, memory, _ in watch.seen]
    assert watch.seen[-1][1] - early < 5, "megabytes from the first tenth to the end"
    assert max(living for _, _, living in watch.seen) <= 10
    assert run(plan, tmp_path).computed == 0
