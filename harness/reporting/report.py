"""The report of a run: its scores joined with the ground truth, rank correlations, comparisons, and costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._utils.arguments import accepts, epochs, number, optional, path, text, yes_or_no
from harness.contracts.ground_truth import GroundTruth
from harness.display.tables.heading import Heading
from harness.exhibits._heading import correlations_of, heading_of
from harness.results import OpenedRun, open_run, opened_from
from harness.store.score_files import write_manifest
from harness.store.seeds import SCORES_FILE, seed_directory

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from harness.contracts.benchmark import Benchmark
    from harness.contracts.proxy import Direction
    from harness.display.exhibit import Exhibit
    from harness.display.figures.drawing import Panels
    from harness.results import Truth


@dataclass(frozen=True)
class Report:
    """How well each proxy ranks the networks of a run, and its costs.

    Attributes:
        heading: what was ranked against what.
        correlations: see :func:`harness.analysis.correlation_table`.
        costs: see :func:`harness.analysis.cost_table`.
        scores: one row per architecture and proxy.
        truth: the accuracies that the scores are compared with.
        labels: display names of proxies.
        subset: the architecture set of the main table.
        manifest: versions and settings of the run.
        published: our coefficients next to published ones, see :func:`harness.analysis.published.beside_published`;
            None if no published table was given.
        seeds: the mean over seeds, see :func:`harness.analysis.seeds.seed_table`; None if the run has one seed.
        run: the run, for further analyses on the page; None if the report was assembled by hand.
    """

    heading: Heading
    correlations: pd.DataFrame
    costs: pd.DataFrame
    scores: pd.DataFrame = field(repr=False)
    truth: GroundTruth = field(repr=False)
    labels: dict[str, str]
    subset: str
    manifest: dict[str, Any] = field(repr=False)
    published: pd.DataFrame | None = None
    seeds: pd.DataFrame | None = None
    run: OpenedRun | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        """A few lines: what was ranked against what, and the best row."""
        from harness.display.tables.numbers import counted, estimate
        from harness.display.tables.rows import label_of, set_rows

        rows = set_rows(self.correlations, self.subset)
        heading = self.heading
        lines = [
            f"<report of {heading.place}: "
            f"{counted(self.scores['proxy'].nunique(), 'proxy', 'proxies')} on "
            f"{counted(heading.networks, 'network')}, ranked against {heading.ground_truth}"
        ]
        ranked = [row for row in rows.to_dict("records") if row["kendall"] == row["kendall"]]
        if ranked:
            best = ranked[0]
            tau = estimate(best["kendall"], best["kendall_low"], best["kendall_high"])
            wins = int((rows["verdict"] == "win").sum())
            lines.append(
                f"  highest Kendall τ: {label_of(best['proxy'], self.labels)} {tau}; {wins} significantly better than "
                "the baseline"
            )
        lines.append(
            "  .show() prints the tables, .plot() draws them, .write(DIRECTORY) writes all files, .html() is a page>"
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The main table, for a notebook."""
        from harness.display.tables.notebook import html_heading, html_table

        title = self.heading.place
        return html_heading(title, self.heading) + html_table(self.exhibit(figures=False).grids[0])

    def exhibit(self, *, figures: bool = True) -> Exhibit:
        """Its tables and figures.

        Args:
            figures: also make the figures, which takes longer.

        Raises:
            DataError: if there is nothing to draw.
        """
        from harness.reporting.tables import drawings_of, exhibit_of

        table, labels, subset = self.correlations, self.labels, self.subset
        drawings = drawings_of(table, self.scores, self.truth, self.heading, labels, subset) if figures else ()
        return exhibit_of(table, self.costs, self.heading, labels, subset, drawings, self.published, self.seeds)

    def plot(self, name: str | None = None, *, width: float | None = None) -> Panels:
        """Draw a figure, and return its axes, for further styling; a notebook shows it.

        Args:
            name: ``kendall_by_proxy``, the default, or ``accuracy_by_score``.
            width: the width in inches; default: one column of a paper for the chart, two for the scatter plots.

        Raises:
            UnknownNameError: if there is no such figure.
        """
        return self.exhibit().plot(name, width=width)

    def show(self, console: Console | None = None) -> None:
        """Print the tables in the terminal."""
        self.exhibit(figures=False).show(console, title=False)

    def html(self, exhibits: Iterable[Exhibit] | None = None) -> str:
        """Everything as one HTML page that needs no other file and no network.

        Args:
            exhibits: further analyses to show; default: all that need only this run, with the reasons why others are
                missing.
        """
        from harness.exhibits.catalogue import for_run
        from harness.reporting.page.build import html_page
        from harness.reporting.page.summary import summarise

        missing: tuple[str, ...] = ()
        if exhibits is None and self.run is not None:
            collected = for_run(self.run)
            exhibits, missing = collected.exhibits, collected.missing
        summary = summarise(self.correlations, self.heading, self.labels, self.subset)
        return html_page(self.exhibit(), summary, self.labels, self.manifest, exhibits or (), missing)

    @accepts(directory=path, figures=yes_or_no, width=optional(number))
    def write(self, directory: Path | str, *, figures: bool = True, width: float | None = None) -> list[Path]:
        """Write everything except the page; returns the files.

        Tables as CSV, Markdown and LaTeX; figures as PDF and PNG with their data; the scores and the manifest, of
        further seeds in ``seeds``.

        Args:
            directory: the output directory; created if it does not exist.
            figures: also draw the figures.
            width: the width of the figures in inches; default: one column of a paper for the chart, two for the
                scatter plots.
        """
        target = Path(directory)
        files = self.exhibit(figures=figures).write(target, width=width)
        given = self.run.given if self.run else None
        files += _write_scores(target, self.scores if given is None else given, self.manifest)
        for other in self.run.seeds[1:] if self.run else ():
            files += _write_scores(seed_directory(target, other.setting.seed), other.scores, other.manifest)
        return files


def _opened(run: Any, options: dict[str, Any]) -> OpenedRun:
    """The run, opened with these options; one that is already opened keeps its benchmark."""
    if not isinstance(run, OpenedRun):
        return open_run(run, **options)
    if not options:
        return run
    scores = run.scores if run.given is None else run.given
    # The directory of a ranked table need not exist.
    return opened_from(run.directory, run.setting, run.manifest, scores, **{"benchmark": run.benchmark, **options})


def _write_scores(directory: Path, table: pd.DataFrame, facts: dict[str, Any]) -> list[Path]:
    """Write the scores of one seed and their manifest, from which ``harness store restore`` restores the run."""
    directory.mkdir(parents=True, exist_ok=True)
    scores, manifest = directory / SCORES_FILE, directory / "manifest.json"
    # Without a timestamp, equal scores give equal files.
    table.to_csv(scores, index=False, compression={"method": "gzip", "mtime": 0}, lineterminator="\n")
    write_manifest(manifest, facts, scores)
    return [scores, manifest]


def _run_or_directory(value: object, name: str) -> OpenedRun | Path:
    opened = getattr(value, "run", value)
    return opened if isinstance(opened, OpenedRun) else path(value, name)


@accepts(
    directory=_run_or_directory,
    split=optional(text),
    epochs=optional(epochs),
    baseline=text,
    published=optional(path),
    truth_dataset=optional(text),
)
def report(
    directory: OpenedRun | Report | Path | str,
    *,
    truth: Truth | None = None,
    better: Direction | None = None,
    split: str | None = None,
    epochs: int | str | None = None,
    baseline: str = "params",
    beside: Truth | Iterable[Truth] = (),
    published: Path | str | None = None,
    truth_dataset: str | None = None,
    benchmark: Benchmark | type[Benchmark] | str | None = None,
) -> Report:
    """Compare the scores of a run, finished or not, with the benchmark's ground truth, or with other numbers.

    Args:
        directory: the ``out`` of a run, or an opened run, whose ground truth is the default.
        truth: the ground truth as ``split/epochs``; or any number per architecture: a file and its column, as
            ``robust.csv:pgd``; a series, a mapping or a data frame by architecture. Networks without a value are left
            out, and counted. Default: the benchmark's first.
        better: whether ``higher`` or ``lower`` values of such a ``truth`` are better; default: higher, or what the file
            says, as in ``trained.csv:loss:lower``.
        split: the split of the accuracies; default: the benchmark's.
        epochs: the training length, or the epoch; default: the benchmark's.
        baseline: the row to compare the others with: a proxy, an aggregate, or one of ``beside``.
        beside: other ground truths, such as ``val/12`` or ``robust.csv:pgd``; each is ranked and compared like a proxy,
            to show what a short training achieves.
        published: a table of published coefficients to compare with, such as those in ``results/published``.
        truth_dataset: the data set of the accuracies; default: that of the scores.
        benchmark: the run's benchmark, if it is your own and cannot be found where it was.

    Raises:
        HarnessError: if there is no run, it has no scores or no ground truth yet, or the baseline does not exist.
    """
    options: dict[str, Any] = {
        "truth": truth,
        "better": better,
        "split": split,
        "epochs": epochs,
        "beside": None if isinstance(beside, tuple) and not beside else beside,
        "truth_dataset": truth_dataset,
        "benchmark": benchmark,
    }
    run = _opened(directory, {name: value for name, value in options.items() if value is not None})
    return report_of(run, baseline=baseline, published=None if published is None else Path(published))


def report_of(run: OpenedRun, *, baseline: str = "params", published: Path | None = None) -> Report:
    """The report of an opened run; the arguments are those of :func:`report`."""
    from harness.analysis import cost_table
    from harness.analysis.published import beside_published, read_published

    baseline = run.row_named(baseline)
    correlations = correlations_of(run, baseline)
    theirs = None
    if published is not None:
        table = read_published(published)
        theirs = beside_published(correlations, table, run.benchmark.name, run.setting.dataset)
    shown = set(correlations["proxy"])
    return Report(
        heading=heading_of(run),
        correlations=correlations,
        costs=cost_table(run.scores if run.setting.origin is None else run.scores[:0]),
        scores=run.scores,
        truth=run.truth,
        labels={name: label for name, label in run.labels.items() if name in shown},
        subset="all",
        manifest={
            **run.manifest,
            "networks": run.networks,
            "ground_truth": run.truth_in_words,
            "truth_source": run.truth.source,
        },
        published=theirs,
        seeds=run.over_seeds if baseline == "params" else run.mean_over_seeds(baseline),
        run=run,
    )
