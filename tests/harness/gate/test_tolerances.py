"""Tolerances are measured: by variations that do not matter, of the proxies that the committed baseline has."""

import numpy as np
import pytest

from harness.errors import HarnessError
from harness.gate.float_tolerance import FloatTolerance, float_tolerance, measured
from harness.gate.rerun import plan_of
from harness.registry import STANDARD
from tools.measure_tolerances import AS_RUN, SAFETY, VARIATIONS, extent, record_of, scores_under


def test_every_standard_proxy_was_measured_in_every_way():
    record = measured()
    assert set(record["tolerances"]) == set(STANDARD)
    assert {*VARIATIONS} < set(record["relative_changes"]), "another torch or processor too"
    for name in STANDARD:
        for kind, tolerance in float_tolerance(name)._asdict().items():
            found = max(row[name][kind] for row in record["relative_changes"].values())
            assert tolerance >= 0.95 * record["safety"] * found
            assert tolerance >= 0.95 * SAFETY * np.finfo(np.float32).eps


def test_a_proxy_that_was_measured_has_its_own():
    own = {name: FloatTolerance(**tolerance) for name, tolerance in measured()["tolerances"].items()}
    assert {name: float_tolerance(name) for name in own} == own
    assert len(set(own.values())) > 1


def test_a_proxy_that_was_not_measured_gets_the_widest():
    assert float_tolerance("unheard_of") == tuple(
        max(tolerance[kind] for tolerance in measured()["tolerances"].values()) for kind in ("single", "typical")
    )


def test_without_variation_the_scores_are_those_of_the_run(baseline):
    plan = plan_of(baseline)
    architectures = baseline.architectures[:3]
    found = scores_under(plan.__class__(**{**vars(plan), "architectures": architectures}), AS_RUN)
    kept = baseline.scores.set_index(["proxy", "architecture"])["value"]
    for name, values in found.items():
        assert values.tolist() == [kept[name, architecture] for architecture in architectures]


def test_rounding_that_decides_whether_there_is_a_score_has_no_tolerance(baseline):
    unlike = extent(np.array([1.0, np.nan]), np.array([1.0, 2.0]))
    assert unlike == (np.inf, np.inf)
    measures = {"x": dict.fromkeys(baseline.proxies, FloatTolerance(0.0, 0.0)) | {"zen": unlike}}
    with pytest.raises(HarnessError, match="rounding decides whether zen has a score"):
        record_of(baseline, measures)
