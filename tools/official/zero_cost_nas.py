"""The measures of Abdelfattah et al. 2021, on networks that offer what their code asks of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from harness.networks.replacing import replace_modules
from tools.official.cases import Case
from tools.official.checkout import Checkout, stand_in

FILE = "foresight/pruners/predictive.py"


def measure(name: str) -> Callable[[Checkout], Callable[[Case], float]]:
    """One of its measures, summed over weights where the code returns a number for each."""

    def scorer(checkout: Checkout) -> Callable[[Case], float]:
        official = checkout.module(FILE, (stand_in("foresight.models"),), root="").measures

        def score(case: Case) -> float:
            batch = case.batches[0]
            network = _prunable(case.copy())
            try:
                found = official.calc_measure(
                    name, network, torch.device("cpu"), batch.images, batch.labels, loss_fn=F.cross_entropy
                )
            except AttributeError:
                # The images have no gradient, which this measure does not expect.
                if name != "jacob_cov":
                    raise
                return math.nan
            return (
                sum(float(part.detach().double().sum()) for part in found) if isinstance(found, list) else float(found)
            )

        return score

    return scorer


def _prunable(network: nn.Module) -> Any:
    """The network with the method for copies that the official networks have, and no module that works in place."""

    def copied(self: nn.Module, bn: bool = True) -> nn.Module:
        twin = copy.deepcopy(self)
        if not bn:
            replace_modules(twin, lambda module: nn.Identity() if isinstance(module, nn.BatchNorm2d) else None)
        return twin

    for module in network.modules():
        if isinstance(module, nn.ReLU):
            # The official code hooks what enters and leaves them.
            module.inplace = False
    kind = type(network)
    network.__class__ = type(kind.__name__, (kind,), {"get_prunable_copy": copied})
    return network
