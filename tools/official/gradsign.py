"""GradSign's official functions: the sum over weights, and the mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.nn import functional as F

from tools.official.cases import Case
from tools.official.checkout import Checkout, stand_in, stop

SUM = "zero-cost-nas-code/foresight/pruners/measures/grad_conflict.py"
MEAN = "zero-cost-nas-code/gradsign.py"


def of_sum(checkout: Checkout) -> Callable[[Case], float]:
    """The measure of its zero-cost-nas code."""
    models = stand_in("foresight.models")
    return _scorer(checkout.module(SUM, (models,), root="zero-cost-nas-code"))


def of_mean(checkout: Checkout) -> Callable[[Case], float]:
    """The function in its script, which is imported up to where it loads a search space."""
    pycls = [stand_in(name) for name in ("pycls", "pycls.models", "pycls.models.nas")]
    stand_ins = (
        stand_in("nasspace", get_search_space=stop),
        stand_in("datasets"),
        stand_in("scores", get_score_func=None),
        stand_in("utils", add_dropout=None, init_network=None),
        *pycls,
        stand_in("pycls.models.nas.nas", Cell=None),
    )
    return _scorer(checkout.module(MEAN, stand_ins))


def _scorer(official: Any) -> Callable[[Case], float]:
    def score(case: Case) -> float:
        batch = case.batches[0]
        return float(official.get_grad_conflict(case.copy(), batch.images, batch.labels, F.cross_entropy))

    return score
