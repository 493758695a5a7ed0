"""ZiCo: inverse coefficient of variation of the gradients across mini-batches."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from torch import Tensor

from harness.contracts.proxy import proxy
from harness.networks.kinds import outputs_of, positions_of
from harness.networks.leaving import untouched
from harness.probe import NotApplicableError, quantity
from harness.probe.passes import gradients
from harness.probe.usage import Part
from harness.proxies._sums import sum_of

if TYPE_CHECKING:
    from harness.probe import Probe


def _log_ratios(first: list[Tensor], second: list[Tensor], of_magnitudes: bool = False) -> list[Tensor | None]:
    """Log Σ mean|g| / std(g) of each layer; None for a layer in which no weight's gradient varies."""
    terms: list[Tensor | None] = []
    for a, b in zip(first, second, strict=True):
        # For two values, the mean is half their sum and the population standard deviation half their distance.
        spread = ((a.abs() - b.abs()) if of_magnitudes else (a - b)).abs()
        # Gradients that are not numbers vary, so that the score is none either.
        size, varying = a.abs() + b.abs(), spread != 0
        if not varying.all():
            size, spread = size[varying], spread[varying]
        ratio = (size.flatten() / spread.flatten()).sum()
        terms.append(ratio.log() if ratio != 0 else None)
    return terms


def _zico(first: list[Tensor], second: list[Tensor], of_magnitudes: bool = False) -> Tensor:
    return sum_of(term for term in _log_ratios(first, second, of_magnitudes) if term is not None)


@proxy(
    "zico",
    label="ZiCo",
    better="higher",
    data="labels",
    cite="li2023zico",
    axes=("generalisation", "trainability"),
    source="ZeroShotProxy/compute_zico.py",
    batches=2,
)
def zico(probe: Probe) -> Tensor:
    r"""Mean magnitude of each gradient over its standard deviation between mini-batches, log-summed over layers.

    :math:`\sum_l \log \sum_{w \in l} \operatorname{mean}_b |g_w| / \operatorname{std}_b(g_w)` over two mini-batches b,
    with the population standard deviation of the signed gradient as in the official code (the paper uses that of |g|:
    ``zico_magnitude``). Weights whose gradient does not vary and layers without gradient are left out.
    ``log_layer_sizes`` is the part of this score that is size. This proxy was compared with the official code on the
    same weights and images.
    """
    return _zico(probe.loss_gradients(0), probe.loss_gradients(1))


@proxy(
    "zico_magnitude",
    label="ZiCo (|g|)",
    better="higher",
    data="labels",
    cite="li2023zico",
    axes=("generalisation", "trainability"),
    source="the paper's formula with Var(|g|)",
    batches=2,
    variant_of="zico",
)
def zico_magnitude(probe: Probe) -> Tensor:
    """ZiCo with the standard deviation of the gradient's magnitude, as in the paper.

    Otherwise as ``zico``.
    """
    return _zico(probe.loss_gradients(0), probe.loss_gradients(1), of_magnitudes=True)


@proxy(
    "zico_half_batches",
    label="ZiCo (half batches)",
    better="higher",
    data="labels",
    cite="jiang2023meco",
    axes=("generalisation", "trainability"),
    source="measures/zico.py of MeCo's code, with gradients reset between the halves",
    variant_of="zico",
)
def zico_half_batches(probe: Probe) -> Tensor:
    """ZiCo over the two halves of one mini-batch.

    Otherwise as ``zico``: the first half of the images, in their order, against the second. MeCo's code intends this,
    but does not reset gradients in between, so its second gradient is the sum of both.

    Raises:
        NotApplicableError: if the mini-batch has a single image.
    """
    return _zico(*_gradients_of_halves(probe))


@quantity("harness.proxies.zico:_gradients_of_halves")
def _gradients_of_halves(probe: Probe) -> tuple[list[Tensor], list[Tensor]]:
    """∂L/∂W of each of the probe's weights, for the first half of the first mini-batch and for the second."""
    batch = probe.batch()
    middle = len(batch.images) // 2
    if middle == 0:
        raise NotApplicableError("needs at least two images; use a larger mini-batch (--batch-size)")

    def of(part: slice) -> list[Tensor]:
        with probe.seeing(probe.network, Part.WEIGHTS), untouched(probe.network):
            outputs = probe.network(batch.images[part].clone())
        return gradients(probe.objective.loss(outputs, batch.labels[part]), probe.weights)

    return of(slice(middle)), of(slice(middle, None))


@proxy(
    "zico_bc",
    label="ZiCo-BC",
    better="higher",
    data="labels",
    cite="bhardwaj2023zicobc",
    axes=("generalisation", "trainability"),
    source="equation 2 of the paper",
    batches=2,
)
def zico_bc(probe: Probe) -> Tensor:
    r"""ZiCo with a penalty on depth, resolution and narrow layers, to correct its bias towards thin, deep networks.

    :math:`\text{ZiCo} - \beta \sum_l \log (H_l W_l / \sqrt{C_l})` over the layers l that ZiCo counts, with :math:`C_l
    \times H_l \times W_l` the shape of the layer's output for one image (1 × 1 for a linear layer; the first call
    counts if a layer is called several times). As in the paper, β = 2 for tasks with labelled pixels and 1 otherwise;
    its authors raised β until searches no longer ended at the greatest depth. There is no official code: using a
    layer's output map, and no penalty for dead layers, are interpretations of the equation. Only its arithmetic was
    checked, with ZiCo's official gradients.

    Raises:
        NotApplicableError: if the network multiplies by weights other than by calling a layer.
    """
    terms = _log_ratios(probe.loss_gradients(0), probe.loss_gradients(1))
    counted = [(layer, term) for layer, term in zip(probe.layers, terms, strict=True) if term is not None]
    probe.forward().usage.require(Part.LAYERS)
    # Keyed by the weight, because several layers may share it.
    outputs: dict[int, Tensor] = {}
    for layer, output in probe.forward().layer_outputs:
        outputs.setdefault(id(layer.weight), output)
    penalty = 0.0
    for layer, _ in counted:
        if id(layer.weight) not in outputs:
            raise NotApplicableError(f"the weight of a {type(layer).__name__} is used, but the layer is never called")
        positions = positions_of(layer, outputs[id(layer.weight)])
        penalty += math.log(positions / math.sqrt(outputs_of(layer)))
    beta = 2 if probe.objective.target == "pixel_class" else 1
    return sum_of(term for _, term in counted) - beta * penalty
