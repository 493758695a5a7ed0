"""The rows of a reproduction as texts, the same for terminal, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.analysis.published import digits
from harness.display.tables.numbers import coefficient, count, estimate, printed, signed
from harness.reproduction.notes import compact, first_mentions, letter

if TYPE_CHECKING:
    from harness.reproduction.reproduce import Reproduction

SYMBOLS = {"kendall": "τ", "spearman": "ρ"}
HEADER = ("Benchmark", "Proxy", "", "n", "Ours [95 %]", "Published", "Difference", "Notes")
SUMMARY_HEADER = (
    "Part", "Published in", "n", "Within", "Undoubted", "Median Δ", "Reach", "Order τ", "Proxies",
)  # fmt: skip
SEARCH_HEADER = (
    "Data set", "Accuracy", "N", "Chosen by", "Ours ± SD", "95 % of means", "Published ± SD", "Difference", "Notes",
)  # fmt: skip
LEGEND = (
    "*: the published value, as rounded, lies outside our interval. Numbers: what was done otherwise than in the "
    "paper. Letters: why a published value is doubted."
)
SUMMARY_LEGEND = (
    "Within: published values that lie within our 95 % intervals, of those that meet one; Undoubted: the same of those "
    "not doubted; of a hundred right ones five lie outside by chance. Median Δ: of the sizes of the differences. "
    "Reach: half the median width of our intervals; where it is wide, much lies within. Order: Kendall's τ between our "
    "and the published ranking of the proxies."
)
SEARCH_LEGEND = (
    "N networks are drawn with replacement from those scored, and the highest score is chosen. SD: over searches. "
    "95 % of means: where the mean of as many searches as were published lies in 95 of 100 cases; *: the published "
    "mean lies outside."
)


@dataclass(frozen=True)
class Cells:
    """Everything that is printed of a reproduction.

    Attributes:
        rows: one text for each column of ``HEADER``, by part.
        shared: by part, the numbers of the notes that all its rows have.
        own: by part, the notes of each row without these.
        summary: one for each column of ``SUMMARY_HEADER``.
        searches: one for each column of ``SEARCH_HEADER``.
        notes: numbered sentences.
        doubts: lettered sentences.
        not_run: parts without a run, each with the reason.
    """

    rows: dict[str, list[tuple[str, ...]]]
    shared: dict[str, str]
    own: dict[str, list[str]]
    summary: list[tuple[str, ...]]
    searches: list[tuple[str, ...]]
    notes: list[tuple[str, str]]
    doubts: list[tuple[str, str]]
    not_run: list[tuple[str, str]]


def cells_of(reproduction: Reproduction) -> Cells:
    """The texts of a reproduction."""
    rows = reproduction.rows
    mentioned = (*rows["mismatches"], *reproduction.searches["mismatches"])
    notes = first_mentions(sentence for row in mentioned for sentence in row)
    doubts = first_mentions([*rows["doubt"], *reproduction.searches["doubt"]])
    decimals = {source: digits(group["published"]) for source, group in rows[rows["source"] != ""].groupby("source")}
    common = {
        str(part): frozenset.intersection(*map(frozenset, group["mismatches"])) for part, group in rows.groupby("part")
    }
    by_part: dict[str, list[tuple[str, ...]]] = {}
    own: dict[str, list[str]] = {}
    for row in rows.to_dict("records"):
        own.setdefault(row["part"], []).append(_marks(row, notes, doubts, common[row["part"]]))
        by_part.setdefault(row["part"], []).append(
            (
                _place(row),
                reproduction.labels.get(row["proxy"], row["proxy"]),
                SYMBOLS[row["coefficient"]],
                count(row["networks"]),
                estimate(row["ours"], row["low"], row["high"]),
                printed(row["published"], decimals.get(row["source"], 2)),
                signed(row["difference"]) + _star(row["outside"]),
                _marks(row, notes, doubts),
            )
        )
    return Cells(
        rows=by_part,
        shared={part: compact(map(notes.__getitem__, sentences)) for part, sentences in common.items()},
        own=own,
        summary=[_summary(row) for row in reproduction.summary.to_dict("records")],
        searches=[
            _search(row, reproduction.labels, _marks(row, notes, doubts))
            for row in reproduction.searches.to_dict("records")
        ],
        notes=[(str(number), sentence) for sentence, number in notes.items()],
        doubts=[(letter(number), sentence) for sentence, number in doubts.items()],
        not_run=[(found.part.name, found.why_not) for found in reproduction.outcomes if found.why_not],
    )


def _marks(row: Any, notes: Mapping[str, int], doubts: Mapping[str, int], but: Container[str] = frozenset()) -> str:
    """The numbers and the letter of a row, without the sentences that are said elsewhere."""
    numbers = compact(notes[sentence] for sentence in row["mismatches"] if sentence not in but)
    return "; ".join(filter(None, [numbers, letter(doubts[row["doubt"]]) if row["doubt"] else ""]))


def _place(row: Any) -> str:
    where = f"{row['benchmark']} {row['dataset']}"
    return where if row["subset"] == "all" else f"{where} ({row['subset']})"


def _star(outside: Any) -> str:
    return " *" if outside is True else ""


def _summary(row: Any) -> tuple[str, ...]:
    return (
        row["part"],
        row["source"],
        count(row["networks"]),
        f"{row['within']} of {row['compared']}",
        f"{row['undoubted_within']} of {row['compared'] - row['doubted']}",
        coefficient(row["median_difference"]),
        coefficient(row["median_reach"]),
        coefficient(row["order"]),
        str(row["ranked"]),
    )


def _search(row: Any, labels: Mapping[str, str], marks: str) -> tuple[str, ...]:
    has_published = row["published"] == row["published"]
    return (
        row["dataset"],
        row["truth"],
        f"{row['networks']:,}",
        labels.get(row["proxy"], row["proxy"]),
        f"{row['ours']:.2f} ± {row['deviation']:.2f}",
        f"{row['low']:.2f} to {row['high']:.2f}" if has_published else "–",
        f"{row['published']:.2f} ± {row['published_deviation']:.2f}" if has_published else "–",
        f"{row['difference']:+.2f}{_star(row['outside'])}" if has_published else "–",
        marks,
    )
