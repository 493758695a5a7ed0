"""A reproduction as an exhibit: its numbers next to the published ones, with numbered notes."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from harness._utils.citations import citation
from harness.analysis.published import digits
from harness.display.exhibit import Exhibit, Listing
from harness.display.tables.columns import Column, estimates, row_names, words
from harness.display.tables.correlations import SYMBOLS
from harness.display.tables.grids import Grid
from harness.display.tables.heading import Facts, Heading
from harness.display.tables.numbers import coefficient, count, points, printed, signed
from harness.display.tables.rows import label_of
from harness.display.tables.values import quantity, signed_writer
from harness.reproduction.architecture_search import per_proxy
from harness.reproduction.figure import beside_drawing
from harness.reproduction.notes import compact, first_mentions, letter

if TYPE_CHECKING:
    from harness.reproduction.protocol import Protocol

LEGEND = (
    "*: the published value, as rounded, lies outside our interval. Numbers: what was done differently from the "
    "paper. Letters: why a published value is doubted."
)
SUMMARY_LEGEND = (
    "Within: published values within our 95 % intervals, of those for which we have one; Undoubted: the same without "
    "doubted values; of 100 correct values, 5 lie outside by chance. Median Δ: median absolute difference. Reach: half "
    "the median width of our intervals; the wider they are, the more values lie within. Order: Kendall's τ between our "
    "and the published ranking of the proxies."
)
SEARCH_LEGEND = (
    "N networks are drawn with replacement from the scored ones, and the one with the highest score is chosen. SD: "
    "over searches. 95 % of means: the range of the mean of as many searches as were published, in 95 of 100 cases; "
    "*: the published mean lies outside."
)

FOUND_LEGEND = (
    "Best found: the highest score of all searches with that proxy. Best published: that of the published networks "
    "within the same budgets, with the same weights and mini-batches. Reached: searches that had it; After: networks "
    "scored until then, median. Sizes: of the best network of each search, as a range; of the best published one in "
    "brackets. τ: of the score with the size, among all networks scored."
)


@dataclass(frozen=True)
class Footnotes:
    """The sentences about rows with their numbers, and the doubts with their letters."""

    numbers: Mapping[str, int]
    letters: Mapping[str, int]

    def of(self, row: Any, but: Container[str] = frozenset()) -> str:
        """The numbers and the letter of a row, without the sentences in ``but``, which are stated elsewhere."""
        numbers = compact(self.numbers[sentence] for sentence in row["mismatches"] if sentence not in but)
        return "; ".join(filter(None, [numbers, letter(self.letters[row["doubt"]]) if row.get("doubt") else ""]))


def exhibit_of(
    protocol: Protocol,
    rows: pd.DataFrame,
    summary: pd.DataFrame,
    searches: pd.DataFrame,
    found: pd.DataFrame,
    headings: Mapping[str, Heading],
    not_run: Mapping[str, str],
    labels: Mapping[str, str],
) -> Exhibit:
    """The tables and the figure of a reproduction; a terminal shows one table per part.

    Args:
        protocol: what the paper did.
        rows: see :func:`harness.reproduction.comparison.compare_part`.
        summary: see :func:`harness.reproduction.comparison.summarise`.
        searches: see :func:`harness.reproduction.search.compare_search`.
        found: see :func:`harness.reproduction.architecture_search.compared`.
        headings: the heading of each part's run.
        not_run: the reason why a part has no run.
        labels: display names of proxies.
    """
    mentioned = (*rows["mismatches"], *searches["mismatches"], *found["mismatches"])
    notes = Footnotes(
        first_mentions(sentence for row in mentioned for sentence in row),
        first_mentions([*rows["doubt"], *searches["doubt"]]),
    )
    places = {part.name: part.place for part in protocol.parts}
    parts = [
        _part_grid(str(part), group, headings[str(part)], notes, labels, places)
        for part, group in rows.groupby("part", sort=False)
    ]
    if parts:
        parts[-1] = replace(parts[-1], notes=(LEGEND,))
    tables = [
        grid if grid.rows else replace(grid, columns=(), notes=("No coefficient was compared.",))
        for grid in (_summary_grid(summary), _coefficients(rows, notes, labels, places))
    ]
    choices = [_search_grid(searches, notes, labels)] if len(searches) else []
    choices += [_found_grid(found, notes, labels, places)] if len(found) else []
    drawn = "beside_published" in protocol.figures and rows["difference"].notna().any()
    listings = [
        Listing("Not run", tuple(not_run.items())),
        Listing("What was done differently", tuple((str(number), text) for text, number in notes.numbers.items())),
        Listing("Doubted values", tuple((letter(number), text) for text, number in notes.letters.items())),
        # A terminal shows them above the tables.
        Listing("Runs", tuple((part, "; ".join(of.lines())) for part, of in headings.items()), terminal=False),
    ]
    return Exhibit(
        name="reproduction",
        title=f"Reproduction: {protocol.title}",
        heading=Facts((("Paper", citation(protocol.citation)), ("What it does", protocol.summary))),
        grids=(*tables, *choices),
        drawings=(beside_drawing(rows, protocol.title),) if drawn else (),
        listings=tuple(listing for listing in listings if listing.entries),
        terminal=(*parts, *choices, tables[0]),
    )


def _part_grid(
    part: str,
    rows: pd.DataFrame,
    heading: Heading,
    notes: Footnotes,
    labels: Mapping[str, str],
    places: Mapping[str, str],
) -> Grid:
    """The table of one part, with its run and the notes that apply to all its rows above it."""
    shared = frozenset.intersection(*map(frozenset, rows["mismatches"]))
    common = compact(notes.numbers[sentence] for sentence in shared)
    facts = ["; ".join(heading.lines()[1:]), *([f"Notes on all rows: {common}"] if common else [])]
    grid = _coefficients(rows, notes, labels, places, shared)
    title = f"{part}: {grid.columns[0].cells[0].value}"
    return replace(grid, name=part, title=title, columns=grid.columns[1:], facts=tuple(facts), notes=(), names=2)


def _coefficients(
    rows: pd.DataFrame,
    notes: Footnotes,
    labels: Mapping[str, str],
    places: Mapping[str, str],
    but: Container[str] = frozenset(),
) -> Grid:
    records = rows.to_dict("records")
    decimals = {source: digits(group["published"]) for source, group in rows[rows["source"] != ""].groupby("source")}
    written = [printed(row["published"], decimals.get(row["source"], 2)) for row in records]
    columns = (
        words("benchmark", "Benchmark", (places[row["part"]] for row in records)),
        row_names(rows["proxy"], labels),
        words("coefficient", "", rows["coefficient"].map(SYMBOLS)),
        Column("networks", "n", rows["networks"], count),
        estimates("ours", "Ours [95 %]", rows, "ours", "low", "high"),
        Column("published", "Published", written),
        Column("difference", "Difference", rows["difference"], signed, marks=_stars(rows)),
        words("notes", "Notes", (notes.of(row, but) for row in records)),
    )
    return Grid("reproduction", "Coefficients", columns, _joined(rows), (LEGEND,), styles=_styles(rows))


def _summary_grid(summary: pd.DataFrame) -> Grid:
    undoubted = summary["compared"] - summary["doubted"]
    columns = (
        words("part", "Part", summary["part"]),
        words("source", "Published in", summary["source"]),
        Column("networks", "n", summary["networks"], count),
        Column("within", "Within", _shares(summary["within"], summary["compared"])),
        Column("undoubted", "Undoubted", _shares(summary["undoubted_within"], undoubted)),
        Column("difference", "Median Δ", summary["median_difference"], coefficient),
        Column("reach", "Reach", summary["median_reach"], coefficient),
        Column("order", "Order τ", summary["order"], coefficient),
        Column("ranked", "Proxies", summary["ranked"], str),
    )
    return Grid("summary", "Summary", columns, summary, (SUMMARY_LEGEND,), names=2)


def _shares(some: Iterable[int], of: Iterable[int]) -> list[str]:
    return [f"{number} of {total}" for number, total in zip(some, of, strict=True)]


def _search_grid(searches: pd.DataFrame, notes: Footnotes, labels: Mapping[str, str]) -> Grid:
    has_published = searches["published"].notna()
    low, high, spread = (searches[key].where(has_published) for key in ("low", "high", "published_deviation"))
    reach = [f"to {points(value)}" if math.isfinite(value) else "" for value in high]
    columns = (
        words("dataset", "Data set", searches["dataset"]),
        words("truth", "Accuracy", searches["truth"]),
        Column("networks", "N", searches["networks"], count),
        words("proxy", "Chosen by", (label_of(name, labels) for name in searches["proxy"])),
        Column("ours", "Ours ± SD", searches["ours"], points, bounds=_spreads(searches["deviation"])),
        Column("means", "95 % of means", low, points, bounds=reach),
        Column("published", "Published ± SD", searches["published"], points, bounds=_spreads(spread)),
        Column("difference", "Difference", searches["difference"], signed_writer(points), marks=_stars(searches)),
        words("notes", "Notes", map(notes.of, searches.to_dict("records"))),
    )
    notes_below, styles = (SEARCH_LEGEND,), _styles(searches)
    return Grid("searches", "Searches", columns, _joined(searches), notes_below, styles=styles, names=4)


def _found_grid(found: pd.DataFrame, notes: Footnotes, labels: Mapping[str, str], places: Mapping[str, str]) -> Grid:
    rows = per_proxy(found)
    records = rows.to_dict("records")
    columns = (
        words("space", "Space", (places[row["part"]] for row in records)),
        row_names(rows["proxy"], labels),
        Column("evaluations", "Networks", rows["evaluations"], count),
        Column("best", "Best found", rows["best"], _score),
        Column("listed", "Best published", rows["listed_best"], _score),
        words("reached", "Reached", (f"{row['reached']} of {row['searches']}" for row in records)),
        Column("after", "After", rows["reached_after"], lambda value: count(value) if math.isfinite(value) else "–"),
        *(words(size, title, (_range_of(row, size) for row in records)) for size, title in _SIZES.items()),
        Column("tau_layers", "τ #Layers", rows["tau_layers"], coefficient),
        Column("tau_params", "τ #Params", rows["tau_params"], coefficient),
        words("notes", "Notes", map(notes.of, records)),
    )
    return Grid("found", "Architecture searches", columns, _joined(found), (FOUND_LEGEND,), names=2)


def _score(value: float) -> str:
    """A score with four significant digits."""
    return f"{value:.4g}" if math.isfinite(value) else "–"


def _size(value: float) -> str:
    return count(value) if math.isfinite(value) and value < 1000 else quantity(value)


_SIZES = {"params": "#Params", "flops": "#FLOPs", "layers": "#Layers"}


def _range_of(row: Mapping[Any, Any], size: str) -> str:
    """The range over searches, and the value of the published network in brackets."""
    low, high, listed = (_size(row[key]) for key in (f"{size}_low", f"{size}_high", f"listed_{size}"))
    return f"{low if low == high else f'{low}–{high}'} ({listed})"


def _joined(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the sentences of each as one text."""
    return rows.assign(mismatches=rows["mismatches"].map("; ".join))


def _stars(rows: pd.DataFrame) -> list[str]:
    return [" *" if outside is True else "" for outside in rows["outside"].tolist()]


def _styles(rows: pd.DataFrame) -> tuple[str, ...]:
    return tuple("yellow" if star else "" for star in _stars(rows))


def _spreads(deviations: pd.Series[float]) -> list[str]:
    return [f"± {points(value)}" if math.isfinite(value) else "" for value in deviations]
