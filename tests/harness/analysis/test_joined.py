"""Scores beside accuracies: turned by declaration, kept apart by kind, aggregates computed in their pool."""

import numpy as np
import pandas as pd
import pytest

from harness.aggregates import Aggregate
from harness.analysis.joined import join
from harness.contracts.ground_truth import GroundTruth
from harness.errors import HarnessError


def truth(values, higher=True, split="test"):
    accuracy = pd.Series(values, dtype=float)
    return GroundTruth("b", "d", split, 1, "mean", "accuracy", higher, "here", accuracy)


def scores(**proxies):
    rows = [
        {"architecture": a, "proxy": p, "status": "ok" if np.isfinite(v) else "non_finite", "value": v}
        for p, by in proxies.items()
        for a, v in by.items()
    ]
    return pd.DataFrame(rows)


def rank_sum(parts):
    return sum(pd.Series(values).rank().to_numpy() for values in parts.values())


def test_signs_are_turned_by_declaration():
    table = scores(up={"a": 1, "b": 2}, down={"a": 1, "b": 2})
    joined = join(table, truth({"a": 5, "b": 6}, higher=False), {"up": "higher", "down": "lower"})
    assert joined.table().to_dict("list") == {"down": [-1, -2], "up": [1, 2]}
    assert joined.accuracy.tolist() == [-5, -6]


def test_other_accuracies_are_rows_of_their_own_kind():
    table = scores(p={"a": 1, "b": 2})
    joined = join(table, truth({"a": 5, "b": 6}), {"p": "higher"}, beside={"val/1": truth({"a": 3}, split="val")})
    assert list(joined.rows) == ["p", "val/1"]
    assert (joined.kind("p"), joined.kind("val/1")) == ("proxy", "truth")
    assert joined.rows["val/1"].networks == 1


def test_another_truth_of_which_lower_is_better_is_turned_too():
    losses = truth({"a": 3, "b": 4}, higher=False, split="loss")
    joined = join(scores(p={"a": 1, "b": 2}), truth({"a": 5, "b": 6}), {"p": "higher"}, beside={"loss/1": losses})
    assert joined.rows["loss/1"].value.tolist() == [-3, -4]


def test_an_aggregate_is_of_the_pool_of_its_part():
    table = scores(p={"a": 1, "b": 2, "c": 3}, q={"a": 30, "b": 10, "c": 20})
    # Ranks within a pair are not those among three.
    aggregate = Aggregate("sum", "Sum", "higher", ("p", "q"), "nobody", "nowhere", None, rank_sum)
    joined = join(table, truth({"a": 1, "b": 2, "c": 3}), {"p": "higher", "q": "higher"}, aggregates=[aggregate])
    assert joined.kind("sum") == "aggregate"
    assert joined.rows["sum"].value.tolist() == [4, 3, 5]
    assert joined.within(np.array([True, False, True])).rows["sum"].value.tolist() == [3, 3]


def test_asking_for_scores_that_are_not_there_says_what_there_is():
    joined = join(scores(p={"a": 1}), truth({"a": 1}), {"p": "higher"})
    with pytest.raises(HarnessError, match="no scores of 'x'; there are scores of p"):
        joined.table(["x"])


def test_a_network_without_accuracy_is_refused():
    with pytest.raises(HarnessError, match=r"1 of 2 scored architectures have no accuracy .*such as 'b'"):
        join(scores(p={"a": 1, "b": 1}), truth({"a": 1}), {"p": "higher"})
