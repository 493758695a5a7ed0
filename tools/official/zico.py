"""Scores from ZiCo's official gradients and their official sum."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from harness.images import Batch
from tools.official.cases import Case
from tools.official.checkout import Checkout, as_then, stand_in

FILE = "ZeroShotProxy/compute_zico.py"


def _module(checkout: Checkout) -> Any:
    return checkout.module(FILE, (stand_in("global_utils"), stand_in("ModelLoader")))


def _reached(network: Any) -> Any:
    # The official code needs a gradient of every layer; a layer that the loss does not depend on has none.
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    return network


def of_batches(checkout: Checkout) -> Callable[[Case], float]:
    """ZiCo over the case's mini-batches."""
    official = _module(checkout)
    return lambda case: _zico(official, case, case.batches)


def of_halves(checkout: Checkout) -> Callable[[Case], float]:
    """ZiCo over the halves of the first mini-batch."""
    official = _module(checkout)

    def score(case: Case) -> float:
        batch = case.batches[0]
        middle = len(batch.images) // 2
        parts = (slice(middle), slice(middle, None))
        return _zico(official, case, [Batch(batch.images[p], batch.labels[p]) for p in parts])

    return score


def _zico(official: Any, case: Case, batches: Sequence[Batch]) -> float:
    loader = [(batch.images, batch.labels) for batch in batches]
    with as_then():
        return float(official.getzico(_reached(case.copy()), loader, nn.CrossEntropyLoss()))


def of_magnitudes(checkout: Checkout) -> Callable[[Case], float]:
    """The official sum over magnitudes of the official gradients."""
    official = _module(checkout)

    def score(case: Case) -> float:
        gradients = _gradients(official, case)
        return float(official.caculate_zico({name: [abs(g) for g in each] for name, each in gradients.items()}))

    return score


def corrected(checkout: Checkout) -> Callable[[Case], float]:
    """Equation 2 of ZiCo-BC's paper, with β = 1, over the layers that the official sum counts."""
    official = _module(checkout)

    def score(case: Case) -> float:
        total = 0.0
        shapes = _output_shapes(case)
        for name, gradients in _gradients(official, case).items():
            term = float(official.caculate_zico({name: gradients}))
            if term != 0:
                channels, positions = shapes[name]
                total += term - math.log(positions / math.sqrt(channels))
        return total

    return score


def _gradients(official: Any, case: Case) -> dict[str, Any]:
    """The gradients of each layer in each mini-batch, as the official code collects them."""
    network, found = _reached(case.copy()), dict[str, Any]()
    with as_then():
        for index, batch in enumerate(case.batches):
            network.zero_grad()
            nn.functional.cross_entropy(network(batch.images), batch.labels).backward()  # type: ignore[no-untyped-call]
            found = official.getgrad(network, found, index)
    return found


def _output_shapes(case: Case) -> dict[str, tuple[int, int]]:
    """Channels and positions of the output of each layer for one image."""
    network, shapes = case.copy(), dict[str, tuple[int, int]]()

    def after(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def note(_: nn.Module, __: Any, output: Tensor) -> None:
            shapes.setdefault(name, (output.shape[1], output[0, 0].numel()))

        return note

    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(after(name))
    with torch.no_grad():
        network(case.batches[0].images)
    return shapes
