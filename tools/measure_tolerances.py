"""Measure how much rounding changes the scores of a baseline: ``python -m tools.measure_tolerances BASELINE``.

The baseline's networks are scored again with one irrelevant change at a time: two threads instead of one, channels
first in memory instead of last, or another order of the images in each mini-batch. ``--other NAME=RUN`` adds runs of
the same plan with another torch or processor. The tolerance of a proxy for one network is its largest relative change
(see :func:`harness.gate.changes.relative_changes`) times ``SAFETY``. Its tolerance for the median is the largest median
change times ``SAFETY``. Both are at least ``SAFETY`` units in the last place of float32.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from harness._utils.machine import processor_name
from harness.analysis.scores import wide_scores
from harness.analysis.statistics.jackknife import Floats
from harness.errors import HarnessError
from harness.execution.job import Job
from harness.execution.unit import make_probe
from harness.gate.baseline import Baseline
from harness.gate.baseline_files import read_baseline
from harness.gate.changes import relative_changes
from harness.gate.float_tolerance import FILE, FloatTolerance
from harness.gate.rerun import plan_of
from harness.images import Batch
from harness.probe import NotApplicableError
from harness.registry import reference
from harness.store import Store

if TYPE_CHECKING:
    from harness.execution.plan import Plan

SAFETY = 10
"""Allows for processors and versions that were not measured and round differently."""


@dataclass(frozen=True)
class Variation:
    """One change compared with a run.

    Attributes:
        threads: the number of torch threads.
        channels_last: the memory layout of images and weights.
        permuted: whether the images of each mini-batch are in another order.
    """

    threads: int = 1
    channels_last: bool = True
    permuted: bool = False


AS_RUN = Variation()
TWO_THREADS = "two threads"
VARIATIONS = {
    "channels first": Variation(channels_last=False),
    "other order of images": Variation(permuted=True),
    TWO_THREADS: Variation(threads=2),
}


def scores_under(plan: Plan, variation: Variation) -> dict[str, Floats]:
    """The scores of a plan's networks under a variation, for each proxy; NaN for missing scores."""
    job = Job(reference(type(plan.benchmark)), plan.setting.dataset, plan.setting.seed, (), "", "", plan.setting.device)
    batches = [_varied(batch, variation) for batch in plan.batches]
    layout = torch.channels_last if variation.channels_last else torch.contiguous_format
    found: dict[str, list[float]] = {proxy.name: [] for proxy in plan.proxies}
    threads = torch.get_num_threads()
    torch.set_num_threads(variation.threads)
    try:
        for architecture in plan.architectures:
            probe = make_probe(job, plan.benchmark, architecture, batches, list(plan.proxies))
            probe.network.to(memory_format=layout)  # type: ignore[call-overload]
            for proxy in plan.proxies:
                with probe.random_state("proxy", proxy.name):
                    try:
                        found[proxy.name].append(proxy(probe))
                    except NotApplicableError:
                        found[proxy.name].append(math.nan)
    finally:
        torch.set_num_threads(threads)
    return {name: np.array(values) for name, values in found.items()}


def _varied(batch: Batch, variation: Variation) -> Batch:
    images, labels = batch.images, batch.labels
    if variation.permuted:
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
        images, labels = images[order], labels[order]
    layout = torch.channels_last if variation.channels_last and images.dim() == 4 else torch.contiguous_format
    return Batch(images.contiguous(memory_format=layout), labels)


def extent(then: Floats, now: Floats) -> FloatTolerance:
    """The largest relative change and the median; infinite if a score is finite only once."""
    if (np.isfinite(then) != np.isfinite(now)).any():
        return FloatTolerance(math.inf, math.inf)
    both = np.isfinite(then)
    changes = relative_changes(then[both], now[both])
    return FloatTolerance(float(changes.max(initial=0.0)), float(np.median(changes)) if len(changes) else 0.0)


def measure(
    baseline: Baseline, others: Mapping[str, Path] | None = None, threaded: int | None = None
) -> dict[str, dict[str, FloatTolerance]]:
    """For each variation and proxy, the largest relative change from the baseline's scores, and the median.

    Args:
        baseline: a baseline made with this version of torch.
        others: runs of the same plan with another torch or processor, by a name for the difference.
        threaded: number of networks to score with two threads; default: all. On a busy machine, threads wait for each
            other a hundred times longer than they compute.

    Raises:
        HarnessError: if the baseline was made with another torch, or the other runs lack networks.
    """
    if baseline.setting.torch != torch.__version__:
        raise HarnessError(f"the baseline needs torch {baseline.setting.torch}, but this is {torch.__version__}")
    plan = plan_of(baseline)
    then = _wide(baseline.scores, baseline.architectures)
    found = {}
    for name, variation in VARIATIONS.items():
        networks = plan.architectures[: threaded if name == TWO_THREADS else None]
        found[name] = scores_under(replace(plan, architectures=networks), variation)
    for name, directory in (others or {}).items():
        with Store.read(directory) as store:
            found[name] = _wide(store.scores(), baseline.architectures)
    return {
        name: {proxy: extent(then[proxy][: len(scores[proxy])], scores[proxy]) for proxy in then if proxy in scores}
        for name, scores in found.items()
    }


def record_of(baseline: Baseline, measured: Mapping[str, Mapping[str, FloatTolerance]]) -> dict[str, Any]:
    """The record to write: the tolerances, and everything they are derived from."""
    tolerances = {
        name: FloatTolerance(*map(_safe, zip(*(row[name] for row in measured.values() if name in row), strict=True)))
        for name in sorted(baseline.proxies)
    }
    unusable = [name for name, tolerance in tolerances.items() if not math.isfinite(tolerance.single)]
    if unusable:
        raise HarnessError(f"rounding decides whether {unusable[0]} has a score; a tolerance cannot cover that")
    setting = baseline.setting
    return {
        "plan": f"{setting.benchmark}, {len(baseline.architectures)} networks, batch size {setting.batch_size}",
        "torch": setting.torch,
        "processor": processor_name(),
        "safety": SAFETY,
        "relative_changes": {
            name: {proxy: found._asdict() for proxy, found in row.items()} for name, row in measured.items()
        },
        "tolerances": {name: tolerance._asdict() for name, tolerance in tolerances.items()},
        "default": FloatTolerance(*map(max, zip(*tolerances.values(), strict=True)))._asdict(),
    }


def _safe(found: Sequence[float]) -> float:
    """The tolerance for measured changes: their maximum times the safety factor, to two digits."""
    return float(f"{SAFETY * max(*found, float(np.finfo(np.float32).eps)):.2g}")


def _wide(scores: Any, architectures: Sequence[str]) -> dict[str, Floats]:
    table = wide_scores(scores)
    lacking = [architecture for architecture in architectures if architecture not in table.index]
    if lacking:
        raise HarnessError(f"another run lacks {len(lacking)} of the baseline's networks, such as '{lacking[0]}'")
    return {str(name): table[name].loc[list(architectures)].to_numpy(dtype=float) for name in table}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("baseline", type=Path)
    parser.add_argument(
        "--other", action="append", default=[], metavar="NAME=RUN", help="run of the same plan on another system"
    )
    parser.add_argument("--threaded", type=int, metavar="N", help="number of networks to score with two threads")
    parser.add_argument("--out", type=Path, default=FILE)
    chosen = parser.parse_args(arguments)
    baseline = read_baseline(chosen.baseline)
    others = {name: Path(run) for name, _, run in (other.partition("=") for other in chosen.other)}
    record = record_of(baseline, measure(baseline, others, chosen.threaded))
    record["networks_with_two_threads"] = len(baseline.architectures[: chosen.threaded])
    chosen.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"{json.dumps(record['tolerances'], indent=2)}\nwritten to {chosen.out}\n")


if __name__ == "__main__":
    main()
