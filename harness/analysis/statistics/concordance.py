r"""The concordance of each item in two rankings, in O(n log n).

The concordance of item i is :math:`c_i = \sum_j \operatorname{sign}(x_i - x_j) \operatorname{sign}(y_i - y_j)`. Half
their sum is the numerator of Kendall's τ (Kendall 1938; Knight 1966 gives the O(n log n) sum). The single terms give
the coefficients with one item left out, and so standard errors without resampling.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.analysis.statistics.ranks import Integers, Ranks, runs

FEW_LEVELS = 12
"""Up to this number of distinct values on one side, counting level by level is faster."""


def concordance(x: Ranks, y: Ranks) -> Integers:
    """Concordant minus discordant partners of each item, shape (n,); ties count as neither.

    >>> from harness.analysis.statistics.ranks import rank
    >>> concordance(rank([1, 2, 3, 3]), rank([1, 3, 2, 2])).tolist()
    [3, -1, 0, 0]
    """
    few, many = sorted((x, y), key=lambda ranks: ranks.distinct)
    if few.distinct <= FEW_LEVELS:
        return _over_levels(few, many)
    n = len(x)
    # Equal x are in descending order of y, and equal y in descending order of position. So a tied pair never has the
    # same order in both sequences, and counting pairs of the same order counts only concordant ones.
    key = x.start * (n + 1) + (n - y.start)
    by_x = np.argsort(key)
    position = np.arange(n)
    rank_in_y = np.empty(n, dtype=np.int64)
    rank_in_y[np.argsort(y.start[by_x] * n + (n - 1 - position))] = position
    both_smaller = smaller_before(rank_in_y)
    both_larger = (n - 1 - rank_in_y) - (position - both_smaller)
    start, end = runs(key[by_x])
    tied_in_both = end - start
    # Discordant partners are neither concordant nor tied: n - ties_x - ties_y + ties_both - concordant.
    result = np.empty(n, dtype=np.int64)
    result[by_x] = 2 * (both_smaller + both_larger) - n - tied_in_both
    return result + x.ties + y.ties


def _over_levels(few: Ranks, many: Ranks) -> Integers:
    """The same with one pass per distinct value of one side: the sign is the same for all items of a level."""
    result = np.zeros(len(few), dtype=np.int64)
    for start in np.unique(few.start):
        level = few.start == start
        prefix = np.zeros(len(few) + 1, dtype=np.int64)
        np.cumsum(level[many.order], out=prefix[1:])
        smaller_minus_larger = prefix[many.start] + prefix[many.end] - prefix[-1]
        result += np.sign(few.start - start) * smaller_minus_larger
    return result


def smaller_before(permutation: Integers) -> Integers:
    """For each element of a permutation of 0 … n-1, the number of smaller elements before it.

    The elements are sorted by their bits, the highest first, as the levels of a wavelet tree are built (Grossi, Gupta &
    Vitter, SODA 2003). Two elements are separated at the highest bit in which they differ, so each pair is counted
    exactly once. Every level is a few passes over whole arrays. They use 32-bit integers, because memory bandwidth is
    the bottleneck.

    >>> smaller_before(np.array([2, 0, 3, 1])).tolist()
    [0, 0, 2, 1]
    """
    n = len(permutation)
    bits = max(n - 1, 0).bit_length()
    # Padded to a power of two, every node of the tree is full and has as many ones as zeros. The padding is last and
    # largest, so it does not affect the counts.
    value = np.arange(1 << bits, dtype=np.int32)
    value[:n] = permutation
    count = np.zeros(1 << bits, dtype=np.int32)
    nth_one = np.arange(1 << bits >> 1, dtype=np.int32)
    for bit in reversed(range(bits)):
        is_one = (value & (1 << bit)).astype(bool)
        # If zeros and ones are balanced, taking by position is several times as fast as by mask.
        one, zero = np.flatnonzero(is_one), np.flatnonzero(~is_one)
        zeros_before = one.astype(np.int32) - nth_one
        zeros_in_earlier_nodes = nth_one >> bit << bit
        value = _side_by_side(value.take(zero), value.take(one), bit)
        count = _side_by_side(count.take(zero), count.take(one) + (zeros_before - zeros_in_earlier_nodes), bit)
    return count[permutation].astype(np.int64)


def _side_by_side(zeros: NDArray[np.int32], ones: NDArray[np.int32], bit: int) -> NDArray[np.int32]:
    """The children of all nodes of a level: each node's zeros, then its ones."""
    children = np.empty((len(zeros) >> bit, 2, 1 << bit), dtype=np.int32)
    children[:, 0] = zeros.reshape(-1, 1 << bit)
    children[:, 1] = ones.reshape(-1, 1 << bit)
    return children.ravel()
