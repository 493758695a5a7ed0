"""Exhibit: the noise ceiling, which no score can be expected to exceed because accuracies are noisy themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, text
from harness.analysis.noise_ceiling import ceiling_table
from harness.analysis.statistics.correlation import Estimate, kendall
from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GroundTruth
from harness.display.exhibit import Exhibit
from harness.display.figures.drawing import Drawing
from harness.display.figures.row_charts import name_rows, row_height
from harness.display.figures.style import BLACK, BLUE, GREY, VERMILLION, paper_style
from harness.display.tables.columns import Column, estimates, words
from harness.display.tables.grids import Grid
from harness.display.tables.heading import Facts, Heading
from harness.display.tables.numbers import coefficient, count, estimate
from harness.display.tables.rows import Row, label_of
from harness.errors import DataError, HarnessError
from harness.exhibits.part import part_of
from harness.results import as_run, ground_truth_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.results import OpenedRun, Truth

TRAININGS = ("one training", "half of the trainings")


@accepts(run=as_run, subset=text, baseline=text)
def noise_ceiling_of_run(run: OpenedRun, subset: str = "all", baseline: str = "params") -> Exhibit:
    """The ceiling for the networks of a run, compared with its best proxy and the baseline.

    Args:
        run: the scores.
        subset: the architecture set.
        baseline: the row to show in addition to the best one.

    Raises:
        UnknownNameError: if the set or the baseline does not exist.
        HarnessError: if there is nothing to compare the ground truth with.
    """
    baseline = run.row_named(baseline)
    joined, heading = part_of(run, subset, fewest=0)
    reached = {
        name: kendall(row.value[row.usable], joined.accuracy[row.usable])
        for name, row in joined.rows.items()
        if joined.kind(name) != "truth" and row.usable.any()
    }
    ranked = sorted(
        (name for name, found in reached.items() if math.isfinite(found.value)), key=lambda name: -reached[name].value
    )
    beside = {label_of(name, run.labels): reached[name] for name in ranked if name in (ranked[0], baseline)}
    return _exhibit(run.benchmark, run.truth, heading, joined.architectures, beside)


def noise_ceiling_of_benchmark(
    benchmark: Benchmark,
    dataset: str,
    split: str | None = None,
    epochs: int | str | None = None,
    subset: str = "all",
    *,
    truth: Truth | None = None,
) -> Exhibit:
    """The ceiling for a whole benchmark, or one of its sets.

    Args:
        benchmark: the benchmark.
        dataset: the data set.
        split: the split of the accuracies; default: the benchmark's.
        epochs: the training length, or the epoch; default: the benchmark's.
        subset: the architecture set.
        truth: instead of both, as for :func:`harness.open_run`.

    Raises:
        HarnessError: if there is no ground truth, or nothing to compare it with.
    """
    import pandas as pd

    if truth is not None:
        chosen = ground_truth_of(benchmark, dataset, truth)
    elif split is None and epochs is None:
        benchmark.check_dataset(dataset)
        chosen = benchmark.ground_truth(dataset, *benchmark.default_truth(dataset, subset))
    else:
        chosen = benchmark.ground_truth(dataset, split, epochs)
    belongs, there = benchmark.membership(subset), chosen.accuracy.dropna().index
    known = set(benchmark.architectures()) if chosen.partial else there
    names = pd.Index([name for name in there if name in known and belongs(name)])
    if not len(names):
        raise HarnessError(f"{chosen.describe()} has a value for no network of the set '{subset}' of {benchmark.name}")
    heading = Facts(
        (
            ("Benchmark", f"{benchmark.title}, {dataset}"),
            ("Networks", f"{len(names):,}, all of the set '{subset}'"),
            ("Ground truth", chosen.describe()),
        )
    )
    return _exhibit(benchmark, chosen, heading, names, {})


def _exhibit(
    benchmark: Benchmark,
    truth: GroundTruth,
    heading: Heading | Facts,
    architectures: pd.Index,
    reached: dict[str, Estimate],
) -> Exhibit:
    others = list(_other_truths(benchmark, truth))
    own = (truth.split, truth.epochs) in benchmark.truths_of(truth.dataset)
    trainings = benchmark.trainings(truth.dataset, truth.split, truth.epochs) if own else None
    table = ceiling_table([truth, *others], trainings, architectures)
    return Exhibit(
        name="noise-ceiling",
        title="How well any score can rank: agreement of the accuracies among themselves",
        heading=heading,
        grids=(_grid(table, truth, reached, known=trainings is not None),),
        drawings=(
            Drawing(
                "noise_ceiling",
                "Kendall τ between accuracies of the same networks, with 95 % intervals; lines: τ reached without "
                "training.",
                table,
                lambda width: plot_noise_ceiling(table, reached, width),
            ),
        ),
    )


def _other_truths(benchmark: Benchmark, truth: GroundTruth) -> Iterator[GroundTruth]:
    """The other available ground truths of the data set, in the benchmark's order."""
    for split, epochs in benchmark.truths_of(truth.dataset):
        if (split, epochs) == (truth.split, truth.epochs):
            continue
        try:
            yield benchmark.ground_truth(truth.dataset, split, epochs)
        except DataError:
            # A local table may lack accuracies that the benchmark declares.
            continue


def plot_noise_ceiling(table: pd.DataFrame, reached: dict[str, Estimate], width: float) -> Figure:
    """τ between accuracies, one line per pair, compared with τ of proxies.

    Args:
        table: rows of :func:`harness.analysis.noise_ceiling.ceiling_table`.
        reached: τ of proxies on the same networks, by display name; the best first.
        width: the width in inches.
    """
    from matplotlib.figure import Figure

    with paper_style():
        around = 1.0 + 0.12 * len(reached)
        height = row_height(len(table), 0.19, around)
        figure = Figure(figsize=(width, around + height * len(table)), layout="constrained")
        axes = figure.add_subplot()
        places = range(len(table))
        for (name, value), color, style in zip(reached.items(), (VERMILLION, BLACK), ("-", (0, (4, 2))), strict=False):
            axes.axvspan(value.low, value.high, color=color, alpha=0.1, linewidth=0)
            axes.axvline(value.value, color=color, linewidth=0.9, linestyle=style, label=name)
        axes.hlines(places, table["kendall_low"], table["kendall_high"], color=BLUE, linewidth=1.2)
        axes.plot(table["kendall"], places, "o", color=BLUE, markersize=3.2, label="agreement")
        known = table["ceiling_kendall"].notna()
        if known.any():
            rows = [place for place, shown in zip(places, known, strict=True) if shown]
            low, high = table.loc[known, "ceiling_kendall_low"], table.loc[known, "ceiling_kendall_high"]
            axes.hlines(rows, low, high, color=GREY, linewidth=1.2)
            ceiling = table.loc[known, "ceiling_kendall"]
            axes.plot(ceiling, rows, "D", color=GREY, markersize=3.2, label="ceiling")
        name_rows(axes, [_words(row) for row in table.to_dict("records")], height)
        axes.set_xlim(right=1)
        axes.grid(axis="x")
        axes.set_xlabel("Kendall τ with 95 % interval")
        figure.legend(loc="outside lower center", ncols=2 if width < 4 else 4, handletextpad=0.4)
    return figure


def _words(row: Row) -> str:
    """A short description of the pair."""
    if row["relation"] == TRAININGS[0]:
        return "one training : another"
    if row["relation"] == TRAININGS[1]:
        number = int(row["trainings"])
        return f"mean of {number} : {number} others"
    return f"{row['first']} : {row['second']}"


def _grid(table: pd.DataFrame, truth: GroundTruth, reached: dict[str, Estimate], *, known: bool) -> Grid:
    records = table.to_dict("records")
    columns = [
        words("pair", "Accuracies", map(_words, records)),
        words("relation", "Differ in", table["relation"].map(_difference)),
        estimates("τ", "τ between them\n[95 %]", table, "kendall"),
        estimates("ρ", "ρ between them\n[95 %]", table, "spearman"),
    ]
    if known:
        columns += [
            estimates("ceiling τ", "Ceiling of τ\n[95 %]", table, "ceiling_kendall"),
            Column("ceiling ρ", "of ρ", table["ceiling_spearman"], coefficient),
        ]
    columns.append(Column("networks", "Net-\nworks", table["networks"], count))
    return Grid("noise_ceiling", "Agreement of the accuracies", tuple(columns), table, _notes(table, truth, reached))


def _difference(relation: str) -> str:
    return "seed" if relation in TRAININGS else relation.removeprefix("other ")


def _notes(table: pd.DataFrame, truth: GroundTruth, reached: dict[str, Estimate]) -> tuple[str, ...]:
    """What each kind of agreement means, and which of them is a bound."""
    relations = set(table["relation"])
    notes = []
    if relations & set(TRAININGS):
        notes += [
            "Seed: agreement between trainings of the same networks that differ only in the seed; it shows what a "
            "ranking loses to training noise. Ceiling: what a score that knew every expected accuracy would reach "
            f"against the {truth.seeds}, by Spearman's correction for attenuation in a normal model. No score can be "
            "expected to exceed it.",
        ]
    else:
        notes.append(
            "The accuracies of single trainings are not available for this ground truth, so the noise of the seed, and "
            "therefore the ceiling, cannot be estimated."
        )
    if relations & {"other images", "other images and length"}:
        notes.append(
            "Images: how much the ranking depends on the images that accuracy is measured on, and on the training, if "
            "the benchmark trained other networks for them. For comparison, not a bound."
        )
    if relations & {"other length", "other images and length"}:
        notes.append(
            "Length: how well trainings of another length predict the ranking. Not a bound: a score above it ranks "
            "better than training for that long."
        )
    if "other measure" in relations:
        notes.append(
            "Measure: how well one measure of the trained networks ranks them by another. For comparison, not a bound."
        )
    if reached:
        found = ", ".join(f"{name} {estimate(value.value, value.low, value.high)}" for name, value in reached.items())
        notes.append(f"Best proxy and baseline on these networks, without training: τ {found}.")
    return tuple(notes)
