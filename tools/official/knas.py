"""KNAS's official function on mini-batches of one image, and on mini-batches that make it the mean of a Gram matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from tools.official.cases import Case
from tools.official.checkout import Checkout, as_then, stand_in

FILE = "exps/NAS-Bench-201/functions.py"
STEPS = 50
"""Mini-batches that the official function takes; it multiplies those of the first half with those of the second."""

IGNORED = -100
"""The label that torch's cross-entropy leaves out."""


class _Meter:
    """The time that the official function adds up."""

    sum = 0.0

    def update(self, seconds: float) -> None:
        self.sum += seconds


class _OneByOne(nn.Module):
    """Passes each image alone; returns no features and the logits, as the official networks return two things."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[None, Tensor]:
        return None, torch.cat([self.network(image) for image in torch.split(images, 1)])


class _Optimizer:
    def __init__(self, network: nn.Module, in_place: bool) -> None:
        self._network = network
        self._in_place = in_place

    def zero_grad(self) -> None:
        """Set gradients to zero in place, or drop them."""
        for parameter in self._network.parameters():
            if self._in_place and parameter.grad is not None:
                parameter.grad.zero_()
            else:
                parameter.grad = None


class _Scheduler:
    def update(self, *_: Any) -> None:
        """Change no learning rate."""


def _module(checkout: Checkout) -> Any:
    names = {
        "procedures": ("prepare_seed", "get_optim_scheduler"),
        "utils": ("get_model_infos", "obtain_accuracy"),
        "config_utils": ("dict2config",),
        "log_utils": ("time_string", "convert_secs2time"),
        "models": ("get_cell_based_tiny_net",),
    }
    stand_ins = [stand_in(name, **dict.fromkeys(contents)) for name, contents in names.items()]
    stand_ins[3].AverageMeter = _Meter  # type: ignore[attr-defined]
    return checkout.module(FILE, stand_ins)


def as_published(in_place: bool = False) -> Callable[[Checkout], Callable[[Case], float]]:
    """The official score of fifty images in their order.

    Args:
        in_place: whether gradients are set to zero in place, the default before torch 2.0.
    """

    def of(checkout: Checkout) -> Callable[[Case], float]:
        official = _module(checkout)

        def score(case: Case) -> float:
            batch = case.batches[0]
            steps = zip(torch.split(batch.images, 1), torch.split(batch.labels, 1), strict=True)
            return _procedure(official, case, steps, "mean", in_place)

        return score

    return of


def of_sums(checkout: Checkout) -> Callable[[Case], float]:
    """The squared norm of the mean gradient, from the official function and the gradients that it collects.

    Its first mini-batch and the first of its second half have all images, and the others no loss. So it multiplies the
    sum of the images' gradients s by itself: the deviations from the mean give (1 − 1/25) s², divided by 2,500.
    """
    official = _module(checkout)

    def score(case: Case) -> float:
        batch = case.batches[0]
        nothing = batch.images[:1], torch.full_like(batch.labels[:1], IGNORED)
        steps = [(batch.images, batch.labels) if step % (STEPS // 2) == 0 else nothing for step in range(STEPS)]
        value = _procedure(official, case, steps, "sum")
        return value * 2500 / (1 - 2 / STEPS) / len(batch.images) ** 2

    return score


def _procedure(
    official: Any, case: Case, steps: Iterable[tuple[Tensor, Tensor]], reduction: str, in_place: bool = False
) -> float:
    network = case.copy()
    optimizer = _Optimizer(network, in_place)
    criterion = nn.CrossEntropyLoss(reduction=reduction)
    loader = list(steps)
    with as_then():
        return float(official.procedure(loader, _OneByOne(network), criterion, _Scheduler(), optimizer, "train")[0])
