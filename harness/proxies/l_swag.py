"""L-SWAG: how steadily the weights' gradients differ between mini-batches, times the number of activation patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.contracts.proxy import proxy
from harness.errors import HarnessError
from harness.probe import NotApplicableError
from harness.probe.activity import active_units
from harness.probe.usage import Part
from harness.proxies._patterns import distinct_patterns, packed
from harness.proxies._sums import sum_of

if TYPE_CHECKING:
    from harness.probe import Probe


@proxy(
    "l_swag",
    label="L-SWAG",
    better="higher",
    data="labels",
    cite="casarin2025lswag",
    axes=("expressivity", "trainability"),
    source="equation 1 of the paper (ZiCo without the mean, times SWAP's count), over all layers",
    batches=2,
    aliases=("lswag",),
)
def l_swag(probe: Probe) -> Tensor:
    r"""ZiCo's gradient statistic without the mean, times the number of distinct activation patterns.

    :math:`\Lambda \cdot \Psi` with :math:`\Lambda = \sum_l \log \sum_{w \in l} 1 / \sqrt{\operatorname{Var}_b(|g_w|)}`
    over two mini-batches b, and :math:`\Psi` the number of distinct patterns :math:`(1[x_{1u} > 0], \dots,
    1[x_{nu} > 0])` of the units u over the n images of the first one. Every unit that passes positive inputs on counts,
    as in ``naswot_units``: ReLU, GELU, SiLU and the like, on feature maps and on tokens.

    The paper sums and counts over an interval of layers, whose ends are percentiles of the depth that were chosen for
    each benchmark by its accuracies. This proxy takes all layers; ``harness.proxies.l_swag.l_swag_of_interval`` takes
    others. There is no official code to compare with, and the paper was read in excerpts, without its percentiles. What
    these leave open is decided as elsewhere in the harness: the logarithm of a layer's sum is ZiCo's; the variance is
    the population's, of the magnitudes as in ZiCo's paper; weights whose gradient does not vary and layers without
    gradient are left out; the weights are the network's own, in training mode. Λ can be negative.

    Raises:
        NotApplicableError: if the network has no such units, or fewer than two mini-batches are given.
    """
    return _steadiness(probe, None) * _patterns(probe.unit_inputs())


def l_swag_of_interval(probe: Probe, start: float, end: float) -> Tensor:
    r"""L-SWAG over an interval of layers, for use in a custom proxy.

    The layers l that the network calls are numbered from 0 to L − 1 by their first calls; those with
    :math:`\text{start} \le l / L < \text{end}` count. A unit belongs to the last layer that was called before it, or to
    the first. It is not registered as a proxy, because the interval is chosen with accuracies of the search space. A
    proxy that fixes it should declare that::

        @proxy("l_swag_mine", better="higher", data="labels", cite="casarin2025lswag", batches=2, variant_of="l_swag",
               supervised="interval of layers, on 100 trained networks of my space")
        def l_swag_mine(probe):
            "L-SWAG over the second half of the layers."
            return l_swag_of_interval(probe, 0.5, 1)

    Args:
        probe: of the network.
        start: where the interval begins, as a share of the layers.
        end: where it ends, as a share of the layers; not included.

    Raises:
        HarnessError: if they are no such shares.
        NotApplicableError: as for ``l_swag``; also if the interval has no layers or no units, or the network multiplies
            by weights without calling a layer.
    """
    if not 0 <= start < end <= 1:
        raise HarnessError(
            f"an interval of layers goes from one share to a larger one, within 0 to 1; not {start}-{end}"
        )
    passed = probe.forward()
    passed.usage.require(Part.LAYERS)
    order: dict[int, int] = {}
    for layer, _ in passed.layer_outputs:
        order.setdefault(id(layer.weight), len(order))
    kept = {weight for weight, place in order.items() if start * len(order) <= place < end * len(order)}
    if not kept:
        raise NotApplicableError(f"the network has no layers from {start:.0%} to {end:.0%} of its depth")
    called = [id(layer.weight) for layer, _ in passed.layer_outputs]
    inside = [called[max(before - 1, 0)] in kept for before in passed.layers_before_units]
    inputs = [tensor for tensor, counts in zip(probe.unit_inputs(), inside, strict=True) if counts]
    if not inputs:
        raise NotApplicableError(f"no units from {start:.0%} to {end:.0%} of the network's depth")
    return _steadiness(probe, kept) * _patterns(inputs)


def _steadiness(probe: Probe, kept: set[int] | None) -> Tensor:
    """Λ over the weights with these ids, or over all."""
    terms = []
    for weight, first, second in zip(probe.weights, probe.loss_gradients(0), probe.loss_gradients(1), strict=True):
        if kept is not None and id(weight) not in kept:
            continue
        # For two values, the population standard deviation is half their distance.
        deviations = (first.abs() - second.abs()).abs() / 2
        # Gradients that are not numbers vary, so that the score is none either.
        inverse = deviations[deviations != 0].double().reciprocal().sum()
        if inverse != 0:
            terms.append(inverse.log())
    return sum_of(terms)


def _patterns(inputs: list[Tensor]) -> int:
    """Ψ of units with these inputs."""
    # A tensor that several units read has the same patterns for all.
    read = {id(tensor): tensor for tensor in inputs}.values()
    return distinct_patterns(torch.cat([packed(active_units(tensor.detach())) for tensor in read], dim=1))
