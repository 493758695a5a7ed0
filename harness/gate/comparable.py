"""What a run must share with a baseline to be compared with it."""

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
"""How the sample was drawn does not matter where the same architectures are there; another torch rounds otherwise,
which float tolerances cover."""


def check_comparable(baseline: Baseline, run: OpenedRun) -> None:
    """Refuse a run that says nothing about the baseline's proxies.

    Raises:
        HarnessError: if it has another setting, other mini-batches, another ground truth, or lacks architectures; the
            message names what differs.
    """
    then, now = asdict(baseline.setting), asdict(run.setting)
    differing = [name for name in then if name not in MAY_DIFFER and then[name] != now[name]]
    if differing:
        parts = "; ".join(f"{name}: '{then[name]}' then, '{now[name]}' now" for name in differing)
        raise HarnessError(
            f"{run.directory} cannot be compared with the baseline, its setting is another ({parts}); run with the "
            "baseline's, or freeze a new baseline"
        )
    architectures = set(baseline.architectures)
    lacking = architectures.difference(run.scores["architecture"])
    if lacking:
        raise HarnessError(
            f"{run.directory} cannot be compared with the baseline: it lacks {len(lacking):,} of "
            f"{len(architectures):,} networks, one '{min(lacking)}'; let 'harness run' end, with the baseline's sample"
        )
    if (
        truth_digest(run.truth, list(architectures)) != baseline.truth.sha256
        or run.truth.describe() != baseline.truth.description
    ):
        raise HarnessError(
            f"{run.directory} cannot be compared with the baseline: the accuracies of its networks are not those that "
            f"the baseline was ranked against ({baseline.truth.description}); freeze a new baseline"
        )


def differences(baseline: Baseline, facts: Mapping[str, Any], torch: str) -> list[str]:
    """What may differ and does, in sentences.

    Args:
        baseline: with its own facts.
        facts: the run's manifest.
        torch: the run's version of torch.
    """
    pairs = {
        "torch": (baseline.setting.torch, torch),
        "processor": (baseline.facts.get("processor"), facts.get("processor")),
    }
    return [
        f"Another {name}: {then or 'unknown'} then, {now or 'unknown'} now."
        for name, (then, now) in pairs.items()
        if then != now
    ]
