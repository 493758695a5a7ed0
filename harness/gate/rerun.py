"""Rerunning a baseline's plan with the current code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.execution.options import RunOptions
from harness.execution.plan import Plan, make_plan
from harness.images import RANDOM_LABELS
from harness.networks.initialisation import name_of
from harness.registry import STANDARD, benchmark_named, proxies
from harness.store.sqlite import FILE_NAME

if TYPE_CHECKING:
    from harness.contracts.proxy import Proxy
    from harness.execution.runner import Progress
    from harness.gate.baseline import Baseline
    from harness.results import OpenedRun
    from harness.store.records import Setting


def plan_of(baseline: Baseline, *, images: str | None = None, own: Sequence[str | Proxy] = ()) -> Plan:
    """The plan of the baseline's run: the same networks, mini-batches and seeds, with the current proxies.

    ``own`` are further proxies, or proxies of the baseline that are not registered; ``images`` are the image files, for
    a benchmark that includes none.

    Raises:
        HarnessError: if the benchmark is not registered, or its images must be given.
    """
    setting = baseline.setting
    if setting.origin is not None:
        raise HarnessError(
            f"the scores of the baseline were {setting.origin}, so they cannot be computed again; rank a new table "
            "with harness rank TABLE --out RUN, and give this RUN to harness check"
        )
    if benchmark_named(setting.benchmark) is None:
        raise HarnessError(
            f"the benchmark '{setting.benchmark}' of the baseline is not registered here; score its networks with "
            "'harness run path.py:name', and give that run"
        )
    # In the order of every standard run: the first proxy finds cold caches and seems to cost more.
    order = [*STANDARD, *baseline.proxies]
    known = [name for name in dict.fromkeys(order) if name in baseline.proxies and name in proxies()]
    return plan_again(setting, baseline.architectures, [*known, *own], images)


def plan_again(
    setting: Setting, architectures: Sequence[str], proxies: Sequence[str | Proxy], images: str | None
) -> Plan:
    """The plan that computes scores of these architectures again, as in a setting.

    Args:
        setting: of the scores.
        architectures: the networks, in this order.
        proxies: the proxies.
        images: the image files, for a benchmark that includes none; unused if the setting has noise.

    Raises:
        HarnessError: if the images must be given, or do not fit.
    """
    options = RunOptions(
        dataset=setting.dataset,
        sample=1,
        seed=setting.seed,
        sample_seed=setting.sample_seed,
        proxies=proxies,
        images="noise" if setting.noise else images,
        labels="random" if setting.images.endswith(RANDOM_LABELS) else "file",
        batch_size=setting.batch_size,
        resolution=setting.resolution,
        init=name_of(setting.initialisation),
        once_per_class=bool(setting.once_per_class),
        device=setting.device,
    )
    plan = make_plan(setting.benchmark, options)
    standing = plan.benchmark.representatives(architectures) if setting.once_per_class else {}
    return replace(plan, architectures=architectures, representatives=standing)


def rerun(
    baseline: Baseline,
    out: Path,
    *,
    images: str | None = None,
    own: Sequence[str | Proxy] = (),
    workers: int = 1,
    progress: Progress | None = None,
) -> OpenedRun:
    """Compute the baseline's plan into a new directory, and open the run.

    Raises:
        HarnessError: if the directory already has a run, whose scores would not be computed again, or the plan cannot
            be made.
    """
    if (out / FILE_NAME).exists():
        raise HarnessError(f"{out} already has a run, perhaps of older code; choose a new --out, or check that run")
    plan = plan_of(baseline, images=images, own=own)
    from harness.execution.runner import run
    from harness.results import open_run

    if run(plan, out, workers=workers, progress=progress).interrupted:
        raise KeyboardInterrupt
    return open_run(out, split=baseline.truth.split, epochs=baseline.truth.epochs)
