"""The long table of scores, checked and converted to one array per proxy over the same architectures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness._utils.names import listed
from harness.errors import HarnessError

Mask = NDArray[np.bool_]

STATUSES = ("ok", "failed", "non_finite", "skipped")
ABSENT = -1


@dataclass(frozen=True)
class ProxyScores:
    """One proxy's outcomes for all architectures.

    Attributes:
        value: the score, oriented so that higher is better; NaN if there is no finite one. Shape (n,).
        status: the index in ``STATUSES``, or ``ABSENT`` if the proxy has no row for the architecture. Shape (n,).
    """

    value: NDArray[np.float64]
    status: NDArray[np.int8]

    @property
    def usable(self) -> Mask:
        """Mask of the architectures with a finite score."""
        return np.isfinite(self.value)

    @property
    def networks(self) -> int:
        """The number of architectures with a row of the proxy."""
        return int(np.count_nonzero(self.status != ABSENT))

    def count(self, status: str) -> int:
        """The number of rows with the given status."""
        return int(np.count_nonzero(self.status == STATUSES.index(status)))

    def within(self, members: Mask) -> ProxyScores:
        """The outcomes for a subset of the architectures."""
        return ProxyScores(self.value[members], self.status[members])


def scores_by_proxy(
    scores: pd.DataFrame, directions: Mapping[str, Literal["higher", "lower"]] | None
) -> tuple[pd.Index, dict[str, ProxyScores]]:
    """The architectures, and every proxy's scores for them, both in order of first appearance.

    Args:
        scores: one row per architecture and proxy.
        directions: ``higher`` or ``lower`` for each proxy; scores are oriented so that higher is better. None: keep
            them as they are.

    Raises:
        HarnessError: for a missing column, an unknown status, a row without an architecture or a proxy, two rows of
            one architecture and proxy, or a proxy whose direction is not declared as ``higher`` or ``lower``.
    """
    require_columns(scores, ("architecture", "proxy", "status", "value"))
    architecture, architectures = pd.factorize(scores["architecture"])
    proxy, proxies = pd.factorize(scores["proxy"])
    if (architecture < 0).any() or (proxy < 0).any():
        raise HarnessError("some rows of the scores name no architecture or no proxy; every row needs both")
    status = _status_codes(scores["status"])
    value = scores["value"].to_numpy(dtype=np.float64)
    usable = (status == STATUSES.index("ok")) & np.isfinite(value)
    result = {}
    for number, name in enumerate(proxies):
        rows = np.flatnonzero(proxy == number)
        where = architecture[rows]
        _refuse_duplicates(name, where, architectures)
        sign = 1 if directions is None else _sign(name, directions)
        values = np.full(len(architectures), np.nan)
        values[where] = np.where(usable[rows], sign * value[rows], np.nan)
        statuses = np.full(len(architectures), ABSENT, dtype=np.int8)
        statuses[where] = status[rows]
        result[str(name)] = ProxyScores(values, statuses)
    return pd.Index(architectures), result


def wide_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """The finite scores without orientation, one row per architecture and one column per proxy; NaN elsewhere.

    Raises:
        HarnessError: as :func:`scores_by_proxy`.
    """
    architectures, proxies = scores_by_proxy(scores, None)
    index = architectures.rename("architecture")
    return pd.DataFrame({name: found.value for name, found in proxies.items()}, index=index)


def require_columns(scores: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Raise HarnessError if the table of scores lacks a column."""
    missing = [column for column in columns if column not in scores.columns]
    if missing:
        raise HarnessError(f"the scores lack the column '{missing[0]}'; they have {listed(scores.columns)}")


def _status_codes(status: pd.Series[str]) -> NDArray[np.int8]:
    codes = pd.Index(STATUSES).get_indexer(pd.Index(status))
    unknown = status[codes < 0]
    if len(unknown):
        raise HarnessError(f"unknown status '{unknown.iloc[0]}' in the scores; known: {', '.join(STATUSES)}")
    return np.asarray(codes, dtype=np.int8)


def _refuse_duplicates(proxy: str, where: NDArray[np.intp], architectures: pd.Index) -> None:
    rows = np.bincount(where, minlength=len(architectures))
    most = int(rows.argmax())
    if rows[most] > 1:
        raise HarnessError(
            f"proxy '{proxy}' has {rows[most]} scores of the architecture '{architectures[most]}'; "
            "choose one seed and one version, or average over seeds, before ranking"
        )


def _sign(proxy: str, directions: Mapping[str, Literal["higher", "lower"]]) -> int:
    match directions.get(proxy):
        case "higher":
            return 1
        case "lower":
            return -1
        case None:
            raise HarnessError(
                f"no direction is declared for the proxy '{proxy}'; say whether 'higher' or 'lower' is better"
            )
        case other:
            raise HarnessError(f"the direction of the proxy '{proxy}' must be 'higher' or 'lower', not '{other}'")
