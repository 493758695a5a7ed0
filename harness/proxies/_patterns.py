"""Counting distinct patterns of units over any number of images."""

from __future__ import annotations

import torch
from torch import Tensor

_BITS = 48
"""Images per word: three sums below 2²⁴ - which are exact in float32 - and a positive int64."""


def packed(codes: Tensor) -> Tensor:
    """The patterns of units as binary numbers: (images, units) of zeros and ones to (words, units), int64.

    >>> packed(torch.tensor([[1, 0], [1, 1]])).tolist()
    [[3, 2]]
    """
    words = []
    for part in torch.split(codes, _BITS):
        word = torch.zeros(codes.shape[1], dtype=torch.int64, device=codes.device)
        for at, bits in enumerate(torch.split(part, 24)):
            places = 2.0 ** torch.arange(len(bits), dtype=torch.float32, device=codes.device)
            word += (places @ bits.float()).long() << (24 * at)
        words.append(word)
    return torch.stack(words)


def distinct_patterns(words: Tensor) -> int:
    """The number of distinct columns of (words, units).

    >>> distinct_patterns(torch.tensor([[1, 1, 2, 1], [5, 6, 5, 5]]))
    3
    """
    first, *others = words
    # Ranks among distinct values stand for the values; two of them make one number.
    ids = first.unique(return_inverse=True)[1]
    for word in others:
        values, ranks = word.unique(return_inverse=True)
        ids = (ids * len(values) + ranks).unique(return_inverse=True)[1]
    return len(ids.unique())
