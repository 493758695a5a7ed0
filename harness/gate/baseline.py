"""A baseline: a run frozen, with everything that a later check needs and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from harness.contracts.proxy import Direction
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.contracts.ground_truth import GroundTruth
    from harness.gate.costs import OwnCosts
    from harness.results import OpenedRun
    from harness.store.records import Setting

COLUMNS = ("architecture", "proxy", "status", "value")


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
        costs: what the proxies' own work takes; None where that is not known.
        facts: versions of packages, and what the scores were computed on.
        scores: one row for each architecture and proxy, with the columns ``COLUMNS``.
    """

    setting: Setting
    truth: FrozenTruth
    proxies: Mapping[str, FrozenProxy]
    coefficients: Mapping[str, Mapping[str, float]]
    costs: OwnCosts | None
    facts: Mapping[str, Any]
    scores: pd.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        """Of which run it is."""
        return (
            f"<baseline of {self.setting.benchmark}, {self.setting.dataset}: {len(self.proxies)} proxies on "
            f"{len(self.architectures):,} networks; against {self.truth.description}>"
        )

    @property
    def architectures(self) -> list[str]:
        """The architectures of the baseline, in the order of its scores."""
        return list(dict.fromkeys(self.scores["architecture"]))

    @property
    def measured_networks(self) -> list[str]:
        """Those that the costs were measured on."""
        return [] if self.costs is None else list(self.costs.passes.index)


COEFFICIENTS = ("kendall", "kendall_low", "kendall_high", "spearman", "spearman_low", "spearman_high")
FACTS = ("packages", "python", "machine", "processor")


def freeze(run: OpenedRun, costs: OwnCosts | None = None) -> Baseline:
    """Make a baseline of a finished run.

    Args:
        run: its scores are kept.
        costs: of its proxies, from :func:`harness.gate.measure_costs.measure`.

    Raises:
        HarnessError: if some network lacks an outcome, or a proxy's direction is not known.
    """
    from harness.analysis.correlations import correlation_table

    _check_complete(run)
    table = correlation_table(run.scores, run.truth, run.directions).set_index("proxy")
    scores = run.scores.sort_values(["architecture", "proxy"], ignore_index=True)
    versions = scores.groupby("proxy")["version"].max()
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
        costs=costs,
        facts={name: run.manifest[name] for name in FACTS if name in run.manifest},
        scores=scores[list(COLUMNS)],
    )


def truth_digest(truth: GroundTruth, architectures: Sequence[str]) -> str:
    """SHA-256 of the accuracies of some architectures, to the last bit."""
    accuracies = truth.accuracy.reindex(sorted(architectures))
    text = "\n".join(f"{name}\t{float(value)!r}" for name, value in accuracies.items())
    return hashlib.sha256(f"{truth.higher_is_better}\n{text}".encode()).hexdigest()


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
