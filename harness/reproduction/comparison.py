"""Our coefficients compared with published ones, for every part of a protocol, and a summary."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness.analysis import kendall
from harness.analysis.published import outside, rounding
from harness.display.tables.numbers import counted
from harness.reproduction.mismatches import differences
from harness.reproduction.protocol import Part, Protocol
from harness.reproduction.tables import published_coefficients

if TYPE_CHECKING:
    from harness.reproduction.parts import Outcome

COLUMNS = (
    "part", "benchmark", "dataset", "subset", "proxy", "coefficient", "networks", "ours", "low", "high",
    "published", "published_networks", "difference", "outside", "doubt", "source", "mismatches",
)  # fmt: skip

SUMMARY_COLUMNS = (
    "part", "benchmark", "dataset", "subset", "source", "networks", "compared", "within", "doubted", "undoubted_within",
    "median_difference", "median_reach", "ranked", "order",
)  # fmt: skip


def compare_part(protocol: Protocol, outcome: Outcome) -> pd.DataFrame:
    """Every coefficient of one part, ours and the published ones, one row per source.

    The columns of the result:

    * ``part``, ``benchmark``, ``dataset``, ``subset``, ``proxy``, ``coefficient``: the subject of the row.
    * ``networks``: the number of networks for our value. ``ours``, ``low``, ``high``: our value with its 95 % interval;
      NaN if the run lacks the score.
    * ``published``, ``published_networks``, ``source``: the published value, its number of networks, and where it was
      published; NaN and empty if there is none.
    * ``difference``: ours minus the published value. ``outside``: whether the published value, as rounded, lies outside
      our interval; missing if one of them is.
    * ``doubt``: why the published number seems to be wrong; empty if it does not.
    * ``mismatches``: sentences on what was done differently from the paper, a tuple.

    Raises:
        HarnessError: if a published table cannot be read.
    """
    report, setting, part = outcome.report, outcome.setting, outcome.part
    assert report is not None and setting is not None
    correlations = report.correlations
    ours = correlations[correlations["set"] == part.subset].set_index("proxy")
    networks = int(ours["networks"].max()) if len(ours) else 0
    truth = f"{report.truth.split}/{report.truth.epochs}"
    shared = differences(protocol, part, setting, truth, networks)
    theirs = _published(protocol, part)
    rows = []
    printed: list[Mapping[Hashable, Any]] = [*theirs.to_dict("records"), *_unpublished(part, theirs)]
    for row in printed:
        proxy, coefficient = row["proxy"], row["coefficient"]
        found = ours.loc[proxy] if proxy in ours.index else None
        value, low, high, used = (
            (found[coefficient], found[f"{coefficient}_low"], found[f"{coefficient}_high"], found["used"])
            if found is not None
            else (np.nan, np.nan, np.nan, 0)
        )
        own = _of_row(part, str(proxy), row["published_networks"], found, row["source"] != "")
        rows.append(
            {
                **row,
                "part": part.name,
                "benchmark": part.benchmark,
                "dataset": part.dataset,
                "subset": part.subset,
                "networks": int(used),
                "ours": value,
                "low": low,
                "high": high,
                "mismatches": (*shared, *own),
            }
        )
    return _judged(pd.DataFrame(rows), _places(ours, part))


def _published(protocol: Protocol, part: Part) -> pd.DataFrame:
    """The published coefficients of the part's proxies, from all its tables."""
    found = [pd.DataFrame(columns=["proxy", "coefficient", "published", "published_networks", "source", "doubt"])]
    for name in part.published:
        table = published_coefficients(name, protocol.file)
        rows = table[
            (table["benchmark"] == part.benchmark)
            & (table["dataset"] == part.dataset)
            & table["coefficient"].isin(part.coefficients)
            & table["proxy"].isin(part.proxies)
        ]
        rows = rows.rename(columns={"value": "published", "architectures": "published_networks"})
        kept = rows[["proxy", "coefficient", "published", "published_networks", "source", "doubt"]]
        found.append(kept.assign(rounding=rounding(table["value"])))
    return pd.concat([table for table in found if len(table)] or found, ignore_index=True)


def _unpublished(part: Part, theirs: pd.DataFrame) -> Iterable[Mapping[Hashable, Any]]:
    """Rows for proxies of the part without a published number."""
    printed = set(zip(theirs["proxy"], theirs["coefficient"], strict=True))
    for proxy in part.proxies:
        for coefficient in part.coefficients:
            if (proxy, coefficient) not in printed:
                row: dict[Hashable, Any] = {"proxy": proxy, "coefficient": coefficient, "source": "", "doubt": ""}
                yield row | dict.fromkeys(("published", "published_networks", "rounding"), np.nan)


def _of_row(
    part: Part, proxy: str, published_networks: float, ours: pd.Series[Any] | None, printed: bool
) -> Iterable[str]:
    """The differences that only concern one proxy."""
    if proxy in part.remarks:
        yield part.remarks[proxy]
    if printed and np.isnan(published_networks):
        yield "how many networks the published value is of is not known"
    elif printed and part.architectures not in (None, published_networks):
        yield f"the published value is of {counted(published_networks, 'network')}"
    if ours is None:
        yield "not among the scores of this run"
        return
    if ours["used"] < ours["networks"]:
        lost = int(ours["networks"] - ours["used"])
        yield f"{lost:,} of {int(ours['networks']):,} networks have no finite score and are left out"
    if ours["distinct"] == 1 < ours["used"]:
        yield "the same score on every network, so that there is nothing to rank"


def _judged(rows: pd.DataFrame, places: Mapping[str, int]) -> pd.DataFrame:
    """The rows with the comparison of both numbers, in the order of our table."""
    if rows.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    for column in ("ours", "low", "high", "published", "published_networks", "rounding"):
        rows[column] = rows[column].astype(float)
    rows["difference"] = rows["ours"] - rows["published"]
    judged = outside(rows["published"], rows["low"], rows["high"], rows["rounding"]).astype("boolean")
    rows["outside"] = judged.mask(rows[["low", "high", "published"]].isna().any(axis=1))
    order = rows["proxy"].map(places).fillna(len(places))
    rows = rows.assign(order=order).sort_values(["coefficient", "order", "source"], kind="stable", ignore_index=True)
    return rows[list(COLUMNS)]


def _places(ours: pd.DataFrame, part: Part) -> dict[str, int]:
    wanted = [*ours.index, *(proxy for proxy in part.proxies if proxy not in ours.index)]
    return {proxy: place for place, proxy in enumerate(wanted)}


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """A summary of the rows of :func:`compare_part`, one row per part and source of published numbers.

    The columns of the result, in addition to ``part``, ``benchmark``, ``dataset``, ``subset`` and ``source``:

    * ``networks``: the largest number of networks of our coefficients.
    * ``compared``: the number of published values for which we have an interval. ``within``: those in the interval.
    * ``doubted``: those of ``compared`` that are doubted. ``undoubted_within``: the others that are in the interval.
    * ``median_difference``: the median absolute difference. ``median_reach``: half the median width of our intervals,
      which is needed to judge the number within.
    * ``order``: Kendall's τ between our and the published ranking of the proxies, by ``kendall`` if it was published,
      else by ``spearman``; NaN with fewer than three. ``ranked``: the number of proxies in these rankings.
    """
    result = []
    for (part, source), group in rows[rows["source"] != ""].groupby(["part", "source"], sort=False):
        compared = group[group["outside"].notna()]
        within = ~compared["outside"].astype(bool)
        doubted = compared["doubt"] != ""
        both = group.dropna(subset=["ours", "published"])
        ranked = both[both["coefficient"] == min(both["coefficient"], default="kendall")]
        result.append(
            {
                "part": part,
                **{column: group[column].iloc[0] for column in ("benchmark", "dataset", "subset")},
                "source": source,
                "networks": int(group["networks"].max()),
                "compared": len(compared),
                "within": int(within.sum()),
                "doubted": int(doubted.sum()),
                "undoubted_within": int((within & ~doubted).sum()),
                "median_difference": float(both["difference"].abs().median()),
                "median_reach": float((compared["high"] - compared["low"]).median() / 2),
                "ranked": len(ranked),
                "order": kendall(ranked["ours"], ranked["published"]).value if len(ranked) else np.nan,
            }
        )
    return pd.DataFrame(result, columns=list(SUMMARY_COLUMNS))
