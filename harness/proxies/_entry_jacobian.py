r"""How each image's outputs depend on single entries of the parameters.

With y the output of the layer that owns an entry θ, :math:`\partial z_{nc} / \partial \theta = \langle \partial z_{nc}
/ \partial y_n, \partial y_n / \partial \theta \rangle`. The first entry of a weight or bias moves the layer's first
channel alone, and by something simple: a shifted channel of the input, or one. So one backward pass for each output
gives the derivatives of all images at all entries, where a gradient for each image would take as many passes as there
are images. Where fewer features than classes reach a last linear layer, one pass for each feature is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.probe import NotApplicableError
from harness.probe.passes import untouched
from harness.probe.usage import Part, Usage, seeing

KINDS = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)


def entry_jacobian(network: nn.Module, images: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Outputs and their derivatives at the first entry of each of the network's first parameter tensors.

    Args:
        network: in evaluation mode, so that images do not see each other; its parameters are frozen.
        images: (images, ...).
        count: how many parameter tensors, in the network's order.

    Returns:
        Outputs, (images, classes), and derivatives, (images, classes, tensors); zeros where a tensor is not used.

    Raises:
        NotApplicableError: if one of the tensors belongs to a module that is no convolution, linear layer or 2-D batch
            norm, or is used other than by calling that module.
    """
    places = {id(parameter): place for place, parameter in enumerate(list(network.parameters())[:count])}
    owners = [m for m in network.modules() if any(id(p) in places for p in m.parameters(recurse=False))]
    for module in owners:
        if not isinstance(module, KINDS):
            raise NotApplicableError(f"the derivative at an entry of a {type(module).__name__} is not known here")
    network.requires_grad_(False)
    outputs, calls, usage = _forward(network, owners, images)
    if usage.borrowed & places.keys():
        raise NotApplicableError("the network uses a parameter other than by calling the module that owns it")
    if not calls or not _is_last(calls[-1], outputs):
        return outputs.detach(), _derivatives(outputs, calls, places)
    # Logits are linear in the features before them, whose derivatives take fewer passes where they are fewer.
    last = calls[-1]
    jacobian = last.module.weight @ _derivatives(last.entering, calls[:-1], places)
    for parameter, how in _first_channel_derivatives(last):
        if id(parameter) in places:
            jacobian[:, 0, places[id(parameter)]] += how
    return outputs.detach(), jacobian


@dataclass(frozen=True)
class _Call:
    """One call of a layer.

    Attributes:
        module: the layer.
        first: the first channel of what went in.
        entering: what went in, with its graph.
        version: that it had then.
        leaving: what came out, with its graph.
        given: a copy of that, which goes on; whoever comes next may write into it.
    """

    module: Any
    first: Tensor
    entering: Tensor
    version: int
    leaving: Tensor
    given: Tensor


def _is_last(call: _Call, outputs: Tensor) -> bool:
    """Whether the call gave the outputs, from fewer features than there are outputs."""
    narrow = isinstance(call.module, nn.Linear) and call.module.in_features < call.module.out_features
    return narrow and call.given is outputs and call.entering.dim() == 2 and call.entering._version == call.version


def _derivatives(outputs: Tensor, calls: list[_Call], places: dict[int, int]) -> Tensor:
    """The derivatives of outputs, (images, any), at the first entry of each parameter: (images, any, parameters)."""
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
    """The outputs, each call of an owner, and what else the pass went through.

    Raises:
        NotApplicableError: if the network multiplies by weights that belong to no layer.
    """
    calls: list[_Call] = []

    def after(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if not output.requires_grad:
            # What comes after a cell that lets nothing through depends on its own parameters all the same.
            output = output.detach().requires_grad_(True)
        entering = inputs[0]
        first = _first_channel(module, entering).detach().clone()
        calls.append(_Call(module, first, entering, entering._version, output, output.clone()))
        return calls[-1].given

    handles = [module.register_forward_hook(after) for module in owners]
    try:
        with seeing(network, Part.WEIGHTS) as usage, untouched(network), torch.enable_grad():
            # The parameters are frozen: what depends on the images carries the graph.
            outputs: Any = network(images.clone().requires_grad_(True) + 0)
    finally:
        for handle in handles:
            handle.remove()
    return outputs, calls, usage


def _first_channel(module: nn.Module, tensor: Tensor) -> Tensor:
    """(batch, height, width) of a feature map, or (batch, ...) of vectors, whose channels come last."""
    return tensor[..., 0] if isinstance(module, nn.Linear) else tensor[:, 0]


def _first_channel_derivatives(call: _Call) -> list[tuple[Tensor | None, Tensor]]:
    """The layer's parameters, each with how the first channel of the output moves with its first entry."""
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
        raise NotApplicableError("a batch norm keeps no running statistics, so images see each other")
    normalised = (entering - module.running_mean[0]) / (module.running_var[0] + module.eps).sqrt()
    return [(module.weight, normalised), (module.bias, one)]
