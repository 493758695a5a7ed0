"""Where a network has its features, its blocks and its logits: named by the user, or found in a pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from torch import Tensor, nn

from harness._utils.arguments import shown
from harness.errors import HarnessError
from harness.networks.kinds import channel_axis

LOGITS = ("logits", "out", "outputs", "output", "pred", "prediction")
"""Names of the logits in dictionaries and dataclasses, tried in this order."""


def logits_of(outputs: Any, output: str | int | None) -> Tensor:
    """The logits among what a network returns.

    Args:
        outputs: a tensor, or a tuple, mapping, named tuple or dataclass with tensors.
        output: the position or name of the logits; None: they are the only tensor, or have one of the usual names.

    Raises:
        HarnessError: if there is no such output, or it is not clear which one they are.
    """
    if isinstance(outputs, Tensor) and output is None:
        return outputs
    named = _named(outputs)
    wanted = output
    if wanted is None:
        wanted = next((name for name in LOGITS if isinstance(named.get(name), Tensor)), None)
        tensors = [name for name, value in named.items() if isinstance(value, Tensor)]
        if wanted is None and len(tensors) == 1:
            wanted = tensors[0]
    found = named.get(wanted) if wanted is not None else None
    if not isinstance(found, Tensor):
        choices = ", ".join(
            f"{name!r} {tuple(value.shape)}" for name, value in named.items() if hasattr(value, "shape")
        )
        asked = "give output= (--output)" if output is None else f"there is no tensor {output!r}"
        raise HarnessError(f"the network returns {shown(type(outputs).__name__)} of {choices or 'no tensors'}: {asked}")
    return found


def _named(outputs: Any) -> dict[str | int, Any]:
    """The outputs by name and by position."""
    if isinstance(outputs, Mapping):
        return dict(outputs)
    if dataclasses.is_dataclass(outputs) and not isinstance(outputs, type):
        return {field.name: getattr(outputs, field.name) for field in dataclasses.fields(outputs)}
    if isinstance(outputs, tuple | list):
        names: Sequence[str | int] = getattr(outputs, "_fields", range(len(outputs)))
        return dict(zip(names, outputs, strict=True)) | (
            dict(enumerate(outputs)) if hasattr(outputs, "_fields") else {}
        )
    return {0: outputs}


class Places(TypedDict, total=False):
    """Where a network has its parts; what is missing or None is found.

    Attributes:
        output: the position or name of the logits, if the network returns several things.
        features: the name of the module that returns the features before global pooling.
        blocks: the names of the modules that return the features of each block, the stem first.
    """

    output: str | int | None
    features: str | None
    blocks: Sequence[str] | None


class Place(NamedTuple):
    """A module that returns features, by its name, and the axis of the channels there."""

    name: str
    channels: int


class _Call(NamedTuple):
    """One call of a module in a pass: where, the number of axes and of positions of one image's output."""

    place: Place
    axes: int
    positions: int
    is_pooling: bool


class Record:
    """The calls of a pass, in the order of their ends."""

    def __init__(self, network: nn.Module, images: Tensor) -> None:
        self._calls: list[_Call] = []
        self.given: dict[str, bool] = {}
        """For each module by name, whether its first call got the images themselves."""
        self._images = images
        self._axis, self._channels = 1, 0
        self._network = network
        self._names: dict[int, str] = {}

    def before(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        """To be called before each module."""
        first = inputs[0] if inputs else None
        name = self._name(module)
        if name is not None:
            self.given.setdefault(name, isinstance(first, Tensor) and first.shape == self._images.shape)

    def after(self, module: nn.Module, _: Any, output: Any) -> None:
        """To be called after each module."""
        first = output[0] if isinstance(output, tuple | list) and output else output
        weight = getattr(module, "weight", None)
        if isinstance(first, Tensor) and isinstance(weight, Tensor) and first.dim() > 1:
            self._axis = channel_axis(module, first)
            self._channels = first.shape[self._axis]
        name = self._name(module)
        if name is not None and isinstance(first, Tensor) and first.dim() >= 2 and len(first) == len(self._images):
            axis = self._axis_in(first)
            positions = first.numel() // max(len(first) * first.shape[axis], 1)
            self._calls.append(_Call(Place(name, axis), first.dim(), positions, _is_pooling(module)))

    def _name(self, module: nn.Module) -> str | None:
        """The module's name; None if it is not registered. Modules that stand for functions come during the pass."""
        if id(module) not in self._names:
            self._names = {id(each): name for name, each in self._network.named_modules()}
        return self._names.get(id(module))

    def _axis_in(self, output: Tensor) -> int:
        """The axis of the channels: where the last layer had them, unless the output has them elsewhere."""
        sizes = output.shape
        other = -1 if self._axis == 1 else 1
        moved = sizes[self._axis] != self._channels and sizes[other] == self._channels
        return other if moved else self._axis

    def features(self) -> Place | None:
        """Where the features before global pooling are: the last place with more than one position."""
        maps = [call for call in self._calls if call.place.name and call.axes > 2 and not call.is_pooling]
        last = next(reversed([call for call in maps if call.positions > 1] or maps), None)
        return None if last is None else last.place

    def with_features(self) -> set[str]:
        """The names of the modules that return maps or tokens."""
        return {call.place.name for call in self._calls if call.axes > 2}

    def of(self, names: Sequence[str]) -> list[Place]:
        """The place of each named module, as in its first call.

        Raises:
            HarnessError: if a module does not exist, is not called, or returns no features.
        """
        found = []
        for name in names:
            place = next((call.place for call in self._calls if call.place.name == name), None)
            if place is None:
                names_of_all = dict.fromkeys(call.place.name for call in self._calls)
                known = ", ".join(each for each in names_of_all if each and "." not in each)
                raise HarnessError(f"the network calls no module '{name}' that returns a tensor; it has {known}")
            found.append(place)
        return found


def _is_pooling(module: nn.Module) -> bool:
    return "Pool" in type(module).__name__ or isinstance(module, nn.Flatten)


def blocks_of(network: nn.Module) -> list[str]:
    """The names of a network's blocks: modules with parts that a sequence or list holds, outermost first found.

    A sequence inside a sequence is a stage, whose blocks count one by one, if it holds modules with parts.

    >>> block = lambda: nn.ModuleDict({"layer": nn.Linear(1, 1)})
    >>> blocks_of(nn.Sequential(nn.ReLU(), nn.Sequential(block(), block())))
    ['1.0', '1.1']
    """
    return [name for name, module in _blocks(network, "") if any(True for _ in module.parameters())]


def _blocks(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    listing = type(module) in (nn.Sequential, nn.ModuleList)
    for name, child in module.named_children():
        place = f"{path}.{name}" if path else name
        if not _has_parts(child):
            continue
        is_stage = type(child) in (nn.Sequential, nn.ModuleList) and any(map(_has_parts, child.children()))
        if listing and not is_stage:
            yield place, child
        else:
            yield from _blocks(child, place)


def _has_parts(module: nn.Module) -> bool:
    return any(True for _ in module.children())
