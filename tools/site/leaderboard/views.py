"""The tables of the leaderboard's pages, made from boards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.mean_ranks import MeanRanks
from harness.display.tables.numbers import coefficient
from harness.leaderboard.references import REFERENCES
from tools.site.leaderboard import cells
from tools.site.leaderboard.boards import Board, Entry, Estimate, Row
from tools.site.leaderboard.cells import Cell, Head, Link, Table, TableRow
from tools.site.leaderboard.known import Known, in_words, needs_of
from tools.site.leaderboard.overview import Standings, place_on
from tools.site.leaderboard.relatives import Relative, Stability

SHOWN_RELATIVES = 5
NAN = Estimate(math.nan, math.nan, math.nan)

Proxies = Mapping[str, Known]


@dataclass(frozen=True)
class BoardTable:
    """The table of one choice of a board.

    Attributes:
        choice: the places of the setting, the ground truth and the set, such as ``0-0-0``.
        words: what the choice is.
        table: the table.
    """

    choice: str
    words: str
    table: Table


def label_of(proxy: str, proxies: Proxies) -> str:
    """A proxy's name in tables."""
    return proxies[proxy].label if proxy in proxies else proxy


def _proxy(proxy: str, proxies: Proxies, root: str) -> Cell:
    return cells.words(label_of(proxy, proxies), link=f"{root}proxies/{proxy}.html")


def _board(board: Board, root: str) -> Cell:
    text = f"{board.benchmark}, {board.dataset}"
    return cells.words(text, link=f"{root}benchmarks/{board.benchmark}/{board.dataset}.html")


def standings_table(standings: Standings, proxies: Proxies, root: str) -> Table:
    """All proxies across all boards."""
    rows = []
    for place, standing in enumerate(standings.proxies, 1):
        known = proxies.get(standing.proxy)
        rank = standing.rank
        bounds = f"[{rank.low:.1f}, {rank.high:.1f}]" if math.isfinite(rank.low) else ""
        # The smallest rank is the best, but numbers sort with the largest first.
        text = f"{rank.value:.1f}" if math.isfinite(rank.value) else "–"
        mean = Cell(text, bounds, cells.key_of(-rank.value), ("right",))
        counts = [
            Cell("–", classes=("right",))
            if standing.proxy == "params"
            else cells.number(number, str(number), classes=(verdict,) if number else ())
            for verdict in ("win", "tie", "loss")
            for number in [standing.count(verdict)]
        ]
        spaces = cells.number(standing.spaces, f"{standing.spaces} of {standings.ranking.spaces}")
        needs = known.needs if known else ()
        rows.append(
            TableRow(
                (
                    cells.count(place),
                    _proxy(standing.proxy, proxies, root),
                    mean,
                    *counts,
                    spaces,
                    cells.words(in_words(needs) if known else "–"),
                ),
                needs=needs,
                reference=standing.proxy == "params",
                variant="" if standing.widespread else "rare",
            )
        )
    heads = (
        Head("#", numeric=True),
        Head("Proxy"),
        Head("Mean rank", "[95 %]", numeric=True),
        Head("Better", numeric=True),
        Head("No different", numeric=True),
        Head("Worse", numeric=True),
        Head("Spaces", numeric=True),
        Head("Needs"),
    )
    ranking = standings.ranking
    number = len(ranking.rivals)
    notes = (
        f"Mean rank: the place by Kendall τ among the {number} proxies that every board has, from 1 for ahead of all "
        f"to {number} for behind all; other proxies get the place that they would have. Boards of one benchmark rank "
        "the same networks, so they count as one space. The interval takes the spaces as the sample; with fewer than "
        "three, there is none.",
        *_shown(ranking),
        "Better, no different, worse: on how many boards τ differs from that of #Params (p < .05 after Holm's "
        "correction for the proxies of the board).",
        "Proxies in fewer than half of the spaces come last. Each board counts with its first setting, ground truth "
        "and set of networks.",
    )
    return Table("standings", "Proxies across all boards", heads, tuple(rows), 1, notes)


def _shown(ranking: MeanRanks) -> tuple[str, ...]:
    """Which differences of mean ranks are shown."""
    if math.isnan(ranking.critical_difference):
        return ()
    return (
        f"Two of these {len(ranking.rivals)} whose mean ranks differ by less than {ranking.critical_difference:.1f} "
        "are not shown to differ (Nemenyi's test at 5 %).",
    )


def boards_table(boards: Sequence[Board], proxies: Proxies, root: str) -> Table:
    """The boards, each with its size and its best proxy."""
    rows = []
    for board in boards:
        chosen = board.chosen()
        best = chosen[0] if chosen else None
        params = next((row.kendall for row in chosen if row.proxy == "params"), NAN)
        rows.append(
            TableRow(
                (
                    _board(board, root),
                    cells.words(board.title),
                    cells.count(max((row.networks for row in chosen), default=0)),
                    cells.count(len(chosen)),
                    _proxy(best.proxy, proxies, root) if best else Cell("–"),
                    cells.estimate(best.kendall if best else NAN),
                    cells.estimate(params),
                )
            )
        )
    heads = (
        Head("Board"),
        Head("Benchmark"),
        Head("Networks", numeric=True),
        Head("Proxies", numeric=True),
        Head("Highest τ"),
        Head("its τ", "[95 %]", numeric=True),
        Head("τ of #Params", "[95 %]", numeric=True),
    )
    return Table("boards", "Boards", heads, tuple(rows))


def coverage_table(boards: Sequence[Board], proxies: Proxies, root: str) -> Table:
    """Which reference proxies each board has."""
    rows = []
    for board in boards:
        present = {row.proxy for row in board.chosen()}
        marks = [
            Cell("present" if name in present else "missing", key="1" if name in present else "2",
                 classes=("win",) if name in present else ("loss",))
            for name in REFERENCES
        ]  # fmt: skip
        rows.append(TableRow((_board(board, root), *marks)))
    heads = (Head("Board"), *(Head(label_of(name, proxies)) for name in REFERENCES))
    return Table("coverage", "Reference proxies, which every board should have", heads, tuple(rows))


def sizes_table(boards: Sequence[Board], proxies: Proxies, root: str) -> Table:
    """Kendall τ of the two sizes on the boards of a benchmark, against every ground truth."""
    rows = []
    for board in boards:
        setting, _, subset = board.default
        for truth in board.truths:
            chosen = {row.proxy: row.kendall for row in board.chosen((setting, truth.name, subset))}
            sizes = [cells.estimate(chosen.get(name, NAN)) for name in ("params", "flops")]
            rows.append(TableRow((_board(board, root), cells.words(truth.words), *sizes)))
    heads = (
        Head("Board"),
        Head("Ground truth"),
        *(Head(f"τ of {label_of(name, proxies)}", "[95 %]", numeric=True) for name in ("params", "flops")),
    )
    return Table("sizes", "How well size alone ranks the networks", heads, tuple(rows))


def board_tables(board: Board, proxies: Proxies, root: str) -> list[BoardTable]:
    """The tables of a board, the default choice first."""
    found = []
    for i, setting in enumerate(board.settings):
        for j, truth in enumerate(board.truths):
            for k, subset in enumerate(board.sets):
                rows = board.chosen((setting.name, truth.name, subset.name))
                if rows or not (i or j or k):
                    words = f"{subset.words}; {truth.words}; {setting.words}"
                    found.append(BoardTable(f"{i}-{j}-{k}", words, _choice_table(board, rows, proxies, root)))
    return found


def _choice_table(board: Board, rows: Sequence[Row], proxies: Proxies, root: str) -> Table:
    baseline = next((row.kendall.value for row in rows if row.proxy == "params"), math.nan)
    style, bars = cells.bars([row.kendall for row in rows], [row.after_holm for row in rows], baseline)
    made = []
    for place, (row, bar) in enumerate(zip(rows, bars, strict=True), 1):
        entry = board.entries.get((row.proxy, row.choice[0]))
        known = proxies.get(row.proxy)
        needs = needs_of(entry.tags) if entry else known.needs if known else None
        made.append(
            TableRow(
                (
                    cells.count(place),
                    _proxy(row.proxy, proxies, root),
                    cells.estimate(row.kendall),
                    Cell(key=cells.key_of(row.kendall.value), bar=bar, classes=("drawing",)),
                    cells.estimate(row.difference, sign=True),
                    cells.verdict(row.after_holm),
                    cells.estimate(row.spearman),
                    cells.share(row.top5),
                    cells.cost(row.cost),
                    cells.words("–" if needs is None else in_words(needs)),
                    _used(row),
                    _files(board, entry, root),
                ),
                needs=needs or (),
                cost=cells.key_of(row.cost) or "",
                reference=row.after_holm == "baseline",
            )
        )
    heads = (
        Head("#", numeric=True),
        Head("Proxy"),
        Head("Kendall τ", "[95 %]", numeric=True),
        Head("τ drawn", numeric=True),
        Head("Δτ to #Params", "[95 %]", numeric=True),
        Head("Verdict"),
        Head("Spearman ρ", "[95 %]", numeric=True),
        Head("Top 5 %", numeric=True),
        Head("Cost ×", numeric=True),
        Head("Needs"),
        Head("Networks", numeric=True),
        Head("Scores", sortable=False),
    )
    caption = f"{board.benchmark}, {board.dataset}: proxies by Kendall τ"
    return Table("proxies", caption, heads, tuple(made), 1, style=style)


def _used(row: Row) -> Cell:
    text = f"{row.used:,}" if row.used == row.networks else f"{row.used:,} of {row.networks:,}"
    return cells.number(row.used, text)


def printed_table(board: Board, proxies: Proxies, root: str) -> Table | None:
    """What papers print, beside the board's own coefficients; None if they print nothing."""
    letters = {"kendall": "τ", "spearman": "ρ"}
    rows = [
        TableRow(
            (
                _proxy(each.proxy, proxies, root),
                cells.words(letters.get(each.coefficient, each.coefficient)),
                cells.number(each.printed, coefficient(each.printed)),
                cells.number(each.measured, coefficient(each.measured)),
                cells.count(each.architectures) if each.architectures else Cell("–"),
                cells.words(each.source),
                cells.words(each.remarks),
            )
        )
        for each in board.printed
    ]
    heads = (
        Head("Proxy"),
        Head("Coefficient"),
        Head("Printed", numeric=True),
        Head("Measured", numeric=True),
        Head("Their networks", numeric=True),
        Head("Source"),
        Head("Remarks"),
    )
    notes = ("Measured: in the default setting, with the default ground truth and all networks of this board.",)
    return (
        Table("printed", "What papers print, beside what is measured here", heads, tuple(rows), notes=notes)
        if rows
        else None
    )


def _files(board: Board, entry: Entry | None, root: str) -> Cell:
    if entry is None:
        return Cell("from the parts' scores")
    files = f"{root}files/{board.benchmark}/{board.dataset}/{entry.metadata.parent.name}"
    links = [Link("facts", f"{files}/{entry.metadata.name}", f"Facts about the scores of {entry.proxy} (JSON)")]
    if entry.scores:
        links.insert(0, Link("scores", f"{files}/{entry.scores.name}", f"Scores of {entry.proxy} (Parquet)"))
    return Cell(links=tuple(links), more=entry.command)


def proxy_boards_table(proxy: str, boards: Sequence[Board], root: str) -> Table | None:
    """A proxy's row in every board; None if it is in none."""
    rows = []
    for board in boards:
        row = next((row for row in board.chosen() if row.proxy == proxy), None)
        if row is not None:
            place, of = place_on(board, proxy)
            rows.append(
                TableRow(
                    (
                        _board(board, root),
                        Cell(f"{place} of {of}", key=cells.key_of(-place / of), classes=("right",)),
                        cells.estimate(row.kendall),
                        cells.estimate(row.spearman),
                        cells.estimate(row.difference, sign=True),
                        cells.verdict(row.after_holm),
                        cells.share(row.top5),
                        cells.cost(row.cost),
                    )
                )
            )
    heads = (
        Head("Board"),
        Head("Place", numeric=True),
        Head("Kendall τ", "[95 %]", numeric=True),
        Head("Spearman ρ", "[95 %]", numeric=True),
        Head("Δτ to #Params", "[95 %]", numeric=True),
        Head("Verdict"),
        Head("Top 5 %", numeric=True),
        Head("Cost ×", numeric=True),
    )
    return Table("boards", "On every board", heads, tuple(rows)) if rows else None


def stability_table(stabilities: Sequence[Stability], reference: str) -> Table | None:
    """How similarly seeds rank networks; None if that is not known."""
    rows = [
        TableRow(
            (
                cells.words(f"{each.benchmark}, {each.dataset}", link=f"{reference}{each.run}/index.html"),
                cells.count(each.seeds),
                cells.count(each.networks),
                cells.number(each.agreement, coefficient(each.agreement)),
                cells.number(each.lowest, coefficient(each.lowest)),
            )
        )
        for each in stabilities
    ]
    heads = (
        Head("Run"),
        Head("Seeds", numeric=True),
        Head("Networks", numeric=True),
        Head("Mean τ", numeric=True),
        Head("Lowest τ", numeric=True),
    )
    return Table("seeds", "Agreement between seeds", heads, tuple(rows)) if rows else None


def relatives_table(relatives: Sequence[Relative], proxies: Proxies, root: str) -> Table | None:
    """The proxies that rank networks most and least similarly; None if no scores can be compared."""
    if len(relatives) > 2 * SHOWN_RELATIVES:
        shown = [*relatives[:SHOWN_RELATIVES], *relatives[-SHOWN_RELATIVES:]]
    else:
        shown = [*relatives]
    rows = [
        TableRow(
            (
                _proxy(each.proxy, proxies, root),
                cells.number(each.spearman, coefficient(each.spearman)),
                cells.count(each.boards),
            )
        )
        for each in shown
    ]
    heads = (Head("Other proxy"), Head("Spearman ρ", numeric=True), Head("Boards", numeric=True))
    caption = "The most and the least similar proxies"
    notes = (
        "ρ between the scores of the two on the same networks, each turned so that higher is better; the mean over the "
        "boards that have both.",
    )
    return Table("similar", caption, heads, tuple(rows), notes=notes) if rows else None
