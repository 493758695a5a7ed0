r"""WRCor: how similar images are to a network's ReLUs, in their inputs and in the gradients at these inputs.

A response is the input of a ReLU, or the gradient of the loss with respect to it, with one row per image. With
:math:`C_r` the correlation coefficients between the rows of response r and :math:`K = \sum_r w_r |C_r|`, the score is
:math:`\log |\det K|`. A response with a constant row, for which C is undefined, is left out, as in the official code.

The proxies follow the official code as it runs on NAS-Bench-201, where it hooks every module with ReLU in its class
name. The block ReLUConvBN is such a module too, in addition to the ReLU that it starts with, so its input counts once
more, and so does the gradient at the input of its last module, the batch norm. The ReLU after the last block works in
place there, so its hook sees its output; here, too, the output of a ReLU after the blocks counts.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from harness.contracts.proxy import proxy
from harness.networks.leaving import hooked, untouched
from harness.probe import NotApplicableError, quantity
from harness.probe.passes import gradients
from harness.probe.usage import Part, seeing
from harness.proxies._sums import log_determinant

if TYPE_CHECKING:
    from harness.probe import Probe

BLOCK_LISTS = ("cells", "layers", "blocks", "block_list")
"""Attributes that hold a network's list of blocks; the official code uses the first, second and last."""


class _Kernel(NamedTuple):
    """Σ |C| of all responses, each with weight 1 and each times its own weight: (images, images), float64."""

    plain: Tensor
    weighted: Tensor


class _Responses:
    """One forward pass: the inputs of the ReLUs, and the points where gradients are taken.

    Attributes:
        blocks: number of blocks of the network; 0 if it has no list of blocks.
        activations: each counted tensor, with the sum of its weights and the number of times it counts.
        points: a copy of each tensor per module that reads it, so that its gradient belongs to that module, with its
            weight.
        outputs: of the network, attached to the graph.
    """

    def __init__(self, network: nn.Module, images: Tensor) -> None:
        blocks = _block_list(network)
        self.blocks = len(blocks)
        self.activations: dict[int, tuple[Tensor, float, int]] = {}
        self.points: list[tuple[Tensor, float]] = []
        self._registrations = Counter(id(module) for _, module in network.named_modules(remove_duplicate=False))
        self._places: dict[int, list[int]] = {}
        self._places_of_blocks: dict[int, list[int]] = {}
        for place, block in enumerate(blocks):
            self._places_of_blocks.setdefault(id(block), []).append(place)
            for module in block.modules():
                self._places.setdefault(id(module), []).append(place)
        self._begun = False
        self._running_blocks: list[int] = []
        self._calls: Counter[int] = Counter()
        named = [module for module in network.modules() if "ReLU" in type(module).__name__]
        if not named:
            raise NotApplicableError("the network has no ReLU modules")
        # Last module of each named module, with the named modules that end with it.
        self._ended: dict[int, list[nn.Module]] = {}
        self._running_named: list[nn.Module] = []
        handles = []
        for block in dict.fromkeys(blocks):
            handles.append(block.register_forward_pre_hook(self._begin))
            handles.append(block.register_forward_hook(self._end))
        for module in named:
            *_, (_, last) = module.named_modules(remove_duplicate=False)
            handles.append(module.register_forward_pre_hook(self._note_what_enters))
            handles.append(module.register_forward_hook(self._note_what_leaves))
            if id(last) not in self._ended:
                handles.append(last.register_forward_pre_hook(self._take_gradients))
            self._ended.setdefault(id(last), []).append(module)
        with hooked(handles), seeing(network, Part.RELUS), untouched(network), torch.enable_grad():
            self.outputs: Tensor = network(images.clone())

    def _begin(self, block: nn.Module, *_: Any) -> None:
        self._begun = True
        places = self._places_of_blocks[id(block)]
        self._running_blocks.append(places[self._calls[id(block)] % len(places)])
        self._calls[id(block)] += 1

    def _end(self, *_: Any) -> None:
        self._running_blocks.pop()

    def _note_what_enters(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._running_named.append(module)
        if not self._is_after(module):
            self._note(inputs[0], module)

    def _note_what_leaves(self, module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        self._running_named.pop()
        if not self._is_after(module):
            return None
        self._note(output, module)
        return output.clone()  # later modules may write into it

    def _take_gradients(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        for named in self._ended[id(module)]:
            if named is module or named in self._running_named:
                inputs = (inputs[0].clone(), *inputs[1:])
                if inputs[0].requires_grad:
                    self.points.append((inputs[0], self._weight(module)))
        return inputs

    def _note(self, tensor: Tensor, module: nn.Module) -> None:
        _, total, count = self.activations.get(id(tensor), (tensor, 0.0, 0))
        self.activations[id(tensor)] = (tensor, total + self._weight(module), count + 1)

    def _is_after(self, module: nn.Module) -> bool:
        """Whether the module is called outside all blocks, after the first one began."""
        return self._begun and self._place(module) is None

    def _place(self, module: nn.Module) -> int | None:
        """The index of the block in which the module is called; None outside all blocks.

        This is the running block, even if several blocks share the module. If the network calls parts of a block and
        not the block itself, it is the block in which the module is registered.
        """
        if self._running_blocks:
            return self._running_blocks[-1]
        places = self._places.get(id(module), [])
        return places[0] if len(places) == self._registrations[id(module)] == 1 else None

    def _weight(self, module: nn.Module) -> float:
        """2ⁱ in block i, with everything after the last block counted as one more block; 0 before the first."""
        if self._is_after(module):
            return 2.0**self.blocks
        place = self._place(module)
        return 0.0 if place is None else 2.0**place


def _block_list(network: nn.Module) -> list[nn.Module]:
    """The blocks of the outermost module list that has one of the usual names."""
    for owner in network.modules():
        for name in BLOCK_LISTS:
            found = getattr(owner, name, None)
            if isinstance(found, nn.ModuleList | nn.Sequential):
                return list(found)
    return []


@quantity("harness.proxies.wrcor:_responses")
def _responses(probe: Probe) -> _Responses:
    return _Responses(probe.network, probe.batch().images)


@quantity("harness.proxies.wrcor:_of_activations")
def _of_activations(probe: Probe) -> _Kernel:
    responses = _responses(probe)
    return _summed(
        probe, [(_correlations(probe, t), weight, count) for t, weight, count in responses.activations.values()]
    )


@quantity("harness.proxies.wrcor:_of_gradients")
def _of_gradients(probe: Probe) -> _Kernel:
    responses = _responses(probe)
    found = gradients(probe.loss(responses.outputs), [point for point, _ in responses.points])
    weights = [weight for _, weight in responses.points]
    return _summed(probe, [(_correlations(probe, g), weight, 1) for g, weight in zip(found, weights, strict=True)])


def _summed(probe: Probe, terms: list[tuple[Tensor, float, int]]) -> _Kernel:
    """The sum of matrices times their counts, and the sum of matrices times their weights."""
    images = probe.batch().images
    plain = torch.zeros(len(images), len(images), dtype=torch.float64, device=images.device)
    weighted = plain.clone()
    for matrix, weight, count in terms:
        plain += count * matrix
        weighted += weight * matrix
    return _Kernel(plain, weighted)


def _correlations(probe: Probe, response: Tensor) -> Tensor:
    """|C| between the images' rows, float64; zeros if some row is constant."""
    # The order of the units does not matter, so channels_last memory is read without copying.
    dense = response.detach().permute(0, 2, 3, 1) if response.dim() == 4 else response.detach()
    rows = dense.reshape(len(probe.batch().images), -1)
    centred = rows - rows.mean(dim=1, keepdim=True)
    # The squares of small gradients would underflow in float32.
    lengths = torch.linalg.vector_norm(centred, dim=1, keepdim=True, dtype=torch.float64)
    unit = centred / lengths.to(centred.dtype)
    magnitudes = (unit @ unit.T).abs().double()
    return torch.where(magnitudes.isfinite().all(), magnitudes, torch.zeros_like(magnitudes))


@proxy(
    "wrcor",
    label="WRCor",
    better="higher",
    data="labels",
    cite="jing2025wrcor",
    axes=("expressivity", "generalisation"),
    source="foresight/pruners/measures/act_grad_cor_weighted.py, as it runs on NAS-Bench-201",
)
def wrcor(probe: Probe) -> Tensor:
    r"""Correlations between images in the ReLUs' inputs and their gradients, weighted more in later blocks.

    :math:`\log |\det \sum_i 2^i \sum_r (|C^{act}_r| + |C^{grad}_r|)|` over the ReLUs r of block i = 0, 1, …, with
    everything after the last block counted as one more block; ReLUs before the first block are left out. Training mode,
    the loss of the task. Each block outweighs all earlier blocks together. Pooling between stages is a separate block
    if the network keeps it in its list of blocks, as NAS-Bench-101's does. A ReLU that is called several times gives a
    response for each call; if it gets an image as several tiles, the image's row contains all of them.

    The official code also votes with this score, SynFlow and Jacob cov. The signs of these differ between benchmarks,
    so choosing them requires accuracies, and the votes are not offered. This proxy was checked against the official
    code on its own NAS-Bench-201 networks; of the paper, only the abstract was read.

    Raises:
        NotApplicableError: if the network has no ReLU modules, or no module has a list of blocks named ``cells``,
            ``layers``, ``blocks`` or ``block_list``.
    """
    if _responses(probe).blocks == 0:
        raise NotApplicableError(f"the network has no list of blocks (named {', '.join(BLOCK_LISTS)})")
    return log_determinant(_of_activations(probe).weighted + _of_gradients(probe).weighted)


@proxy(
    "wrcor_unweighted",
    label="WRCor (unweighted)",
    better="higher",
    data="labels",
    cite="jing2025wrcor",
    axes=("expressivity", "generalisation"),
    source="foresight/pruners/measures/act_grad_cor.py, as it runs on NAS-Bench-201",
    variant_of="wrcor",
)
def wrcor_unweighted(probe: Probe) -> Tensor:
    r"""WRCor with the same weight for every ReLU.

    :math:`\log |\det \sum_r (|C^{act}_r| + |C^{grad}_r|)|`, including ReLUs before the first block. No list of blocks
    is needed.

    Raises:
        NotApplicableError: if the network has no ReLU modules.
    """
    return log_determinant(_of_activations(probe).plain + _of_gradients(probe).plain)


@proxy(
    "wrcor_activations",
    label="WRCor (activations)",
    better="higher",
    data="images",
    cite="jing2025wrcor",
    axes=("expressivity", "generalisation"),
    source="foresight/pruners/measures/act_cor.py, as it runs on NAS-Bench-201",
    variant_of="wrcor",
)
def wrcor_activations(probe: Probe) -> Tensor:
    r"""WRCor of the ReLUs' inputs only, unweighted.

    :math:`\log |\det \sum_r |C^{act}_r||`; otherwise as ``wrcor_unweighted``.

    Raises:
        NotApplicableError: if the network has no ReLU modules.
    """
    return log_determinant(_of_activations(probe).plain)


@proxy(
    "wrcor_gradients",
    label="WRCor (gradients)",
    better="higher",
    data="labels",
    cite="jing2025wrcor",
    axes=("expressivity", "generalisation"),
    source="foresight/pruners/measures/grad_cor.py, as it runs on NAS-Bench-201",
    variant_of="wrcor",
)
def wrcor_gradients(probe: Probe) -> Tensor:
    r"""WRCor of the gradients only, unweighted.

    :math:`\log |\det \sum_r |C^{grad}_r||`; otherwise as ``wrcor_unweighted``.

    Raises:
        NotApplicableError: if the network has no ReLU modules.
    """
    return log_determinant(_of_gradients(probe).plain)
