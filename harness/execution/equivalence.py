"""Score one network for all architectures with the same canonical form.

The representative of a class is its first architecture in the benchmark's order, for every sample. Its scores are
stored for every sampled member, so readers of a run need not know about classes. Proxies that need no images (#Params,
#FLOPs, SynFlow, …; their declared ``data`` is ``nothing``) are computed for each member, since members may differ in
dead operations, which these proxies count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.execution.plan import Plan
from harness.store import Store
from harness.store.records import Unit, UnitResult


def missing_units(plan: Plan, store: Store) -> Iterator[Unit]:
    """Yield the units that the store lacks, after copying outcomes between members of each class."""
    names = [proxy.name for proxy in plan.proxies]
    if not plan.representatives:
        yield from store.missing(plan.architectures, names)
        return
    shared = _shared(plan)
    store.spread({a: plan.representatives[a] for a in plan.architectures}, shared)
    wanted: dict[str, set[str]] = {}
    for unit in store.missing(plan.architectures, names):
        for name in unit.proxies:
            computed_on = plan.representatives[unit.architecture] if name in shared else unit.architecture
            wanted.setdefault(computed_on, set()).add(name)
    for architecture, proxies in wanted.items():
        yield Unit(architecture, tuple(name for name in names if name in proxies))


def networks(plan: Plan) -> int:
    """The number of networks to build for the plan, if nothing is stored yet."""
    if not plan.representatives:
        return len(plan.architectures)
    shared = _shared(plan)
    own = plan.architectures if len(shared) < len(plan.proxies) else ()
    return len({*own, *(plan.representatives[a] for a in plan.architectures if shared)})


def shared_out(plan: Plan, results: Iterable[UnitResult]) -> Iterator[list[UnitResult]]:
    """Yield, for each result, the results to store together: those of all architectures that it represents."""
    members: dict[str, list[str]] = {}
    for architecture in plan.architectures if plan.representatives else ():
        members.setdefault(plan.representatives[architecture], []).append(architecture)
    shared = _shared(plan)
    for result in results:
        if not plan.representatives:
            yield [result]
            continue
        own = tuple(score for score in result.scores if score.proxy not in shared)
        stood_for = tuple(score for score in result.scores if score.proxy in shared)
        yield [
            UnitResult(result.architecture, own, result.forward_backward_seconds),
            *(UnitResult(a, stood_for, result.forward_backward_seconds) for a in members.get(result.architecture, ())),
        ]


def _shared(plan: Plan) -> set[str]:
    """The proxies that are only computed on representatives."""
    return {proxy.name for proxy in plan.proxies if proxy.data != "nothing"}
