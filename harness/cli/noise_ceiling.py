"""``harness analyse noise-ceiling``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.shared import Out, Subset, Truth, Width, opened, present


def noise_ceiling(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="The --out directory of a run: use its networks.")
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option("--benchmark", help="Use all networks of this benchmark instead of a run.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="Data set, with --benchmark; default: the benchmark's first.")
    ] = None,
    baseline: Annotated[str, typer.Option("--baseline", help="Proxy to show beside the best one.")] = "params",
    subset: Subset = "all",
    truth: Truth = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Upper bound for any proxy: how well accuracies agree between seeds, image splits and training lengths."""
    from harness.errors import HarnessError
    from harness.exhibits.noise_ceiling import noise_ceiling_of_benchmark, noise_ceiling_of_run
    from harness.registry import load_benchmark
    from harness.results import parse_truth

    if (run is None) == (benchmark is None):
        raise HarnessError("give either the directory of a run, or --benchmark NAME for all networks of a benchmark")
    if run is not None:
        present(noise_ceiling_of_run(opened(run, truth), subset, baseline), out, width)
        return
    assert benchmark is not None
    whole = load_benchmark(benchmark)
    exhibit = noise_ceiling_of_benchmark(whole, dataset or whole.datasets[0], *parse_truth(truth or ""), subset)
    present(exhibit, out, width)
