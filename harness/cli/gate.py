"""``harness baseline``, ``harness check`` and ``harness test-proxy``: the regression gate."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness._utils.console import console, say
from harness._utils.visible import write_page
from harness.cli.computing import progress_bar
from harness.cli.shared import Own, RunDirectory, Truth, opened
from harness.display.tables.numbers import counted

if TYPE_CHECKING:
    from harness.gate import Checked
    from harness.gate.costs import OwnCosts

BaselineDirectory = Annotated[Path, typer.Option("--baseline", help="Baseline directory.")]
PROCESSES = 5
"""Processes that measure a baseline's costs. A check uses one, and three where the verdict depends on it."""


def baseline(
    run: RunDirectory,
    out: Annotated[Path, typer.Option(help="Baseline directory, such as results/baselines/NAME.")],
    own: Own = None,
    truth: Truth = None,
) -> None:
    """Freeze a run as a baseline for later checks, and measure what its proxies cost on this machine."""
    from harness.gate import freeze, write_baseline
    from harness.gate.measure_costs import measure, representative

    found = opened(run, truth)
    freeze(found)  # fail early, before the slow measurement
    costs = None
    if found.setting.origin is None:
        say("measuring the cost of the proxies; run nothing else on this machine until it is done", err=True)
        costs = measure(found, representative(found.scores), own=own or [], processes=PROCESSES)
    frozen = freeze(found, costs)
    files = write_baseline(frozen, out)
    again = "" if found.setting.origin is None else "RUN "
    unknown = [] if costs is None else [name for name in frozen.proxies if name not in costs.passes]
    if unknown:
        say(f"no cost recorded for {', '.join(unknown)}: the code is missing, add --proxy path.py:name", err=True)
    say(
        f"{counted(len(frozen.proxies), 'proxy', 'proxies')} on {counted(len(frozen.architectures), 'network')} frozen "
        f"in {out}: {', '.join(file.name for file in files)}; next: harness check {again}--baseline {out}"
    )


def check(
    baseline_directory: BaselineDirectory,
    run_directory: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN]", help="Run to check; default: run the baseline's plan again."),
    ] = None,
    tolerance: Annotated[float, typer.Option(help="Smallest significant drop in τ that counts as worse.")] = 0.01,
    slower: Annotated[float, typer.Option(help="Smallest significant ratio of own costs that counts as slower.")] = 1.2,
    slower_elsewhere: Annotated[
        float, typer.Option(help="The same limit if the processor or torch version differs from the baseline's.")
    ] = 2.0,
    float_tolerance: Annotated[
        float | None,
        typer.Option(help="Relative change of scores that counts as rounding; default: measured for each proxy."),
    ] = None,
    allow_changed: Annotated[bool, typer.Option("--allow-changed", help="Do not fail on changed scores.")] = False,
    allow_slower: Annotated[bool, typer.Option("--allow-slower", help="Do not fail on slower proxies.")] = False,
    own: Own = None,
    images: Annotated[
        str | None, typer.Option(help="Image files, if the plan is run and the benchmark has no images of its own.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Worker processes, if the plan is run.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Keep the run in this new directory, if the plan is run.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the result to this file as Markdown.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the result to this file as JUnit XML.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write the result to this file as JSON, with full precision.")
    ] = None,
) -> None:
    """Compare a run with a baseline. Exit code 1 if a proxy is worse, changed, slower, failed or missing."""
    from harness.gate import Limits, compare_with_costs, read_baseline
    from harness.gate.measure_costs import measure
    from harness.gate.rerun import rerun
    from harness.results import open_run

    frozen = read_baseline(baseline_directory)
    limits = Limits(tolerance, slower, slower_elsewhere, floats=float_tolerance)
    allowed = {verdict for verdict, is_allowed in (("changed", allow_changed), ("slower", allow_slower)) if is_allowed}
    with tempfile.TemporaryDirectory() as temporary:
        if run_directory is None:
            place = out or Path(temporary) / "run"
            with progress_bar() as progress:
                run = rerun(frozen, place, images=images, own=own or [], workers=workers, progress=progress)
        else:
            run = open_run(run_directory, split=frozen.truth.split, epochs=frozen.truth.epochs)

        def measured() -> OwnCosts:
            say("measuring the cost of the proxies", err=True)
            return measure(run, frozen.measured_networks, own=own or [])

        outcome = compare_with_costs(frozen, run, measured, limits, allowed=allowed)  # type: ignore[arg-type]
    _tell(outcome, markdown, junit, json)


def test_proxy(
    name: Annotated[str, typer.Argument(help="Registered name, path.py:name or module:name.")],
) -> None:
    """Test whether a proxy fulfils the contract of a proxy. Exit code 1 if a test fails."""
    from harness.testing.run import conformance

    found = conformance(name)
    for broken in found.broken:
        say(f"✗ {broken.promise}\n    {broken.words}")
    say(f"{name}: {found.kept} tests passed, {len(found.broken)} failed, {found.skipped} skipped")
    if found.broken:
        say("docs/adding-a-proxy.md describes the contract")
        raise typer.Exit(1)


def _tell(checked: Checked, markdown: Path | None, junit: Path | None, json: Path | None) -> None:
    """Print the result, write the requested files, and exit with code 1 if there is an alarm."""
    from harness.gate.outputs import as_json, as_junit, as_markdown, github_annotations, show

    for path, made in ((markdown, as_markdown), (junit, as_junit), (json, as_json)):
        if path is not None:
            write_page(path, made(checked))
    show(checked, console())
    if os.environ.get("GITHUB_ACTIONS") == "true":
        say("\n".join(github_annotations(checked)))
    if checked.alarms:
        raise typer.Exit(1)
