"""A run beside a baseline, proxy by proxy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness.analysis.comparison import Comparison, compare_jackknives
from harness.analysis.jackknife import Floats, jackknife
from harness.analysis.ranks import rank
from harness.gate.changes import ScoreChange, score_change
from harness.gate.comparable import check_comparable, differences
from harness.gate.costs import NOT_MEASURED, CostChange, cost_change, own_costs
from harness.gate.float_tolerance import FloatTolerance, float_tolerance
from harness.gate.verdicts import ALARMS, MEANINGS, Limits, Verdict, decide

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from harness.gate.baseline import Baseline
    from harness.opened import OpenedRun


@dataclass(frozen=True)
class Row:
    """What became of one proxy.

    Attributes:
        proxy: its name.
        label: how tables write it.
        verdict: the gravest that it earns.
        then: Kendall τ of the baseline, NaN where undefined or new.
        now: of the run.
        ranking: τ now minus τ then, on the networks that have a score both times.
        scores: what became of its scores.
        tolerance: the relative changes of scores that rounding may make.
        cost: what became of its own cost.
        note: what else has to be known, or nothing.
    """

    proxy: str
    label: str
    verdict: Verdict
    then: float
    now: float
    ranking: Comparison
    scores: ScoreChange
    tolerance: FloatTolerance
    cost: CostChange
    note: str = ""


@dataclass(frozen=True)
class Checked:
    """The outcome of a check.

    Attributes:
        rows: one for each proxy, the gravest verdicts first.
        heading: what was compared with what: pairs of a name and its text.
        notes: what differs between the two and may.
        allowed: verdicts that would be alarms, but are allowed.
    """

    rows: tuple[Row, ...]
    heading: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    allowed: frozenset[Verdict] = frozenset()

    def is_alarm(self, row: Row) -> bool:
        """Whether a row makes the check fail."""
        return row.verdict in ALARMS - self.allowed

    @property
    def alarms(self) -> list[Row]:
        """The rows that make the check fail."""
        return [row for row in self.rows if self.is_alarm(row)]


_NO_RANKING = Comparison(math.nan, math.nan, math.nan, math.nan, "undefined", math.nan)
_NO_TOLERANCE = FloatTolerance(math.nan, math.nan)


def compare(
    baseline: Baseline, run: OpenedRun, limits: Limits | None = None, *, allowed: Collection[Verdict] = ()
) -> Checked:
    """Set a run beside a baseline.

    Args:
        baseline: what was.
        run: what is; of the same setting, with at least the same networks.
        limits: what is taken for a change; the defaults of :class:`~harness.gate.verdicts.Limits` unless given.
        allowed: verdicts that are no alarms in this check.

    Raises:
        HarnessError: if they cannot be compared; the message says why.
    """
    check_comparable(baseline, run)
    limits = limits or Limits()
    tables = _Tables(baseline, run)
    notes = differences(baseline, run.manifest, run.setting.torch)
    missing = sorted(set(baseline.proxies) - tables.scored_now)
    factor = _factor(baseline, run, limits)
    if missing:
        # A proxy's own cost is what no other one shares with it: where others are missing, it is another.
        factor = None
        notes.append("Costs are not judged, as proxies are missing that shared passes with the others.")
    rows = [_row_of(name, tables, limits, factor) for name in sorted(tables.scored_now & set(baseline.proxies))]
    rows += [_missing(name, baseline) for name in missing]
    rows += [_new(name, tables) for name in sorted(tables.scored_now - set(baseline.proxies))]
    return Checked(tuple(sorted(rows, key=_gravity)), _heading(baseline, run), tuple(notes), frozenset(allowed))


def confirm_slower(first: Checked, second: Checked) -> Checked:
    """The first check, but slower is only what is slower in the second, too: noise seldom comes twice in one place."""
    again = {row.proxy: row for row in second.rows}
    rows = [again[row.proxy] if row.verdict == "slower" and row.proxy in again else row for row in first.rows]
    return replace(first, rows=tuple(sorted(rows, key=_gravity)))


def _gravity(row: Row) -> tuple[int, str]:
    return list(MEANINGS).index(row.verdict), row.proxy


class _Tables:
    """Scores and costs then and now as one array for each proxy, over the baseline's architectures."""

    def __init__(self, baseline: Baseline, run: OpenedRun) -> None:
        self.baseline, self.run = baseline, run
        names = baseline.architectures
        inside = run.scores[run.scores["architecture"].isin(names)]
        now = inside.assign(own_cost=own_costs(inside))
        self.scored_now = set(now["proxy"])
        self.versions = now.groupby("proxy")["version"].max()
        self.values_then, self.values_now = (_wide(_finite(frame), "value", names) for frame in (baseline.scores, now))
        self.costs_then, self.costs_now = (_wide(frame, "own_cost", names) for frame in (baseline.scores, now))
        accuracy = np.asarray(run.truth.accuracy.reindex(names), dtype=np.float64)
        self.accuracy: Floats = accuracy if run.truth.higher_is_better else -accuracy

    def kendall(self, values: Floats, better: str, used: Any) -> Any:
        """τ-b and ρ of oriented scores with the accuracies, with each network left out."""
        sign = 1.0 if better == "higher" else -1.0
        return jackknife(rank(sign * values[used]), rank(self.accuracy[used]))


def _row_of(name: str, tables: _Tables, limits: Limits, factor: float | None) -> Row:
    frozen = tables.baseline.proxies[name]
    then, now = tables.values_then[name], tables.values_now[name]
    both = np.isfinite(then) & np.isfinite(now)
    # Undeclared now: the direction that was frozen stands.
    better = tables.run.facts[name].better if name in tables.run.facts else frozen.better
    ranking = compare_jackknives(
        tables.kendall(now, better, both), tables.kendall(then, frozen.better, both), confidence=0.95
    )
    tolerance = float_tolerance(name) if limits.floats is None else FloatTolerance(limits.floats, limits.floats)
    scores = score_change(then, now, tolerance)
    cost = cost_change(tables.costs_then[name], tables.costs_now[name])
    return Row(
        proxy=name,
        label=frozen.label,
        verdict=decide(scores, ranking, cost, limits, factor),
        then=tables.baseline.coefficients[name]["kendall"],
        now=tables.kendall(now, better, np.isfinite(now))[0].value,
        ranking=ranking,
        scores=scores,
        tolerance=tolerance,
        cost=cost,
        note=_note(name, better, scores, tables),
    )


def _note(name: str, better: str, scores: ScoreChange, tables: _Tables) -> str:
    """What the numbers of a row do not tell."""
    frozen, version = tables.baseline.proxies[name], int(tables.versions[name])
    parts = []
    if version != frozen.version:
        parts.append(f"version {frozen.version} then, {version} now")
    if better != frozen.better:
        parts.append(f"{frozen.better} was better then, {better} is now")
    if scores.scored_now < scores.scored_then:
        parts.append(f"{scores.scored_now:,} networks with a score, {scores.scored_then:,} then")
        errors = tables.run.scores.query("proxy == @name and status != 'ok'")["error"].dropna()
        if len(errors):
            parts.append(str(errors.mode().iloc[0]))
    return "; ".join(parts)


def _missing(name: str, baseline: Baseline) -> Row:
    kendall = baseline.coefficients[name]["kendall"]
    nothing = ScoreChange(0, math.nan, math.nan, math.nan, 0, 0)
    return Row(
        name,
        baseline.proxies[name].label,
        "missing",
        kendall,
        math.nan,
        _NO_RANKING,
        nothing,
        _NO_TOLERANCE,
        NOT_MEASURED,
    )


def _new(name: str, tables: _Tables) -> Row:
    values, facts = tables.values_now[name], tables.run.facts.get(name)
    usable = np.isfinite(values)
    now = tables.kendall(values, facts.better, usable)[0].value if facts else math.nan
    scores = ScoreChange(0, math.nan, math.nan, math.nan, 0, int(usable.sum()))
    label = facts.label if facts else name
    return Row(name, label, "new", math.nan, now, _NO_RANKING, scores, _NO_TOLERANCE, NOT_MEASURED)


def _factor(baseline: Baseline, run: OpenedRun, limits: Limits) -> float | None:
    """The growth of a cost that is called slower; None where the clocks are not the same or not known."""
    then, now = baseline.facts, run.manifest
    if "clock" not in then or then["clock"] != now.get("clock"):
        return None
    here = then.get("processor") == now.get("processor") and baseline.setting.torch == run.setting.torch
    return limits.slower if here else limits.slower_elsewhere


def _heading(baseline: Baseline, run: OpenedRun) -> tuple[tuple[str, str], ...]:
    setting = baseline.setting
    return (
        ("Benchmark", f"{setting.benchmark}, {setting.dataset}, {len(baseline.architectures):,} networks"),
        ("Ground truth", run.truth.describe()),
        ("Inputs", f"mini-batches of {setting.batch_size} from {setting.images}, seed {setting.seed}"),
        ("Torch", f"{setting.torch} then, {run.setting.torch} now; {setting.device}, {setting.dtype}"),
    )


def _finite(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(value=scores["value"].where(scores["status"] == "ok"))


def _wide(scores: pd.DataFrame, column: str, architectures: list[str]) -> Mapping[str, Floats]:
    table = scores.pivot(index="architecture", columns="proxy", values=column).reindex(architectures)
    return {str(name): table[name].to_numpy(dtype=np.float64) for name in table}
