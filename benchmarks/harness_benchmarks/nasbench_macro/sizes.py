r"""#Params and #FLOPs of NAS-Bench-Macro's networks, without building them.

Both are sums over the layers. A layer from :math:`a` to :math:`b` channels, whose maps have :math:`p` positions before
and :math:`q` after it, has

.. math::
    a b + 2 b \quad\text{parameters and}\quad q a b \quad\text{multiply-accumulates}

if it is a 1×1 convolution with its batch norm, and with :math:`h = t a` channels in between

.. math::
    a h + k^2 h + h b + 4 h + 2 b \quad\text{and}\quad p a h + q (k^2 h + h b)

if it is an inverted bottleneck of expansion :math:`t` and kernel :math:`k`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness_benchmarks.nasbench_macro.codes import (
    CHOICES,
    HEAD_WIDTH,
    PLACES,
    STAGES,
    STEM_WIDTH,
    Layer,
    layer_at,
    parse,
)

SIDE = 32
"""Height and width of an image."""

IMAGE_CHANNELS = 3
_STEM = 9 * IMAGE_CHANNELS * STEM_WIDTH
_HEAD = (STEM_WIDTH << len(STAGES)) * HEAD_WIDTH


def parameter_counts(architectures: Sequence[str], classes: int) -> NDArray[np.int64]:
    """Each network's number of parameters, int64, (len(architectures),).

    >>> parameter_counts(["02012100", "11111221"], 10)
    array([ 890666, 2181386])

    Raises:
        HarnessError: if an architecture is not one of the benchmark.
    """
    fixed = _STEM + 2 * STEM_WIDTH + _HEAD + 2 * HEAD_WIDTH + (HEAD_WIDTH + 1) * classes
    return fixed + _summed(architectures, 0)


def operation_counts(architectures: Sequence[str], classes: int) -> NDArray[np.int64]:
    """Each network's number of multiply-accumulates for one image of 32×32, int64, (len(architectures),).

    >>> operation_counts(["02012100", "11111221"], 10)
    array([47327744, 65012224])

    Raises:
        HarnessError: if an architecture is not one of the benchmark.
    """
    fixed = SIDE**2 * _STEM + (SIDE >> len(STAGES)) ** 2 * _HEAD + HEAD_WIDTH * classes
    return fixed + _summed(architectures, 1)


def _summed(architectures: Sequence[str], which: int) -> NDArray[np.int64]:
    """The parameters (0) or the multiply-accumulates (1) of all searched layers of each network."""
    digits = np.array([[int(digit) for digit in parse(architecture)] for architecture in architectures], dtype=np.int64)
    digits = digits.reshape(len(architectures), PLACES)
    total: NDArray[np.int64] = _of_places()[which][np.arange(PLACES), digits].sum(axis=1)
    return total


@functools.cache
def _of_places() -> NDArray[np.int64]:
    """Parameters and multiply-accumulates of each choice at each place, (2, places, choices)."""
    found = np.zeros((2, PLACES, len(CHOICES)), dtype=np.int64)
    side = SIDE
    for place in range(PLACES):
        made = [layer_at(place, digit) for digit in CHOICES]
        for choice, layer in enumerate(made):
            if layer is not None:
                found[:, place, choice] = _parameters(layer), _operations(layer, side)
        side //= next(layer.stride for layer in made if layer is not None)
    return found


def _parameters(layer: Layer) -> int:
    if not layer.expansion:
        return layer.inputs * layer.outputs + 2 * layer.outputs
    wide = layer.expansion * layer.inputs
    return layer.inputs * wide + layer.kernel**2 * wide + wide * layer.outputs + 4 * wide + 2 * layer.outputs


def _operations(layer: Layer, side: int) -> int:
    """For an input map of this height and width."""
    before, after = side**2, (side // layer.stride) ** 2
    if not layer.expansion:
        return after * layer.inputs * layer.outputs
    wide = layer.expansion * layer.inputs
    return before * layer.inputs * wide + after * wide * (layer.kernel**2 + layer.outputs)
