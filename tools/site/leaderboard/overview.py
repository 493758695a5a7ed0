"""What all boards together say about each proxy: its mean rank, and how often it differs from the baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from harness.analysis.mean_ranks import MeanRanks, mean_ranks
from tools.site.leaderboard.boards import Board, Estimate, Row


@dataclass(frozen=True)
class Standing:
    """A proxy across all boards, each in its default choice.

    Attributes:
        proxy: its name.
        rows: its row on each board that has it.
        spaces: the number of benchmarks that rank it.
        widespread: whether at least half of the benchmarks do; the mean rank of others says little.
        rank: its mean rank with an interval, see :func:`harness.analysis.mean_ranks.mean_ranks`.
    """

    proxy: str
    rows: tuple[Row, ...]
    spaces: int
    widespread: bool
    rank: Estimate

    def count(self, verdict: str) -> int:
        """On how many boards it has this verdict after Holm's correction."""
        return sum(row.after_holm == verdict for row in self.rows)


@dataclass(frozen=True)
class Standings:
    """All proxies across all boards.

    Attributes:
        proxies: every proxy, the best mean rank first; those that fewer than half of the benchmarks rank come last.
        ranking: the mean ranks, and what they can show.
    """

    proxies: tuple[Standing, ...]
    ranking: MeanRanks


def standings(boards: Sequence[Board]) -> Standings:
    """Every proxy across all boards, of which there is at least one."""
    rows: dict[str, list[Row]] = {}
    coefficients = []
    for board in boards:
        for row in board.chosen():
            rows.setdefault(row.proxy, []).append(row)
            coefficients.append((f"{board.benchmark}/{board.dataset}", board.benchmark, row.proxy, row.kendall.value))
    ranking = mean_ranks(pd.DataFrame(coefficients, columns=["run", "space", "proxy", "kendall"]))
    found = []
    for each in ranking.proxies.to_dict("records"):
        spaces, proxy = int(each["spaces_ranked"]), str(each["proxy"])
        rank = Estimate(*(float(each[f"mean_rank{end}"]) for end in ("", "_low", "_high")))
        found.append(Standing(proxy, tuple(rows[proxy]), spaces, bool(each["widespread"]), rank))
    found.sort(key=lambda standing: (not standing.widespread, math.isnan(standing.rank.value), standing.rank.value))
    return Standings(tuple(found), ranking)


def place_on(board: Board, proxy: str) -> tuple[int, int]:
    """The place of a proxy on a board in its default choice, and the number of rows; without τ, it is the last."""
    rows = board.chosen()
    own = next(row.kendall.value for row in rows if row.proxy == proxy)
    ahead = sum(row.kendall.value > own for row in rows)
    return len(rows) if math.isnan(own) else 1 + ahead, len(rows)
