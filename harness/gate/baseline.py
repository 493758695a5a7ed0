"""A baseline: a run frozen, with everything that a later check needs and nothing else."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from harness.errors import HarnessError
from harness.gate.costs import own_costs
from harness.proxies.base import Direction

if TYPE_CHECKING:
    from harness.benchmark import GroundTruth
    from harness.opened import OpenedRun
    from harness.plan import Setting

COLUMNS = ("architecture", "proxy", "status", "value", "own_cost")


class FrozenProxy(NamedTuple):
    """What is known of a proxy of the baseline."""

    version: int
    better: Direction
    label: str


@dataclass(frozen=True)
class FrozenTruth:
    """Which accuracies the baseline was ranked against.

    Attributes:
        description: in words, as tables print it.
        split: the images that accuracy was measured on.
        epochs: the length of the training, or which epoch.
        sha256: of the accuracies of the baseline's architectures.
    """

    description: str
    split: str
    epochs: int | str
    sha256: str


@dataclass(frozen=True)
class Baseline:
    """A frozen run.

    Attributes:
        setting: everything that fixes its scores.
        truth: which accuracies it was ranked against.
        proxies: what is known of each.
        coefficients: for each proxy Kendall τ and Spearman ρ with 95 % bounds, over all architectures; NaN where
            undefined.
        costs: for each proxy the median own cost, in forward and backward passes; NaN where not measured.
        facts: versions of packages, and what the costs were measured on and with.
        scores: one row for each architecture and proxy, with the columns ``COLUMNS``.
    """

    setting: Setting
    truth: FrozenTruth
    proxies: Mapping[str, FrozenProxy]
    coefficients: Mapping[str, Mapping[str, float]]
    costs: Mapping[str, float]
    facts: Mapping[str, Any]
    scores: pd.DataFrame = field(repr=False)

    @property
    def architectures(self) -> list[str]:
        """The architectures of the baseline, in the order of its scores."""
        return list(dict.fromkeys(self.scores["architecture"]))


COEFFICIENTS = ("kendall", "kendall_low", "kendall_high", "spearman", "spearman_low", "spearman_high")
FACTS = ("packages", "python", "machine", "processor", "clock")


def freeze(run: OpenedRun, others: Sequence[OpenedRun] = ()) -> Baseline:
    """Make a baseline of a finished run.

    Args:
        run: its scores are kept.
        others: further runs of the same setting. The cost of a proxy on a network is the median over all runs, so
            that checks are set beside a steadier cost.

    Raises:
        HarnessError: if some network lacks an outcome, a proxy's direction is not known, or another run is of another
            setting.
    """
    from harness.analysis.table import correlation_table

    _check_complete(run)
    for other in others:
        if other.setting != run.setting:
            raise HarnessError(
                f"{other.directory} is a run of another setting than {run.directory}; costs come from runs of one"
            )
    table = correlation_table(run.scores, run.truth, run.directions).set_index("proxy")
    scores = run.scores.assign(own_cost=_median_costs([run, *others]))
    scores = scores.sort_values(["architecture", "proxy"], ignore_index=True)
    versions = scores.groupby("proxy")["version"].max()
    costs = scores.groupby("proxy")["own_cost"].median()
    names = sorted(versions.index)
    return Baseline(
        setting=run.setting,
        truth=FrozenTruth(
            run.truth.describe(),
            run.truth.split,
            run.truth.epochs,
            truth_digest(run.truth, list(scores["architecture"].unique())),
        ),
        proxies={name: FrozenProxy(int(versions[name]), *run.facts[name]) for name in names},
        coefficients={name: {column: float(table.loc[name, column]) for column in COEFFICIENTS} for name in names},
        costs={name: float(costs[name]) for name in names},
        facts={name: run.manifest[name] for name in FACTS if name in run.manifest},
        scores=scores[list(COLUMNS)],
    )


def truth_digest(truth: GroundTruth, architectures: Sequence[str]) -> str:
    """SHA-256 of the accuracies of some architectures, to the last bit."""
    accuracies = truth.accuracy.reindex(sorted(architectures))
    text = "\n".join(f"{name}\t{float(value)!r}" for name, value in accuracies.items())
    return hashlib.sha256(f"{truth.higher_is_better}\n{text}".encode()).hexdigest()


def _median_costs(runs: Sequence[OpenedRun]) -> list[float]:
    """The median own cost over the runs for each row of the first, to four figures; a fifth says nothing."""
    key = ["architecture", "proxy"]
    every = pd.concat([run.scores.assign(own_cost=own_costs(run.scores))[[*key, "own_cost"]] for run in runs])
    medians = every.groupby(key)["own_cost"].median()
    found = medians.reindex(pd.MultiIndex.from_frame(runs[0].scores[key]))
    return [float(f"{value:.4g}") if math.isfinite(value) else math.nan for value in found]


def _check_complete(run: OpenedRun) -> None:
    for proxy in run.scores["proxy"].unique():
        if proxy not in run.directions:
            raise HarnessError(
                f"{run.directory} holds scores of '{proxy}', which is not registered here: install the package that "
                "offers it"
            )
    counts = run.scores.groupby("proxy")["architecture"].nunique()
    lacking = counts[counts < run.networks]
    if len(lacking):
        raise HarnessError(
            f"{run.directory} is not finished: {lacking.index[0]} has {lacking.iloc[0]:,} of {run.networks:,} "
            "networks; let 'harness run' end, then freeze it"
        )
