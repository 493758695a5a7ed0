"""Any network, made ready for proxies: functions as modules, attention in products, logits, features and blocks found.

Benchmarks build networks that proxies can look into. Other networks call functions (``F.gelu``), hide products in fast
kernels, return dictionaries and name nothing. :func:`prepared` makes a copy that computes the same and shows it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Unpack

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from harness.errors import HarnessError
from harness.networks.attention import MultiheadAttention, can_be_plain
from harness.networks.kinds import NORMS
from harness.networks.leaving import hooked, untouched
from harness.networks.places import Place, Places, Record, blocks_of, logits_of
from harness.networks.replacing import deep_copy, replace_modules
from harness.networks.routing import Routing
from harness.networks.stand_ins import Hardsigmoid, Hardswish, parted

__all__ = ["Places", "prepared"]


def prepared(
    network: nn.Module,
    images: Tensor,
    *,
    layout: torch.memory_format = torch.preserve_format,
    **places: Unpack[Places],
) -> nn.Module:
    """A copy of a network, in training mode, that computes the same and that proxies can look into.

    - Calls of activation functions, of attention and of layers on free weights become registered modules.
    - It returns the logits alone.
    - It has ``forward_features`` and ``forward_blocks`` if it had them, if modules are named, or if they can be found:
      the last map before global pooling, and the modules with parts that sequences hold, after what enters the first.
    - All parameters require a gradient.

    Args:
        network: any network of images, vectors or sequences of floats. It is not changed.
        images: some images, on its device and of its dtype; one pass in training mode is made with them.
        layout: of the copy's weights in memory.
        places: ``output``, ``features`` and ``blocks`` as by :class:`Places`; default: found.

    Raises:
        HarnessError: if the network cannot be copied, the pass fails, or a module or output is not there.
    """
    return prepared_with_logits(network, images, layout, places)[0]


def prepared_with_logits(
    network: nn.Module, images: Tensor, layout: torch.memory_format, places: Places
) -> tuple[nn.Module, Tensor]:
    """The same, and the logits of the pass."""
    inner = _unwrapped(network)
    twin: nn.Module = _copied(inner).train().to(images.device, memory_format=layout)  # type: ignore[call-overload]
    for parameter in twin.parameters():
        # Indices may be parameters too.
        parameter.requires_grad_(parameter.is_floating_point() or parameter.is_complex())
    replace_modules(twin, _plain)
    record = Record(twin, images)
    routing = Routing(twin, making=True, original=inner)
    hooks = [register_module_forward_pre_hook(record.before), register_module_forward_hook(record.after)]
    with hooked(hooks), torch.no_grad(), untouched(twin), _plain_kernels(), routing:
        try:
            returned = twin(images.clone())
        except HarnessError:
            raise
        except Exception as error:
            shape = "×".join(map(str, images.shape))
            reason = " ".join(str(error).split())[:300]
            raise HarnessError(
                f"the network cannot process images of {shape}: {type(error).__name__}: {reason}"
            ) from error
    output = places.get("output")
    logits = logits_of(returned, output)
    if logits.dim() < 2 or len(logits) != len(images):
        raise HarnessError(
            f"the network's output has shape {tuple(logits.shape)}; expected: a row for each of {len(images)} images"
        )
    features = _features(twin, record, places.get("features"))
    _become_prepared(twin, routing.made > 0, output, features, _chain(twin, record, places.get("blocks")))
    return twin, logits


def _plain(module: nn.Module) -> nn.Module | None:
    """What stands for a module that hides its products or cannot be differentiated twice."""
    if isinstance(module, nn.MultiheadAttention) and can_be_plain(module):
        return MultiheadAttention(module)
    if isinstance(module, NORMS):
        return parted(module)
    kind = {nn.Hardsigmoid: Hardsigmoid, nn.Hardswish: Hardswish}.get(type(module))
    return None if kind is None else kind()


def _unwrapped(network: nn.Module) -> nn.Module:
    """The network inside wrappers of compilation and parallel training."""
    while True:
        inner = getattr(network, "_orig_mod", None)
        if inner is None and isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = network.module
        if not isinstance(inner, nn.Module):
            return network
        network = inner


def _copied(network: nn.Module) -> nn.Module:
    if isinstance(network, torch.jit.ScriptModule):
        raise HarnessError("compiled networks (torch.jit) cannot be looked into; give the module that was compiled")
    lazy = next((name for name, p in network.named_parameters() if isinstance(p, nn.UninitializedParameter)), None)
    if lazy is not None:
        raise HarnessError(f"the parameter '{lazy}' has no values yet; call the network once before it is scored")
    try:
        return deep_copy(network)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise HarnessError(
            f"the network cannot be copied ({type(error).__name__}: {reason}); give a function that builds it"
        ) from error


def _features(network: nn.Module, record: Record, name: str | None) -> Place | None:
    """Where the features are; None if the network has its own method, or none is found."""
    if name is not None:
        return record.of([name])[0]
    return None if hasattr(network, "forward_features") else record.features()


def _chain(network: nn.Module, record: Record, names: Sequence[str] | None) -> tuple[list[Place], bool]:
    """Where the blocks' features are, and whether what enters the first block comes before them."""
    if names is not None:
        return record.of(names), False
    if hasattr(network, "forward_blocks"):
        return [], False
    found = [name for name in blocks_of(network) if name in record.with_features()]
    return record.of(found), bool(found) and not record.given.get(found[0], True)


def _become_prepared(
    network: nn.Module, routed: bool, output: str | int | None, features: Place | None, chain: tuple[list[Place], bool]
) -> None:
    """Give the network a class of its own, with the methods that proxies call."""
    original: Any = type(network)
    scene: Callable[[Any], Any] = Routing if routed else contextlib.nullcontext
    blocks, with_stem = chain
    forward: Callable[..., Any] = _own_forward(network) or original.forward

    def logits(self: nn.Module, images: Tensor) -> Tensor:
        with scene(self), _plain_kernels():
            return logits_of(forward(self, images), output)

    body: dict[str, Any] = {"forward": logits, "__module__": original.__module__, "__qualname__": original.__qualname__}
    if features is not None:
        body["forward_features"] = lambda self, images: _kept(self, [features], False, images)[-1]
    elif routed and hasattr(original, "forward_features"):
        body["forward_features"] = _inside(original.forward_features, scene)
    if len(blocks) + with_stem > 1:
        body["forward_blocks"] = lambda self, images: _kept(self, blocks, with_stem, images)
    elif routed and hasattr(original, "forward_blocks"):
        body["forward_blocks"] = _inside(original.forward_blocks, scene)
    network.__class__ = type(original.__name__, (original,), body)


def _own_forward(network: nn.Module) -> Callable[..., Any] | None:
    """The method that the network itself has in place of that of its class, if any.

    Raises:
        HarnessError: if it is no method, so that copies of the network would share it.
    """
    own = vars(network).pop("forward", None)
    if own is None:
        return None
    if getattr(own, "__self__", None) is not network:
        raise HarnessError("the network's 'forward' was replaced by a function; make it a method of a class")
    method: Callable[..., Any] = own.__func__
    return method


def _inside(method: Callable[..., Any], scene: Callable[[Any], Any]) -> Callable[..., Any]:
    def routed(self: nn.Module, *arguments: Any, **named: Any) -> Any:
        # The network's own forward may call the method, within its scene.
        with contextlib.nullcontext() if Routing.is_open(self) else scene(self), _plain_kernels():
            return method(self, *arguments, **named)

    return routed


def _kept(network: nn.Module, places: Sequence[Place], with_stem: bool, images: Tensor) -> list[Tensor]:
    """The features at these places as maps (images, channels, height, width), on the way to the outputs."""
    kept: dict[str, Tensor] = {}
    modules = dict(network.named_modules())
    handles = []

    def after(place: Place) -> Callable[..., Any]:
        def hook(_: nn.Module, __: Any, output: Any) -> Any:
            if place.name in kept:
                return None
            first = output[0] if isinstance(output, tuple | list) else output
            kept[place.name], onward = _as_map(first, place.channels)
            return (onward, *output[1:]) if isinstance(output, tuple | list) else onward

        return hook

    def before(_: nn.Module, inputs: tuple[Any, ...]) -> Any:
        if "" in kept:
            return None
        kept[""], onward = _as_map(inputs[0], places[0].channels)
        return (onward, *inputs[1:])

    if with_stem:
        handles.append(modules[places[0].name].register_forward_pre_hook(before))
    handles += [modules[place.name].register_forward_hook(after(place)) for place in places]
    try:
        network(images)
    finally:
        for handle in handles:
            handle.remove()
    return list(kept.values())


def _as_map(tensor: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    """The tensor as (images, channels, height, width), tokens as a column; and the tensor computed back from it."""
    first = tensor.movedim(channels, 1)
    shape = first.shape
    found = first[..., None] if first.dim() == 3 else first if first.dim() == 4 else first.flatten(2)[..., None]
    if found is tensor:
        return tensor, tensor
    return found, found.reshape(shape).movedim(1, channels)


@contextlib.contextmanager
def _plain_kernels() -> Iterator[None]:
    """Switch off the fast path of torch's transformer layers, which calls none of their parts."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
