"""The rank aggregate: a function of the scores of a whole pool of networks, with its declared facts.

A network's rank depends on the other networks in the pool, so an aggregate's score of a network changes with the pool.
An aggregate is therefore not a proxy: its scores are never stored with a network, but computed in the analysis from the
stored scores of its parts.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from harness._utils.html import facts_html
from harness.errors import HarnessError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Combine = Callable[[Mapping[str, Floats]], Floats]


@dataclass(frozen=True)
class Aggregate:
    """A rank aggregate with its declared facts; call it with the parts' scores of a pool to get the pool's scores.

    Attributes:
        name: the registered name.
        label: its name in tables and figures.
        better: whether a higher or a lower score predicts a better network; declared, never fitted.
        parts: names of the proxies that it combines.
        cite: key of the paper in ``CITATIONS``.
        source: the paper's equation or the official code's file that the definition follows.
        supervised: which parts or constants were chosen with the accuracies of which benchmark; None if none was.
        combine: the formula; maps the parts' scores, each of shape (m,) and oriented so that higher is better, to (m,).
        aliases: other names that it is known by; the label always counts as one.
    """

    name: str
    label: str
    better: Literal["higher", "lower"]
    parts: tuple[str, ...]
    cite: str
    source: str
    supervised: str | None
    combine: Combine = field(repr=False)
    aliases: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Name, parts and summary."""
        return f"<rank aggregate {self.name} of {', '.join(self.parts)}. {self.summary}>"

    def _repr_html_(self) -> str:
        """Its declared facts, for a notebook."""
        facts = {
            "What it computes": self.summary,
            "Better": self.better,
            "Parts": ", ".join(self.parts),
            "Paper": self.cite,
            "Definition": self.source,
            "Chosen with accuracies": self.supervised or "",
        }
        return facts_html(f"{self.label} ({self.name})", facts)

    def __call__(self, parts: Mapping[str, Floats]) -> Floats:
        """The scores of a pool of m networks, shape (m,), oriented so that higher is better.

        Args:
            parts: the scores of the same networks by each of ``parts``, finite, oriented so that higher is better.

        Raises:
            HarnessError: if a part is missing, or the formula does not return one number per network.
        """
        import numpy as np

        missing = [part for part in self.parts if part not in parts]
        if missing:
            raise HarnessError(f"the aggregate '{self.name}' needs the scores of '{missing[0]}'; score that proxy too")
        chosen = {part: np.asarray(parts[part], dtype=np.float64) for part in self.parts}
        scores = np.asarray(self.combine(chosen), dtype=np.float64)
        expected = chosen[self.parts[0]].shape
        if scores.shape != expected:
            raise HarnessError(
                f"the aggregate '{self.name}' returned scores of shape {scores.shape} for parts of shape {expected}; "
                "it must return one number per network"
            )
        return scores if self.better == "higher" else -scores

    @property
    def summary(self) -> str:
        """The first line of the formula's docstring."""
        return (inspect.getdoc(self.combine) or "").partition("\n")[0]


def aggregate(
    name: str,
    *,
    label: str | None = None,
    better: Literal["higher", "lower"] = "higher",
    parts: tuple[str, ...],
    cite: str,
    source: str = "",
    supervised: str | None = None,
    aliases: tuple[str, ...] = (),
) -> Callable[[Combine], Aggregate]:
    """Declare the facts of a rank aggregate; decorates its formula.

    >>> @aggregate("worst_part", parts=("snip", "zen"), cite="nobody2026")
    ... def worst_part(parts):
    ...     "The lower of two scores."
    ...     return np.minimum(parts["snip"], parts["zen"])
    >>> import numpy as np
    >>> worst_part({"snip": np.array([1.0, 2.0]), "zen": np.array([3.0, 0.0])}).tolist()
    [1.0, 0.0]
    """

    def declare(combine: Combine) -> Aggregate:
        return Aggregate(name, label or name, better, parts, cite, source, supervised, combine, aliases)

    return declare
