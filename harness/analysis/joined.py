"""Scores joined with the true accuracies of the same networks, both oriented so that higher is better."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from harness._utils.names import listed
from harness.analysis.aggregate_scores import aggregate_scores
from harness.analysis.scores import ABSENT, STATUSES, Mask, ProxyScores, scores_by_proxy
from harness.analysis.statistics.jackknife import Floats
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.aggregates import Aggregate
    from harness.contracts.ground_truth import GroundTruth

Kind = Literal["proxy", "aggregate", "truth"]


@dataclass(frozen=True)
class Joined:
    """The input of every analysis. All arrays have one entry per architecture, in the same order.

    Attributes:
        architectures: the identifiers of the n architectures.
        accuracy: the true accuracies, oriented so that higher is better. Shape (n,); none is missing.
        proxies: the scores of each proxy, oriented so that higher is better.
        trained: other accuracies of the same networks, treated as scores, by the name of their row.
        aggregates: rank aggregates that may be computed from these proxies.
    """

    architectures: pd.Index
    accuracy: Floats
    proxies: Mapping[str, ProxyScores]
    trained: Mapping[str, ProxyScores] = field(default_factory=dict)
    aggregates: tuple[Aggregate, ...] = ()

    def __repr__(self) -> str:
        """Number of networks, and the proxies."""
        return f"<scores and accuracies of {len(self):,} networks: {', '.join(self.proxies)}>"

    def __len__(self) -> int:
        return len(self.architectures)

    @cached_property
    def pooled(self) -> Mapping[str, ProxyScores]:
        """The rank aggregates with all parts scored, computed with these architectures as the pool."""
        return aggregate_scores(self.aggregates, self.proxies)

    @cached_property
    def rows(self) -> Mapping[str, ProxyScores]:
        """Everything that can be ranked against the accuracies: proxies, rank aggregates, other accuracies."""
        return {**self.proxies, **self.pooled, **self.trained}

    def kind(self, row: str) -> Kind:
        """The kind of a row of :attr:`rows`."""
        return "aggregate" if row in self.pooled else "truth" if row in self.trained else "proxy"

    def within(self, members: Mask) -> Joined:
        """The subset of some architectures; rank aggregates are recomputed, because their pool changes."""
        return replace(
            self,
            architectures=self.architectures[members],
            accuracy=self.accuracy[members],
            proxies={name: scores.within(members) for name, scores in self.proxies.items()},
            trained={name: scores.within(members) for name, scores in self.trained.items()},
        )

    def table(self, rows: Iterable[str] | None = None) -> pd.DataFrame:
        """The scores with architectures as rows and the requested :attr:`rows` as columns; all of them by default.

        Raises:
            HarnessError: if there are no scores of a requested row.
        """
        names = list(self.rows if rows is None else rows)
        for name in names:
            if name not in self.rows:
                raise HarnessError(f"there are no scores of '{name}'; there are scores of {listed(self.rows)}")
        return pd.DataFrame({name: self.rows[name].value for name in names}, index=self.architectures)


def join(
    scores: pd.DataFrame,
    truth: GroundTruth,
    directions: Mapping[str, Literal["higher", "lower"]],
    *,
    aggregates: Iterable[Aggregate] = (),
    beside: Mapping[str, GroundTruth] | None = None,
) -> Joined:
    """Join every proxy's scores with the accuracies; networks without one are left out if ``truth.partial`` is true.

    Signs are flipped only by declaration: those of the scores if lower is better, those of the accuracies if
    ``truth.higher_is_better`` is false.

    Args:
        scores: one row for each architecture and proxy, with the columns ``architecture``, ``proxy``, ``status``
            (``ok``, ``failed``, ``non_finite`` or ``skipped``) and ``value``; others are ignored.
        truth: the true accuracies.
        directions: ``higher`` or ``lower``, whichever is better, for every proxy in the scores.
        aggregates: rank aggregates; those whose parts were all scored are computed.
        beside: other accuracies of the same networks, by the name of their row.

    Raises:
        HarnessError: if an architecture of the scores has no finite accuracy, or none of them if the truth is partial;
            if an architecture and proxy have two rows, a column is missing, a status is unknown, or a proxy's direction
            is not declared.
    """
    architectures, proxies = scores_by_proxy(scores, directions)
    accuracy = _every_accuracy(truth, architectures)
    joined = Joined(
        architectures=architectures,
        accuracy=accuracy,
        proxies={proxy: proxies[proxy] for proxy in sorted(proxies)},
        trained={name: _scores_of_truth(other, architectures) for name, other in (beside or {}).items()},
        aggregates=tuple(aggregates),
    )
    known = np.isfinite(accuracy)
    return joined if known.all() else joined.within(known)


def accuracies_of(truth: GroundTruth, architectures: pd.Index) -> Floats:
    """The accuracy of each architecture, oriented so that higher is better; NaN if there is none.

    Raises:
        HarnessError: if the ground truth has two values for an architecture.
    """
    if not truth.accuracy.index.is_unique:
        twice = truth.accuracy.index[truth.accuracy.index.duplicated()][0]
        raise HarnessError(f"the ground truth of {truth.benchmark} has '{twice}' twice; it needs one value each")
    return np.asarray(truth.oriented.reindex(architectures), dtype=np.float64)


def _scores_of_truth(truth: GroundTruth, architectures: pd.Index) -> ProxyScores:
    """Accuracies as scores; an architecture without an accuracy counts as not scored."""
    value = accuracies_of(truth, architectures)
    return ProxyScores(value, np.where(np.isfinite(value), STATUSES.index("ok"), ABSENT).astype(np.int8))


def _every_accuracy(truth: GroundTruth, architectures: pd.Index) -> Floats:
    """The same, with an error if an accuracy is missing that the ground truth should have."""
    accuracy = accuracies_of(truth, architectures)
    lacking = architectures[~np.isfinite(accuracy)]
    if truth.partial:
        if len(lacking) == len(architectures):
            theirs = truth.accuracy.index
            other = f"; it names its architectures like '{theirs[0]}'" if len(theirs) else ""
            raise HarnessError(
                f"none of the {len(architectures)} scored architectures, such as '{architectures[0]}', has a finite "
                f"value in {truth.describe()}{other}"
            )
        return accuracy
    if len(lacking):
        raise HarnessError(
            f"{len(lacking)} of {len(architectures)} scored architectures have no accuracy in the ground truth of "
            f"{truth.benchmark} ({truth.describe()}), such as '{lacking[0]}'; score and rank with the same benchmark"
        )
    return accuracy
