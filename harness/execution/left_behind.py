"""Detect shared state that a proxy has changed, which would affect other proxies and later networks.

Tests ensure that the project's own proxies change nothing, so after them only cheap checks are made: a few settings,
and how often the mini-batches and some tensors of the network were written to. After every other proxy, everything is
compared, including contents.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from harness._utils.process_settings import glance
from harness._utils.surroundings import Surroundings
from harness.contracts.proxy import Proxy
from harness.images import Batch
from harness.probe import Probe

BATCHES = "the mini-batches"
"""Their name in messages."""

MOST_NAMED = 3
_ALL_COMPARED = 2**16
"""All entries of a shared tensor up to this size are compared, and a sample of a larger one."""
_SAMPLED = 256


def is_own(proxy: Proxy) -> bool:
    """Whether a proxy is one of the project's own."""
    return proxy.function.__module__.startswith("harness.proxies.")


class Watch:
    """The state of a unit before its first proxy, which every proxy must find unchanged.

    ``originals`` are copies of its mini-batches that no proxy has seen, needed unless all proxies are our own.
    """

    def __init__(self, probe: Probe, originals: Sequence[Batch] | None = None) -> None:
        self._probe = probe
        self._network = probe.network
        self._batches = list(probe.batches)
        self._witnesses = [tensor for batch in self._batches for tensor in (batch.images, batch.labels)]
        # A change of all weights also changes the first; torch only counts writes to a batch norm's third buffer.
        self._witnesses += itertools.islice(probe.network.parameters(), 1)
        self._witnesses += itertools.islice(probe.network.buffers(), 2, 3)
        self._glance = self._glanced()
        self._contents = _Contents(probe, originals) if originals is not None else None
        self._surroundings: Surroundings | None = None

    def before(self, proxy: Proxy) -> None:
        """Call this before a proxy."""
        self._probe.strict = not is_own(proxy)
        if not is_own(proxy):
            assert self._contents is not None, "copies of the mini-batches are needed"
            self._contents.before()
            self._surroundings = Surroundings({type(module) for module in self._network.modules()})

    def after(self, proxy: Proxy) -> list[str]:
        """Describe what the proxy has changed. The process state is restored, but the probe must not be used again."""
        if is_own(proxy):
            return [] if self._glanced() == self._glance else [*self._probe.settings.put_back(), *self._written_to()]
        assert self._contents is not None and self._surroundings is not None, "before() comes first"
        # First restore functions that the following checks use.
        surroundings = self._surroundings.put_back()
        changed = [*self._probe.settings.put_back(), *surroundings, *self._contents.changed()]
        return list(dict.fromkeys(changed))

    def _glanced(self) -> tuple[Any, ...]:
        return (*glance(), *(tensor._version for tensor in self._witnesses))

    def _written_to(self) -> Iterator[str]:
        versions = self._glance[-len(self._witnesses) :]
        of_batches = 2 * len(self._batches)
        for index, (tensor, version) in enumerate(zip(self._witnesses, versions, strict=True)):
            if tensor._version != version:
                yield BATCHES if index < of_batches else "the network's weights or buffers"
                return


def changes_in_words(changed: Sequence[str]) -> str:
    """The one-line error of a proxy that has changed something.

    >>> changes_in_words(["torch's gradient mode (True -> False)"])
    "it changed torch's gradient mode (True -> False); a proxy must leave everything as it found it"
    """
    named = list(changed[:MOST_NAMED])
    if len(changed) > MOST_NAMED:
        named.append(f"{len(changed) - MOST_NAMED} more")
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    return f"it changed {listed}; a proxy must leave everything as it found it"


class _Contents:
    """Copies of the state that a unit's proxies share, and its structure."""

    def __init__(self, probe: Probe, originals: Sequence[Batch]) -> None:
        self._probe = probe
        self._facts = {name: value for name, value in vars(probe).items() if name not in _NOT_FACTS}
        self._originals = originals
        self._batches = [(batch, batch.images, batch.labels) for batch in probe.batches]
        self._batch_facts = [_facts(tensor) for _, *tensors in self._batches for tensor in tensors]
        named = [*probe.network.named_parameters(), *probe.network.named_buffers()]
        self._weights = [(name, tensor, tensor.detach().clone(), _facts(tensor)) for name, tensor in named]
        self._network = probe.network
        self._structure = dict(_structure(probe.network))
        self._results: dict[Hashable, list[Any]] = {}

    def before(self) -> None:
        """Record the quantities that are cached already, and those that will be from now on."""
        self._results = {key: list(_marks(result)) for key, result in self._probe.results.items()}
        self._probe.on_result = self._note

    def changed(self) -> list[str]:
        """Describe everything that has changed."""
        self._probe.on_result = None
        if self._probe.network is not self._network:
            return ["the network (replaced by another one)"]
        return [*self._of_the_probe(), *self._of_the_batches(), *self._of_the_network(), *self._of_the_results()]

    def _note(self, key: Hashable, result: Any) -> None:
        self._results[key] = list(_marks(result))

    def _of_the_probe(self) -> Iterator[str]:
        now = {name: value for name, value in vars(self._probe).items() if name not in _NOT_FACTS}
        if now.keys() != self._facts.keys() or not all(now[name] is self._facts[name] for name in now):
            yield "the probe's attributes"

    def _of_the_batches(self) -> Iterator[str]:
        now = self._probe.batches
        if len(now) != len(self._batches) or not all(a is b for a, (b, *_) in zip(now, self._batches, strict=True)):
            yield BATCHES
            return
        facts = [_facts(tensor) for _, *tensors in self._batches for tensor in tensors]
        for (batch, images, labels), original in zip(self._batches, self._originals, strict=True):
            kept = batch.images is images and batch.labels is labels and facts == self._batch_facts
            if not kept or not (_same(images, original.images) and _same(labels, original.labels)):
                yield BATCHES
                return

    def _of_the_network(self) -> Iterator[str]:
        structure = dict(_structure(self._probe.network))
        if structure != self._structure:
            names = [*self._structure, *structure]
            changed = (name for name in names if structure.get(name) != self._structure.get(name))
            yield from map(_of_network, dict.fromkeys(changed))
            return
        for name, tensor, before, facts in self._weights:
            if _facts(tensor) != facts or not _same(tensor.detach(), before):
                yield _of_network(name)

    def _of_the_results(self) -> Iterator[str]:
        now = self._probe.results
        for key, marks in self._results.items():
            # A quantity that is no longer cached is computed again on request.
            if key in now and not _equal_marks(list(_marks(now[key])), marks):
                name = key[1] if isinstance(key, tuple) and len(key) > 1 else key
                yield f"the shared quantity {name}"


_NOT_FACTS = frozenset({"_results", "ledger", "on_result", "batches", "network", "strict"})
_PLAIN = (type(None), bool, int, float, str)


def _of_network(name: str) -> str:
    return f"'{name}' of the network" if name else "the network"


def _facts(tensor: Tensor) -> tuple[Any, ...]:
    """The properties of a tensor besides its contents."""
    hooks = getattr(tensor, "_backward_hooks", None)
    facts = (type(tensor), tensor.requires_grad, tensor.is_leaf, tensor.dtype, tensor.shape, tensor.stride())
    return (
        *facts,
        tensor._version,
        id(tensor.grad) if tensor.is_leaf and tensor.grad is not None else None,
        len(hooks or ()),
    )


def _same(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors have the same type and entries; NaN equals NaN."""
    if a.shape != b.shape or a.dtype != b.dtype or a.device != b.device:
        return False
    return torch.equal(a, b) or (a.is_floating_point() and torch.allclose(a, b, rtol=0, atol=0, equal_nan=True))


def _structure(network: nn.Module) -> Iterator[tuple[str, Any]]:
    """For every module, what determines its computation: class, mode, parts, hooks and numbers."""
    for name, module in network.named_modules():
        facts: dict[str, Any] = {}
        for attribute, value in vars(module).items():
            if isinstance(value, dict) and attribute.startswith("_"):
                facts[attribute] = tuple((key, id(entry)) for key, entry in value.items())
            elif attribute == "training" or type(module).__module__.startswith("torch.nn."):
                facts[attribute] = value if type(value) in _PLAIN else id(value)
        # A network may store anything in its own attributes while it computes, except another forward method.
        facts["forward"] = id(vars(module).get("forward"))
        yield name, (id(module), id(type(module)), facts)


def _marks(value: Any) -> Iterator[Any]:
    """What is compared for a shared quantity: the identity of its parts, and the contents of its tensors.

    No tensor of the quantity itself is kept, so that its memory can be freed.
    """
    if isinstance(value, Tensor):
        yield id(value)
        yield value._version
        yield _sample(value.detach())
    elif isinstance(value, list | tuple):
        yield len(value)
        for entry in value:
            yield from _marks(entry)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield key
            yield from _marks(entry)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _marks(getattr(value, field.name))
    else:
        yield value if type(value) in _PLAIN else id(value)


def _sample(tensor: Tensor) -> Tensor | None:
    """A copy of the tensor, or of some of its entries if it is large."""
    if tensor.numel() <= _ALL_COMPARED:
        return tensor.clone()
    try:
        return tensor.as_strided((_SAMPLED,), (tensor.numel() // _SAMPLED,)).clone()
    except RuntimeError:  # its entries are not contiguous
        return None


def _equal_marks(now: list[Any], before: list[Any]) -> bool:
    return len(now) == len(before) and all(
        _same(a, b) if isinstance(a, Tensor) and isinstance(b, Tensor) else type(a) is type(b) and a == b
        for a, b in zip(now, before, strict=True)
    )
