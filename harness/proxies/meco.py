r"""MeCo: how independent the channels of each feature map are.

:math:`\lambda_{\min}(P)` is the smallest eigenvalue of the matrix of Pearson correlations between the channels of a
feature map, with its positions as observations. Undefined correlations (a constant channel) count as zero, as in the
official code. One image passes in training mode, so batch norm takes its statistics from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.contracts.proxy import proxy
from harness.networks.kinds import CONVOLUTIONS
from harness.probe import NotApplicableError, quantity
from harness.probe.usage import Part, Usage
from harness.proxies._drawn import gaussian_images, typical_images
from harness.proxies._features import module_features, once_each

if TYPE_CHECKING:
    from harness.probe import Probe

CHANNELS = 8


@quantity("harness.proxies.meco:_correlations")
def _correlations(probe: Probe, noise: bool = True) -> tuple[list[tuple[nn.Module, Tensor]], Usage]:
    """Each module call with the correlations of its channels, (channels, channels), and the usage of the pass."""
    image = gaussian_images(probe, 1) if noise else typical_images(probe, 1)
    called, usage = module_features(probe.network, image)
    distinct = {id(features): _correlation(features) for _, features in called}
    return [(module, distinct[id(features)]) for module, features in called], usage


def _correlation(features: Tensor) -> Tensor:
    if features.shape[1] == 1:
        # No correlation is defined. One zero stands for all, which for the logits of wide layers are gigabytes.
        return features.new_zeros(()).expand(len(features), len(features))
    centred = features - features.mean(dim=1, keepdim=True)
    covariance = centred @ centred.T
    deviation = covariance.diagonal().sqrt()
    correlation = covariance / (deviation[:, None] * deviation[None, :])
    return correlation.nan_to_num(nan=0, posinf=0, neginf=0).clamp(-1, 1)


def _smallest_eigenvalues(correlations: list[Tensor]) -> Tensor:
    matrices = [matrix if any(matrix.stride()) else matrix[:1, :1] for matrix in correlations]
    return once_each(matrices, lambda stacked: torch.linalg.eigvalsh(stacked)[:, 0])


@proxy(
    "meco",
    label="MeCo",
    better="higher",
    data="noise",
    cite="jiang2023meco",
    axes=("generalisation", "trainability"),
    source="correlation/foresight/pruners/measures/meco.py",
    batches=1,
)
def meco(probe: Probe) -> Tensor:
    r"""Smallest eigenvalue of the correlations between channels, summed over all modules.

    :math:`\sum_m \lambda_{\min}(P_m)` over every call of every module, including containers and the network itself. A
    feature map counts once for each module that returns it, so the score depends on how the code nests its modules; a
    sum over convolutions (``meco_layers``) does not. The official NAS-Bench-201 networks are nested deeper than those
    of this harness, so their scores are higher. The input is one image of standard normal noise, as in the official
    measure (3×64×64 there, the shape of the run's images here). The official script for NATS-Bench passes the first
    training image instead (``meco_image``). Linear outputs have a single position and add nothing.

    This proxy was compared with the official code on the same networks; of the paper, only the abstract was read.

    Raises:
        NotApplicableError: if a batch norm gets a single value per channel, or a module returns tokens.
    """
    called, _ = _correlations(probe)
    return _smallest_eigenvalues([correlation for _, correlation in called]).sum()


@proxy(
    "meco_image",
    label="MeCo (image)",
    better="higher",
    data="images",
    cite="jiang2023meco",
    axes=("generalisation", "trainability"),
    source="correlation/NAS_Bench_201.py",
    variant_of="meco",
)
def meco_image(probe: Probe) -> Tensor:
    """MeCo of a real image, as the official script for NATS-Bench computes it.

    The script passes the first image of the shuffled training set; here it is the mini-batch's image of median norm, so
    the order of the images does not matter. Otherwise as ``meco``.

    Raises:
        NotApplicableError: if a batch norm gets a single value per channel, or a module returns tokens.
    """
    called, _ = _correlations(probe, noise=False)
    return _smallest_eigenvalues([correlation for _, correlation in called]).sum()


@proxy(
    "meco_layers",
    label="MeCo (layers)",
    better="higher",
    data="noise",
    cite="jiang2023meco",
    axes=("generalisation", "trainability"),
    source="correlation/foresight/pruners/measures/meco.py, summed over convolutions only",
    batches=1,
    variant_of="meco",
)
def meco_layers(probe: Probe) -> Tensor:
    r"""MeCo with every convolution's output counted once.

    :math:`\sum_l \lambda_{\min}(P_l)` over the calls of convolutions, before batch norm, which does not change
    correlations. Otherwise as ``meco``. Neither the official code nor the paper's abstract has this sum; it is the
    harness's interpretation of a sum over layers.

    Raises:
        NotApplicableError: if the network has no convolutions or multiplies by weights other than by calling a layer,
            or a batch norm gets a single value per channel, or a module returns tokens.
    """
    called, usage = _correlations(probe)
    usage.require(Part.LAYERS)
    of_layers = [correlation for module, correlation in called if isinstance(module, CONVOLUTIONS)]
    if not of_layers:
        raise NotApplicableError("the network has no convolutions")
    return _smallest_eigenvalues(of_layers).sum()


@proxy(
    "meco_opt",
    label="MeCo-opt",
    better="higher",
    data="noise",
    cite="jiang2023meco",
    axes=("generalisation", "trainability"),
    source="correlation/NAS_Bench_201.py, measure meco_opt",
    batches=1,
    variant_of="meco",
)
@quantity("harness.proxies.meco:_of_random_channels")
def meco_opt(probe: Probe) -> Tensor:
    r"""MeCo of eight random channels of each feature map, weighted by the number of channels.

    :math:`\sum_m \lambda_{\min}(P_m^{(8)})\, c_m / 8`, where :math:`c_m` is the number of channels and :math:`P^{(8)}`
    the correlations between eight of them, drawn for each module from the run's seed (the official code does not seed
    the draw). With fewer than eight channels all are taken, with weight 1; the official code fails there. The image is
    that of ``meco``.

    Raises:
        NotApplicableError: if a batch norm gets a single value per channel, or a module returns tokens.
    """
    chosen, weights = [], []
    for _, correlation in _correlations(probe)[0]:
        channels = torch.randperm(len(correlation))[:CHANNELS].to(correlation.device)
        chosen.append(correlation[channels][:, channels])
        weights.append(len(correlation) / len(channels))
    values = _smallest_eigenvalues(chosen)
    return (values * values.new_tensor(weights)).sum()
