"""The proxy under test: the networks and batches, and how scores are compared."""

from __future__ import annotations

import functools
import math
import random
import struct
from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from harness._utils.process_settings import one_thread
from harness.contracts.proxy import Proxy
from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.registry import load_benchmark
from harness.testing.proxy.networks import CLASSES, CONNECTED_CELLS, OTHER_IMAGE, OTHERS, make

IMAGES = 8
BATCHES = 3
SKIPPED = "not applicable"


class ProxySubject:
    """Shared by all parts of the contract."""

    proxy: ClassVar[Proxy]
    cells: ClassVar[int | None] = None
    not_finite: ClassVar[str] = ""

    @pytest.fixture(autouse=True)
    def _single_thread(self) -> Iterator[None]:
        """Use one thread, as every run does, so that equal computations give equal bits."""
        with one_thread():
            yield

    def probe(
        self, network: str, batches: Sequence[Batch] | None = None, *, seed: int = 0, anticipate: Collection[str] = ()
    ) -> Probe:
        """A new probe of a new network, with as many batches as a run has."""
        chosen = self.batches(network) if batches is None else batches
        return Probe(make(network), chosen, seed, anticipate=anticipate)

    def batches(self, network: str) -> list[Batch]:
        """Mini-batches that fit the network, the same at each call and never the same tensors."""
        return batches_for(self.proxy, network)

    def alone(self, network: str) -> str:
        """The outcome on a fresh network with a fresh probe; computed once for all tests."""
        return _to_the_last_bit(self.score(network))

    def outcome(self, probe: Probe) -> str:
        """The score with all its bits, or that it is not applicable; all NaN are equal."""
        return outcome(self.proxy, probe)

    def score(self, network: str, probe: Probe | None = None) -> float | str:
        """The score, or that it is not applicable; any other error fails the test and names the network."""
        try:
            return _value(self.proxy, network) if probe is None else self.proxy(probe)
        except NotApplicableError as reason:
            assert str(reason).strip(), f"NotApplicableError needs a reason; it has none on {described(network)}"
            return SKIPPED
        except Exception as error:
            raise AssertionError(
                f"'{self.proxy.name}' must return a number on {described(network)}, or raise NotApplicableError with "
                f"the reason; it raised {type(error).__name__}: {error}"
            ) from error

    def applicable(self) -> list[str]:
        """The connected cells that the proxy is defined on; skips the test if there are none."""
        found = [network for network in CONNECTED_CELLS if self.score(network) != SKIPPED]
        if not found:
            pytest.skip(f"'{self.proxy.name}' is not defined on any cell of the embedded benchmark")
        return found


def outcome(proxy: Proxy, probe: Probe) -> str:
    """The score with all its bits, or that it is not applicable; all NaN are equal."""
    try:
        return _to_the_last_bit(proxy(probe))
    except NotApplicableError:
        return SKIPPED


def _to_the_last_bit(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return "nan" if math.isnan(value) else f"{value!r} ({struct.pack('<d', value).hex()})"


def batches_for(proxy: Proxy, network: str) -> list[Batch]:
    """Mini-batches that fit the network, as many as a run has; the same at each call and never the same tensors."""
    count = max(BATCHES, proxy.batches)
    return [Batch(batch.images.clone(), batch.labels.clone()) for batch in _batches(network in OTHERS, count)]


@functools.cache
def _value(proxy: Proxy, network: str) -> float:
    """The score of a fresh network. Many tests compare with it; none of them changes what it is computed from."""
    return proxy(Probe(make(network), batches_for(proxy, network)))


def described(network: str) -> str:
    """The network's description for messages.

    >>> described("unconnected"), described("linear only")
    ("the cell 'unconnected'", "the network 'linear only'")
    """
    return f"the {'network' if network in OTHERS else 'cell'} '{network}'"


@functools.cache
def _batches(other: bool, count: int) -> list[Batch]:
    if not other:
        images = load_benchmark("digits").images("digits")
        assert images is not None
        return images.batches(IMAGES, count, seed=0)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(count, IMAGES, *OTHER_IMAGE, generator=generator)
    return [Batch(images, torch.randint(CLASSES, (IMAGES,), generator=generator)) for images in pixels]


def seed_everything(seed: int) -> None:
    """Seed the global random states of torch, NumPy and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)


def state_of(network: nn.Module) -> dict[str, tuple[object, ...]]:
    """Everything about a network that a proxy could change."""
    state: dict[str, tuple[object, ...]] = {}
    for name, parameter in network.named_parameters():
        gradient = None if parameter.grad is None else parameter.grad.clone()
        known = (parameter.detach().clone(), parameter.requires_grad, gradient, id(parameter), parameter._version)
        state[f"parameter '{name}'"] = known
    for name, buffer in network.named_buffers():
        state[f"buffer '{name}'"] = (buffer.clone(), id(buffer), buffer._version)
    for name, module in network.named_modules():
        hooks = {
            key: len(value) for key, value in vars(module).items() if "_hooks" in key and hasattr(value, "__len__")
        }
        forward = getattr(module.forward, "__func__", module.forward)
        facts = (id(module), module.training, forward, hooks, sorted(vars(module)))
        state[f"module '{name}'" if name else "the network"] = facts
    return state


def changed(before: dict[str, tuple[object, ...]], after: dict[str, tuple[object, ...]]) -> str | None:
    """The first part of a network's state that changed."""
    if before.keys() != after.keys():
        return min(before.keys() ^ after.keys())
    return next((name for name in before if not _same(before[name], after[name])), None)


def _same(before: object, after: object) -> bool:
    if isinstance(before, torch.Tensor) and isinstance(after, torch.Tensor):
        return before.dtype == after.dtype and before.stride() == after.stride() and torch.equal(before, after)
    if isinstance(before, tuple) and isinstance(after, tuple):
        return len(before) == len(after) and all(map(_same, before, after))
    return type(before) is type(after) and before == after
