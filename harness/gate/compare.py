"""Comparing a run with a baseline, proxy by proxy."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness.analysis.joined import accuracies_of
from harness.analysis.scores import wide_scores
from harness.analysis.statistics.comparison import Comparison, compare_jackknives
from harness.analysis.statistics.jackknife import Floats, jackknife
from harness.analysis.statistics.ranks import rank
from harness.display.tables.numbers import counted
from harness.gate.changes import ScoreChange, score_change
from harness.gate.comparable import check_comparable, differences
from harness.gate.costs import NOT_MEASURED, CostChange, OwnCosts, median_of
from harness.gate.float_tolerance import FloatTolerance, float_tolerance
from harness.gate.verdicts import ALARMS, MEANINGS, Limits, Verdict, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from harness.gate.baseline import Baseline
    from harness.results import OpenedRun

_NO_RANKING = Comparison(math.nan, math.nan, math.nan, math.nan, "undefined", math.nan)
_NO_CHANGE = ScoreChange()
_NO_TOLERANCE = FloatTolerance(math.nan, math.nan)


@dataclass(frozen=True)
class Row:
    """The outcome for one proxy.

    Attributes:
        proxy: its name.
        label: its name in tables.
        verdict: the most severe one that applies.
        then: Kendall τ in the baseline; NaN if undefined or new.
        now: Kendall τ in the run.
        ranking: τ now minus τ in the baseline, on the networks with both scores.
        scores: the change of its scores.
        tolerance: the relative changes of scores that rounding may cause.
        cost: the change of its own cost.
        note: further facts, or an empty text.
    """

    proxy: str
    label: str
    verdict: Verdict
    then: float = math.nan
    now: float = math.nan
    ranking: Comparison = _NO_RANKING
    scores: ScoreChange = _NO_CHANGE
    tolerance: FloatTolerance = _NO_TOLERANCE
    cost: CostChange = NOT_MEASURED
    note: str = ""


@dataclass(frozen=True)
class Checked:
    """The outcome of a check.

    Attributes:
        rows: one per proxy, the most severe verdicts first.
        heading: what was compared, as pairs of a name and its text.
        notes: allowed differences between run and baseline.
        allowed: alarm verdicts that are allowed in this check.
    """

    rows: tuple[Row, ...]
    heading: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    allowed: frozenset[Verdict] = frozenset()

    def __repr__(self) -> str:
        """The number of proxies with each verdict."""
        times = Counter(row.verdict for row in self.rows)
        return f"<check of {len(self.rows)} proxies: {', '.join(f'{n} {verdict}' for verdict, n in times.items())}>"

    def is_alarm(self, row: Row) -> bool:
        """Whether a row makes the check fail."""
        return row.verdict in ALARMS - self.allowed

    @property
    def alarms(self) -> list[Row]:
        """The rows that make the check fail."""
        return [row for row in self.rows if self.is_alarm(row)]


def compare(
    baseline: Baseline,
    run: OpenedRun,
    limits: Limits | None = None,
    *,
    costs: OwnCosts | None = None,
    allowed: Collection[Verdict] = (),
) -> Checked:
    """Compare a baseline with a run of the same setting and at least the same networks.

    The costs, of :func:`harness.gate.measure_costs.measure`, are not judged if not given. Verdicts that are allowed are
    not alarms in this check.

    Raises:
        HarnessError: if they cannot be compared; the message says why.
    """
    check_comparable(baseline, run)
    limits = limits or Limits()
    tables = _Tables(baseline, run, costs)
    factor, about_costs = _factor(baseline.costs, costs, limits)
    notes = [*differences(baseline, run.manifest, run.setting.torch), *about_costs]
    rows = [_row_of(name, tables, limits, factor) for name in sorted(tables.scored_now & set(baseline.proxies))]
    if factor is not None:
        unknown = ", ".join(row.label for row in rows if not row.cost.networks)
        notes += [f"Costs not judged, because they were not measured in both: {unknown}."] if unknown else []
    rows += [
        Row(name, frozen.label, "missing", then=baseline.coefficients[name]["kendall"])
        for name, frozen in baseline.proxies.items()
        if name not in tables.scored_now
    ]
    rows += [_new(name, tables) for name in tables.scored_now - set(baseline.proxies)]
    rows.sort(key=lambda row: (list(MEANINGS).index(row.verdict), row.proxy))
    return Checked(tuple(rows), _heading(baseline, run), tuple(notes), frozenset(allowed))


def compare_with_costs(
    baseline: Baseline,
    run: OpenedRun,
    measure: Callable[[], OwnCosts],
    limits: Limits | None = None,
    *,
    allowed: Collection[Verdict] = (),
) -> Checked:
    """Compare a run with a baseline, and measure its costs; twice more if something seems slower.

    The median of the three measurements then decides, because noise rarely hits the same proxy twice. The arguments are
    those of :func:`compare`, and a function that measures the costs.

    Raises:
        HarnessError: if they cannot be compared; the message says why.
    """
    if baseline.costs is None:
        return compare(baseline, run, limits, allowed=allowed)
    costs = measure()
    checked = compare(baseline, run, limits, costs=costs, allowed=allowed)
    if not any(row.verdict == "slower" for row in checked.alarms):
        return checked
    costs = median_of([costs, measure(), measure()])
    checked = compare(baseline, run, limits, costs=costs, allowed=allowed)
    note = "Something seemed slower, so costs were measured three times; the median counts."
    return replace(checked, notes=(*checked.notes, note))


class _Tables:
    """Scores of baseline and run as one array per proxy, over the baseline's architectures, and the costs."""

    def __init__(self, baseline: Baseline, run: OpenedRun, costs: OwnCosts | None) -> None:
        self.baseline, self.run, self.costs = baseline, run, costs
        names = baseline.architectures
        now = run.scores[run.scores["architecture"].isin(names)]
        self.scored_now = set(now["proxy"])
        self.versions = now.groupby("proxy")["version"].max()
        self.values_then, self.values_now = (wide_scores(frame).reindex(names) for frame in (baseline.scores, now))
        self.accuracy = accuracies_of(run.truth, pd.Index(names))

    def cost_change(self, name: str) -> CostChange:
        """The change of a proxy's cost, if it was measured in both."""
        then = self.baseline.costs
        return NOT_MEASURED if then is None or self.costs is None else then.change_to(self.costs, name)

    def kendall(self, values: Floats, better: str, used: Any) -> Any:
        """Jackknife of τ-b and ρ between oriented scores and accuracies."""
        sign = 1.0 if better == "higher" else -1.0
        return jackknife(rank(sign * values[used]), rank(self.accuracy[used]))


def _row_of(name: str, tables: _Tables, limits: Limits, factor: float | None) -> Row:
    frozen = tables.baseline.proxies[name]
    then, now = (values[name].to_numpy() for values in (tables.values_then, tables.values_now))
    both = np.isfinite(then) & np.isfinite(now)
    # A proxy without declared facts now keeps the frozen direction.
    better = tables.run.facts[name].better if name in tables.run.facts else frozen.better
    ranking = compare_jackknives(
        tables.kendall(now, better, both), tables.kendall(then, frozen.better, both), confidence=0.95
    )
    tolerance = float_tolerance(name) if limits.floats is None else FloatTolerance(limits.floats, limits.floats)
    scores = score_change(then, now, tolerance)
    cost = tables.cost_change(name)
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
    """Facts that the numbers of a row do not show."""
    frozen, version = tables.baseline.proxies[name], int(tables.versions[name])
    parts = []
    if version != frozen.version:
        parts.append(f"version {frozen.version} in the baseline, {version} now")
    if better != frozen.better:
        parts.append(f"{frozen.better} is better in the baseline, {better} now")
    if scores.scored_now < scores.scored_then:
        parts.append(f"{scores.scored_now:,} networks with a score, {scores.scored_then:,} in the baseline")
        errors = tables.run.scores.query("proxy == @name and status != 'ok'")["error"].dropna()
        if len(errors):
            parts.append(str(errors.mode().iloc[0]))
    return "; ".join(parts)


def _new(name: str, tables: _Tables) -> Row:
    values, facts = tables.values_now[name].to_numpy(), tables.run.facts.get(name)
    usable = np.isfinite(values)
    now = tables.kendall(values, facts.better, usable)[0].value if facts else math.nan
    scores = ScoreChange(scored_now=int(usable.sum()))
    return Row(name, facts.label if facts else name, "new", now=now, scores=scores)


def _factor(then: OwnCosts | None, now: OwnCosts | None, limits: Limits) -> tuple[float | None, list[str]]:
    """The growth of a cost that counts as slower, or None if costs are not judged; and notes about it."""
    if then is None:
        return None, ["Costs are not judged: the baseline has none of this kind; freeze a new baseline."]
    if now is None:
        return None, ["Costs are not judged: they were not measured."]
    if then.place.clock != now.place.clock:
        return None, [
            f"Costs are not judged: the baseline used the {then.place.clock} clock, this check {now.place.clock}."
        ]
    if then.place == now.place:
        return limits.slower, []
    elsewhere = (
        f"The baseline's costs are from {then.place.processor} with torch {then.place.torch}, these from "
        f"{now.place.processor} with torch {now.place.torch}: slower means more than {limits.slower_elsewhere:g} times."
    )
    return limits.slower_elsewhere, [elsewhere]


def _heading(baseline: Baseline, run: OpenedRun) -> tuple[tuple[str, str], ...]:
    setting = baseline.setting
    return (
        ("Benchmark", f"{setting.benchmark}, {setting.dataset}, {counted(len(baseline.architectures), 'network')}"),
        ("Ground truth", run.truth.describe()),
        ("Inputs", f"mini-batches of {setting.batch_size} from {setting.images}, seed {setting.seed}"),
        ("Torch", f"{setting.torch} in the baseline, {run.setting.torch} now; {setting.device}, {setting.dtype}"),
    )
