"""Size: the baselines that every proxy has to beat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn
from torch.nn.modules.conv import _ConvNd

from harness.contracts.proxy import proxy
from harness.probe.usage import LAYERS, Part, keeps_modules_in_containers
from harness.proxies._sums import sum_of

if TYPE_CHECKING:
    from torch import Tensor

    from harness.probe import Probe


@proxy(
    "params",
    label="#Params",
    better="higher",
    data="nothing",
    cite="li2024survey",
    source="the baselines of the survey",
    aliases=("parameters", "n_params", "num_params"),
)
def params(probe: Probe) -> int:
    """Number of parameters.

    Every entry of every weight, bias, batch-norm scale and shift counts, those of dead operations included. Each
    distinct tensor counts once, however many modules share it; of a parametrised weight, the tensors that it is made
    of count. Modules that are not registered (kept in a plain list) do not count: no optimiser would train them.
    """
    return sum(parameter.numel() for parameter in probe.given.parameters())


@proxy(
    "flops",
    label="#FLOPs",
    better="higher",
    data="nothing",
    cite="li2024survey",
    source="the baselines of the survey",
    aliases=("n_flops", "num_flops"),
)
def flops(probe: Probe) -> int:
    """Multiply-accumulate operations of one image's forward pass.

    Those of convolutions and linear layers; this is what the field calls #FLOPs; pooling, batch norm and additions are
    not counted, as in NATS-Bench's tables.
    """
    return probe.multiply_accumulates()


@proxy(
    "l2_norm",
    label="L2 norm",
    better="higher",
    data="nothing",
    cite="abdelfattah2021zero",
    source="foresight/pruners/measures/l2_norm.py",
)
def l2_norm(probe: Probe) -> Tensor:
    r"""Sum over layers of the norm of the weights.

    :math:`\sum_l \lVert W_l \rVert_2` over convolutions and linear layers. At PyTorch's default initialisation the norm
    hardly depends on the kernel size, so on NAS-Bench-201 this counts convolutions, with noise from the weights drawn.
    """
    _require_seen_weights(probe)
    return sum_of(weight.detach().norm() for weight in probe.weights)


@proxy(
    "layers",
    label="#Layers",
    better="higher",
    data="nothing",
    cite="tybl2025vkdnw",
    source="the baseline of VKDNW, counted in layers",
)
def layers(probe: Probe) -> int:
    """Number of layers with weights to multiply by.

    Convolutions, transposed convolutions and linear layers; batch norms are not among them. Each distinct weight counts
    once, whether one layer is called several times or several layers share it. VKDNW names its baseline the number of
    trainable layers; its code counts ``parameter_tensors``.

    Raises:
        NotApplicableError: if the network multiplies by weights that belong to no such layer.
    """
    _require_seen_weights(probe, (_ConvNd, nn.Linear))
    return _count(probe.network, _ConvNd, nn.Linear)


@proxy(
    "parameter_tensors",
    label="#Parameter tensors",
    better="higher",
    data="nothing",
    cite="tybl2025vkdnw",
    source="vkdnw_dim in NB201/ZeroShotProxy/compute_vkdnw_score.py",
    variant_of="layers",
)
def parameter_tensors(probe: Probe) -> int:
    """Number of parameter tensors.

    Each weight, bias, batch-norm scale and shift is one: a convolution without bias and its batch norm count three. A
    tensor that several modules share counts once; of a parametrised weight, the tensors that it is made of count.
    """
    return len(list(probe.given.parameters()))


@proxy(
    "convolutions",
    label="#Convolutions",
    better="higher",
    data="nothing",
    cite="kadlecova2024graf",
    source="a feature of GRAF that NASWOT hardly goes beyond",
)
def convolutions(probe: Probe) -> int:
    """Number of convolutions, transposed ones included.

    Each distinct weight counts once, as for ``layers``. Where every network has one linear layer this ranks as
    ``layers`` does.

    Raises:
        NotApplicableError: if the network multiplies by weights that belong to no layer.
    """
    _require_seen_weights(probe, (_ConvNd, nn.Linear))
    return _count(probe.network, _ConvNd)


def _count(network: nn.Module, *kinds: type[nn.Module]) -> int:
    """The number of distinct weights of modules of these kinds."""
    return len({id(module.weight) for module in network.modules() if isinstance(module, kinds)})


def _require_seen_weights(probe: Probe, kinds: tuple[type[nn.Module], ...] = LAYERS) -> None:
    """Check that the network multiplies by no weights beside those of its layers.

    Hardly any network keeps matrices or modules elsewhere, and only for those a pass is made to see what they are for.

    Args:
        probe: of the network.
        kinds: of modules whose weights are seen.

    Raises:
        NotApplicableError: if it does.
    """
    others = (module for module in probe.network.modules() if not isinstance(module, kinds))
    matrices = (parameter.dim() > 1 for module in others for parameter in module.parameters(recurse=False))
    if any(matrices) or keeps_modules_in_containers(probe.network):
        probe.forward().usage.require(Part.WEIGHTS)


@proxy(
    "log_layer_sizes",
    label="Σ log n",
    better="higher",
    data="nothing",
    cite="li2023zico",
    source="derived here: what ZiCo with two mini-batches cannot fall below",
    batches=2,
)
def log_layer_sizes(probe: Probe) -> float:
    r"""Logarithms of the numbers of weights, over the layers that ZiCo counts: the size that ZiCo contains.

    :math:`\sum_l \log n_l` over the convolutions and linear layers whose gradient differs between two mini-batches.
    With gradients a and b of one weight, their mean magnitude is :math:`(|a| + |b|) / 2` and their population standard
    deviation :math:`|a - b| / 2`. So each ratio that ZiCo adds up is :math:`(|a| + |b|) / |a - b| \ge 1`, with equality
    where the signs differ, and ZiCo is at least :math:`\sum_l \log m_l`, where m counts a layer's weights whose
    gradient varies. Almost all do, and :math:`n_l` is its number of weights. What ZiCo knows beyond size is the rest.

    The images only tell which layers are reached by a gradient; ``log_layer_sizes_all`` asks no such thing.
    """
    pairs = zip(probe.weights, probe.loss_gradients(0), probe.loss_gradients(1), strict=True)
    return sum(math.log(weight.numel()) for weight, first, second in pairs if bool((first != second).any()))


@proxy(
    "log_layer_sizes_all",
    label="Σ log n (all layers)",
    better="higher",
    data="nothing",
    cite="li2023zico",
    source="derived here, without a look at gradients",
    variant_of="log_layer_sizes",
)
def log_layer_sizes_all(probe: Probe) -> float:
    """Logarithms of the numbers of weights, over all convolutions and linear layers.

    Otherwise as ``log_layer_sizes``: layers that no gradient reaches count too. No pass is made, unless the network
    keeps matrices outside of its layers.

    Raises:
        NotApplicableError: if the network multiplies by weights that belong to no layer.
    """
    _require_seen_weights(probe)
    return sum(math.log(weight.numel()) for weight in probe.weights)
