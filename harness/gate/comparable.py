"""What a run and a baseline must have in common to be compared."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.gate.baseline import truth_digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.gate.baseline import Baseline
    from harness.results import OpenedRun

MAY_DIFFER = {"subset", "sample_seed", "torch"}
"""Parts of the setting that may differ. How the same architectures were drawn does not matter, and the float tolerances
cover the rounding of another torch."""


def check_comparable(baseline: Baseline, run: OpenedRun) -> None:
    """Check that a run can be compared with a baseline.

    Raises:
        HarnessError: if the setting, the mini-batches or the ground truth differ, or architectures are missing; the
            message names the difference.
    """
    then, now = asdict(baseline.setting), asdict(run.setting)
    # Scores that were read from tables may be in another file now; there are no mini-batches to compare.
    from_tables = {"fingerprint", "origin"} if then["origin"] and now["origin"] else set()
    may_differ = MAY_DIFFER | from_tables
    differing = [name for name in then if name not in may_differ and then[name] != now[name]]
    if differing:
        parts = "; ".join(f"{name}: '{then[name]}' in the baseline, '{now[name]}' now" for name in differing)
        raise HarnessError(
            f"{run.directory} cannot be compared with the baseline: the settings differ ({parts}); run with the "
            "baseline's setting, or freeze a new baseline"
        )
    architectures = set(baseline.architectures)
    lacking = architectures.difference(run.scores["architecture"])
    if lacking:
        raise HarnessError(
            f"{run.directory} cannot be compared with the baseline: it lacks {len(lacking):,} of "
            f"{len(architectures):,} networks, such as '{min(lacking)}'; finish the run with the baseline's sample"
        )
    if (
        truth_digest(run.truth, list(architectures)) != baseline.truth.sha256
        or run.truth.describe() != baseline.truth.description
    ):
        raise HarnessError(
            f"{run.directory} cannot be compared with the baseline: its ground truth is not the one that "
            f"the baseline was ranked against ({baseline.truth.description}); freeze a new baseline"
        )


def differences(baseline: Baseline, facts: Mapping[str, Any], torch: str) -> list[str]:
    """Allowed differences between the baseline and a run with these facts, in sentences."""
    pairs = {
        "torch": (baseline.setting.torch, torch),
        "processor": (baseline.facts.get("processor"), facts.get("processor")),
    }
    return [
        f"Different {name}: {then or 'unknown'} in the baseline, {now or 'unknown'} now."
        for name, (then, now) in pairs.items()
        if then != now
    ]
