"""Ranks of values, with ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Ranks:
    """The ranks of n values, with everything that rank correlations need.

    Value i is tied with the positions ``start[i]`` to ``end[i] - 1`` of the ascending order, so that ``start[i]``
    values are smaller, ``n - end[i]`` are larger, and its average rank is (start + end + 1) / 2.

    Attributes:
        order: the items in ascending order of their values, shape (n,).
        start: the number of smaller values, shape (n,).
        end: the number of values that are smaller or equal, including the item's own, shape (n,).
    """

    order: Integers
    start: Integers
    end: Integers

    def __len__(self) -> int:
        return len(self.order)

    @property
    def ties(self) -> Integers:
        """The number of values equal to each value, including itself, shape (n,)."""
        return self.end - self.start

    @property
    def centred(self) -> Integers:
        r"""Twice the centred average rank, :math:`u_i = \sum_j \operatorname{sign}(x_i - x_j)`, shape (n,)."""
        return self.start + self.end - len(self)

    @property
    def tied_pairs(self) -> int:
        """The number of pairs of equal values."""
        return int((self.ties - 1).sum()) // 2

    @property
    def tied_share(self) -> float:
        """The share of pairs with equal values, 0 to 1; NaN if there are no pairs."""
        n = len(self)
        return self.tied_pairs / (n * (n - 1) // 2) if n > 1 else float("nan")

    @property
    def distinct(self) -> int:
        """The number of distinct values."""
        return int(np.count_nonzero(self.start[self.order] == np.arange(len(self))))


def rank(values: ArrayLike) -> Ranks:
    """The ranks of a one-dimensional array of finite numbers.

    Raises:
        ValueError: if the array is not one-dimensional, or contains NaN or infinity, which have no rank.

    >>> ranks = rank([5.0, 1.0, 5.0])
    >>> ranks.start.tolist(), ranks.end.tolist(), ranks.centred.tolist()
    ([1, 0, 1], [3, 1, 3], [1, -2, 1])
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"expected one value per network, got an array of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{np.count_nonzero(~np.isfinite(array))} of {len(array)} values are NaN or infinite; drop them"
        )
    order = np.argsort(array)
    start, end = runs(array[order])
    start_of_item = np.empty_like(start)
    end_of_item = np.empty_like(end)
    start_of_item[order] = start
    end_of_item[order] = end
    return Ranks(order.astype(np.int64, copy=False), start_of_item, end_of_item)


def runs(ascending: NDArray[np.generic]) -> tuple[Integers, Integers]:
    """For each element of a sorted array, the start and the end (exclusive) of its run of equal values."""
    n = len(ascending)
    first = np.flatnonzero(np.r_[True, ascending[1:] != ascending[:-1]][:n])
    lengths = np.diff(first, append=n)
    return np.repeat(first, lengths), np.repeat(first + lengths, lengths)
