"""Compare and print: ``python -m tools.official --code DIRECTORY``."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from harness._utils.console import say
from harness._utils.process_settings import one_thread
from harness.display.exhibit import Exhibit, Listing
from harness.display.tables.columns import Column, words
from harness.display.tables.grids import Grid
from harness.display.tables.heading import Facts
from harness.display.tables.numbers import MISSING, coefficient, count
from harness.errors import HarnessError
from tools.official.cases import Sample, chains, residuals
from tools.official.checkout import REPOSITORIES, Checkout
from tools.official.compare import compare
from tools.official.comparisons import COMPARISONS, Comparison

PRECISIONS = {"float64": ("float64",), "float32": ("float32",), "both": ("float64", "float32")}
DEFINITIONS = "Where the definitions differ, and what the official code was given"


def checkouts_of(given: Sequence[str]) -> dict[str, Checkout]:
    """The checkouts in folders, ``DIRECTORY`` or ``NAME=DIRECTORY``, by name.

    Raises:
        HarnessError: if a folder has none of the official repositories, or not the one with its name.
    """
    found: dict[str, Checkout] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if equals and name not in REPOSITORIES:
            raise HarnessError(f"unknown repository '{name}'; known: {', '.join(REPOSITORIES)}")
        wanted = [REPOSITORIES[name]] if equals else list(REPOSITORIES.values())
        here = {each.name: each.found(Path(folder if equals else text)) for each in wanted}
        if not any(here.values()):
            lacking = "; ".join(f"{each.name} ({each.wanted})" for each in wanted)
            raise HarnessError(f"{folder or text} has no checkout of {lacking}")
        found |= {key: checkout for key, checkout in here.items() if checkout is not None}
    return found


def chosen_of(proxies: Sequence[str]) -> list[Comparison]:
    """The comparisons of these proxies; default: all.

    Raises:
        HarnessError: if a proxy is not compared.
    """
    known = dict.fromkeys(each.proxy for each in COMPARISONS)
    for name in proxies:
        if name not in known:
            raise HarnessError(f"no official code is known for '{name}'; known: {', '.join(known)}")
    return [each for each in COMPARISONS if not proxies or each.proxy in proxies]


def exhibit(table: pd.DataFrame, facts: Sequence[tuple[str, str]]) -> Exhibit:
    """The table of a comparison, with the differences of definition."""
    texts = list(dict.fromkeys(text for text in table["definition"] if text))
    marks = [f" {texts.index(text) + 1}" if text else "" for text in table["definition"]]
    one_sided = [
        ", ".join(f"{number} {words}" for number, words in zip(pair, ("ours", "official"), strict=True) if number)
        for pair in zip(table["only_ours"], table["only_official"], strict=True)
    ]
    columns = (
        words("proxy", "Proxy", table["proxy"]),
        words("official", "Official function", (f"{f}{m}" for f, m in zip(table["official"], marks, strict=True))),
        words("precision", "Precision", table["precision"]),
        Column("images", "Images", table["images"], count),
        Column("networks", "Networks", table["networks"], count),
        words("finite once", "Finite in one", one_sided),
        Column("difference", "Largest relative\ndifference", table["difference"], _size),
        Column("rho", "ρ", table["spearman"], coefficient),
    )
    notes = (
        f"{MISSING}: the score is the same for all networks, so that there is no rank correlation.",
        "Networks whose score is finite in both codes are compared.",
    )
    return Exhibit(
        name="official",
        title="Official code beside ours, on the same networks, weights and mini-batches",
        heading=Facts(tuple(facts)),
        grids=(Grid("official", "Scores of both codes", columns, table, notes),),
        listings=(Listing(DEFINITIONS, tuple((str(n), text) for n, text in enumerate(texts, start=1))),),
    )


def _size(difference: float) -> str:
    return MISSING if math.isnan(difference) else f"{difference:.0e}" if difference else "0"


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, print, and write."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.official",
        description="Compute scores with official code and with ours, on the same networks, weights and mini-batches. "
        "This imports, and so runs, the code in the given folders.",
        epilog="Official code: " + "; ".join(f"{each.name}: {each.wanted}" for each in REPOSITORIES.values()),
    )
    parser.add_argument("proxies", nargs="*", metavar="PROXY", help="default: all with a checkout")
    parser.add_argument(
        "--code",
        action="append",
        required=True,
        metavar="[NAME=]DIRECTORY",
        help="a checkout, or a folder of checkouts; may be repeated",
    )
    parser.add_argument("--images", help="CIFAR-10, for cells of NATS-TSS; default: cells and images of digits")
    parser.add_argument("--networks", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=16, help="images in a mini-batch; KNAS's code needs 50")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=PRECISIONS, default="float64")
    parser.add_argument("--out", type=Path, help="folder for the table as CSV, Markdown and LaTeX")
    options = parser.parse_args(arguments)
    try:
        _run(options)
    except HarnessError as error:
        sys.exit(str(error))


def _run(options: argparse.Namespace) -> None:
    chosen, checkouts = chosen_of(options.proxies), checkouts_of(options.code)
    lacking = {each.repository for each in chosen} - checkouts.keys()
    for name in sorted(lacking):
        say(f"left out, without a checkout: {name} ({REPOSITORIES[name].wanted})", err=True)
    chosen = [each for each in chosen if each.repository in checkouts]
    if not chosen:
        raise HarnessError("none of these proxies has a checkout")
    most = max(options.batch_size, *(each.images or 0 for each in chosen))
    tables: list[pd.DataFrame] = []
    facts: tuple[tuple[str, str], ...] = ()
    with one_thread():
        for precision in PRECISIONS[options.precision]:
            sample = Sample(options.images, options.networks, most, options.seed, getattr(torch, precision))
            cells, facts = sample.cells()
            networks = {"cells": cells, "chains": chains(cells), "residuals": residuals(cells)}
            tables.append(compare(chosen, checkouts, networks, options.batch_size, precision, partial(say, err=True)))
    code = [
        (f"Official {name}", f"{checkout.repository.address} @ {checkout.commit or 'no commit known'}")
        for name, checkout in checkouts.items()
        if any(each.repository == name for each in chosen)
    ]
    shown = exhibit(pd.concat(tables, ignore_index=True), [*facts, *code, ("torch", torch.__version__)])
    shown.show()
    if options.out:
        shown.write(options.out)


if __name__ == "__main__":
    main()
