"""The baseline: a frozen run, with exactly the facts that later checks need."""

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
    """The facts of a proxy in the baseline."""

    version: int
    better: Direction
    label: str


@dataclass(frozen=True)
class FrozenTruth:
    """The ground truth that the baseline was ranked against.

    Attributes:
        description: in words, as tables show it.
        split: the images that accuracy was measured on.
        epochs: the length of the training, or the name of an epoch.
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
        setting: everything that determines its scores.
        truth: the ground truth that it was ranked against.
        proxies: the facts of each proxy.
        coefficients: Kendall τ and Spearman ρ of each proxy with 95 % bounds, over all architectures; NaN if undefined.
        costs: the proxies' own costs; None if they were not measured.
        facts: versions of packages, and the machine that computed the scores.
        scores: one row per architecture and proxy, with the columns ``COLUMNS``.
    """

    setting: Setting
    truth: FrozenTruth
    proxies: Mapping[str, FrozenProxy]
    coefficients: Mapping[str, Mapping[str, float]]
    costs: OwnCosts | None
    facts: Mapping[str, Any]
    scores: pd.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        """Setting, number of proxies and networks, and ground truth."""
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
        """The architectures that the costs were measured on."""
        return [] if self.costs is None else list(self.costs.passes.index)


COEFFICIENTS = ("kendall", "kendall_low", "kendall_high", "spearman", "spearman_low", "spearman_high")
FACTS = ("packages", "python", "machine", "processor")


def freeze(run: OpenedRun, costs: OwnCosts | None = None) -> Baseline:
    """Make a baseline from a finished run and the costs that :func:`harness.gate.measure_costs.measure` found.

    Raises:
        HarnessError: if a network has no outcome for some proxy, or a proxy's direction is unknown.
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
    """SHA-256 of the accuracies of some architectures, with all their bits."""
    accuracies = truth.accuracy.reindex(sorted(architectures))
    text = "\n".join(f"{name}\t{float(value)!r}" for name, value in accuracies.items())
    return hashlib.sha256(f"{truth.higher_is_better}\n{text}".encode()).hexdigest()


def _check_complete(run: OpenedRun) -> None:
    if not run.benchmark.knows_truth(run.truth.dataset, run.truth.split, run.truth.epochs):
        raise HarnessError(
            f"a baseline keeps only the name of its ground truth, so it must be one of {run.benchmark.name}; give "
            "--truth SPLIT/EPOCHS"
        )
    if len(run.joined) < run.networks:
        raise HarnessError(f"a baseline needs an accuracy of every network; {run.truth_in_words}")
    for proxy in run.scores["proxy"].unique():
        if proxy not in run.directions:
            raise HarnessError(
                f"{run.directory} has scores of '{proxy}', which is not registered here: install the package that "
                "provides it"
            )
    counts = run.scores.groupby("proxy")["architecture"].nunique()
    lacking = counts[counts < run.networks]
    if len(lacking):
        raise HarnessError(
            f"{run.directory} is not finished: {lacking.index[0]} has {lacking.iloc[0]:,} of {run.networks:,} "
            "networks; finish it with 'harness run', then freeze it"
        )
