"""Networks that are one network by the benchmark's canonical form, of which one is scored for all of them.

The representative of a class is its first architecture in the benchmark's order, whatever the sample. Its scores are
stored as those of every sampled member, so whoever reads a run needs to know nothing of classes. What a proxy makes of
nothing but the network (#Params, #FLOPs, SynFlow, …; its declared ``data`` is ``nothing``) is computed for each member
itself: members may differ in dead operations, and those are counted there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.execution.plan import Plan
from harness.store import Store
from harness.store.records import Unit, UnitResult


def missing_units(plan: Plan, store: Store) -> Iterator[Unit]:
    """The units that the store lacks, one at a time; what one member of a class has, the others get first."""
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
    """How many networks have to be built for the plan, if none of it is there."""
    if not plan.representatives:
        return len(plan.architectures)
    shared = _shared(plan)
    own = plan.architectures if len(shared) < len(plan.proxies) else ()
    return len({*own, *(plan.representatives[a] for a in plan.architectures if shared)})


def shared_out(plan: Plan, results: Iterable[UnitResult]) -> Iterator[list[UnitResult]]:
    """Each result as the results that are to be stored together: those of all the networks that it stands for."""
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
    """The proxies that are computed on representatives."""
    return {proxy.name for proxy in plan.proxies if proxy.data != "nothing"}
