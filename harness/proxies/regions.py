"""The number of linear regions: how many distinct ReLU activation patterns a set of inputs produces.

Within one pattern a ReLU network is linear, so the number of distinct patterns counts the linear regions that contain
the inputs. It is at most the number of inputs, and on networks of ordinary width it nearly always equals that number,
so the count carries no information there. TE-NAS counts on networks that are one channel wide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from harness.contracts.proxy import proxy
from harness.images import Batch
from harness.probe import NotApplicableError, Probe, quantity
from harness.probe.passes import layers_of, prunable_layers

if TYPE_CHECKING:
    from torch import Tensor

CROP = 3
CROPS = 1000
"""Crops per mini-batch of the thin network."""
BATCHES = 3
REPEATS = 3


@proxy(
    "linear_regions",
    label="LR",
    better="higher",
    data="images",
    cite="chen2021tenas",
    axes=("expressivity",),
    source="lib/procedures/linear_region_counter.py, on the mini-batch and the benchmark's own network",
)
def linear_regions(probe: Probe) -> float:
    r"""Number of distinct ReLU activation patterns among the images.

    :math:`\sum_i 1 / |\{ j : a_j = a_i \}|` with :math:`a_i \in \{0, 1\}^u` the signs of all ReLU units on image i, in
    training mode. The score is an integer, at most the number of images. Most networks of ordinary width reach that
    maximum, so it only separates networks that pass almost no signal. ``linear_regions_thin`` counts on thin networks,
    as TE-NAS does. The official code's half-precision product and in-place addition do not change the count.

    Raises:
        NotApplicableError: if the network has no ReLU modules.
    """
    return _distinct(probe)


@proxy(
    "linear_regions_noise",
    label="LR (noise)",
    better="higher",
    data="noise",
    cite="lee2024aznas",
    axes=("expressivity",),
    source="NB201/ZeroShotProxy/compute_te_nas_score.py of AZ-NAS",
    batches=1,
    variant_of="linear_regions",
)
@quantity("harness.proxies.regions:_regions_of_noise")
def linear_regions_noise(probe: Probe) -> float:
    """Number of distinct ReLU activation patterns among Gaussian inputs.

    AZ-NAS computes this part of TE-NAS in this way: as many inputs from N(0, 1) as the mini-batch has images. Otherwise
    as ``linear_regions``; it equals the number of inputs just as often.

    Raises:
        NotApplicableError: if the network has no ReLU modules.
    """
    batch = probe.batch()
    noise = torch.empty_like(batch.images).copy_(torch.randn(batch.images.shape, dtype=batch.images.dtype))
    with torch.no_grad():
        return _distinct(Probe(probe.network, [Batch(noise, batch.labels)], probe.seed))


@proxy(
    "linear_regions_thin",
    label="LR (thin)",
    better="higher",
    data="images",
    cite="chen2021tenas",
    axes=("expressivity",),
    source="prune_tenas.py and lib/procedures/linear_region_counter.py",
    variant_of="linear_regions",
)
@quantity("harness.proxies.regions:_regions_of_thin_networks")
def linear_regions_thin(probe: Probe) -> float:
    """Number of distinct ReLU activation patterns among small crops, in a network one channel wide.

    As in TE-NAS: the benchmark's thin version of the network (one cell of one channel, without stem), Kaiming weights
    with fan-in, batch norm in training mode, and 3,000 random crops of 3×3 pixels of one random channel in three
    mini-batches; the score is the mean over three draws of weights and crops. TE-NAS crops training images; here the
    crops come from the run's mini-batch. Thin networks have so few units that the count stays below the number of
    crops. This proxy was compared with the official code on the same weights and crops.

    Raises:
        NotApplicableError: if the benchmark's network does not offer ``thin_network``.
    """
    network: Any = probe.network
    if not hasattr(network, "thin_network"):
        raise NotApplicableError("the network has no method thin_network (a version of it that is one channel wide)")
    thin: nn.Module = network.thin_network().to(probe.batch().images).train()
    counts = []
    for _ in range(REPEATS):
        _draw_kaiming_weights(thin)
        patterns = torch.cat([_patterns(thin, crops) for crops in _crops(probe.batch().images)])
        counts.append(len({row.tobytes() for row in patterns.cpu().numpy()}))
    return sum(counts) / REPEATS


def _distinct(probe: Probe) -> float:
    """The number of distinct patterns on the probe's first mini-batch; two are equal if all units agree."""
    kernel = probe.relu_kernel()
    return float((1 / (kernel == kernel.diagonal()[:, None]).sum(dim=1, dtype=torch.float64)).sum().round())


def _patterns(network: nn.Module, images: Tensor) -> Tensor:
    """Which ReLU units are active on each image: (images, units), bool."""
    probe = Probe(network, [Batch(images, torch.zeros(len(images), dtype=torch.int64))])
    with torch.no_grad():
        inputs = probe.relu_inputs()
    return torch.cat([(tensor > 0).flatten(1) for tensor in inputs], dim=1)


def _crops(images: Tensor) -> Iterator[Tensor]:
    """Mini-batches of small crops at random places of random channels: (crops, 1, size, size)."""
    pictures = images.flatten(0, -4)
    # Sorted by content, so that the mini-batch's order does not matter.
    pictures = pictures[pictures.double().flatten(1).sum(dim=1).argsort()]
    count, channels, height, width = pictures.shape
    for _ in range(BATCHES):
        image, channel = torch.randint(count, (CROPS,)), torch.randint(channels, (CROPS,))
        top, left = torch.randint(height - CROP + 1, (CROPS,)), torch.randint(width - CROP + 1, (CROPS,))
        offsets = torch.arange(CROP)
        rows, columns = top[:, None, None] + offsets[:, None], left[:, None, None] + offsets
        yield pictures[image[:, None, None], channel[:, None, None], rows, columns][:, None]


def _draw_kaiming_weights(network: nn.Module) -> None:
    """Draw convolutions and linear layers from N(0, 2 / fan-in), biases 0; reset batch norms."""
    for layer in prunable_layers(network):
        nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
    for layer in layers_of(network):
        bias = getattr(layer, "bias", None)
        if bias is not None:
            nn.init.zeros_(bias)
