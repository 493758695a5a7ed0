"""Read the committed tables of ``results`` and write their numbers as documents have them."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.display.tables.numbers import coefficient, estimate
from harness.registry import aggregates, proxy_facts

REFERENCE = Path(__file__).parents[1] / "results" / "reference"
PUBLISHED = Path(__file__).parents[1] / "results" / "published"

BAR = r"\|"

Row = Mapping[Hashable, Any]
"""A row of a table, by column."""


@functools.cache
def table(name: str) -> pd.DataFrame:
    """A table of ``results/reference``."""
    return pd.read_csv(REFERENCE / name)


def correlations(run: str, subset: str = "") -> pd.DataFrame:
    """The rows of a folder's coefficients that are no ground truth, of one set or of all, highest τ first."""
    found = table(f"{run}/correlations.csv")
    found = found[(found["kind"] != "truth") & ((found["set"] == subset) | (not subset))]
    if not len(found):
        raise KeyError(f"{run} has no set '{subset}'")
    return found


def chosen(name: str, **wanted: object) -> Row:
    """The only row of a table with these values.

    Raises:
        KeyError: if there is none, or another one.
    """
    found = table(name)
    for column, wish in wanted.items():
        found = found[found[column] == wish]
    if len(found) != 1:
        raise KeyError(f"{len(found)} rows of {name} with {wanted}")
    return found.to_dict("records")[0]


def row(run: str, proxy: str, subset: str) -> Row:
    """The coefficients of a proxy over a set of networks."""
    return chosen(f"{run}/correlations.csv", set=subset, proxy=proxy)


def label(proxy: str) -> str:
    """A proxy's name in tables."""
    facts = proxy_facts().get(proxy) or aggregates().get(proxy)
    return facts.label if facts else proxy


def listed(names: Iterable[str]) -> str:
    """Names with commas and ``and``; ``none`` if there is none."""
    *others, last = [*names] or ["none"]
    return f"{', '.join(others)} and {last}" if others else last


def in_words(number: int) -> str:
    """A number, up to twelve as a word.

    >>> in_words(0), in_words(12), in_words(13)
    ('none', 'twelve', '13')
    """
    words = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    return words[number] if number < len(words) else str(number)


def with_numbers(pairs: Iterable[tuple[str, float]]) -> str:
    """Proxies, each with its coefficient in brackets."""
    return listed(f"{label(proxy)} ({minus(coefficient(number))})" for proxy, number in pairs)


def estimated(found: Row, name: str, *, sign: bool = False) -> str:
    """A number of a row with its interval."""
    return minus(estimate(found[name], found[f"{name}_low"], found[f"{name}_high"], sign=sign))


def minus(text: str) -> str:
    """Numbers with a minus sign, as in all documents."""
    return text.replace("-", "−")


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |" for cells in lines)
