"""Entropy of the last feature map, from MAE-DET, a search for detection backbones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.contracts.proxy import proxy
from harness.networks.initialisation import gaussian_weights
from harness.probe import quantity
from harness.probe.usage import Part
from harness.proxies._alterations import require_batch_norm_alone, without_batch_norm, without_units
from harness.proxies.zen import network_with_features, standard_normal

if TYPE_CHECKING:
    from harness.probe import Probe


@proxy(
    "entropy",
    label="Entropy",
    better="higher",
    data="noise",
    cite="sun2022maedet",
    axes=("expressivity",),
    source="nas/scores/compute_entropy.py of the official code, last stage only",
    batches=1,
)
@quantity("harness.proxies.entropy:_entropy")
def entropy(probe: Probe) -> Tensor:
    r"""Entropy of the last feature map for Gaussian inputs, in a linearised network with Gaussian weights.

    :math:`\log \sigma(f(x)) + \log C` with f the features before global pooling, C its channels, x from N(0, 1) and σ
    the standard deviation over all images, channels and positions: up to constants this is the differential entropy of
    a Gaussian with that deviation, to which the official code adds the logarithm of the number of channels. Weights are
    drawn from N(0, 1), biases are 0, and batch norms and ReLU modules, or their relatives such as SiLU, are replaced by
    the identity (the official code's ``skip_bn`` and ``skip_relu``); one repeat. −∞ if the features are constant.

    MAE-DET weights the entropies of five stages 0 : 0 : 1 : 1 : 6 for detection heads that read several scales. A
    generic network does not declare its stages, and a classifier reads only the last map, so this is the single-scale
    score. To avoid overflow, the official code divides each block's output by its deviation and adds up the logarithms;
    float64 needs no rescaling, and for blocks in sequence the sum is the same. The official code rescales residual
    links; here they are kept unchanged (see ``zen``). A later version of that code has a closed form for chains,
    :math:`\sum_l \log \sqrt{C_l k_l^2}` over the layers' input channels and kernel sizes, which this score estimates.
    Transposed convolutions keep their initial weights.

    This proxy was compared with the official code on the same weights and inputs: with the official networks for
    chains of convolutions, and with the official sum over blocks for cells.

    Raises:
        NotApplicableError: if the network does not offer ``forward_features``, has layer norms or other normalisations
            of single images, or holds weights, ReLUs or batch norms that are not registered modules.
    """
    require_batch_norm_alone(probe.network)
    generator = torch.Generator().manual_seed(probe.seed)
    network = gaussian_weights(network_with_features(probe).double(), generator)
    network = without_units(without_batch_norm(network))
    parts = (Part.WEIGHTS, Part.BATCH_NORMS, Part.NORMS, Part.RELUS)
    with torch.no_grad(), probe.seeing(network, *parts, method="forward_features"):
        inputs = standard_normal(probe.batch().images.double(), generator)
        features: Tensor = network.forward_features(inputs)  # type: ignore[operator]
        return features.std().log() + torch.tensor(float(features.shape[1]), dtype=torch.float64).log()
