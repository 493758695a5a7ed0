r"""How each image's outputs depend on single entries of the parameters.

With y the output of the layer that owns an entry θ, :math:`\partial z_{nc} / \partial \theta = \langle \partial z_{nc}
/ \partial y_n, \partial y_n / \partial \theta \rangle`. The first entry of a weight or bias moves the layer's first
channel alone, and by something simple: a shifted channel of the input, or one. So one backward pass for each output
gives the derivatives of all images at all entries, where a gradient for each image would take as many passes as there
are images.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.passes import untouched
from harness.probe import NotApplicableError

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
            norm.
    """
    places = {id(parameter): place for place, parameter in enumerate(list(network.parameters())[:count])}
    owners = [m for m in network.modules() if any(id(p) in places for p in m.parameters(recurse=False))]
    for module in owners:
        if not isinstance(module, KINDS):
            raise NotApplicableError(f"the derivative at an entry of a {type(module).__name__} is not known here")
    network.requires_grad_(False)
    outputs, calls = _forward(network, owners, images)
    jacobian = outputs.new_zeros(len(images), outputs.shape[1], len(places))
    if not outputs.requires_grad:
        return outputs, jacobian
    moved = [
        (call, places[id(parameter)], how)
        for call, (module, entering, _) in enumerate(calls)
        for parameter, how in _first_channel_derivatives(module, entering)
        if id(parameter) in places
    ]
    for class_ in range(outputs.shape[1]):
        reaching = torch.autograd.grad(
            outputs[:, class_].sum(),
            [leaving for _, _, leaving in calls],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        for call, place, how in moved:
            product = _first_channel(calls[call][0], reaching[call]) * how
            jacobian[:, class_, place] += product.reshape(len(images), -1).sum(dim=1)
    return outputs.detach(), jacobian


Call = tuple[nn.Module, Tensor, Tensor]


def _forward(network: nn.Module, owners: list[nn.Module], images: Tensor) -> tuple[Tensor, list[Call]]:
    """The outputs, and each call of an owner with the first channel that entered and the output that left."""
    calls: list[Call] = []

    def after(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if not output.requires_grad:
            # What comes after a cell that lets nothing through depends on its own parameters all the same.
            output = output.detach().requires_grad_(True)
        calls.append((module, _first_channel(module, inputs[0]).detach().clone(), output))
        return output.clone()  # whoever comes next may write into it

    handles = [module.register_forward_hook(after) for module in owners]
    try:
        with untouched(network), torch.enable_grad():
            # The parameters are frozen: what depends on the images carries the graph.
            outputs: Any = network(images.clone().requires_grad_(True) + 0)
    finally:
        for handle in handles:
            handle.remove()
    return outputs, calls


def _first_channel(module: nn.Module, tensor: Tensor) -> Tensor:
    """(batch, height, width) of a feature map, or (batch, ...) of vectors, whose channels come last."""
    return tensor[..., 0] if isinstance(module, nn.Linear) else tensor[:, 0]


def _first_channel_derivatives(module: nn.Module, entering: Tensor) -> list[tuple[Tensor | None, Tensor]]:
    """The layer's parameters, each with how the first channel of the output moves with its first entry."""
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
