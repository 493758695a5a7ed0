r"""Derivatives of each image's outputs with respect to single entries of the parameters.

With y the output of the layer that owns an entry θ, :math:`\partial z_{nc} / \partial \theta = \langle \partial z_{nc}
/ \partial y_n, \partial y_n / \partial \theta \rangle`. The first entry of a weight or bias affects only the layer's
first channel, and its derivative is simple: a shifted channel of the input, or 1. So one backward pass per output gives
the derivatives of all images at all entries, while a gradient per image would take as many passes as there are images.
If the last linear layer has fewer input features than classes, one pass per feature is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.networks.leaving import hooked, untouched
from harness.probe import NotApplicableError
from harness.probe.usage import Part, Usage, seeing

KINDS = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)


def entry_jacobian(network: nn.Module, images: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Outputs, and their derivatives with respect to the first entry of each of the first parameter tensors.

    Args:
        network: in evaluation mode, so that images do not influence each other. Its parameters are frozen.
        images: (images, ...).
        count: number of parameter tensors, in the network's order.

    Returns:
        Outputs (images, classes) and derivatives (images, classes, tensors); zeros for tensors that are not used.

    Raises:
        NotApplicableError: if one of the tensors belongs to a module that is not a convolution, linear layer or 2-D
            batch norm, or is used other than by calling that module.
    """
    places = {id(parameter): place for place, parameter in enumerate(list(network.parameters())[:count])}
    owners = [m for m in network.modules() if any(id(p) in places for p in m.parameters(recurse=False))]
    for module in owners:
        if not isinstance(module, KINDS):
            raise NotApplicableError(f"derivatives by entries of a {type(module).__name__} are not implemented")
    network.requires_grad_(False)
    outputs, calls, usage = _forward(network, owners, images)
    if usage.borrowed & places.keys():
        raise NotApplicableError("the network uses a parameter other than by calling the module that owns it")
    if not calls or not _is_last(calls[-1], outputs):
        return outputs.detach(), _derivatives(outputs, calls, places)
    # Logits are linear in the features before them. If there are fewer features, their derivatives take fewer passes.
    last = calls[-1]
    jacobian = last.module.weight @ _derivatives(last.entering, calls[:-1], places)
    for parameter, how in _first_channel_derivatives(last):
        if id(parameter) in places:
            jacobian[:, 0, places[id(parameter)]] += how
    return outputs.detach(), jacobian


@dataclass(frozen=True)
class _Call:
    """One call of a layer: the first channel of its input, its input with its version then, and its output."""

    module: Any
    first: Tensor
    entering: Tensor
    version: int
    leaving: Tensor
    # A copy of the output, which the network receives instead; later modules may write into it.
    given: Tensor


def _is_last(call: _Call, outputs: Tensor) -> bool:
    """Whether the call computed the outputs from fewer features than there are outputs."""
    narrow = isinstance(call.module, nn.Linear) and call.module.in_features < call.module.out_features
    return narrow and call.given is outputs and call.entering.dim() == 2 and call.entering._version == call.version


def _derivatives(outputs: Tensor, calls: list[_Call], places: dict[int, int]) -> Tensor:
    """Derivatives of outputs (images, n) with respect to each parameter's first entry: (images, n, parameters)."""
    jacobian = outputs.new_zeros(*outputs.shape, len(places))
    moved = [
        (index, places[id(parameter)], how)
        for index, call in enumerate(calls)
        for parameter, how in _first_channel_derivatives(call)
        if id(parameter) in places
    ]
    if not (outputs.requires_grad and calls):
        return jacobian
    for column in range(outputs.shape[1]):
        reaching = torch.autograd.grad(
            outputs[:, column].sum(),
            [call.leaving for call in calls],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        for index, place, how in moved:
            product = _first_channel(calls[index].module, reaching[index]) * how
            jacobian[:, column, place] += product.reshape(len(outputs), -1).sum(dim=1)
    return jacobian


def _forward(network: nn.Module, owners: list[nn.Module], images: Tensor) -> tuple[Tensor, list[_Call], Usage]:
    """The outputs, each call of an owner, and what else the pass used."""
    calls: list[_Call] = []

    def after(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if not output.requires_grad:
            # After a cell that outputs constants, later layers still depend on their own parameters.
            output = output.detach().requires_grad_(True)
        entering = inputs[0]
        first = _first_channel(module, entering).detach().clone()
        calls.append(_Call(module, first, entering, entering._version, output, output.clone()))
        return calls[-1].given

    handles = [module.register_forward_hook(after) for module in owners]
    with hooked(handles), seeing(network, Part.WEIGHTS) as usage, untouched(network), torch.enable_grad():
        # The parameters are frozen, so the graph hangs on the images.
        outputs: Any = network(images.clone().requires_grad_(True) + 0)
    return outputs, calls, usage


def _first_channel(module: nn.Module, tensor: Tensor) -> Tensor:
    """The first channel: (batch, height, width) of a feature map, or (batch, ...) of vectors, channels last."""
    return tensor[..., 0] if isinstance(module, nn.Linear) else tensor[:, 0]


def _first_channel_derivatives(call: _Call) -> list[tuple[Tensor | None, Tensor]]:
    """The layer's parameters, each with the derivative of the first output channel by its first entry."""
    module, entering = call.module, call.first
    one = torch.ones((), dtype=entering.dtype, device=entering.device)
    if isinstance(module, nn.Conv2d):
        pulse = torch.zeros_like(module.weight[:1, :1])
        pulse[0, 0, 0, 0] = 1
        mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
        padded = F.pad(entering[:, None], module._reversed_padding_repeated_twice, mode=mode)
        shifted = F.conv2d(padded, pulse, stride=module.stride, dilation=module.dilation)
        return [(module.weight, shifted[:, 0]), (module.bias, one)]
    if isinstance(module, nn.Linear):
        return [(module.weight, entering), (module.bias, one)]
    assert isinstance(module, nn.BatchNorm2d)
    if module.running_mean is None or module.running_var is None:
        raise NotApplicableError("a batch norm keeps no running statistics, so images influence each other")
    normalised = (entering - module.running_mean[0]) / (module.running_var[0] + module.eps).sqrt()
    return [(module.weight, normalised), (module.bias, one)]
