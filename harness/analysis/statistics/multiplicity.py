"""p-values corrected for the number of hypotheses tested together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from harness.analysis.statistics.jackknife import Floats


def holm(p_values: ArrayLike) -> Floats:
    r"""Holm's correction: rejecting results up to α gives any false rejection with probability at most α.

    Of m p-values in ascending order, the k-th becomes :math:`\max_{j \le k} \min(1, (m - j + 1)\, p_{(j)})` (Holm,
    Scandinavian Journal of Statistics 1979). It is valid under any dependence between tests, such as those of proxies
    on the same networks.

    Args:
        p_values: of one family, shape (m,). NaN marks a test that could not be made; it stays NaN and does not count.

    Raises:
        ValueError: if a value lies outside [0, 1].

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    return _adjusted(p_values, lambda ascending: np.maximum.accumulate(ascending * np.arange(len(ascending), 0, -1)))


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    r"""Benjamini & Hochberg's correction: of the rejections at α, an expected share of at most α is false.

    Of m p-values in ascending order, the k-th becomes :math:`\min_{j \ge k} \min(1, m\, p_{(j)} / j)` (Journal of the
    Royal Statistical Society B, 1995). It is proven for independent and positively dependent tests. It is less strict
    than :func:`holm`, for screening many proxies.

    Arguments and errors are those of :func:`holm`.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.04, 0.04]
    """
    from scipy.stats import false_discovery_control

    return _adjusted(p_values, false_discovery_control)


def _adjusted(p_values: ArrayLike, of_ascending: Callable[[Floats], Floats]) -> Floats:
    """The correction of the defined p-values, in the order given."""
    p = np.asarray(p_values, dtype=np.float64)
    if ((p < 0) | (p > 1)).any():
        raise ValueError("p-values lie between 0 and 1")
    result = np.full(p.shape, np.nan)
    defined = np.flatnonzero(~np.isnan(p))
    order = defined[np.argsort(p[defined], kind="stable")]
    result[order] = np.minimum(of_ascending(p[order]), 1)
    return result
