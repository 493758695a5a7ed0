"""``harness rank``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from harness._utils.console import say
from harness.cli import completion
from harness.cli.shared import Baseline, present
from harness.errors import HarnessError

_MANY_NETWORKS = 200


def rank(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Scores, one row per architecture; see docs/data.md.")],
    benchmark: Annotated[
        str | None,
        typer.Option(help="Benchmark whose architectures they are.", autocompletion=completion.benchmarks),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Data set; default: the benchmark's first.")] = None,
    truth: Annotated[
        list[str] | None,
        typer.Option(
            help="With --benchmark, its ground truth as SPLIT/EPOCHS, or FILE:COLUMN; without, a column of the table. "
            "May be repeated: the first is the main one."
        ),
    ] = None,
    higher: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns in which higher is better, with commas between, or 'rest' for all that are not known."
        ),
    ] = None,
    lower: Annotated[list[str] | None, typer.Option(help="Columns in which lower is better, or 'rest'.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="Columns to leave out.")] = None,
    sentinel: Annotated[
        float | None, typer.Option(help="Number that marks a failed score, besides -1e8 and missing values.")
    ] = None,
    sizes: Annotated[bool, typer.Option(help="Add #Params and #FLOPs of the benchmark's networks.")] = True,
    baseline: Baseline = "params",
    out: Annotated[
        Path | None,
        typer.Option(help="Store the scores here, to be opened like a run, with tables and figures in 'report'."),
    ] = None,
    figures: Annotated[bool, typer.Option(help="With --out, also draw figures.")] = True,
    html: Annotated[
        Path | None, typer.Option(help="Write the report and every other analysis to this file, as one page.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON with full precision instead of tables.")] = False,
) -> None:
    """Rank scores that were computed anywhere, by a benchmark's accuracies or by a column of the same table."""
    from harness.exhibits.heatmap import heatmap
    from harness.ranking import rank_all

    def count(networks: int) -> None:
        if networks > _MANY_NETWORKS:
            say(f"counting #FLOPs of {networks:,} networks; --no-sizes leaves them out", err=True)

    if not table.exists():
        raise HarnessError(f"no such file: '{table}'; give a table of scores, one row per architecture")
    ranked = rank_all(
        table,
        truth=truth,
        benchmark=benchmark,
        dataset=dataset,
        higher=higher or [],
        lower=lower or [],
        without=without or [],
        sentinel=sentinel,
        sizes=sizes,
        baseline=baseline,
        out=out,
        progress=count,
    )
    main = ranked.reports[0]
    runs = [report.run for report in ranked.reports if report.run is not None]
    every = None
    if len(runs) > 1:
        title = "Kendall τ of every score with every ground truth"
        every = replace(heatmap(runs, baseline=baseline), name="truths", title=title)
    written = []
    if out is not None:
        files = main.write(out / "report", figures=figures)
        files += every.write(out / "report") if every else []
        names = sorted({file.relative_to(out).as_posix() for file in files})
        written.append(f"\nwritten to {out}: {', '.join(names)}\nnext: harness report {out}, harness analyse … {out}")
    present(main, written, html, json, every)
