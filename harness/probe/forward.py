"""One forward pass, with everything that proxies need from it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor, nn

from harness.networks.kinds import TRANSPOSED, Layer, is_relu, is_unit
from harness.networks.leaving import hooked, untouched
from harness.probe.passes import layers_of
from harness.probe.usage import Usage


@dataclass(frozen=True)
class ForwardPass:
    """The recorded tensors of one forward pass, still attached to its graph.

    Attributes:
        images: the leaf for gradients with respect to the input.
        outputs: logits, (batch, classes), or the network's other outputs.
        relu_inputs: the input of each call of a ReLU module.
        unit_inputs: the input of each call of a ReLU module or a relative of it, such as GELU.
        layers_before_units: for each of these calls, the number of calls of layers before it.
        layer_outputs: each call of a convolution or linear layer with its output, in the order of the calls.
        transposed_accumulates: multiply-accumulate operations of all transposed convolutions for this batch.
        usage: what the pass used other than by registered modules; see :mod:`harness.probe.usage`.
    """

    images: Tensor
    outputs: Tensor
    relu_inputs: list[Tensor]
    unit_inputs: list[Tensor]
    layers_before_units: list[int]
    layer_outputs: list[tuple[Layer, Tensor]]
    transposed_accumulates: int
    usage: Usage


def recorded_pass(network: nn.Module, images: Tensor, seen: Callable[[], AbstractContextManager[Usage]]) -> ForwardPass:
    """Run a forward pass and record it; the network, in training mode, is not changed.

    ``seen`` makes the context manager around the network's call, which yields the usage of the pass.
    """
    passed, changed = _pass(network, images, seen, copies=False)
    # A network that changes recorded tensors in place gets copies.
    return _pass(network, images, seen, copies=True)[0] if changed else passed


def _pass(
    network: nn.Module, batch: Tensor, seen: Callable[[], AbstractContextManager[Usage]], *, copies: bool
) -> tuple[ForwardPass, bool]:
    """A forward pass, and whether the network changed a recorded tensor after it was recorded."""
    relu_inputs: list[Tensor] = []
    unit_inputs: list[Tensor] = []
    layers_before_units: list[int] = []
    layer_outputs: list[tuple[Layer, Tensor]] = []
    versions: list[tuple[Tensor, int]] = []
    transposed_accumulates = 0

    def before_unit(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        unit_inputs.append(inputs[0].detach().clone() if copies else inputs[0])
        layers_before_units.append(len(layer_outputs))
        versions.append((unit_inputs[-1], unit_inputs[-1]._version))
        if id(module) in relus:
            relu_inputs.append(unit_inputs[-1])

    def after_layer(layer: nn.Module, _: Any, output: Tensor) -> Tensor | None:
        layer_outputs.append((cast("Layer", layer), output))
        versions.append((output, output._version))
        return output.clone() if copies else None

    def after_transposed(layer: nn.Module, inputs: tuple[Tensor, ...], _: Any) -> None:
        nonlocal transposed_accumulates
        # Each entry of the input is multiplied with every weight of its channel.
        weight = cast("nn.ConvTranspose2d", layer).weight
        transposed_accumulates += inputs[0].numel() * weight[0].numel()

    units = [module for module in network.modules() if is_unit(module)]
    relus = {id(module) for module in units if is_relu(module)}
    handles = [unit.register_forward_pre_hook(before_unit) for unit in units]
    handles += [layer.register_forward_hook(after_layer) for layer in layers_of(network)]
    transposed = [module for module in network.modules() if isinstance(module, TRANSPOSED)]
    handles += [layer.register_forward_hook(after_transposed) for layer in transposed]
    images = batch.detach().clone().requires_grad_(True)
    with hooked(handles), untouched(network), seen() as usage:
        outputs = network(images.clone())
    passed = ForwardPass(
        images,
        outputs,
        relu_inputs,
        unit_inputs,
        layers_before_units,
        layer_outputs,
        transposed_accumulates,
        usage,
    )
    return passed, any(tensor._version != version for tensor, version in versions)
