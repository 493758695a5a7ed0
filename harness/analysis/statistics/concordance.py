r"""For each item, how many others two rankings put on the same side of it, in O(n log n).

The concordance of item i is :math:`c_i = \sum_j \operatorname{sign}(x_i - x_j) \operatorname{sign}(y_i - y_j)`. Half
their sum is the numerator of Kendall's τ (Kendall 1938; Knight 1966 gives the O(n log n) sum). The single terms are
what the coefficients become when one item is left out, which makes their standard errors free of resampling.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.analysis.statistics.ranks import Integers, Ranks, runs

FEW_LEVELS = 12
"""Up to so many distinct values on one side, counting level by level is the faster way."""


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
    # Equal x stand in descending order of y, and equal y in descending order of position: a tied pair then never has
    # the same order in both sequences, so that counting pairs of the same order counts the concordant ones alone.
    key = x.start * (n + 1) + (n - y.start)
    by_x = np.argsort(key)
    position = np.arange(n)
    rank_in_y = np.empty(n, dtype=np.int64)
    rank_in_y[np.argsort(y.start[by_x] * n + (n - 1 - position))] = position
    both_smaller = smaller_before(rank_in_y)
    both_larger = (n - 1 - rank_in_y) - (position - both_smaller)
    start, end = runs(key[by_x])
    tied_in_both = end - start
    # Discordant are those neither concordant nor tied: n - ties_x - ties_y + ties_both - concordant.
    result = np.empty(n, dtype=np.int64)
    result[by_x] = 2 * (both_smaller + both_larger) - n - tied_in_both
    return result + x.ties + y.ties


def _over_levels(few: Ranks, many: Ranks) -> Integers:
    """The same by one pass for each distinct value of one side: the sign is the same for all items of a level."""
    result = np.zeros(len(few), dtype=np.int64)
    for start in np.unique(few.start):
        level = few.start == start
        prefix = np.zeros(len(few) + 1, dtype=np.int64)
        np.cumsum(level[many.order], out=prefix[1:])
        smaller_minus_larger = prefix[many.start] + prefix[many.end] - prefix[-1]
        result += np.sign(few.start - start) * smaller_minus_larger
    return result


def smaller_before(permutation: Integers) -> Integers:
    """For each element of a permutation of 0 … n-1, how many elements before it are smaller.

    The elements are sorted by their bits, the highest first, as the levels of a wavelet tree are built (Grossi,
    Gupta & Vitter, SODA 2003). Two elements part at the highest bit in which they differ, so each pair is seen
    exactly once. Every level is a few passes over whole arrays, of half-width integers, since memory is what they
    wait for.

    >>> smaller_before(np.array([2, 0, 3, 1])).tolist()
    [0, 0, 2, 1]
    """
    n = len(permutation)
    bits = max(n - 1, 0).bit_length()
    # Filled up to a power of two, every node of the tree is full and holds as many ones as zeros. The filling stands
    # last and is largest: it comes before nothing.
    value = np.arange(1 << bits, dtype=np.int32)
    value[:n] = permutation
    count = np.zeros(1 << bits, dtype=np.int32)
    nth_one = np.arange(1 << bits >> 1, dtype=np.int32)
    for bit in reversed(range(bits)):
        is_one = (value & (1 << bit)).astype(bool)
        # Taking by position is several times as fast as by mask where neither bit prevails.
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
