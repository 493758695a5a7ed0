"""The summary of the page: how many proxies beat the baseline, the best one, and warnings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.display.tables.numbers import MISSING, coefficient, count, counted, estimate, interval, typographic
from harness.display.tables.rows import Labels, Row, baseline_row, few_note, label_of, proxy_notes, set_rows

if TYPE_CHECKING:
    import pandas as pd

    from harness.display.tables.heading import Heading

COMPARED = ("win", "tie", "loss")
FALSE_WINS = 0.025
"""The expected share of proxies with a 95 % interval above zero if none differs from the baseline."""


MANY_WARNINGS = 6
"""If there are more, they are counted instead of listed."""


@dataclass(frozen=True)
class Number:
    """A highlighted number, its interval if it has one, and its label."""

    value: str
    of: str
    bounds: str = ""


@dataclass(frozen=True)
class Summary:
    """The start of the page.

    Attributes:
        numbers: a few highlighted numbers.
        sentences: the main results.
        warnings: facts that could otherwise mislead readers.
    """

    numbers: tuple[Number, ...]
    sentences: tuple[str, ...]
    warnings: tuple[str, ...]


def summarise(table: pd.DataFrame, heading: Heading, labels: Labels, subset: str) -> Summary:
    """The summary of a report, from the rows of its main set.

    Args:
        table: rows of :func:`harness.analysis.correlation_table`.
        heading: what was ranked against what.
        labels: display names of proxies.
        subset: the main set.
    """
    rows = set_rows(table, subset)
    records = [row for row in rows.to_dict("records") if row.get("kind", "proxy") != "truth"]
    base = baseline_row(rows)
    ranked = [row for row in records if row["kendall"] == row["kendall"]]
    others = [row for row in ranked if row["verdict"] != "baseline"]
    compared = [row for row in others if row["verdict"] in COMPARED]
    wins = [row for row in compared if row["verdict"] == "win"]
    aggregates = sum(row.get("kind") == "aggregate" for row in records)
    also = f"and {counted(aggregates, 'rank aggregate')}" if aggregates else ""
    numbers = [
        Number(count(len(records) - aggregates), f"proxies {also}".strip()),
        Number(count(rows["networks"].max()), "networks"),
    ]
    sentences = [_what(heading, len(records) - aggregates, also, rows)]
    if base is not None and compared:
        name = label_of(base["proxy"], labels)
        numbers.append(Number(f"{len(wins)} of {len(compared)}", f"rank significantly better than {name}"))
        sentences.append(_wins(compared, wins, name, labels, table))
    if ranked:
        best = ranked[0]
        numbers.append(
            Number(
                typographic(coefficient(best["kendall"])),
                f"highest Kendall τ: {label_of(best['proxy'], labels)}",
                _interval(best),
            )
        )
        sentences.append(_best(ranked, base, labels))
    return Summary(tuple(numbers), tuple(sentences), tuple(_warnings(heading, labels, rows)))


def _what(heading: Heading, proxies: int, also: str, rows: pd.DataFrame) -> str:
    what = f"{counted(proxies, 'proxy', 'proxies')} {also}".strip()
    where = "" if heading.origin else " at initialisation"
    return (
        f"{what}, scored on {counted(rows['networks'].max(), 'network')}{where}, are ranked against "
        f"{heading.ground_truth}."
    )


def _wins(compared: Sequence[Row], wins: Sequence[Row], name: str, labels: Labels, table: pd.DataFrame) -> str:
    ties = sum(row["verdict"] == "tie" for row in compared)
    losses = len(compared) - len(wins) - ties
    sets = table["set"].nunique()
    winners = []
    for row in wins:
        times = int(((table["proxy"] == row["proxy"]) & (table["verdict"] == "win")).sum())
        where = f", in {times} of the {sets} sets of architectures" if sets > 1 else ""
        winners.append(f"{label_of(row['proxy'], labels)}{where}")
    who = f" ({'; '.join(winners)})" if len(winners) <= 6 and winners else ""
    return (
        f"{len(wins)} of {len(compared)} rank significantly better than {name}{who}, {ties} do not differ "
        f"significantly and {losses} rank worse, by 95 % intervals of the difference on the same networks. If none "
        f"differed, {FALSE_WINS * len(compared):.1f} would be expected to seem better by chance."
    )


def _best(ranked: Sequence[Row], base: Row | None, labels: Labels) -> str:
    best = ranked[0]
    text = typographic(estimate(best["kendall"], best["kendall_low"], best["kendall_high"]))
    sentence = f"The highest coefficient is that of {label_of(best['proxy'], labels)}: Kendall τ {text}"
    if base is None or best["verdict"] not in COMPARED:
        return f"{sentence}."
    difference = estimate(best["difference"], best["difference_low"], best["difference_high"], sign=True)
    return f"{sentence}, a difference of {typographic(difference)} to {label_of(base['proxy'], labels)}."


def _interval(row: Row) -> str:
    return typographic(interval(row["kendall_low"], row["kendall_high"]).replace(MISSING, ""))


def _warnings(heading: Heading, labels: Labels, rows: pd.DataFrame) -> list[str]:
    warnings = []
    if heading.noise:
        warnings.append(
            "The inputs are noise, no real images: proxies that use images may rank differently with real ones."
        )
    if baseline_row(rows) is None:
        warnings.append("No baseline was scored, so no proxy is compared with one.")
    lost, constant = proxy_notes(rows, labels)
    notes = [*lost.values(), *constant.values()]
    if len(notes) > MANY_WARNINGS:
        number = len(lost | constant)
        notes = [f"{number} proxies do not rank all networks; the notes below the table say which and why."]
    return [*warnings, *few_note(rows), *notes]
