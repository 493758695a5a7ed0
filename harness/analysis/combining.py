r"""Combinations of a few proxies, chosen on some search spaces and judged on another.

A combination S scores a network by the mean of its ranks by the proxies of S. How well that ranks the networks of one
run is measured, for the choice, by the correlation of the mean rank with the rank of the accuracy. It has a closed form
in the matrix of Spearman's ρ between proxies p, q and the accuracy a,

.. math:: r_S = \sum_{p \in S} \rho_{pa} \Big/ \sqrt{\textstyle\sum_{p, q \in S} \rho_{pq}},

so that all combinations can be compared, and compared again on resampled networks. For each space, the combination with
the highest mean of r over the *other* spaces is chosen, and judged on the space that was left out by Kendall's τ-b.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness._utils.names import listed
from harness.analysis.joined import Joined
from harness.analysis.statistics.comparison import tested, verdict_of
from harness.analysis.statistics.correlation import two_sided_quantile
from harness.analysis.statistics.jackknife import Floats, Jackknife, jackknife
from harness.analysis.statistics.multiplicity import holm
from harness.analysis.statistics.ranks import rank
from harness.errors import HarnessError

MOST = 4
"""The largest number of proxies in a combination."""

FEWEST_NETWORKS = 10
RESAMPLES = 200
_CONFIDENCE = 0.95

COLUMNS = [
    "size", "space", "run", "networks", "combination", "choice", "chosen_again", "kendall", "baseline", "reference",
    "difference", "difference_low", "difference_high", "network_error", "choice_error", "p_value", "p_holm", "verdict",
    "best_here", "kendall_best_here",
]  # fmt: skip

MEAN_COLUMNS = [
    "size", "combinations", "baseline", "spaces", "difference", "low", "high", "p_value", "p_holm", "better", "worse",
]  # fmt: skip


def combination_table(
    pools: Mapping[str, Joined],
    spaces: Mapping[str, str],
    *,
    candidates: Sequence[str] | None = None,
    most: int = MOST,
    baselines: Sequence[str] = ("params", "flops", "az_nas"),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Combinations of one to ``most`` proxies, chosen without a space and judged on its runs.

    The columns of the result, one row per run, number of proxies and baseline:

    * ``size``, ``space``, ``run``; ``networks``, those with a finite score of every candidate.
    * ``combination``, a tuple; ``choice``, its mean correlation on the other spaces; ``chosen_again``, the share of the
      resamples in which it is chosen.
    * ``kendall``, its τ on this run; ``baseline`` and ``reference``, the baseline and its τ, of the networks that have
      it; ``difference`` to it on these networks, with an interval that counts the networks of this run and the choice:
      ``network_error`` is the jackknife's standard error for the chosen combination, ``choice_error`` the standard
      deviation of the difference over the combinations that are chosen when the networks of the other spaces are drawn
      again.
    * ``p_value``; ``p_holm``, corrected for the runs of one size and baseline; ``verdict``.
    * ``best_here``, ``kendall_best_here``: the combination that is best on this run itself, which nobody could choose.

    Args:
        pools: scores and accuracies of each run.
        spaces: the search space of each run; runs of one space are left out together.
        candidates: the proxies to combine; default: those that every run has.
        most: the largest number of proxies in a combination.
        baselines: rows to compare with, where a run has them.
        resamples: how often the networks are drawn again, with replacement, for the choice.
        seed: of these draws.

    Raises:
        HarnessError: for fewer than two spaces, too few candidates, or too few networks with all scores.
    """
    names = sorted(set(spaces.values()))
    if len(names) < 2:
        raise HarnessError(
            f"all runs are of {names[0]}; a choice is judged on another space, so give runs of two or more"
        )
    if not 1 <= most <= MOST:
        raise HarnessError(f"combinations of {most} proxies; use 1 to {MOST}")
    chosen_from = candidates_of(pools) if candidates is None else _named(pools, candidates)
    if len(chosen_from) < max(2, most):
        raise HarnessError(f"the runs have {len(chosen_from)} proxies in common; combinations of {most} need more")
    runs = {name: _Run(name, pool, chosen_from) for name, pool in pools.items()}
    generator = np.random.default_rng(seed)
    whole = {name: run.correlations() for name, run in runs.items()}
    again = [
        {name: run.correlations(generator.integers(run.networks, size=run.networks)) for name, run in runs.items()}
        for _ in range(resamples)
    ]
    rows: list[dict[str, object]] = []
    groups = {
        left_out: [[run for run in runs if spaces[run] == name] for name in names if name != left_out]
        for left_out in names
    }
    for size in range(1, most + 1):
        places = np.array(list(itertools.combinations(range(len(chosen_from)), size)))
        judged = {name: _of_combinations(matrix, places) for name, matrix in whole.items()}
        # One resample at a time: all combinations of all of them would not fit into memory.
        redone = [_choices({name: _of_combinations(each[name], places) for name in runs}, groups) for each in again]
        for left_out, others in groups.items():
            merit = _mean_over_spaces(judged, others)
            best, picks = int(np.argmax(merit)), [choices[left_out] for choices in redone]
            for name in (run for run in runs if spaces[run] == left_out):
                here = int(np.argmax(judged[name]))
                common = {
                    "size": size, "space": left_out, "run": name, "networks": runs[name].networks,
                    "combination": tuple(chosen_from[place] for place in places[best]), "choice": float(merit[best]),
                    "chosen_again": float(np.mean([pick == best for pick in picks])) if picks else math.nan,
                    "best_here": tuple(chosen_from[place] for place in places[here]),
                    "kendall_best_here": runs[name].kendall(places[here]).value,
                }  # fmt: skip
                rows += [
                    common | runs[name].judged(places, best, picks, baseline)
                    for baseline in baselines
                    if baseline in pools[name].rows
                ]
    table = pd.DataFrame(rows).reindex(columns=COLUMNS)
    for _, group in table[table["p_value"].notna()].groupby(["size", "baseline"]):
        table.loc[group.index, "p_holm"] = holm(group["p_value"].to_numpy())
    return table


def mean_table(table: pd.DataFrame, candidates: int) -> pd.DataFrame:
    """The differences of :func:`combination_table`, averaged over spaces, one row per size and baseline.

    Columns: ``size``; ``combinations``, how many were compared; ``baseline``; ``spaces``; ``difference``, the mean over
    spaces of the mean over their runs, with a 95 % interval (``low``, ``high``) and ``p_value`` by Student's t with the
    spaces as the sample, NaN for a single space; ``p_holm``, corrected for the sizes; ``better``, ``worse``: spaces in
    which the interval of at least one run lies above zero, or below, and that of none on the other side.
    """
    from scipy.stats import ttest_1samp

    rows: list[dict[str, object]] = []
    for (size, baseline), group in table.astype({"size": int}).groupby(["size", "baseline"], sort=False):
        assert isinstance(size, int)
        by_space = group.groupby("space")
        each = by_space["difference"].mean().dropna().to_numpy()
        if not len(each):
            continue
        signs = [set(found["verdict"]) & {"win", "loss"} for _, found in by_space]
        mean, reach, p_value = float(each.mean()), math.nan, math.nan
        if len(each) > 1:
            reach = two_sided_quantile(_CONFIDENCE, len(each) - 1) * float(each.std(ddof=1)) / math.sqrt(len(each))
            p_value = float(ttest_1samp(each, 0.0).pvalue) if reach > 0 else math.nan
        row = {
            "size": size, "combinations": math.comb(candidates, size), "baseline": baseline, "spaces": len(each),
            "difference": mean, "low": mean - reach, "high": mean + reach, "p_value": p_value,
            "better": sum(found == {"win"} for found in signs), "worse": sum(found == {"loss"} for found in signs),
        }  # fmt: skip
        rows.append(row)
    table = pd.DataFrame(rows, columns=MEAN_COLUMNS)
    for _, group in table[table["p_value"].notna()].groupby("baseline"):
        table.loc[group.index, "p_holm"] = holm(group["p_value"].to_numpy())
    return table


def candidates_of(pools: Mapping[str, Joined]) -> list[str]:
    """The proxies that every run scored on enough networks, in the order of the first run."""
    first = next(iter(pools.values()))
    return [
        name
        for name in first.proxies
        if all(name in pool.proxies and _is_rankable(pool, name) for pool in pools.values())
    ]


def _named(pools: Mapping[str, Joined], wanted: Sequence[str]) -> list[str]:
    for run, pool in pools.items():
        lacking = [name for name in wanted if name not in pool.proxies]
        if lacking:
            raise HarnessError(f"{run} has no scores of {listed(lacking)}; give proxies that every run has")
    return list(dict.fromkeys(wanted))


def _is_rankable(pool: Joined, name: str) -> bool:
    values = pool.proxies[name].value
    finite = values[np.isfinite(values)]
    return len(finite) >= FEWEST_NETWORKS and bool((finite != finite[0]).any())


class _Run:
    """The ranks of one run's networks, of those with a finite score of every candidate."""

    def __init__(self, name: str, pool: Joined, candidates: Sequence[str]) -> None:
        scores = np.stack([pool.proxies[each].value for each in candidates], axis=1)
        kept: NDArray[np.bool_] = np.asarray(np.isfinite(scores).all(axis=1))
        self.networks = int(kept.sum())
        if self.networks < FEWEST_NETWORKS:
            scored = np.isfinite(scores).sum(axis=0)
            raise HarnessError(
                f"{name}: {self.networks} networks have a finite score of all {len(candidates)} proxies, and "
                f"{FEWEST_NETWORKS} are needed; '{candidates[int(np.argmin(scored))]}' has the fewest, "
                f"{int(scored.min())}; leave it out with --proxies"
            )
        self._pool = pool.within(kept)
        self._ranks = _rank_columns(np.column_stack([scores[kept], self._pool.accuracy]))

    def correlations(self, drawn: NDArray[np.intp] | None = None) -> Floats:
        """Spearman's ρ between the candidates and the accuracy, which is last; 0 for a constant one."""
        ranks = self._ranks if drawn is None else _rank_columns(self._ranks[drawn])
        centred = ranks - ranks.mean(axis=0)
        norms = np.sqrt((centred**2).sum(axis=0))
        scaled = centred / np.where(norms > 0, norms, np.inf)
        return np.asarray(scaled.T @ scaled)

    def kendall(self, members: NDArray[np.intp], networks: NDArray[np.bool_] | None = None) -> Jackknife:
        """τ of the mean rank of some candidates, over all networks or some."""
        kept = slice(None) if networks is None else networks
        return jackknife(rank(self._ranks[kept][:, members].mean(axis=1)), rank(self._pool.accuracy[kept]))[0]

    def judged(self, places: NDArray[np.intp], best: int, picks: Sequence[int], baseline: str) -> dict[str, object]:
        """The chosen combination beside a baseline, on the networks that have the baseline; NaN for too few."""
        values = self._pool.rows[baseline].value
        both = np.isfinite(values)
        row: dict[str, object] = {"kendall": self.kendall(places[best]).value, "baseline": baseline}
        if both.sum() < FEWEST_NETWORKS:
            return row
        own = self.kendall(places[best], both)
        reference = jackknife(rank(values[both]), rank(self._pool.accuracy[both]))[0]
        between = own - reference
        taus = {pick: self.kendall(places[pick], both).value for pick in set(picks)}
        choice = float(np.std([taus[pick] for pick in picks])) if len(taus) > 1 else 0.0
        error = math.hypot(between.standard_error, choice)
        found = tested(between.value, error, between.degrees_of_freedom, _CONFIDENCE)
        return row | {
            "reference": reference.value, "difference": found.value, "difference_low": found.low,
            "difference_high": found.high, "network_error": between.standard_error, "choice_error": choice,
            "p_value": found.p_value, "verdict": verdict_of(found.low, found.high),
        }  # fmt: skip


def _rank_columns(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=0), dtype=np.float64)


def _of_combinations(correlations: Floats, places: NDArray[np.intp]) -> Floats:
    """The correlation r of each combination, a row of ``places``; −∞ where the mean rank is constant."""
    between, with_accuracy = correlations[:-1, :-1], correlations[:-1, -1]
    numerator = with_accuracy[places].sum(axis=1)
    variance = between[places[:, :, None], places[:, None, :]].sum(axis=(1, 2))
    return np.where(variance > 1e-12, numerator / np.sqrt(np.maximum(variance, 1e-12)), -np.inf)


def _choices(judged: Mapping[str, Floats], groups: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, int]:
    """The place of the combination that is chosen without each space."""
    return {left_out: int(np.argmax(_mean_over_spaces(judged, others))) for left_out, others in groups.items()}


def _mean_over_spaces(judged: Mapping[str, Floats], spaces: Sequence[Sequence[str]]) -> Floats:
    """The mean over spaces of the mean over their runs."""
    return np.asarray(np.mean([np.mean([judged[run] for run in runs], axis=0) for runs in spaces], axis=0))
