"""Measure which proxies depend on the images and on the resolution, from pairs of runs that differ in nothing else.

``python -m tools.measure_dependence --images NOISE PHOTOGRAPHS --resolution SMALL LARGE``; both options may be given
several times, for several benchmarks. It writes the file that tables and ``docs/proxies.md`` take their warnings from;
measurements of other proxies and benchmarks stay in it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from harness.analysis import rank_agreement
from harness.analysis.scores import wide_scores
from harness.errors import HarnessError
from harness.proxies._measured_dependence import FILE, Cause
from harness.store import Store

MAY_DIFFER: dict[Cause, tuple[str, ...]] = {
    "images": ("images", "noise", "fingerprint"),
    "resolution": ("resolution", "images", "fingerprint"),
}
"""The settings that two runs may differ in."""


def dependence(cause: Cause, first: Path, second: Path) -> pd.DataFrame:
    """Agreement of the rankings of two runs, one row per proxy that looks at its input.

    Raises:
        HarnessError: if the runs differ in anything else.
    """
    tables, settings = [], []
    for directory in (first, second):
        with Store.read(directory) as store:
            tables.append(wide_scores(store.scores()))
            settings.append(store.setting)
    ours, theirs = (asdict(setting) for setting in settings)
    differing = [name for name in ours if ours[name] != theirs[name] and name not in MAY_DIFFER[cause]]
    if differing:
        raise HarnessError(f"{first} and {second} also differ in {', '.join(differing)}; give runs equal in all else")
    table = rank_agreement(tables[0], tables[1])
    table = table[table["kendall"].notna() & ~table["proxy"].map(lambda proxy: _is_equal(tables, proxy))]
    benchmark = f"{settings[0].benchmark} {settings[0].dataset}"
    return table.assign(cause=cause, benchmark=benchmark)[["cause", "proxy", "benchmark", "networks", "kendall"]]


def _is_equal(tables: Sequence[pd.DataFrame], proxy: str) -> bool:
    """Whether a proxy has the same scores in both runs but for rounding, as if it does not look at its input."""
    both = pd.concat([table[proxy] for table in tables], axis=1, join="inner").dropna()
    return bool(np.allclose(both.iloc[:, 0], both.iloc[:, 1], rtol=1e-6, atol=0))


KEY = ["cause", "proxy", "benchmark"]


def updated(known: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The known measurements, with those found in place of the same ones; τ rounded to three decimals."""
    rounded = found.assign(kendall=[math.floor(value * 1000 + 0.5) / 1000 for value in found["kendall"]])
    return pd.concat([known, rounded]).drop_duplicates(KEY, keep="last").sort_values(KEY, ignore_index=True)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for cause, names in (("images", ("NOISE", "PHOTOGRAPHS")), ("resolution", ("SMALL", "LARGE"))):
        parser.add_argument(f"--{cause}", nargs=2, type=Path, action="append", default=[], metavar=names)
    pairs = vars(parser.parse_args())
    found = pd.concat([dependence(cause, *pair) for cause in MAY_DIFFER for pair in pairs[cause]])
    updated(pd.read_csv(FILE), found).to_csv(FILE, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
