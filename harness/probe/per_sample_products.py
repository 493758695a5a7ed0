"""Each image's contribution to a layer's gradient, from the layer's inputs and the gradients of its outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def gradient_of_each_image(module: nn.Module, name: str, inputs: Tensor, gradient: Tensor) -> Tensor:
    """Each image's contribution to the gradient of the named parameter of a module that is called once: (images, ...).

    The module treats images independently; its inputs and the gradient at its output are (images, ...). The order of
    the entries is the same for all images, but not always that of the parameter.
    """
    if name == "weight":
        if isinstance(module, nn.Linear):
            return _products(gradient, inputs)
        if isinstance(module, nn.Conv2d) and _is_plain(module):
            return _products_of_convolution(module, inputs, gradient)
        if isinstance(module, nn.BatchNorm2d) and not module.training:
            mean, variance = module.running_mean, module.running_var
            normalised = F.batch_norm(inputs, mean, variance, training=False, eps=module.eps)
            return (gradient * normalised).sum(dim=(2, 3))
    return _by_vectorised_map(module, name, inputs, gradient)


def _products(gradient: Tensor, inputs: Tensor) -> Tensor:
    """Σ over positions of outer products: (images, ..., o) and (images, ..., i) to (images, o, i)."""
    return torch.bmm(_by_position(gradient).transpose(1, 2), _by_position(inputs))


def _by_position(features: Tensor) -> Tensor:
    """(images, ..., features) to (images, positions, features)."""
    return features.reshape(len(features), -1, features.shape[-1])


def _is_plain(layer: nn.Conv2d) -> bool:
    return layer.groups == 1 and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


def _products_of_convolution(layer: nn.Conv2d, inputs: Tensor, gradient: Tensor) -> Tensor:
    """The same for a convolution: (images, kernel height, outputs, kernel width · inputs).

    With the channels innermost, an output reads a contiguous run of memory from each row of the image. These runs are
    gathered once, and each row of the kernel reads the same runs, shifted. For 3×3 kernels this copies a third as much
    as ``unfold``.
    """
    (high, wide), (down, right), (dilated, dilated_right) = layer.kernel_size, layer.stride, layer.dilation
    above, aside = int(layer.padding[0]), int(layer.padding[1])
    padded = F.pad(inputs.permute(0, 2, 3, 1), (0, 0, aside, aside, above, above)).contiguous()
    of_positions = gradient.permute(0, 2, 3, 1)
    images, height, _, channels = padded.shape
    height_out, width_out = of_positions.shape[1:3]
    image, row, column, channel = padded.stride()
    shape = (images, height, width_out, wide, channels)
    runs = padded.as_strided(shape, (image, row, right * column, dilated_right * column, channel)).flatten(3)
    last = down * (height_out - 1) + 1
    of_rows = [runs[:, dilated * index : dilated * index + last : down] for index in range(high)]
    return torch.stack([_products(of_positions, read) for read in of_rows], dim=1)


def _by_vectorised_map(module: nn.Module, name: str, inputs: Tensor, gradient: Tensor) -> Tensor:
    """The same for a module of any kind, through ``torch.func``."""

    def along(parameter: Tensor, image: Tensor, of_output: Tensor) -> Tensor:
        output = torch.func.functional_call(module, {name: parameter}, (image[None],))
        total: Tensor = (output * of_output[None]).sum()
        return total

    parameter = module.get_parameter(name).detach()
    each: Tensor = torch.func.vmap(torch.func.grad(along), in_dims=(None, 0, 0))(parameter, inputs, gradient)
    return each
