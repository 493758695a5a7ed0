"""Both ways of counting concordance are the sum over pairs: level by level, and bit by bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.statistics import concordance as module
from harness.analysis.statistics.ranks import rank

samples = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4)), min_size=1, max_size=40)


@pytest.mark.parametrize("levels", [0, 10**6], ids=["bit by bit", "level by level"])
@given(pairs=samples)
def test_it_is_the_sum_over_all_partners(levels, pairs):
    x, y = np.array(pairs).T
    expected = (np.sign(np.subtract.outer(x, x)) * np.sign(np.subtract.outer(y, y))).sum(axis=1)
    before = module.FEW_LEVELS
    module.FEW_LEVELS = levels
    try:
        assert module.concordance(rank(x), rank(y)).tolist() == expected.tolist()
        assert module.concordance(rank(y), rank(x)).tolist() == expected.tolist()
    finally:
        module.FEW_LEVELS = before
