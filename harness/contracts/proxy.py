"""The proxy: a pure function of a probe, with its declared facts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from harness._utils.html import facts_html

if TYPE_CHECKING:
    from torch import Tensor

    from harness.probe import Probe

Direction = Literal["higher", "lower"]
Data = Literal["nothing", "noise", "images", "labels"]
Axis = Literal["expressivity", "generalisation", "trainability"]


@dataclass(frozen=True, kw_only=True)
class ProxyFacts:
    """The declared facts of a proxy: everything except its formula.

    Attributes:
        name: the registered name.
        label: its name in tables and figures.
        better: whether a higher or a lower score predicts a better network; declared, never fitted.
        data: its inputs besides the network: nothing, noise, images, or images with their labels.
        axes: what its authors derive it from, as the survey groups proxies: expressivity, generalisation,
            trainability; none for sizes and chance.
        cite: key of the paper in ``CITATIONS``.
        source: the paper's equation or the official code's file that the definition follows.
        version: increased whenever scores change, so that old and new scores are never mixed.
        batches: number of mini-batches that it needs.
        variant_of: the proxy that this one differs from in a detail; None if it is not a variant.
        supervised: which constants were chosen with the accuracies of which benchmark; None if none was.
        aliases: other names that it is known by; the label always counts as one.
        summary: what it computes, in one line: the first line of the formula's docstring.
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
    axes: tuple[Axis, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Proxy(ProxyFacts):
    """A zero-shot proxy with its declared facts; call it with a :class:`~harness.probe.Probe` to get the score.

    Attributes:
        anticipates: probe quantities that cost nothing extra if requested in advance.
        function: the formula.
    """

    anticipates: tuple[str, ...]
    function: Callable[[Probe], float | int | Tensor] = field(repr=False)

    def __repr__(self) -> str:
        """Name, direction, inputs and summary."""
        return f"<proxy {self.name}: {self.better} is better, looks at {self.data}. {self.summary}>"

    def _repr_html_(self) -> str:
        """Its declared facts, for a notebook."""
        facts = {
            "What it computes": self.summary,
            "Better": self.better,
            "Looks at": self.data,
            "Derived from": ", ".join(self.axes),
            "Paper": self.cite,
            "Definition": self.source,
            "Variant of": self.variant_of or "",
            "Chosen with accuracies": self.supervised or "",
            "Version": self.version,
        }
        return facts_html(f"{self.label} ({self.name})", facts)

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
    axes: tuple[Axis, ...] = (),
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
            axes=axes,
            summary=(inspect.getdoc(function) or "").partition("\n")[0],
            anticipates=anticipates,
            function=function,
        )

    return declare
