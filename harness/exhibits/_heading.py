"""What every exhibit of a run needs: its heading, and the correlations in each architecture set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis.seeds import TRUSTED_AGREEMENT
from harness.display.tables.heading import Heading
from harness.display.tables.numbers import coefficient, counted
from harness.networks.initialisation import DEFAULT, IN_WORDS
from harness.proxies._measured_dependence import Cause, dependent_on
from harness.results import OpenedRun
from harness.store.records import NOTES, SEARCH
from harness.tasks import CLASSES

if TYPE_CHECKING:
    import pandas as pd


def correlations_of(run: OpenedRun, baseline: str = "params") -> pd.DataFrame:
    """The correlation table of a run for each of the benchmark's architecture sets that has a network of the run.

    Args:
        run: the run.
        baseline: the row to compare the others with.
    """
    from harness.analysis import correlation_table

    scored = list(run.scores["architecture"].unique())
    members = {subset: run.benchmark.membership(subset) for subset in run.benchmark.subsets}

    return correlation_table(
        run.scores,
        run.truth,
        run.directions,
        members={
            subset: belongs for subset, belongs in members.items() if subset == "all" or any(map(belongs, scored))
        },
        baseline=baseline,
        aggregates=run.aggregates.values(),
        beside=run.beside,
    )


def heading_of(run: OpenedRun) -> Heading:
    """The heading of a run: what was ranked against what."""
    setting = run.setting
    return Heading(
        benchmark=run.benchmark.title,
        dataset=setting.dataset,
        networks=run.networks,
        subset=setting.subset,
        seed=setting.sample_seed,
        ground_truth=run.truth_in_words,
        images=setting.images,
        batch_size=setting.batch_size,
        noise=setting.noise,
        once_per_class=bool(setting.once_per_class),
        facts=(
            *run.notes,
            *_facts(run),
            *(f"Trained, for comparison: {other.describe()}" for other in run.beside.values()),
        ),
        doubts=tuple(_doubts(run)),
        sets=dict(run.benchmark.subsets),
        origin=setting.origin or "",
        searched=_search_in_words(run),
    )


def _search_in_words(run: OpenedRun) -> str:
    """The search that chose the networks; empty for a sample."""
    entry = run.manifest.get(SEARCH)
    if entry is None:
        return ""
    names = " and ".join(run.labels.get(name, name) for name in entry["proxies"])
    return f"a search for {names} by {entry['algorithm']}"


def _facts(run: OpenedRun) -> tuple[str, ...]:
    setting = run.setting
    if setting.origin is not None:
        # Of other truths, the heading counts the architectures without a value.
        missing = 0 if run.given is None or run.truth.partial else run.given["architecture"].nunique() - run.networks
        left_out = [f"{counted(missing, 'architecture')} without a number in '{run.truth.split}' left out"]
        return (*run.manifest.get(NOTES, ()), *(left_out if missing else ()))
    objective = run.benchmark.task(setting.dataset).objective
    facts: tuple[str, ...] = (f"Seed {setting.seed} of weights and batches; torch {setting.torch} on {setting.device}",)
    if setting.initialisation != IN_WORDS[DEFAULT]:
        facts = (f"Weights drawn anew: {setting.initialisation}", *facts)
    return facts if objective == CLASSES else (*facts, f"Loss of the gradient proxies: {objective.words}")


def _doubts(run: OpenedRun) -> list[str]:
    """Which proxies would rank the networks in another order with photographs, the benchmark resolution, or a seed."""
    causes: list[tuple[Cause, str]] = []
    if run.setting.noise:
        causes.append(("images", "Depends on the images, which are noise here"))
    if run.setting.resolution is not None:
        causes.append(("resolution", "Depends on the resolution, which is not the benchmark's here"))
    doubts = []
    for cause, words in causes:
        found = dependent_on(cause, run.scores["proxy"].unique())
        shown = (f"{run.labels.get(name, name)} {coefficient(each.kendall)}" for name, each in found.items())
        if found:
            doubts.append(f"{words} (with the lowest measured Kendall τ between two rankings): {', '.join(shown)}")
    if run.over_seeds is not None:
        agreement = run.over_seeds.set_index("proxy")["agreement"]
        apart = agreement[agreement < TRUSTED_AGREEMENT].sort_values()
        shown = (f"{run.labels.get(str(name), name)} {coefficient(value)}" for name, value in apart.items())
        if len(apart):
            doubts.append(f"Seeds rank differently (with Kendall τ between two of them): {', '.join(shown)}")
    elif len(run.seeds) > 1:
        doubts.append("No mean over seeds: no two of the seeds share a proxy on common networks")
    return doubts
