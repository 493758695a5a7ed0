"""Which scores of an unfinished run belong to a uniform sample, where one network stands for its class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from harness.contracts.benchmark import Benchmark
    from harness.store.records import Setting


def in_turn(benchmark: Benchmark, setting: Setting, scores: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The scores of networks whose turn in the sample has come, and a note on the others.

    Networks are scored in the order in which they were drawn, or every k-th of them in a shard. Where one stands for
    its class, the others of the class have its scores at once. While a run is unfinished, large classes are therefore
    overrepresented among the scored networks, which are no uniform sample; those whose turn has come are.

    Args:
        benchmark: that of the scores.
        setting: theirs, with ``once_per_class``.
        scores: one row per architecture and proxy.
    """
    members = benchmark.subset(setting.subset)
    drawn = benchmark.sample(len(members), setting.sample_seed, setting.subset)
    turns = scores["architecture"].map(dict(zip(drawn, range(len(drawn)), strict=True)))
    if turns.isna().any() or scores.empty:
        return scores, ()
    turns = turns.astype(int) - int(turns.min())
    turns //= max(1, int(np.gcd.reduce(turns.unique())))
    come = turns < turns.groupby(scores["proxy"]).transform(_first_missing)
    if come.all():
        return scores, ()
    note = (
        f"The run is unfinished: scores of {scores.loc[~come, 'architecture'].nunique():,} networks that equal a "
        "scored one, but whose turn in the sample has not come, are left out"
    )
    return scores[come].reset_index(drop=True), (note,)


def _first_missing(turns: pd.Series[int]) -> int:
    """The first turn, from 0, that none of these is."""
    ordered = np.sort(turns.to_numpy())
    return int((ordered == np.arange(len(ordered))).cumprod().sum())
