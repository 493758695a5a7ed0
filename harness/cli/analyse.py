"""``harness analyse``: one analysis of stored scores, as tables and figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from harness._utils.console import console, say
from harness.cli import completion
from harness.cli.shared import Baseline, Beside, RunDirectory, Truth, opened
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.display.exhibit import Exhibit

analyse_app = typer.Typer(no_args_is_help=True, help="Analyse the scores of a run: tables and figures.")
command = analyse_app.command

RunDirectories = Annotated[list[Path], typer.Argument(metavar="RUN...", help="The --out directories of runs.")]
Subset = Annotated[str, typer.Option("--set", help="Architecture set to analyse.")]
CostNames = Annotated[
    list[str] | None,
    typer.Option(
        help="params, flops, or a device cost such as edgegpu_latency; may be repeated. Default: the sizes that the "
        "run scored.",
    ),
]
Shown = Annotated[
    list[str] | None,
    typer.Option(help="Proxy to draw in the figure; may be repeated. Default: #Params and the best ones."),
]
Highlight = Annotated[
    list[str] | None,
    typer.Option(help="Proxy to highlight in the figure; may be repeated.", autocompletion=completion.rows),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Write tables and figures to this directory; default: write nothing."),
]
Width = Annotated[Literal["1", "2"], typer.Option(help="Figure width in paper columns.")]

Number = TypeVar("Number", int, float)


def numbers(text: str, option: str, kind: Callable[[str], Number]) -> list[Number]:
    """Parse a comma-separated list of numbers.

    >>> numbers("10,100", "--draws", int)
    [10, 100]
    """
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise HarnessError(f"{option} must be comma-separated numbers, not '{text}'") from None


def present(exhibit: Exhibit, out: Path | None, width: Literal["1", "2"]) -> None:
    """Write an exhibit if a directory is given, and print it."""
    from harness.display.figures.style import inches

    # Files come first, because printing may end early, as before '| head'.
    files = [] if out is None else exhibit.write(out, width=inches(width))
    exhibit.show(console())
    if files:
        say(f"\nwritten to {out}: {', '.join(file.name for file in files)}")


@command()
def scatter(
    run: RunDirectory,
    proxies: Annotated[
        list[str] | None, typer.Option("--proxy", help="Draw only this proxy; may be repeated. Default: all.")
    ] = None,
    truth: Truth = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Score against accuracy, one panel per proxy, with τ and ρ."""
    from harness.exhibits.scatter import scatter as exhibit

    present(exhibit(opened(run, truth), proxies or []), out, width)


@command()
def heatmap(
    runs: RunDirectories,
    subset: Subset = "all",
    baseline: Baseline = "params",
    proxies: Annotated[
        str | None, typer.Option(help="Only these proxies: comma-separated names, or 'standard'; default: all.")
    ] = None,
    truth: Truth = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Kendall τ of every proxy in every run, side by side: which proxies rank well everywhere?"""
    from harness.exhibits.heatmap import heatmap as exhibit
    from harness.registry import select_proxies

    chosen = None if proxies is None else [proxy.name for proxy in select_proxies(proxies)]
    found = [opened(directory, truth) for directory in runs]
    present(exhibit(found, subset=subset, baseline=baseline, proxies=chosen), out, width)


@command()
def anywhere(
    runs: RunDirectories,
    subset: Subset = "all",
    baseline: Baseline = "params",
    proxies: Annotated[
        str | None, typer.Option(help="Only these proxies: comma-separated names, or 'standard'; default: all.")
    ] = None,
    truth: Truth = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Does any proxy beat #Params, anywhere? Verdicts in every run, corrected together, and mean ranks."""
    from harness.exhibits.anywhere import anywhere as exhibit
    from harness.registry import select_proxies

    chosen = None if proxies is None else [proxy.name for proxy in select_proxies(proxies)]
    found = [opened(directory, truth) for directory in runs]
    present(exhibit(found, subset=subset, baseline=baseline, proxies=chosen), out, width)


@command()
def combine(
    runs: RunDirectories,
    most: Annotated[int, typer.Option(help="Largest number of proxies in a combination, at most 4.")] = 4,
    proxies: Annotated[
        str | None,
        typer.Option(help="Only these proxies: comma-separated names, or 'standard'; default: all common ones."),
    ] = None,
    resamples: Annotated[
        int, typer.Option(help="How often networks are drawn again for the interval of the choice.")
    ] = 200,
    seed: Annotated[int, typer.Option(help="Seed of these draws.")] = 0,
    subset: Subset = "all",
    truth: Truth = None,
    out: Out = None,
    width: Width = "2",
) -> None:
    """Combinations of proxies, chosen on some search spaces and judged on another: is any better than #Params?"""
    from harness.exhibits.combine import combine as exhibit

    found = exhibit(
        [opened(directory, truth) for directory in runs],
        most=most,
        proxies=None if proxies is None else proxies.split(","),
        resamples=resamples,
        seed=seed,
        subset=subset,
    )
    present(found, out, width)


@command()
def top(
    run: RunDirectory,
    by: Annotated[
        Literal["truth", "proxy"],
        typer.Option(help="Select the top networks by true accuracy, or by each proxy's score."),
    ] = "truth",
    percent: Annotated[list[float] | None, typer.Option(help="Percentage of the networks; may be repeated.")] = None,
    subset: Subset = "all",
    baseline: Baseline = "params",
    highlight: Highlight = None,
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """How well proxies rank only the best networks: the top 100, 50, 20, 10 and 5 %."""
    from harness.analysis.top import PERCENTS
    from harness.exhibits.top import top as exhibit

    found = exhibit(
        opened(run, truth, beside),
        by=by,
        percents=percent or PERCENTS,
        subset=subset,
        baseline=baseline,
        highlight=highlight,
    )
    present(found, out, width)


@command()
def selection(
    run: RunDirectory,
    k: Annotated[list[int] | None, typer.Option(help="Number of networks to select; may be repeated.")] = None,
    percent: Annotated[
        list[float] | None, typer.Option(help="Percentage of the networks to select; may be repeated.")
    ] = None,
    subset: Subset = "all",
    baseline: Baseline = "params",
    highlight: Highlight = None,
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Quality of the networks that each proxy selects: precision, best rank, regret, nDCG, weighted τ."""
    from harness.analysis.selection import COUNTS, PERCENTS
    from harness.exhibits.selection import selection as exhibit

    found = exhibit(
        opened(run, truth, beside),
        counts=k or COUNTS,
        percents=percent or PERCENTS,
        subset=subset,
        baseline=baseline,
        highlight=highlight,
    )
    present(found, out, width)


@command()
def beyond_size(
    run: RunDirectory,
    given: Annotated[str, typer.Option(help="Proxy to hold constant.")] = "params",
    bins: Annotated[
        int | None,
        typer.Option(help="Number of bins to stratify by; default: one stratum per value, if there are few."),
    ] = None,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Does a proxy add to size? τ among networks of equal #Params, and partial correlations given #Params."""
    from harness.exhibits.beyond_size import beyond_size as exhibit

    present(exhibit(opened(run, truth, beside), given=given, bins=bins, subset=subset), out, width)


@command()
def redundancy(
    run: RunDirectory,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Which proxies rank alike, and what each adds to the most similar other one."""
    from harness.exhibits.redundancy import redundancy as exhibit

    present(exhibit(opened(run, truth, beside), subset=subset), out, width)


@command()
def bias(
    run: RunDirectory,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Compare what scores and accuracies depend on: convolutions, poolings, skips, depth, widths."""
    from harness.exhibits.bias import bias as exhibit

    present(exhibit(opened(run, truth, beside), subset=subset), out, width)


@command()
def search(
    run: RunDirectory,
    truth: Truth = None,
    draws: Annotated[str, typer.Option(help="Comma-separated numbers of networks to draw.")] = "10,100,500,1000",
    without_replacement: Annotated[
        bool, typer.Option("--without-replacement", help="Never draw a network twice; EPE-NAS allows repeats.")
    ] = False,
    repetitions: Annotated[int, typer.Option(help="Number of simulated searches, as a check; 0: none.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed for the simulated searches.")] = 0,
    subset: Subset = "all",
    show: Shown = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """EPE-NAS's experiment: draw N networks at random; how accurate is the one with the best score?"""
    from harness.exhibits.search import search as exhibit

    found = exhibit(
        opened(run, truth),
        draws=numbers(draws, "--draws", int),
        replacement=not without_replacement,
        repetitions=repetitions,
        seed=seed,
        subset=subset,
        shown=show or [],
    )
    present(found, out, width)


@command()
def budgets(
    run: RunDirectory,
    truth: Truth = None,
    cost: CostNames = None,
    quantiles: Annotated[
        str, typer.Option(help="Budgets, each given as the percentage of networks that fit in it.")
    ] = "10,25,50,75,100",
    subset: Subset = "all",
    out: Out = None,
    width: Width = "1",
) -> None:
    """Accuracy of each proxy's best network under budgets of #Params, #FLOPs, latency or energy."""
    from harness.exhibits.budgets import budgets as exhibit

    shares = [percentage / 100 for percentage in numbers(quantiles, "--quantiles", float)]
    present(exhibit(opened(run, truth), costs=cost or [], quantiles=shares, subset=subset), out, width)


@command()
def pareto(
    run: RunDirectory,
    truth: Truth = None,
    cost: CostNames = None,
    subset: Subset = "all",
    show: Shown = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """The true Pareto front of accuracy and cost, and how close each proxy's front comes to it."""
    from harness.exhibits.pareto import pareto as exhibit

    present(exhibit(opened(run, truth), costs=cost or [], subset=subset, shown=show or []), out, width)


@command()
def pairs(
    run: RunDirectory,
    against: Annotated[str | None, typer.Option(help="Compare only with this proxy; default: every pair.")] = None,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Which proxies differ: paired differences of τ between any two, corrected for multiple comparisons."""
    from harness.exhibits.pairs import pairs as exhibit

    present(exhibit(opened(run, truth, beside), against, subset), out, width)


@command()
def stability(runs: RunDirectories, truth: Truth = None, out: Out = None, width: Width = "1") -> None:
    """How well several runs of the same networks agree, with different seeds, mini-batches or batch sizes."""
    from harness.exhibits.stability import stability as exhibit

    present(exhibit([opened(directory, truth) for directory in runs]), out, width)


@command()
def noise_ceiling(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="The --out directory of a run: use its networks.")
    ] = None,
    benchmark: Annotated[str | None, typer.Option(help="Use all networks of this benchmark instead of a run.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="Data set, with --benchmark; default: the benchmark's first.")
    ] = None,
    baseline: Annotated[str, typer.Option(help="Proxy to show beside the best one.")] = "params",
    subset: Subset = "all",
    truth: Truth = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Upper bound for any proxy: how well accuracies agree between seeds, image splits and training lengths."""
    from harness.exhibits.noise_ceiling import noise_ceiling_of_benchmark, noise_ceiling_of_run
    from harness.registry import load_benchmark

    if run is not None and benchmark is None:
        exhibit = noise_ceiling_of_run(opened(run, truth), subset, baseline)
    elif benchmark is not None and run is None:
        whole = load_benchmark(benchmark)
        exhibit = noise_ceiling_of_benchmark(whole, dataset or whole.datasets[0], subset=subset, truth=truth)
    else:
        raise HarnessError("give either the directory of a run, or --benchmark NAME for all networks of a benchmark")
    present(exhibit, out, width)


@command()
def required_n(
    run: RunDirectory,
    difference: Annotated[float, typer.Option(help="True difference in τ to detect.")] = 0.03,
    power: Annotated[float, typer.Option(help="Probability of detecting it.")] = 0.8,
    baseline: Baseline = "params",
    draws: Annotated[int, typer.Option(min=0, help="Subsamples that check the prediction; 0: no check.")] = 200,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """How many networks are needed to show that a proxy ranks better than the baseline."""
    from harness.exhibits.required_n import required_n as exhibit

    present(exhibit(opened(run, truth, beside), difference, baseline, power, draws, subset), out, width)


@command()
def bootstrap(
    run: RunDirectory,
    baseline: Annotated[str, typer.Option(help="Proxy that differences are computed against.")] = "params",
    resamples: Annotated[int, typer.Option(help="Number of bootstrap resamples of the networks.")] = 1000,
    subset: Subset = "all",
    truth: Truth = None,
    beside: Beside = None,
    out: Out = None,
    width: Width = "1",
) -> None:
    """Check the intervals: compare jackknife intervals with bootstrap intervals."""
    from harness.exhibits.bootstrap import bootstrap as exhibit

    present(exhibit(opened(run, truth, beside), baseline, resamples, subset), out, width)


@command()
def searches(
    run: RunDirectory,
    algorithms: Annotated[
        str, typer.Option(help="Comma-separated: random, evolution, evolution-of-all, regularised, local.")
    ] = "random",
    evaluations: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated lengths, in networks scored; default: 10, 30, 100, 300, up to half of the networks."
        ),
    ] = None,
    passes: Annotated[
        str, typer.Option(help="Comma-separated lengths, in forward and backward passes.")
    ] = "10,100,1000",
    seeds: Annotated[int, typer.Option("--searches", help="Number of searches, with different seeds.")] = 20,
    population: Annotated[int, typer.Option(help="Number of networks that evolution keeps.")] = 32,
    budget: Annotated[
        list[str] | None, typer.Option(help="What a network may have at most, such as 'flops=1e8'; may be repeated.")
    ] = None,
    proxies: Annotated[
        str | None, typer.Option(help="Only these proxies and aggregates, comma-separated; default: all.")
    ] = None,
    subset: Subset = "all",
    show: Shown = None,
    truth: Truth = None,
    out: Out = None,
    width: Width = "2",
) -> None:
    """What searches with each proxy find among a run's networks, for several algorithms, compared with #Params."""
    from harness.searching.comparison_exhibit import searches_with_each_proxy

    exhibit = searches_with_each_proxy(
        opened(run, truth),
        algorithms=algorithms.split(","),
        evaluations=None if evaluations is None else numbers(evaluations, "--evaluations", int),
        passes=numbers(passes, "--passes", int),
        searches=seeds,
        population=population,
        budget=[each for part in budget or () for each in part.split()],
        rows=None if proxies is None else proxies.split(","),
        subset=subset,
        shown=show or (),
    )
    present(exhibit, out, width)
