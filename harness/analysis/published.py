"""Coefficients next to those that a paper published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.table_files import read_frame
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("source", "benchmark", "dataset", "proxy", "coefficient", "value", "architectures")
COEFFICIENTS = ("kendall", "spearman")


def read_published(path: Path) -> pd.DataFrame:
    """Read a table of published coefficients, one row per printed number.

    Columns: source, benchmark, dataset, proxy, coefficient (``kendall`` or ``spearman``), value, architectures (NaN if
    the paper does not say), note, and doubt: a sentence on why the number seems to be wrong, or empty. The last two may
    be missing in the file.

    Raises:
        DataError: if the file or a column is missing, or a value is not a coefficient.
    """
    table = read_frame(path, str(path), wanted="a table of published coefficients", text=("note", "doubt"))
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise DataError(f"{path} has no column '{missing[0]}'; it needs {', '.join(COLUMNS)}")
    odd = table[~table["coefficient"].isin(COEFFICIENTS) | ~table["value"].between(-1, 1)]
    if len(odd):
        row = odd.iloc[0]
        raise DataError(
            f"{path} has '{row['coefficient']}' = {row['value']}; coefficients are kendall or spearman, from -1 to 1"
        )
    for column in ("note", "doubt"):
        table[column] = table[column].fillna("") if column in table else ""
    return table


def rounding(values: pd.Series[float]) -> float:
    """The maximum rounding error of a printed number: half a unit of the table's last digit.

    >>> import pandas as pd
    >>> rounding(pd.Series([0.5, 0.62])), rounding(pd.Series([0.5, 0.623]))
    (0.005, 0.0005)
    """
    return 0.5 * 10.0 ** -digits(values)


def digits(values: pd.Series[float]) -> int:
    """The number of decimals of a table: those of its most precise number, at least two."""
    return max(2, *(len(repr(float(value)).partition(".")[2]) for value in values))


def outside(
    published: pd.Series[float], low: pd.Series[float], high: pd.Series[float], tolerance: float | pd.Series[float]
) -> pd.Series[bool]:
    """Whether published values lie outside intervals by more than their rounding; False without an interval."""
    return (published + tolerance < low) | (published - tolerance > high)


def beside_published(
    correlations: pd.DataFrame, published: pd.DataFrame, benchmark: str, dataset: str, subset: str = "all"
) -> pd.DataFrame:
    """Each coefficient that the paper published for this benchmark and data set, with the run's own value.

    The columns of the result:

    * ``proxy``, ``coefficient``, ``published``, ``architectures`` (that it was computed on), ``source``;
    * ``ours``, ``low``, ``high``: the run's value with its interval; ``used``: the number of networks it was computed
      on;
    * ``difference``: ``ours`` minus ``published``; ``outside``: whether the published value, allowing for rounding,
      lies outside the interval.

    Proxies that the run does not have are left out. Rows are in the proxies' order in ``correlations``.

    Args:
        correlations: rows of :func:`harness.analysis.correlation_table`.
        published: a table from :func:`read_published`.
        benchmark: the benchmark's name.
        dataset: the data set.
        subset: the set of architectures of the run's coefficients.

    Raises:
        DataError: if the paper published nothing for this benchmark, data set and these proxies.
    """
    ours = correlations[correlations["set"] == subset].set_index("proxy")
    theirs = published[(published["benchmark"] == benchmark) & (published["dataset"] == dataset)]
    theirs = theirs[theirs["proxy"].isin(ours.index)]
    if theirs.empty:
        raise DataError(f"the published table has nothing on {benchmark}, {dataset} and the proxies of this run")
    place = {proxy: rank for rank, proxy in enumerate(ours.index)}
    theirs = theirs.sort_values(
        ["coefficient", "proxy"], key=lambda c: c.map(place) if c.name == "proxy" else c, ignore_index=True
    )
    result = theirs[["proxy", "coefficient", "architectures", "source"]].assign(published=theirs["value"])
    for name, suffix in (("ours", ""), ("low", "_low"), ("high", "_high")):
        result[name] = [
            ours.loc[proxy, coefficient + suffix]
            for proxy, coefficient in zip(theirs["proxy"], theirs["coefficient"], strict=True)
        ]
    result["used"] = [ours.loc[proxy, "used"] for proxy in theirs["proxy"]]
    result["difference"] = result["ours"] - result["published"]
    result["outside"] = outside(result["published"], result["low"], result["high"], rounding(published["value"]))
    order = ["proxy", "coefficient", "published", "ours", "low", "high", "difference", "outside", "used"]
    return result[[*order, "architectures", "source"]]
