"""TE-NAS's official condition number and count of linear regions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from harness.probe.quantities import key_of
from harness.proxies import regions
from tools.official.cases import Case
from tools.official.checkout import Checkout, as_then, stand_in

NTK = "lib/procedures/ntk.py"
REGIONS = "lib/procedures/linear_region_counter.py"


def condition_number(train_mode: bool) -> Callable[[Checkout], Callable[[Case], float]]:
    """The condition number of the NTK of the first mini-batch, in training or evaluation mode."""

    def of(checkout: Checkout) -> Callable[[Case], float]:
        official = checkout.module(NTK)

        def score(case: Case) -> float:
            batch = case.batches[0]
            loader = [(batch.images, batch.labels)]
            with as_then():
                return float(official.get_ntk_n(loader, [case.copy()], train_mode=train_mode, num_batch=1)[0])

        return score

    return of


def linear_regions(checkout: Checkout) -> Callable[[Case], float]:
    """The count on the case's network and first mini-batch."""
    official = _counter(checkout)
    return lambda case: _count(official, case.copy(), [case.batches[0].images])


def linear_regions_thin(checkout: Checkout) -> Callable[[Case], float]:
    """The mean count over three draws of weights of the thin network, and of crops: the draws of our proxy."""
    official = _counter(checkout)

    def score(case: Case) -> float:
        probe = case.probe()
        counts = []
        with probe.random_state(*map(str, key_of(regions.linear_regions_thin.function))):
            # Drawn here, as by our proxy, since the following numbers depend on it.
            thin = case.copy().thin_network().to(case.batches[0].images).train()
            for _ in range(regions.REPEATS):
                regions._draw_kaiming_weights(thin)
                counts.append(_count(official, thin, list(regions._crops(case.batches[0].images))))
        return sum(counts) / len(counts)

    return score


def _counter(checkout: Checkout) -> Any:
    transforms, datasets = stand_in("torchvision.transforms"), stand_in("torchvision.datasets")
    torchvision = stand_in("torchvision", transforms=transforms, datasets=datasets)
    library = stand_in("datasets", CUTOUT=None, Dataset2Class=None, ImageNet16=None)
    return checkout.module(REGIONS, (torchvision, transforms, datasets, library))


class _Loader:
    """Mini-batches in the iterator protocol of Python 2, which the official code expects."""

    def __init__(self, images: Sequence[Tensor]) -> None:
        self._images = iter(images)

    def next(self) -> tuple[Tensor, None]:
        return next(self._images), None


def _count(official: Any, network: nn.Module, images: Sequence[Tensor]) -> float:
    with as_then(), torch.no_grad():
        collector = official.Linear_Region_Collector([network], tuple(images[0].shape), len(images))
        collector.loader = _Loader(images)
        count = float(collector.forward_batch_sample()[0])
    for module in network.modules():
        # The official hooks stay on the network.
        module._forward_hooks.clear()
    return count
