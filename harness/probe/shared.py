"""Quantities that many proxies share: named, computed at most once, timed, each with a random state of its own."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

import numpy as np
import torch

from harness._utils.process_settings import SETTINGS, Snapshot, with_settings
from harness.errors import HarnessError
from harness.probe.ledger import Ledger
from harness.seeds import derive_seed

R = TypeVar("R")

_OFFERED = "harness.probe"
"""First part of the declared names of the probe's own quantities, wherever they are defined."""


class SharedQuantities:
    """What has been computed so far, by key.

    Args:
        seed: of all random numbers that quantities draw.
        settings: the process settings to compute quantities under; default: the current ones.
        ledger: records the times; default: one with the wall clock.
    """

    def __init__(self, seed: int = 0, settings: Snapshot | None = None, ledger: Ledger | None = None) -> None:
        self.seed = seed
        self.ledger = Ledger() if ledger is None else ledger
        self.on_result: Callable[[Hashable, Any], None] | None = None
        """Called with the key and value of every quantity as soon as it is computed and cached."""
        self.strict = True
        """Whether the probe's own quantities are always computed under the settings that the probe was made with.

        If False they use the current settings, which saves a comparison for code that never changes them."""
        self.settings = Snapshot(SETTINGS) if settings is None else settings
        self._results: dict[Hashable, Any] = {}
        self._named: dict[str, Callable[..., Any]] = {}

    def check_name(self, name: str, function: Callable[..., Any]) -> None:
        """Check that no other function has the same declared name, because it would get the other's results.

        Raises:
            HarnessError: if another function has the name.
        """
        known = self._named.setdefault(name, function)
        if known is not function:
            places = " and ".join(f"{each.__module__}.{each.__qualname__}" for each in (known, function))
            raise HarnessError(f"two quantities are named '{name}': {places}; rename one of them")

    def once(self, key: tuple[Hashable, ...], compute: Callable[[], R]) -> R:
        """The cached result of the key; the first request computes it, timed, with its own random state.

        The probe's own quantities do not depend on who asks first, even within ``torch.no_grad()`` or autocast.
        """
        if key in self._results:
            self.ledger.note_use(key)
        else:
            strict, ours = self.strict and key[0] == _OFFERED, str(key[0]).startswith("harness.")
            with (
                self.ledger.measure(key),
                self.random_state(*map(str, key), everywhere=not ours),
                with_settings(self.settings) if strict else nullcontext(),
            ):
                self._results[key] = compute()
            if self.on_result is not None:
                self.on_result(key, self._results[key])
        result: R = self._results[key]
        return result

    @property
    def results(self) -> Mapping[Hashable, Any]:
        """The cached quantities, by key."""
        return self._results

    def let_go(self) -> None:
        """Drop all cached results to free memory; quantities that are computed again have the same bits."""
        self._results.clear()
        gc.collect()

    @contextmanager
    def random_state(self, *purpose: str, everywhere: bool = False) -> Iterator[None]:
        """Run the block with its own random seed, then restore the global random state.

        Args:
            purpose: names the draw; different purposes draw different numbers.
            everywhere: also seed the global states of NumPy and Python, which takes 0.1 ms. Used for code from outside
                the harness.
        """
        seed = derive_seed("probe", self.seed, *purpose)
        with torch.random.fork_rng(devices=[]), _python_and_numpy(seed) if everywhere else nullcontext():
            _seed_torch(seed)
            yield


def _seed_torch(seed: int) -> None:
    """:func:`torch.manual_seed`, which takes 0.2 ms even if there is no accelerator to seed."""
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@contextmanager
def _python_and_numpy(seed: int) -> Iterator[None]:
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002
