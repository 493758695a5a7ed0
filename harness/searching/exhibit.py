"""The exhibit of a search: the best networks, and figures of its course."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.contracts.search_space import SearchSpace
from harness.display.exhibit import Exhibit, Listing
from harness.display.figures.drawing import Drawing
from harness.display.figures.style import BLACK, BLUE, GREY, SERIES, paper_style
from harness.display.tables.columns import Column
from harness.display.tables.grids import Grid
from harness.display.tables.heading import Facts
from harness.display.tables.numbers import count, counted
from harness.display.tables.values import accuracy_writer, quantity
from harness.searching.algorithms import ALGORITHMS
from harness.searching.budgets import LISTED
from harness.searching.loop import AGAIN, SCORED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.contracts.search_space import Block
    from harness.searching.result import SearchResult

SHOWN = 10
"""The number of networks in the table."""

_HATCHES = ("", "///", "...")


def search_exhibit(result: SearchResult) -> Exhibit:
    """The best networks of a search, its course, and their structures."""
    trace, best = result.trace, result.best(SHOWN)
    grid = _grid(result, best)
    names = tuple((str(place), name) for place, name in enumerate(best["architecture"], start=1))
    return Exhibit(
        name="search",
        title=f"Search of {result.setting.benchmark} for {result.objective.words}",
        heading=Facts(tuple(_facts(result))),
        grids=(grid,),
        drawings=tuple(_drawings(result, trace, best)),
        notes=tuple(_notes(result, best)),
        listings=(Listing("Architectures", names),),
    )


def _facts(result: SearchResult) -> list[tuple[str, str]]:
    options, search, setting = result.options, result.search, result.setting
    accepted = [each for each in search.candidates if each.is_accepted]
    again = sum(each.outcome == AGAIN for each in accepted)
    facts = [
        ("Space", f"{result.space.title}, {setting.dataset}"),
        ("Objective", result.objective.words),
        ("Algorithm", f"{options.algorithm}: {ALGORITHMS[options.algorithm].source}"),
        (
            "Candidates",
            f"{len(search.candidates):,} drawn, {len(search.candidates) - len(accepted):,} over a budget, {again:,} "
            f"scored before; {search.evaluations:,} networks scored; seed {options.seed}, at most "
            f"{counted(options.ahead, 'candidate')} on their way",
        ),
    ]
    if search.budgets.each:
        facts.append(("Budgets", search.budgets.words))
    facts.append(
        (
            "Scores",
            f"weights and mini-batches of seed {setting.seed}; mini-batches of {setting.batch_size} from "
            f"{setting.images}; initialisation: {setting.initialisation}; torch {setting.torch}",
        )
    )
    if result.truth is not None:
        facts.append(("Accuracies", result.truth.describe()))
    return facts


def _grid(result: SearchResult, best: pd.DataFrame) -> Grid:
    columns = [
        Column("rank", "#", np.arange(1, len(best) + 1), count),
        Column("score", "Score", best["score"], _score),
        Column("candidate", "Candi-\ndate", best["candidate"], count),
    ]
    columns += [
        Column(name, name, best[column], quantity) for name, column in result.budget_columns.items() if name != LISTED
    ]
    if "accuracy" in best and best["accuracy"].notna().any():
        write = accuracy_writer(best["accuracy"].dropna())
        columns.append(
            Column("accuracy", "Accuracy", best["accuracy"], lambda value: write(value) if np.isfinite(value) else "–")
        )
    return Grid("networks", "The networks with the best scores", tuple(columns), result.networks, names=1)


def _score(value: float) -> str:
    return f"{value:.6g}"


def _notes(result: SearchResult, best: pd.DataFrame) -> list[str]:
    notes = []
    search = result.search
    if result.objective.depends_on_pool:
        notes.append("The score is a rank among all networks scored; it is that at the end of the search.")
    if not search.ended:
        notes.append("The search is not finished; repeat the command to go on.")
    elif search.limits.evaluations is not None and search.evaluations < search.limits.evaluations:
        notes.append(
            f"It ended after {len(search.candidates):,} candidates with {search.evaluations:,} networks of the "
            f"{search.limits.evaluations:,} asked for, because it hardly found new ones."
        )
    failed = int((~np.isfinite(result.networks["score"])).sum())
    if failed:
        notes.append(f"{counted(failed, 'network')} had no finite score and counted as worst.")
    if result.truth is not None and len(best):
        known = result.truth.oriented
        top = best["accuracy"].iloc[0]
        sign = 1 if result.truth.higher_is_better else -1
        if np.isfinite(top):
            write = accuracy_writer(result.truth.accuracy)
            better = int((known > sign * top).sum())
            notes.append(
                f"{result.truth.metric.capitalize()} of the network with the best score: {write(top)}; {better:,} of "
                f"the {len(known):,} networks with a known one are better, the best by "
                f"{write(float(known.max()) - sign * top)}."
            )
    return notes


def _drawings(result: SearchResult, trace: pd.DataFrame, best: pd.DataFrame) -> list[Drawing]:
    scored = trace[trace["outcome"] == SCORED]
    drawings = [
        Drawing(
            "course",
            "The best score so far"
            + (", and the accuracy of the network that has it," if _has_truth(scored) else "")
            + " against the number of networks scored. Grey: every network.",
            scored[[c for c in ("evaluations", "score", "best", "accuracy", "best_accuracy") if c in scored]],
            lambda width: plot_course(scored, width, result.objective.axis, _axis(result)),
        )
    ]
    for budget in result.search.budgets.each:
        name = budget.quantity.name
        values = scored[name].to_numpy()
        if len(values) and (values != values[0]).any():
            drawings.append(_pareto(scored, name, budget.most, budget.quantity.meaning, result))
    if isinstance(result.space, SearchSpace) and len(best):
        strips = [(f"{row.score:.6g}", result.space.blocks(str(row.architecture))) for row in best.head(5).itertuples()]
        if all(blocks for _, blocks in strips):
            drawings.append(
                Drawing(
                    "structures",
                    "The structures of the best networks, from the image to the classifier. Width: layers. Height: "
                    "output channels, logarithmic. A gap: the resolution is halved.",
                    best.head(5)[["architecture", "score"]],
                    lambda width: plot_strips(strips, width),
                    wide=True,
                )
            )
    return drawings


def _has_truth(scored: pd.DataFrame) -> bool:
    return "accuracy" in scored and bool(scored["accuracy"].notna().any())


def _axis(result: SearchResult) -> str:
    return "" if result.truth is None else result.truth.metric


def plot_course(scored: pd.DataFrame, width: float, objective: str, metric: str) -> Figure:
    """The best score so far, and below it the accuracy of the network that has it.

    Args:
        scored: the rows of :attr:`harness.searching.result.SearchResult.trace` that were scored.
        width: the width in inches.
        objective: the label of the score.
        metric: the label of the accuracy.
    """
    from matplotlib.figure import Figure

    with_truth = _has_truth(scored)
    with paper_style():
        figure = Figure(figsize=(width, (0.95 if with_truth else 0.6) * width), layout="constrained")
        axes = figure.subplots(2 if with_truth else 1, 1, sharex=True, squeeze=False)[:, 0]
        finite = scored["score"].dropna()
        axes[0].plot(scored["evaluations"], scored["score"], ".", color=GREY, markersize=2, alpha=0.5)
        axes[0].step(scored["evaluations"], scored["best"], where="post", color=BLUE)
        axes[0].set_ylabel(objective)
        if len(finite) > 20:
            low, high = float(finite.quantile(0.02)), float(finite.max())
            margin = 0.05 * (high - low) or 1.0
            axes[0].set_ylim(low - margin, high + margin)
        if with_truth:
            axes[1].plot(scored["evaluations"], scored["accuracy"], ".", color=GREY, markersize=2, alpha=0.5)
            axes[1].step(scored["evaluations"], scored["best_accuracy"], where="post", color=BLUE)
            low, high = (float(scored["accuracy"].quantile(each)) for each in (0.1, 1.0))
            low = min(low, float(scored["best_accuracy"].min()))
            margin = 0.05 * (high - low) or 1.0
            axes[1].set_ylim(low - margin, high + margin)
            axes[1].set_ylabel(metric)
        axes[-1].set_xlabel("networks scored")
    return figure


def _pareto(scored: pd.DataFrame, name: str, most: float, meaning: str, result: SearchResult) -> Drawing:
    stem = "".join(each if each.isalnum() else "_" for each in name)
    return Drawing(
        f"score_by_{stem}",
        f"Every scored network by {meaning} and score; the line joins those that no other exceeds in both. Dashed: "
        "the budget.",
        scored[[name, "score"]],
        lambda width: plot_front(scored, name, most, meaning, result.objective.axis, width),
    )


def plot_front(scored: pd.DataFrame, name: str, most: float, meaning: str, objective: str, width: float) -> Figure:
    """Scores against a quantity, with their Pareto front.

    Args:
        scored: the rows of the trace that were scored.
        name: the column of the quantity.
        most: its budget.
        meaning: its axis.
        objective: the other axis.
        width: the width in inches.
    """
    from matplotlib.figure import Figure

    with paper_style():
        figure = Figure(figsize=(width, 0.7 * width), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(scored[name], scored["score"], ".", color=GREY, markersize=2, alpha=0.5)
        ordered = scored.dropna(subset=["score"]).sort_values([name, "score"], ascending=[True, False])
        front = ordered[ordered["score"] > ordered["score"].cummax().shift(fill_value=-np.inf)]
        axes.step(front[name], front["score"], where="post", color=BLUE, marker="o", markersize=2.5)
        axes.axvline(most, color=BLACK, linestyle="--", linewidth=0.8)
        low, high = (float(scored["score"].quantile(each)) for each in (0.02, 1.0))
        margin = 0.05 * (high - low) or 1.0
        axes.set_ylim(low - margin, high + margin)
        axes.set_xlabel(meaning)
        axes.set_ylabel(objective)
    return figure


def plot_strips(strips: Sequence[tuple[str, Sequence[Block]]], width: float) -> Figure:
    """Structures as rows of boxes.

    Args:
        strips: the label of each network, and its blocks.
        width: the width in inches.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    widest = max(sum(block.layers + 0.4 * (block.stride > 1) for block in blocks) for _, blocks in strips)
    most = max(np.log2(block.channels) for _, blocks in strips for block in blocks)
    kinds = list(dict.fromkeys(block.label for _, blocks in strips for block in blocks))
    with paper_style():
        figure = Figure(figsize=(width, 0.75 * len(strips) + 0.6), layout="constrained")
        axes = figure.add_subplot()
        for row, (label, blocks) in enumerate(strips):
            place = 0.0
            for block in blocks:
                place += 0.4 * (block.stride > 1)
                height = 0.8 * np.log2(block.channels) / most
                again, kind = divmod(kinds.index(block.label), len(SERIES))
                axes.add_patch(
                    Rectangle(
                        (place, row - height / 2), block.layers - 0.06, height, facecolor=SERIES[kind], alpha=0.35,
                        edgecolor=SERIES[kind], hatch=_HATCHES[again % len(_HATCHES)],
                    )
                )  # fmt: skip
                text = f"{block.label}\n{block.channels}"
                axes.text(place + block.layers / 2, row, text, ha="center", va="center", fontsize="xx-small")
                place += block.layers
            axes.text(-0.3, row, label, ha="right", va="center", fontsize="x-small")
        axes.set_xlim(-0.18 * widest, widest + 0.2)
        axes.set_ylim(len(strips) - 0.4, -0.6)
        axes.axis("off")
    return figure
