"""What a search maximises: a proxy, a rank aggregate, or the mean rank of several over all that was scored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness._utils.arguments import shown
from harness._utils.names import resolved
from harness.contracts.aggregate import Aggregate
from harness.contracts.proxy import Proxy
from harness.errors import HarnessError
from harness.registry import aggregate_names, aggregates, select_proxies

Floats = NDArray[np.float64]


class Maximised(Protocol):
    """What the loop of a search needs to know of its objective."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the scores of a network."""

    @property
    def depends_on_pool(self) -> bool:
        """Whether a network's value changes when others are scored."""

    def values(self, scores: Mapping[str, Floats]) -> Floats:
        """The value of each network of a pool, −∞ for none; higher is better."""


@dataclass(frozen=True)
class Objective:
    """The score that a search maximises, higher is better, over a growing pool of networks.

    One proxy: its score. An aggregate: its scores over the pool of all networks scored so far. Several proxies or
    aggregates: the mean of their ranks in that pool, as in AZ-NAS (Lee & Ham, 2024) with equal weights. A network
    without a finite score by one of them is worse than all others, −∞, where Zen-NAS's code has −9999.

    Attributes:
        names: of the proxies and aggregates, in the order that they were given.
        proxies: those to compute.
        combined: the aggregates among the names.
    """

    names: tuple[str, ...]
    proxies: tuple[Proxy, ...]
    combined: Mapping[str, Aggregate] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the scores that it is computed from, and of those beside it."""
        return tuple(proxy.name for proxy in self.proxies)

    @property
    def depends_on_pool(self) -> bool:
        """Whether a network's score changes when others are scored."""
        return len(self.names) > 1 or bool(self.combined)

    @property
    def words(self) -> str:
        """In words, for headings."""
        known = {proxy.name: proxy.label for proxy in self.proxies}
        known |= {name: aggregate.label for name, aggregate in self.combined.items()}
        labels = [known[name] for name in self.names]
        return labels[0] if len(labels) == 1 else f"mean rank of {', '.join(labels)}"

    @property
    def axis(self) -> str:
        """The label of an axis, which has no room for many names."""
        return self.words if len(self.names) == 1 else "mean rank"

    def values(self, scores: Mapping[str, Floats]) -> Floats:
        """The score of each network of a pool, shape (m,).

        Args:
            scores: the oriented scores of each proxy, shape (m,), NaN for none.
        """
        rows = [self._row(name, scores) for name in self.names]
        if len(rows) == 1:
            return rows[0]
        from scipy.stats import rankdata

        ranks = np.mean([rankdata(row) for row in rows], axis=0)
        ranks[np.isneginf(rows).any(axis=0)] = -np.inf
        return np.asarray(ranks, dtype=np.float64)

    def _row(self, name: str, scores: Mapping[str, Floats]) -> Floats:
        aggregate = self.combined.get(name)
        if aggregate is None:
            row = np.array(scores[name], dtype=np.float64)
            return np.where(np.isfinite(row), row, -np.inf)
        parts = {part: np.array(scores[part], dtype=np.float64) for part in aggregate.parts}
        pool = np.logical_and.reduce([np.isfinite(part) for part in parts.values()])
        values = np.full(len(pool), -np.inf)
        if pool.any():
            values[pool] = aggregate({part: known[pool] for part, known in parts.items()})
        return values


def objective(names: str | Proxy | Iterable[str | Proxy], also: str | Proxy | Iterable[str | Proxy] = ()) -> Objective:
    """The objective with these names; ``also`` are proxies to score beside it.

    Args:
        names: proxies or rank aggregates, as names, as any collection or one comma-separated string, or proxy objects.
        also: further proxies that the search does not look at.

    Raises:
        UnknownNameError: if a name is not registered.
        HarnessError: if there is no name.
    """
    known = aggregates()
    chosen: list[str] = []
    combined: dict[str, Aggregate] = {}
    proxies: dict[str, Proxy] = {}
    for name in _each(names):
        found = resolved(name, aggregate_names()) if isinstance(name, str) else None
        if found is None:
            selected = select_proxies([name])
            proxies |= {proxy.name: proxy for proxy in selected}
            chosen += [proxy.name for proxy in selected]
        else:
            combined[found] = known[found]
            proxies |= {part.name: part for part in select_proxies(known[found].parts)}
            chosen.append(found)
    if not chosen:
        raise HarnessError("a search needs a proxy to maximise; give its name, such as 'zen'")
    beside = list(_each(also))
    proxies |= {proxy.name: proxy for proxy in (select_proxies(beside) if beside else ())}
    return Objective(tuple(dict.fromkeys(chosen)), tuple(proxies.values()), combined)


def _each(names: str | Proxy | Iterable[str | Proxy]) -> Iterable[str | Proxy]:
    if isinstance(names, str):
        return [name.strip() for name in names.split(",") if name.strip()]
    if isinstance(names, Proxy):
        return [names]
    if not isinstance(names, Iterable):
        raise HarnessError(f"proxies must be names or proxies, not {shown(names)}")
    return list(names)
