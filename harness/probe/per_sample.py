"""Gradients of single images, as used by NTK, GradSign and similar proxies.

If images influence each other, as through batch norm in training mode, each row needs its own backward pass. If they do
not, one forward and backward pass of several images gives every layer's inputs and the gradients of its outputs, and
their product gives each image's contribution. Such images pass in micro-batches, which bounds memory. The size of the
micro-batches is fixed, so that no bit depends on the available memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness.networks.kinds import does_more_than_normalise
from harness.networks.leaving import hooked, untouched
from harness.networks.replacing import deep_copy, replace_modules
from harness.probe import NotApplicableError, Probe
from harness.probe.passes import gradients
from harness.probe.per_sample_products import gradient_of_each_image
from harness.probe.usage import Part, seeing

MOST_ENTRIES = 2**28
"""Entries of the rows kept at a time (1 GiB of float32); more parameters take further rounds."""

MICRO_BATCH = 16
"""Minimum number of independent images per pass; with fewer, convolutions round differently."""

Score = Callable[[Tensor, slice], Tensor]
"""The sum, over the images in the slice, of a number computed from each image's outputs."""


class _NotSeparableError(Exception):
    """A module was called in a way that does not keep its images separate."""


def micro_batches(images: int) -> list[slice]:
    """The images of a mini-batch in equal parts of at least ``MICRO_BATCH``, or in one part if there are fewer.

    >>> micro_batches(50)
    [slice(0, 17, None), slice(17, 34, None), slice(34, 50, None)]
    """
    parts = torch.arange(images).tensor_split(max(1, images // MICRO_BATCH))
    return [slice(int(part[0]), int(part[-1]) + 1) for part in parts]


def rows_by_backward(scalar: Callable[[int], Tensor], count: int, parameters: Sequence[Tensor]) -> Iterator[Tensor]:
    """The gradients of several scalars, with one backward pass per scalar.

    ``scalar`` returns the i-th one, with a graph that is retained or built on each call.

    Yields:
        For each parameter (count, entries), with zeros where a scalar does not depend on it.
    """
    for group in _groups(parameters, MOST_ENTRIES // max(count, 1)):
        rows = [parameter.new_zeros(count, parameter.numel()) for parameter in group]
        for index in range(count):
            for row, gradient in zip(rows, gradients(scalar(index), group, retain_graph=True), strict=True):
                row[index] = gradient.flatten()
        yield from rows


def _groups(parameters: Sequence[Tensor], most: int) -> Iterator[list[Tensor]]:
    """The parameters in order, in groups of at most ``most`` entries, or of a single larger parameter."""
    group: list[Tensor] = []
    size = 0
    for parameter in parameters:
        if group and size + parameter.numel() > most:
            yield group
            group, size = [], 0
        group.append(parameter)
        size += parameter.numel()
    if group:
        yield group


def losses_of_images(probe: Probe) -> Score:
    """The sum of the single images' losses in the probe's first mini-batch."""
    labels, loss = probe.batch().labels, probe.objective.loss

    def total(outputs: Tensor, at: slice) -> Tensor:
        targets = labels[at]
        return torch.stack([loss(outputs[i : i + 1], targets[i : i + 1]) for i in range(len(outputs))]).sum()

    return total


def rows_of_images(
    network: nn.Module, images: Tensor, score: Score, parameters: Sequence[Tensor], parts: Collection[Part] = ()
) -> Iterator[Tensor]:
    """The gradient of each image's score, in a network that processes every image independently.

    Parameters are assumed to act through calls of the modules that own them. If one acts in another way, or a module is
    not called with one tensor that has a row per image, images pass one by one instead, with the same result. Memory
    holds the graph of one of the :func:`micro_batches` and rows of at most ``MOST_ENTRIES``; for more entries, all
    images pass again.

    Args:
        network: a network that processes images independently, such as one in evaluation mode or from
            :func:`with_statistics_of_each_image`.
        images: the mini-batch.
        score: a function of the network's outputs, summed over images.
        parameters: of the network, to differentiate with respect to.
        parts: of the network that must be registered modules.

    Yields:
        For each parameter (images, entries), with zeros where an image's score does not depend on it. The entries have
        the same order for all images, which is not always that of the parameter.

    Raises:
        NotApplicableError: if one of the parts is not a registered module, or a batch norm uses the mini-batch's
            statistics.
    """
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and (module.training or module.running_mean is None):
            raise NotApplicableError("a batch norm keeps no running statistics, so images influence each other")
    for group in _groups(parameters, MOST_ENTRIES // len(images)):
        try:
            yield from _rows_of_group(network, images, score, group, parts)
        except _NotSeparableError:
            alone = _one_by_one(network, images, score)
            yield from rows_by_backward(alone, len(images), group)


def _rows_of_group(
    network: nn.Module, images: Tensor, score: Score, parameters: Sequence[Tensor], parts: Collection[Part]
) -> list[Tensor]:
    """The result of :func:`rows_of_images` for parameters whose rows fit in memory together."""
    rows = [parameter.new_empty(len(images), parameter.numel()) for parameter in parameters]
    for at in micro_batches(len(images)):
        with _passing(network, at.stop - at.start, len(images)):
            passed = _RecordedPass(network, images, at, score, parameters, parts)
        for row, parameter in zip(rows, parameters, strict=True):
            row[at] = passed.of(parameter)
    return rows


def sum_over_images(
    network: nn.Module, images: Tensor, score: Score, parameters: Sequence[Tensor], parts: Collection[Part] = ()
) -> list[Tensor | None]:
    """The sum over images of :func:`rows_of_images`, shaped like the parameters, with one backward pass.

    None for a parameter that no image's score depends on.

    Raises:
        NotApplicableError: if one of the parts is not a registered module.
    """
    try:
        with seeing(network, *parts), untouched(network):
            total = score(network(images.clone()), slice(None))
    except _NotSeparableError:
        alone = _one_by_one(network, images, score)
        total = torch.stack([alone(index) for index in range(len(images))]).sum()
    return _gradients_or_none(total, parameters)


def _one_by_one(network: nn.Module, images: Tensor, score: Score) -> Callable[[int], Tensor]:
    """A function that returns the score of one image, passed alone."""

    def alone(index: int) -> Tensor:
        at = slice(index, index + 1)
        # All rows that a batch norm gets then belong to one image, even if the network cuts it into tiles.
        with _passing(network, 1, len(images)), untouched(network):
            return score(network(images[at].clone()), at)

    return alone


@contextmanager
def _passing(network: nn.Module, images: int, usually: int) -> Iterator[None]:
    """Tell per-image batch norms how many images pass inside the block."""
    norms = [module for module in network.modules() if isinstance(module, _NormOfEachImage)]
    for norm in norms:
        norm.images = images
    try:
        yield
    finally:
        for norm in norms:
            norm.images = usually


@dataclass(frozen=True)
class _Call:
    """One call of a module that owns a parameter: its input and output, and their versions at that time."""

    module: nn.Module
    inputs: Tensor
    output: Tensor
    versions: tuple[int, int]


class _RecordedPass:
    """One forward and backward pass of some images, from which each image's gradients are computed."""

    def __init__(
        self,
        network: nn.Module,
        images: Tensor,
        at: slice,
        score: Score,
        parameters: Sequence[Tensor],
        parts: Collection[Part],
    ) -> None:
        self._images = at.stop - at.start
        wanted = {id(parameter) for parameter in parameters}
        owners = [m for m in network.modules() if any(id(p) in wanted for p in m.parameters(recurse=False))]
        calls: list[_Call] = []

        def after(module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any], output: Any) -> None:
            calls.append(_call(module, arguments, keywords, output, self._images))

        handles = [owner.register_forward_hook(after, with_kwargs=True) for owner in owners]
        with hooked(handles), seeing(network, *parts) as usage, untouched(network):
            total = score(network(images[at].clone()), at)
        changed = any((call.inputs._version, call.output._version) != call.versions for call in calls)
        if changed or usage.borrowed & wanted:
            raise _NotSeparableError
        called = {id(parameter) for call in calls for parameter in call.module.parameters(recurse=False)}
        apart = [parameter for parameter in parameters if id(parameter) not in called]
        found = _gradients_or_none(total, [*(call.output for call in calls), *apart])
        if any(gradient is not None for gradient in found[len(calls) :]):
            raise _NotSeparableError
        self._calls = list(zip(calls, found[: len(calls)], strict=True))

    def of(self, parameter: Tensor) -> Tensor:
        """The gradients with respect to one parameter: (images, entries)."""
        total: Tensor | None = None
        for call, gradient in self._calls:
            for name, own in call.module.named_parameters(recurse=False):
                if own is parameter and gradient is not None:
                    part = gradient_of_each_image(call.module, name, call.inputs.detach(), gradient)
                    if total is not None and part.dim() != total.dim():
                        # Layers of different kinds share the parameter and return its entries in different orders.
                        raise _NotSeparableError
                    total = part if total is None else total + part
        return parameter.new_zeros(self._images, parameter.numel()) if total is None else total.flatten(1)


def _call(module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any], output: Any, images: int) -> _Call:
    """The record of a call with one input and one output tensor, each with a row per image."""
    inputs = arguments[0] if len(arguments) == 1 and not keywords else None
    if not (isinstance(inputs, Tensor) and isinstance(output, Tensor) and len(inputs) == len(output) == images):
        raise _NotSeparableError
    if isinstance(module, _NormOfEachImage):
        raise _NotSeparableError
    return _Call(module, inputs, output, (inputs._version, output._version))


def _gradients_or_none(total: Tensor, inputs: Sequence[Tensor]) -> list[Tensor | None]:
    """∂total/∂input for each input; None if the total does not depend on it."""
    reached = [tensor for tensor in inputs if tensor.requires_grad]
    if not (total.requires_grad and reached):
        return [None] * len(inputs)
    found = iter(torch.autograd.grad(total, reached, allow_unused=True))
    return [next(found) if tensor.requires_grad else None for tensor in inputs]


def with_statistics_of_each_image(network: nn.Module, images: int) -> nn.Module:
    """A copy of the network in training mode whose batch norms normalise each image by its own statistics.

    Each image passes as it would in a mini-batch of one image, and images do not influence each other.
    """

    def of_each_image(module: nn.Module) -> nn.Module | None:
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and (module.training or module.running_mean is None):
            if does_more_than_normalise(module):
                raise NotApplicableError(
                    f"the network's {type(module).__name__} does more than normalise, so it cannot be replaced"
                )
            return _NormOfEachImage(module, images)
        return None

    return replace_modules(deep_copy(network), of_each_image)


class _NormOfEachImage(nn.Module):
    """Batch norm as for mini-batches of one image, applied to several images at once."""

    stands_for = nn.modules.batchnorm._BatchNorm

    def __init__(self, original: nn.modules.batchnorm._BatchNorm, images: int) -> None:
        super().__init__()
        self.weight, self.bias, self.eps = original.weight, original.bias, original.eps
        self.images = images

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel of each image over its positions: (images, channels, ...)."""
        if len(x) % self.images:
            raise _NotSeparableError
        if x.numel() == self.images * x.shape[1]:
            raise NotApplicableError(
                "passes images one by one, but a batch norm gets a single value per channel of an image"
            )
        if self.images == 1:
            return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)
        if len(x) != self.images:
            raise _NotSeparableError
        normalised: Tensor = _NormaliseEachImage.apply(x, self.weight, self.bias, self.eps)  # type: ignore[no-untyped-call]
        return normalised


class _NormaliseEachImage(torch.autograd.Function):
    """Group norm with one channel per group.

    torch's own function crashes the process (2.13, channels_last) if only the gradients of scale and shift are
    requested; this one always requests the gradient of the input too. The kernel gives wrong numbers if the gradient
    lies in memory in another order than the input, so it is put in the same order first.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
        ctx.sizes = (len(x), x.shape[1], x[0, 0].numel(), x.shape[1])
        normalised, mean, inverse_deviation = torch.ops.aten.native_group_norm(x, weight, bias, *ctx.sizes, eps)
        ctx.save_for_backward(x, mean, inverse_deviation, weight)
        return cast("Tensor", normalised)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        x, affine = ctx.saved_tensors[0], ctx.saved_tensors[-1] is not None
        gradient = gradients[0].contiguous(memory_format=_order_of(x))
        parts = torch.ops.aten.native_group_norm_backward(
            gradient, *ctx.saved_tensors, *ctx.sizes, [True, affine, affine]
        )
        return *parts, None


def _order_of(x: Tensor) -> torch.memory_format:
    """The order of a map's entries in memory, as torch's kernels see it."""
    kinds = {4: torch.channels_last, 5: torch.channels_last_3d}
    kind = kinds.get(x.dim())
    is_last = kind is not None and x.is_contiguous(memory_format=kind) and not x.is_contiguous()
    return kind if kind is not None and is_last else torch.contiguous_format
