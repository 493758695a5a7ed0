"""``harness analyse noise-ceiling``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.shared import Out, Subset, Truth, Width, opened, present


def noise_ceiling(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="The --out directory of a run, for its networks.")
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option("--benchmark", help="All networks of a benchmark, in place of a run.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="With --benchmark: its first data set unless given.")
    ] = None,
    baseline: Annotated[str, typer.Option("--baseline", help="The row shown beside the best one.")] = "params",
    subset: Subset = "all",
    truth: Truth = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """How well any score can rank: agreement of the accuracies with other seeds, images and lengths of training."""
    from harness.errors import HarnessError
    from harness.exhibits.noise_ceiling import noise_ceiling_of_benchmark, noise_ceiling_of_run
    from harness.registry import load_benchmark
    from harness.results import parse_truth

    if (run is None) == (benchmark is None):
        raise HarnessError("say which networks: the directory of a run, or --benchmark NAME for all of a benchmark")
    if run is not None:
        chosen = opened(run, truth)
        present(noise_ceiling_of_run(chosen, subset, chosen.row_named(baseline)), out, width)
        return
    assert benchmark is not None
    whole = load_benchmark(benchmark)
    exhibit = noise_ceiling_of_benchmark(whole, dataset or whole.datasets[0], *parse_truth(truth or ""), subset)
    present(exhibit, out, width)
