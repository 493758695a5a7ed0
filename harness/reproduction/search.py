"""EPE-NAS's experiment compared with its published numbers: what a proxy chooses among N randomly drawn networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from harness.analysis.scores import scores_by_proxy
from harness.analysis.search import chances
from harness.registry import proxy_facts
from harness.reproduction.mismatches import differences
from harness.reproduction.tables import published_searches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.contracts.ground_truth import GroundTruth
    from harness.reproduction.parts import Outcome
    from harness.reproduction.protocol import Protocol

    Floats = NDArray[np.float64]

SEARCH_COLUMNS = (
    "part", "benchmark", "dataset", "truth", "proxy", "sample", "networks", "ours", "deviation", "low", "high",
    "published", "published_deviation", "searches", "difference", "outside", "doubt", "source", "mismatches",
)  # fmt: skip

RANDOM, BEST = "a random one", "the best of the draw"
SIMULATED_MEANS = 20_000


class Choice(NamedTuple):
    """The accuracy of one search's choice: mean and standard deviation over searches."""

    mean: float
    deviation: float


def choice(scores: Floats, accuracy: Floats, networks: int) -> Choice:
    """Mean and deviation of the accuracy of the network chosen among ``networks`` ones drawn with replacement.

    >>> choice(np.array([1.0, 3.0, 2.0]), np.array([90.0, 93.0, 96.0]), 1)
    Choice(mean=93.0, deviation=2.449489742783178)
    """
    chance = chances(scores, networks)
    mean = float(chance @ accuracy)
    return Choice(mean, float(np.sqrt(chance @ (accuracy - mean) ** 2)))


def compare_search(protocol: Protocol, outcome: Outcome) -> pd.DataFrame:
    """The choices of each proxy of a part, of chance and of an oracle, compared with the published ones.

    The columns of the result:

    * ``part``, ``benchmark``, ``dataset``, ``truth``, ``proxy``: the subject of the row.
    * ``sample``: the number of scored networks to draw from. ``networks``: the number that a search draws.
    * ``ours``, ``deviation``: mean and standard deviation over searches. ``low``, ``high``: the range of the mean of as
      many searches as the paper made, in 95 of 100 cases.
    * ``published``, ``published_deviation``, ``searches``, ``source``, ``doubt``: as published; NaN and empty if there
      is nothing.
    * ``difference``: ours minus published. ``outside``: whether the published mean is outside ``low`` to ``high``;
      missing if there is none.
    * ``mismatches``: what was done differently, a tuple.
    """
    report, setting, part = outcome.report, outcome.setting, outcome.part
    assert report is not None and setting is not None
    directions = {name: proxy_facts()[name].better for name in part.proxies if name in proxy_facts()}
    scores = report.scores[report.scores["proxy"].isin(list(directions))]
    architectures, by_proxy = scores_by_proxy(scores, directions)
    theirs = pd.concat([published_searches(name, protocol.file) for name in part.published], ignore_index=True)
    theirs = theirs[(theirs["benchmark"] == part.benchmark) & (theirs["dataset"] == part.dataset)]
    accuracy = _accuracy(report.truth, architectures)
    values = {name: by_proxy[name].value for name in part.proxies if name in by_proxy}
    values |= {RANDOM: np.zeros(len(accuracy)), BEST: accuracy}
    truth = f"{report.truth.split}/{report.truth.epochs}"
    theirs = theirs[theirs["truth"] == truth]
    notes = differences(protocol, part, setting, truth, len(architectures))
    rows = []
    for size in part.sizes:
        for name, value in values.items():
            printed = theirs[(theirs["proxy"] == name) & (theirs["networks"] == size)].to_dict("records")
            for row in printed or [{}]:
                rows.append(
                    {
                        "part": part.name,
                        "benchmark": part.benchmark,
                        "dataset": part.dataset,
                        "truth": truth,
                        "proxy": name,
                        "sample": len(architectures),
                        "networks": size,
                        "published": row.get("accuracy", np.nan),
                        "published_deviation": row.get("deviation", np.nan),
                        "searches": row.get("searches", np.nan),
                        "source": row.get("source", ""),
                        "doubt": _text(row.get("doubt")),
                        "mismatches": notes,
                        **_ours(value, accuracy, size, row.get("searches")),
                    }
                )
    table = pd.DataFrame(rows)
    table["difference"] = table["ours"] - table["published"]
    beyond = ((table["published"] < table["low"]) | (table["published"] > table["high"])).astype("boolean")
    table["outside"] = beyond.mask(table[["published", "low"]].isna().any(axis=1))
    return table[list(SEARCH_COLUMNS)]


def _ours(scores: Floats, accuracy: Floats, networks: int, searches: float | None) -> dict[str, float]:
    mean, deviation = choice(scores, accuracy, networks)
    low = high = float("nan")
    if searches:
        chosen = np.random.default_rng(0).choice(
            accuracy, size=(SIMULATED_MEANS, int(searches)), p=chances(scores, networks)
        )
        low, high = np.quantile(chosen.mean(axis=1), [0.025, 0.975])
    return {"ours": mean, "deviation": deviation, "low": float(low), "high": float(high)}


def _accuracy(truth: GroundTruth, architectures: pd.Index) -> Floats:
    return np.asarray(truth.accuracy.reindex(architectures), dtype=np.float64)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
