"""MAE-DET's official entropy: of cells through our networks, and of chains through the official ones."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from tools.official.cases import Case
from tools.official.checkout import Checkout

ENTROPY = "nas/scores/compute_entropy.py"
CLOSED_FORM = "nas/scores/compute_madnas.py"
NETWORKS = "nas/models/masternet.py"


def of_cells(checkout: Checkout) -> Callable[[Case], float]:
    """The official draw of weights and inputs, and the official sum over blocks of our network."""
    official = checkout.module(ENTROPY, root="")
    return lambda case: _drawn(official.ComputeEntropyScore, case, _Blocks(case.copy().float()))


def of_chains(checkout: Checkout) -> Callable[[Case], float]:
    """The official score of the same convolutions in the official network."""
    official, networks = checkout.module(ENTROPY, root=""), checkout.module(NETWORKS, root="")
    return lambda case: _drawn(official.ComputeEntropyScore, case, _Wide(_chain(networks, case)))


def closed_form(checkout: Checkout) -> Callable[[Case], float]:
    """The official closed form of the same chains."""
    official, networks = checkout.module(CLOSED_FORM, root=""), checkout.module(NETWORKS, root="")

    def score(case: Case) -> float:
        network = _chain(networks, case)
        return float(official.ComputeMadnasScore(_settings(case, network))(network)["avg_nas_score"])

    return score


def _chain(networks: Any, case: Case) -> Any:
    structure = [
        {"class": "ConvKXBNRELU", "in": c.inputs, "out": c.outputs, "k": c.kernel, "s": c.stride}
        for c in case.copy().convolutions
    ]
    return networks.MasterNet(structure_info=structure)


def _drawn(score: Any, case: Case, network: nn.Module) -> float:
    """The official score with random numbers from the seed of our proxy, which are then the same numbers."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(case.seed)
        return float(score(_settings(case, network))(network)["avg_nas_score"])


def _settings(case: Case, network: Any) -> SimpleNamespace:
    """The official settings, with weight on the last stage only."""
    images = case.batches[0].images
    stages = len(network.get_stage_info()[0])
    return SimpleNamespace(
        gpu=None,
        score_init_std=1,
        score_init_std_act=1,
        score_batch_size=len(images),
        score_image_size=images.shape[-1],
        score_image_channel=images.shape[1],
        score_repeat=1,
        score_skip_relu=True,
        score_skip_bn=True,
        score_multi_ratio=[0] * (stages - 1) + [1],
        budget_layers=None,
        align_budget_layers=False,
    )


class _Wide(nn.Module):
    """An official network that computes in float64 with weights and inputs drawn in float32, as our proxy does."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def get_stage_info(self) -> Any:
        return self.network.get_stage_info()

    def entropy_forward_pre_GAP(self, inputs: Tensor, **settings: Any) -> Any:  # noqa: N802 (the official name)
        return self.network.double().entropy_forward_pre_GAP(inputs.double(), **settings)


class _Blocks(nn.Module):
    """Our network in the official interface: one stage, whose blocks divide their output by its deviation."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def get_stage_info(self) -> tuple[list[int], list[int], list[int], list[int]]:
        blocks = len(self._blocks())
        return [0], [blocks], [blocks], [self.network.classifier.in_features]

    def _blocks(self) -> list[nn.Module]:
        return [self.network.stem, *self.network.blocks, self.network.last]

    def entropy_forward_pre_GAP(self, inputs: Tensor, **_: Any) -> tuple[list[Tensor], list[Tensor]]:  # noqa: N802
        self.double()
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d | nn.ReLU):
                module.register_forward_hook(lambda _, inputs, __: inputs[0])
        features, deviations = inputs.double(), []
        for block in self._blocks():
            features = block(features)
            deviations.append(features.std())
            features = features / deviations[-1]
        return [features], deviations
