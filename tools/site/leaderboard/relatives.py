"""What else is known of a proxy: how its scores agree with those of others, and between seeds."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.site.leaderboard.boards import Board, BoardError

if TYPE_CHECKING:
    import pandas as pd

FEWEST_NETWORKS = 10


@dataclass(frozen=True)
class Relative:
    """Another proxy, and how similarly it ranks networks.

    Attributes:
        proxy: the other proxy.
        spearman: Spearman ρ between the two proxies' scores, the mean over boards.
        boards: the number of boards.
    """

    proxy: str
    spearman: float
    boards: int


@dataclass(frozen=True)
class Stability:
    """How similarly seeds of weights and mini-batches rank the networks of a run.

    Attributes:
        run: the folder of the run below ``results/reference``.
        benchmark: the benchmark's name.
        dataset: the data set.
        seeds: the number of seeds.
        networks: the number of networks.
        agreement: Kendall τ between the rankings by two seeds, the mean over pairs.
        lowest: the lowest over pairs.
    """

    run: str
    benchmark: str
    dataset: str
    seeds: int
    networks: int
    agreement: float
    lowest: float


def relatives(boards: Sequence[Board], lower_is_better: frozenset[str]) -> dict[str, list[Relative]]:
    """The other proxies of each proxy, the most similar first.

    Args:
        boards: the boards; the scores of their default setting are compared.
        lower_is_better: names of proxies whose scores are negated, so that all scores point in the same direction.
    """
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for board in boards:
        for pair, rho in _agreements(board, lower_is_better).items():
            found[pair].append(rho)
    others: dict[str, list[Relative]] = defaultdict(list)
    for (proxy, other), values in found.items():
        others[proxy].append(Relative(other, sum(values) / len(values), len(values)))
    return {proxy: sorted(each, key=lambda one: (-one.spearman, one.proxy)) for proxy, each in others.items()}


def _agreements(board: Board, lower_is_better: frozenset[str]) -> dict[tuple[str, str], float]:
    import numpy as np
    import pandas as pd

    columns: dict[str, pd.Series[float]] = {}
    for (proxy, setting), entry in board.entries.items():
        if setting == board.default[0] and entry.scores is not None:
            values = _scores(entry.scores)
            columns[proxy] = -values if proxy in lower_is_better else values
    table = pd.DataFrame(columns).replace([np.inf, -np.inf], np.nan)
    matrix = table.corr(method="spearman", min_periods=FEWEST_NETWORKS)
    similar = matrix.to_numpy(dtype=float)
    return {
        (proxy, other): float(similar[i, j])
        for i, proxy in enumerate(matrix.columns)
        for j, other in enumerate(matrix.columns)
        if proxy != other and math.isfinite(similar[i, j])
    }


def _scores(file: Path) -> pd.Series[float]:
    import pandas as pd

    try:
        table = pd.read_parquet(file, columns=["architecture", "status", "value"])
    except (ValueError, OSError, KeyError) as error:
        raise BoardError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    table = table[table["status"] == "ok"].drop_duplicates("architecture")
    return table.set_index("architecture")["value"].astype(float)


def stabilities(reference: Path) -> Mapping[str, list[Stability]]:
    """The agreement between seeds of each proxy in the reference runs, which state it in ``seeds.csv``."""
    import pandas as pd

    found: dict[str, list[Stability]] = defaultdict(list)
    for file in sorted(reference.glob("*/seeds.csv")):
        setting = json.loads(file.with_name("manifest.json").read_text(encoding="utf-8"))["setting"]
        for row in pd.read_csv(file).to_dict("records"):
            if row["kind"] != "truth" and math.isfinite(row["agreement"]):
                found[row["proxy"]].append(
                    Stability(
                        run=file.parent.name,
                        benchmark=setting["benchmark"],
                        dataset=setting["dataset"],
                        seeds=int(row["seeds"]),
                        networks=int(row["networks"]),
                        agreement=float(row["agreement"]),
                        lowest=float(row["agreement_lowest"]),
                    )
                )
    return found
