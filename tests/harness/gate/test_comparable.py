"""What cannot be compared is refused with the reason."""

from dataclasses import replace

import pytest

from harness.errors import HarnessError
from harness.gate import compare
from harness.results import open_run


@pytest.mark.parametrize(
    ("field", "value"),
    [("seed", 3), ("batch_size", 99), ("fingerprint", "0"), ("dtype", "float64"), ("device", "cuda")],
)
def test_another_setting(baseline, run, field, value):
    with pytest.raises(HarnessError, match=rf"the settings differ \({field}: '.*' in the baseline, '{value}' now\)"):
        compare(baseline, replace(run, setting=replace(run.setting, **{field: value})))


def test_a_run_of_another_seed(baseline, digits_runs):
    with pytest.raises(HarnessError, match="seed: '0' in the baseline, '1' now"):
        compare(baseline, open_run(digits_runs[1]))


def test_networks_that_the_run_lacks(baseline, run):
    first = run.scores["architecture"].iloc[0]
    with pytest.raises(HarnessError, match="lacks 1 of 24 networks"):
        compare(baseline, replace(run, scores=run.scores[run.scores["architecture"] != first]))


@pytest.mark.parametrize("change", [0.01, 1e-9])
def test_other_accuracies(baseline, run, change):
    accuracy = run.truth.accuracy.copy()
    accuracy[run.scores["architecture"].iloc[0]] += change
    with pytest.raises(HarnessError, match="its ground truth is not the one"):
        compare(baseline, replace(run, truth=replace(run.truth, accuracy=accuracy)))


def test_a_sample_drawn_otherwise_that_holds_the_networks_will_do(baseline, run):
    setting = replace(run.setting, sample_seed=7, subset="connected")
    assert compare(baseline, replace(run, setting=setting)).alarms == []
