"""What a proxy is: a pure function of a probe, with its declared facts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from harness.probe import Probe

Direction = Literal["higher", "lower"]
Data = Literal["nothing", "noise", "images", "labels"]


@dataclass(frozen=True, kw_only=True)
class ProxyFacts:
    """What is declared of a proxy: everything but its formula.

    Attributes:
        name: the registered name.
        label: how tables and figures write it.
        better: whether a higher or a lower score predicts a better network. It is declared, never fitted.
        data: what it looks at: nothing but the network, noise, images, or images with their labels.
        cite: key of the paper in ``CITATIONS``.
        source: the paper's equation or the official code's file that the definition follows.
        version: raised whenever scores change, so that old and new scores are never mixed.
        batches: how many mini-batches it needs.
        variant_of: the proxy that this one differs from in a detail, where official codes disagree.
        supervised: which of its constants were chosen with the accuracies of which benchmark; None where none was.
        aliases: other names that it is known by elsewhere; its label is one anyway.
        summary: what it computes, in one line.
    """

    name: str
    label: str
    better: Direction
    data: Data
    cite: str
    source: str
    version: int
    batches: int
    variant_of: str | None
    supervised: str | None
    aliases: tuple[str, ...]
    summary: str


@dataclass(frozen=True, kw_only=True)
class Proxy(ProxyFacts):
    """A zero-shot proxy with its declared facts; call it with a :class:`~harness.probe.Probe` to get the score.

    Attributes:
        anticipates: probe quantities that are free if known in advance.
        function: the formula.
    """

    anticipates: tuple[str, ...]
    function: Callable[[Probe], float | int | Tensor] = field(repr=False)

    def __repr__(self) -> str:
        """Its name, which way is better, what it looks at, and what it computes."""
        return f"<proxy {self.name}: {self.better} is better, looks at {self.data}. {self.summary}>"

    def __call__(self, probe: Probe) -> float:
        """The score of the probe's network."""
        return float(self.function(probe))


def proxy(
    name: str,
    *,
    label: str | None = None,
    better: Direction,
    data: Data,
    cite: str,
    source: str = "",
    version: int = 1,
    batches: int | None = None,
    anticipates: tuple[str, ...] = (),
    variant_of: str | None = None,
    supervised: str | None = None,
    aliases: tuple[str, ...] = (),
) -> Callable[[Callable[[Probe], float | int | Tensor]], Proxy]:
    """Declare the facts of a proxy; decorates its formula.

    >>> @proxy("depth", better="higher", data="nothing", cite="nobody2026")
    ... def depth(probe):
    ...     "Number of convolutions and linear layers."
    ...     return len(probe.layers)
    >>> depth.better, depth.summary
    ('higher', 'Number of convolutions and linear layers.')
    """
    if batches is None:
        batches = 1 if data in ("images", "labels") else 0

    def declare(function: Callable[[Probe], float | int | Tensor]) -> Proxy:
        return Proxy(
            name=name,
            label=label or name,
            better=better,
            data=data,
            cite=cite,
            source=source,
            version=version,
            batches=batches,
            variant_of=variant_of,
            supervised=supervised,
            aliases=aliases,
            summary=(inspect.getdoc(function) or "").partition("\n")[0],
            anticipates=anticipates,
            function=function,
        )

    return declare
