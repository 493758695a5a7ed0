"""Whether two computations of a proxy's scores on the same networks agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.gate.float_tolerance import float_tolerance, measured

if TYPE_CHECKING:
    import pandas as pd


SPREAD = 1e-3
"""How much of the scores' interquartile range a score may change by on another processor."""


@dataclass(frozen=True)
class Comparison:
    """Outcomes of the same networks, computed twice.

    Attributes:
        differing: the networks whose outcomes differ by more than rounding.
        same: whether all scores have the same bits.
        largest: the largest relative change of a score; 0 if there is none.
    """

    differing: tuple[str, ...]
    same: bool
    largest: float


def compared(proxy: str, then: pd.DataFrame, now: pd.DataFrame) -> Comparison:
    """Compare outcomes of a proxy, by architecture, with the columns ``status`` and ``value``.

    A change counts as rounding up to the gate's tolerance for single scores. It is relative to the score, or to the
    median of all scores in ``then`` if that is larger: scores close to zero have no meaningful relative change. Scores
    that are sums of both signs, such as plain's, change by more between kinds of processors: unless the proxy has the
    smallest of all tolerances, as counts have, a change up to :data:`SPREAD` of the scores' interquartile range, which
    exchanges hardly any two networks, counts as rounding too.

    Args:
        proxy: its name.
        then: the earlier outcomes, of these networks and others.
        now: the later ones.
    """
    before = then.reindex(now.index)
    was, has = (table["value"].to_numpy(dtype=float) for table in (before, now))
    finite = then["value"].dropna().to_numpy(dtype=float)
    size = np.maximum(np.abs(was), float(np.median(np.abs(finite))) if len(finite) else 0.0)
    change: NDArray[np.float64] = np.zeros(len(was))
    other = ~((was == has) | (np.isnan(was) & np.isnan(has)))
    with np.errstate(divide="ignore", invalid="ignore"):
        change[other] = np.abs(has - was)[other] / size[other]
    same_status = (before["status"] == now["status"]).to_numpy()
    tolerance = float_tolerance(proxy).single
    low, high = np.percentile(finite, [25, 75]) if len(finite) else (0.0, 0.0)
    rounds = tolerance > min(each["single"] for each in measured()["tolerances"].values())
    hardly = rounds & (np.abs(has - was) <= SPREAD * (high - low))
    differs = ~same_status | ~((change <= tolerance) | hardly)
    finite_changes = change[np.isfinite(change)]
    return Comparison(
        tuple(map(str, now.index[differs])),
        not other.any() and bool(same_status.all()),
        float(finite_changes.max()) if len(finite_changes) else 0.0,
    )


def outcome_in_words(table: pd.DataFrame, architecture: str) -> str:
    """A score with all its digits, or why there is none."""
    row: Any = table.loc[architecture]
    return repr(float(row["value"])) if row["status"] == "ok" else str(row["status"]).replace("_", "-")
