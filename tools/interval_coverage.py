"""Simulate the coverage of the confidence intervals: ``python -m tools.interval_coverage``.

Networks are repeatedly drawn at random from populations with known coefficients. The share of 95 % intervals that
contain the population's coefficient should be 0.95.

The true accuracy is a standard normal variable, and a score is another one correlated with it. A tied score has 28
values in the same proportions as #Params on NAS-Bench-201: networks with a 3×3 convolutions and b 1×1 convolutions on
six edges that each have one of five operations.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.analysis.statistics.comparison import compare_jackknives
from harness.analysis.statistics.correlation import estimate
from harness.analysis.statistics.jackknife import Floats, Jackknife, jackknife
from harness.analysis.statistics.over_seeds import mean_over_seeds
from harness.analysis.statistics.ranks import rank
from harness.seeds import derive_seed

CONFIDENCE = 0.95
POPULATION = 1_000_000
"""Number of networks to compute a population's coefficient from; its standard error is then below 0.001."""

SHARED_NOISE = 0.5
"""The share of noise that two scores have in common, which the paired comparison takes advantage of."""


def coefficient_coverage(
    taus: Sequence[float], networks: Sequence[int], tied: Sequence[bool], draws: int, population: int = POPULATION
) -> pd.DataFrame:
    """The share of intervals that contain the population's τ-b and ρ; one row per tied, tau and networks.

    τ is that between score and accuracy before ties. A tied score takes 28 values, any other is continuous. ``draws``
    samples of each size are drawn, from a population that ``population`` networks represent.
    """
    rows = []
    for ties in tied:
        for tau in taus:
            target = _jackknives(population, (tau,), ties, derive_seed("population", str(tau), int(ties)))[0]
            for size in networks:
                held = np.zeros(2)
                for draw in range(draws):
                    sample = _jackknives(size, (tau,), ties, derive_seed("sample", str(tau), int(ties), size, draw))[0]
                    for which, (own, true) in enumerate(zip(sample, target, strict=True)):
                        interval = estimate(own, CONFIDENCE)
                        held[which] += interval.low <= true.value <= interval.high
                rows.append((28 if ties else "all", target[0].value, size, *(held / draws)))
    return pd.DataFrame(rows, columns=["distinct scores", "tau", "networks", "kendall held", "spearman held"])


def comparison_coverage(
    pairs: Sequence[tuple[float, float]], networks: Sequence[int], draws: int, population: int = POPULATION
) -> pd.DataFrame:
    """The share of paired intervals that contain the population's difference of τ-b, and the shares of verdicts.

    If both scores of a pair have the same τ, they are exchangeable, and every win or loss is false. Both scores are
    tied. Arguments are as in :func:`coefficient_coverage`, except for pairs of τ before ties, the baseline's last.
    """
    rows = []
    for pair in pairs:
        proxy, baseline = _jackknives(population, pair, True, derive_seed("population", *map(str, pair)))
        # The difference of an exchangeable pair is exactly zero by symmetry, but not in a sample.
        target = 0.0 if pair[0] == pair[1] else proxy[0].value - baseline[0].value
        for size in networks:
            held = wins = losses = 0
            for draw in range(draws):
                own, other = _jackknives(size, pair, True, derive_seed("sample", *map(str, pair), size, draw))
                comparison = compare_jackknives(own, other, CONFIDENCE)
                held += comparison.low <= target <= comparison.high
                wins += comparison.verdict == "win"
                losses += comparison.verdict == "loss"
            rows.append((*pair, target, size, held / draws, wins / draws, losses / draws))
    return pd.DataFrame(rows, columns=["tau", "baseline tau", "difference", "networks", "held", "win", "loss"])


def seed_coverage(
    effects: Sequence[tuple[float, float]], seeds: Sequence[int], networks: int, draws: int, population: int = 20_000
) -> pd.DataFrame:
    """The share of intervals of the mean over seeds that contain the coefficient expected for all networks and seeds.

    A score is the accuracy plus noise of three kinds: the network's own, the same for every seed; a property of the
    networks that each seed weights anew, as a mini-batch does for all networks; and noise of each network and seed, as
    random weights give. ``one held`` is the share for the interval of one seed alone, which leaves the seed out.

    Args:
        effects: pairs of the standard deviations of the last two kinds.
        seeds: numbers of seeds.
        networks: sample size.
        draws: number of samples of each kind.
        population: number of networks that represent the population, with 120 seeds.
    """
    rows = []
    for shared, own in effects:
        random = np.random.default_rng(derive_seed("seeds", str(shared), str(own)))
        target = float(np.mean([each.value for _ in range(60) for each in _seeds(random, population, 2, shared, own)]))
        for number in seeds:
            held = one_held = 0
            for _ in range(draws):
                coefficients = _seeds(random, networks, number, shared, own)
                mean, one = (estimate(each, CONFIDENCE) for each in (mean_over_seeds(coefficients), coefficients[0]))
                held += mean.low <= target <= mean.high
                one_held += one.low <= target <= one.high
            rows.append((shared, own, target, number, networks, held / draws, one_held / draws))
    columns = ["shared by networks", "of each network", "tau", "seeds", "networks", "held", "one held"]
    return pd.DataFrame(rows, columns=columns)


def _seeds(random: np.random.Generator, networks: int, seeds: int, shared: float, own: float) -> list[Jackknife]:
    """τ-b of each seed on one random sample of networks; see :func:`seed_coverage`."""
    quality, rest, permanent, along = random.normal(size=(4, networks))
    truth = rank(quality + rest / 2)
    scores = (
        quality + 0.7 * permanent + shared * random.normal() * along + own * random.normal(size=networks)
        for _ in range(seeds)
    )
    return [jackknife(rank(score), truth)[0] for score in scores]


def _jackknives(networks: int, taus: tuple[float, ...], ties: bool, seed: int) -> list[tuple[Jackknife, Jackknife]]:
    """(τ-b, ρ) of one score per τ on one random sample of networks."""
    random = np.random.default_rng(seed)
    accuracy, shared = random.normal(size=(2, networks))
    truth = rank(accuracy)
    result = []
    for tau in taus:
        noise = math.sqrt(SHARED_NOISE) * shared + math.sqrt(1 - SHARED_NOISE) * random.normal(size=networks)
        # Kendall's τ of two normal variables with correlation r is 2/π · arcsin r.
        correlation = math.sin(math.pi / 2 * tau)
        score = correlation * accuracy + math.sqrt(1 - correlation**2) * noise
        result.append(jackknife(rank(np.searchsorted(_params_cuts(), score) if ties else score), truth))
    return result


def _params_cuts() -> Floats:
    """Cut points of a standard normal variable into 28 values with the proportions of #Params on NAS-Bench-201."""
    from scipy.special import ndtri

    by_size = [(a, b) for a in range(7) for b in range(7 - a)]
    cells = np.array([math.comb(6, a) * math.comb(6 - a, b) * 3 ** (6 - a - b) for a, b in by_size])
    cuts: Floats = ndtri(np.cumsum(cells)[:-1] / 5**6)
    return cuts


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(prog="python -m tools.interval_coverage", description=main.__doc__)
    parser.add_argument("--draws", type=int, default=4000, help="number of samples of each kind (default: 4000)")
    draws = parser.parse_args().draws
    sizes = (50, 200, 1000)
    coefficients = coefficient_coverage((0.0, 0.3, 0.6, 0.8), sizes, (True, False), draws)
    comparisons = comparison_coverage(((0.3, 0.3), (0.6, 0.6), (0.8, 0.8), (0.65, 0.6)), sizes, draws)
    over_seeds = seed_coverage(((0, 0), (0, 1), (0.5, 0), (0.5, 1), (0, 4)), (2, 3, 5), 100, draws)
    for table in (coefficients, comparisons, over_seeds):
        sys.stdout.write(table.to_string(index=False, float_format="{:.3f}".format) + "\n\n")


if __name__ == "__main__":
    main()
