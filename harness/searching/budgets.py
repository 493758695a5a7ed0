"""Budgets: quantities of a network that a search limits, from counts, tables, predictors, or measured here."""

from __future__ import annotations

import functools
import re
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.names import folded, listed
from harness.contracts.benchmark import Benchmark
from harness.contracts.search_space import SearchSpace
from harness.data.given_truth import given_truth
from harness.errors import DataError, HarnessError
from harness.ranking.sizes import sizes_of
from harness.registry.by_file import load_named

if TYPE_CHECKING:
    from harness.searching.loop import Candidate

SIZES = {"params": "number of parameters", "flops": "multiply-accumulates of one image"}
"""The quantities that every benchmark has: what the proxies of these names count."""

LISTED = "listed"
"""The quantity of a search that is restricted to the benchmark's own list of architectures."""

_REPEATS = 5


@dataclass(frozen=True)
class Quantity:
    """A number of a network that a budget can limit: the seam for counts, tables, predictors and measurements.

    Attributes:
        name: as it was asked for, such as ``latency:edgegpu``.
        meaning: in words, with its unit and where it comes from.
        measure: the number of an architecture.
        is_measured: whether the number is another each time; a search then keeps the first.
    """

    name: str
    meaning: str
    measure: Callable[[str], float]
    is_measured: bool = False


@dataclass(frozen=True)
class Budget:
    """A quantity and the most that it may be."""

    quantity: Quantity
    most: float

    @property
    def words(self) -> str:
        """For headings: ``params ≤ 1,000,000``."""
        return self.quantity.name if self.quantity.name == LISTED else f"{self.quantity.name} ≤ {self.most:,.10g}"


@dataclass(frozen=True)
class Budgets:
    """The budgets of a search, in the order in which candidates are checked."""

    each: tuple[Budget, ...] = ()

    def check(self, architecture: str) -> tuple[str, dict[str, float]]:
        """The first quantity that exceeds its budget, or an empty string; and the quantities that were looked at."""
        sizes: dict[str, float] = {}
        for budget in self.each:
            value = budget.quantity.measure(architecture)
            sizes[budget.quantity.name] = value
            if not value <= budget.most:
                return budget.quantity.name, sizes
        return "", sizes

    @property
    def words(self) -> str:
        """For headings; empty if there is none."""
        return ", ".join(budget.words for budget in self.each)

    def hopeless(self, candidates: Sequence[Candidate]) -> str:
        """What is wrong with budgets that no candidate keeps to."""
        parts = []
        for budget in self.each:
            name = budget.quantity.name
            values = [each.sizes[name] for each in candidates if name in each.sizes]
            if values and not min(values) <= budget.most:
                parts.append(f"the smallest {name} of them is {min(values):,.10g}, the budget {budget.most:,.10g}")
        why = "; ".join(parts) or "each budget alone can be kept, but not all of them together"
        return (
            f"none of {len(candidates):,} candidates keeps to the budgets: {why}; give a larger budget or another start"
        )


def budgets(wanted: Iterable[str] | Mapping[str, float], space: Benchmark, dataset: str, *, images: int = 1) -> Budgets:
    """Budgets such as ``params=1e6``, ``flops=450e6``, ``layers=14`` or ``latency:edgegpu=5``.

    What may stand before the number:

    * ``params``, ``flops``, or one of the space's own
      :attr:`~harness.contracts.search_space.SearchSpace.quantities`;
    * a column of the benchmark's costs, by its words in any order (``latency:edgegpu``);
    * ``FILE:COLUMN``, a table of one number per architecture;
    * ``path.py:name``, a predictor: a function of the architecture;
    * ``measured:cpu``, the latency of a forward pass here in milliseconds, one image, one thread; it differs between
      machines and times, so a search keeps what it measured first;
    * ``listed`` without a number: only the architectures that the benchmark lists.

    Raises:
        HarnessError: if a quantity is unknown or its limit is not a positive number.
    """
    pairs = wanted.items() if isinstance(wanted, Mapping) else map(_pair, wanted)
    return Budgets(tuple(_budget(name, most, space, dataset) for name, most in pairs))


def _pair(text: str) -> tuple[str, float]:
    if text.strip() == LISTED:
        return LISTED, 0.0
    name, equals, number = text.rpartition("=")
    if not equals:
        return text.strip(), float("nan")
    try:
        return name.strip(), float(number.replace(",", "").replace("_", ""))
    except ValueError:
        return name.strip(), float("nan")


def _budget(name: str, most: float, space: Benchmark, dataset: str) -> Budget:
    if name != LISTED and not 0 < most < float("inf"):
        raise HarnessError(f"the budget '{name}' needs a positive number, such as params=1e6 or flops=450e6")
    return Budget(quantity(name, space, dataset), most)


def quantity(name: str, space: Benchmark, dataset: str) -> Quantity:
    """The quantity with this name; see :func:`budgets`.

    Raises:
        HarnessError: if there is none; the message lists those of the space.
    """
    own = space.quantities if isinstance(space, SearchSpace) else {}
    if name in own:
        assert isinstance(space, SearchSpace)
        return Quantity(name, own[name], functools.partial(_of_space, space, name, dataset))
    if name in SIZES:
        return Quantity(name, SIZES[name], _Counted(space, dataset, list(SIZES).index(name)))
    return _elsewhere(name, space, dataset)


def _elsewhere(name: str, space: Benchmark, dataset: str) -> Quantity:
    """A quantity that is not counted: of a list, a clock, a file, or a table."""
    if name == LISTED:
        members = frozenset(space.architectures())
        return Quantity(
            name, "0 for the benchmark's architectures, 1 for others", lambda each: float(each not in members)
        )
    if name == "measured:cpu":
        return Quantity(name, "latency of one image here, one thread (ms)", _Timed(space, dataset), is_measured=True)
    if re.search(r"\.py:\w", name):
        predict = load_named(name, ("predictor", "predictors"), callable, "define a function of an architecture", "")
        return Quantity(name, f"predicted by {name}", lambda each: float(predict(each)))
    if ":" in name and Path(name.rpartition(":")[0]).is_file():
        truth = given_truth(name, benchmark=space, dataset=dataset, better="lower")
        return Quantity(name, truth.describe(), _Looked(name, dict(truth.accuracy)))
    return _cost(name, space, dataset)


def _cost(name: str, space: Benchmark, dataset: str) -> Quantity:
    costs = space.costs(dataset)
    columns = {} if costs is None else {str(column): _words_of(str(column)) for column in costs.values.columns}
    asked = _words_of(name)
    found = [column for column, words in columns.items() if asked == words] or [
        column for column, words in columns.items() if asked <= words
    ]
    if costs is None or len(found) != 1:
        own = list(getattr(space, "quantities", {}))
        known = list(dict.fromkeys([*own, *SIZES, *columns, LISTED, "measured:cpu", "FILE:COLUMN", "path.py:name"]))
        what = f"the budget '{name}' could be {listed(found)}" if found else f"unknown budget '{name}'"
        raise HarnessError(f"{what}; {space.name} knows: {listed(known)}")
    column = costs.values[found[0]].dropna()
    return Quantity(
        name, f"{costs.meanings.get(found[0], found[0])}, from {costs.source_of(found[0])}", _Looked(name, dict(column))
    )


def _words_of(name: str) -> frozenset[str]:
    """The words of a column in any order and spelling: ``latency:edgegpu`` is ``edgegpu_latency``."""
    return frozenset(folded(word) for word in re.split(r"[^0-9a-zA-Z]+", name) if word)


def _of_space(space: SearchSpace, name: str, dataset: str, architecture: str) -> float:
    return float(space.quantity(name, architecture, dataset))


class _Counted:
    """#Params or #FLOPs of networks, counted once for each size."""

    def __init__(self, space: Benchmark, dataset: str, which: int) -> None:
        self._space, self._dataset, self._which = space, dataset, which
        self._known: dict[str, float] = {}

    def __call__(self, architecture: str) -> float:
        key = self._space.size_key(architecture)
        if key not in self._known:
            self._known[key] = float(sizes_of(self._space, [architecture], self._dataset)[self._which][0])
        return self._known[key]


class _Looked:
    """A column of a table."""

    def __init__(self, name: str, values: Mapping[str, float]) -> None:
        self._name, self._values = name, values

    def __call__(self, architecture: str) -> float:
        try:
            return self._values[architecture]
        except KeyError:
            raise DataError(
                f"the table of the budget '{self._name}' has no value for {architecture}; give a table of the whole "
                f"space, or restrict the search with the budget '{LISTED}'"
            ) from None


class _Timed:
    """The median of a few forward passes of one image in evaluation mode, in milliseconds; the first does not count."""

    def __init__(self, space: Benchmark, dataset: str) -> None:
        self._space, self._dataset = space, dataset

    def __call__(self, architecture: str) -> float:
        import torch

        from harness._utils.process_settings import one_thread

        with torch.random.fork_rng(devices=[]), torch.inference_mode(), one_thread():
            network = self._space.build(architecture, self._dataset).eval()
            image = torch.zeros(1, *self._space.task(self._dataset).image_shape)
            network(image)
            seconds = []
            for _ in range(_REPEATS):
                start = time.perf_counter()
                network(image)
                seconds.append(time.perf_counter() - start)
        return 1000 * statistics.median(seconds)
