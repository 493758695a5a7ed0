"""Size: the baselines that every proxy should beat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import nn
from torch.nn.modules.conv import _ConvNd

from harness.contracts.proxy import proxy
from harness.networks.kinds import LAYERS
from harness.probe.usage import Part, keeps_modules_in_containers
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

    Every entry of every weight, bias, batch-norm scale and shift counts, including those of dead operations. Each
    distinct tensor counts once, however many modules share it; for a parametrised weight, the tensors that it is
    computed from count. Modules that are not registered (kept in a plain list) do not count, because no optimiser would
    train them.
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
    """Number of multiply-accumulate operations in the forward pass of one image.

    Convolutions, linear layers and products of features, as in attention, count; pooling, batch norm and additions do
    not, as in NATS-Bench's tables. Although it counts multiply-accumulates, the field calls this number #FLOPs.
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
    hardly depends on the kernel size, so on NAS-Bench-201 this counts convolutions, with noise from the random weights.
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
    """Number of layers with a weight matrix or kernel.

    Convolutions, transposed convolutions and linear layers count; batch norms do not. Each distinct weight counts once,
    even if one layer is called several times or several layers share it. VKDNW calls its baseline the number of
    trainable layers; its code counts ``parameter_tensors``.

    Raises:
        NotApplicableError: if the network multiplies by weights that belong to no such layer.
    """
    _require_seen_weights(probe)
    return _count(probe.network, *LAYERS)


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

    Each weight, bias, batch-norm scale and shift counts as one, so a convolution without bias and its batch norm count
    three. A tensor that several modules share counts once; for a parametrised weight, the tensors that it is computed
    from count.
    """
    return len(list(probe.given.parameters()))


@proxy(
    "convolutions",
    label="#Convolutions",
    better="higher",
    data="nothing",
    cite="kadlecova2024graf",
    source="a feature of GRAF that explains most of NASWOT",
)
def convolutions(probe: Probe) -> int:
    """Number of convolutions, transposed ones included.

    Each distinct weight counts once, as for ``layers``. If every network has one linear layer, this ranks the same as
    ``layers``.

    Raises:
        NotApplicableError: if the network multiplies by weights that belong to no layer.
    """
    _require_seen_weights(probe)
    return _count(probe.network, _ConvNd)


def _count(network: nn.Module, *kinds: type[nn.Module]) -> int:
    """The number of distinct weights of modules of these kinds."""
    return len({id(module.weight) for module in network.modules() if isinstance(module, kinds)})


def _require_seen_weights(probe: Probe) -> None:
    """Check that the network multiplies only by its layers' weights, with a pass only if it keeps others."""
    others = (module for module in probe.network.modules() if not isinstance(module, LAYERS))
    matrices = (parameter.dim() > 1 for module in others for parameter in module.parameters(recurse=False))
    if any(matrices) or keeps_modules_in_containers(probe.network):
        probe.forward().usage.require(Part.WEIGHTS)


@proxy(
    "log_layer_sizes",
    label="Σ log n",
    better="higher",
    data="nothing",
    cite="li2023zico",
    source="derived here: a lower bound of ZiCo with two mini-batches",
    batches=2,
)
def log_layer_sizes(probe: Probe) -> float:
    r"""Sum of log numbers of weights over the layers that ZiCo counts: the part of ZiCo that is size.

    :math:`\sum_l \log n_l` over the convolutions and linear layers whose gradient differs between two mini-batches.
    With gradients a and b of one weight, their mean magnitude is :math:`(|a| + |b|) / 2` and their population standard
    deviation :math:`|a - b| / 2`. So each ratio that ZiCo adds up is :math:`(|a| + |b|) / |a - b| \ge 1`, with equality
    where the signs differ, and ZiCo is at least :math:`\sum_l \log m_l`, where :math:`m_l` is the number of a layer's
    weights whose gradient varies. That is almost all of its :math:`n_l` weights. The rest of ZiCo is its information
    beyond size.

    The images only determine which layers a gradient reaches; ``log_layer_sizes_all`` does not need them.
    """
    pairs = zip(probe.weights, probe.loss_gradients(0), probe.loss_gradients(1), strict=True)
    return sum(math.log(weight.numel()) for weight, first, second in pairs if bool((first != second).any()))


@proxy(
    "log_layer_sizes_all",
    label="Σ log n (all layers)",
    better="higher",
    data="nothing",
    cite="li2023zico",
    source="derived here, without gradients",
    variant_of="log_layer_sizes",
)
def log_layer_sizes_all(probe: Probe) -> float:
    """Sum of log numbers of weights over all convolutions and linear layers.

    Otherwise as ``log_layer_sizes``, but layers that no gradient reaches count too. No pass is made, unless the network
    keeps matrices outside its layers.

    Raises:
        NotApplicableError: if the network multiplies by weights that belong to no layer.
    """
    _require_seen_weights(probe)
    return sum(math.log(weight.numel()) for weight in probe.weights)
