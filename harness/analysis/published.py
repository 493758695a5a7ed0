"""Our coefficients beside those that a paper printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.table_files import UNREADABLE
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("source", "benchmark", "dataset", "proxy", "coefficient", "value", "architectures")
COEFFICIENTS = ("kendall", "spearman")


def read_published(path: Path) -> pd.DataFrame:
    """A table of published coefficients, one row for each number as printed.

    Columns: source, benchmark, dataset, proxy, coefficient (``kendall`` or ``spearman``), value, architectures (NaN
    where the paper does not say), note, and doubt: a sentence on why the number seems to be wrong, empty where it does
    not. The last two may be missing in the file.

    Raises:
        DataError: if the file is missing, lacks a column, or holds something else than coefficients.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype={"note": str, "doubt": str})
    except UNREADABLE as error:
        raise DataError(f"the published table {path} cannot be read ({error}); give a CSV") from error
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise DataError(f"{path} lacks the column '{missing[0]}'; it needs {', '.join(COLUMNS)}")
    odd = table[~table["coefficient"].isin(COEFFICIENTS) | ~table["value"].between(-1, 1)]
    if len(odd):
        row = odd.iloc[0]
        raise DataError(
            f"{path} holds '{row['coefficient']}' = {row['value']}; coefficients are kendall or spearman, from -1 to 1"
        )
    for column in ("note", "doubt"):
        table[column] = table[column].fillna("") if column in table else ""
    return table


def rounding(values: pd.Series[float]) -> float:
    """How far a printed number may be from the one that was computed: half a unit of the table's last digit.

    >>> import pandas as pd
    >>> rounding(pd.Series([0.5, 0.62])), rounding(pd.Series([0.5, 0.623]))
    (0.005, 0.0005)
    """
    return 0.5 * 10.0 ** -digits(values)


def digits(values: pd.Series[float]) -> int:
    """How many decimals a table prints: those of its most exact number, two at least."""
    return max(2, *(len(repr(float(value)).partition(".")[2]) for value in values))


def outside(
    published: pd.Series[float], low: pd.Series[float], high: pd.Series[float], tolerance: float | pd.Series[float]
) -> pd.Series[bool]:
    """Whether published values lie outside intervals by more than their rounding explains; not where there is none."""
    return (published + tolerance < low) | (published - tolerance > high)


def beside_published(
    correlations: pd.DataFrame, published: pd.DataFrame, benchmark: str, dataset: str, subset: str = "all"
) -> pd.DataFrame:
    """For each coefficient that the paper printed for this benchmark and data set: its value, ours, the difference.

    The columns of the result:

    * ``proxy``, ``coefficient``, ``published``, ``architectures`` (what it was computed on), ``source``;
    * ``ours``, ``low``, ``high``: our value with its interval; ``used``: networks it was computed on;
    * ``difference``: ours minus the published value; ``outside``: whether the published value, as rounded, lies outside
      our interval.

    Proxies that the run lacks are left out. Rows stand by proxy in our table's order.

    Args:
        correlations: rows of :func:`harness.analysis.correlation_table`.
        published: a table from :func:`read_published`.
        benchmark: the benchmark's name.
        dataset: the data set.
        subset: the set of architectures of our coefficients.

    Raises:
        DataError: if the paper printed nothing for this benchmark, data set and these proxies.
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
