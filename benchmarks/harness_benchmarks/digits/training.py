"""One training run of a cell of the digits benchmark."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from harness.seeds import derive_seed
from harness_benchmarks.digits.data import CLASSES, IMAGE_SHAPE, LabelledImages, noisy_test_images, split_digits
from harness_benchmarks.digits.recipe import Recipe
from harness_benchmarks.nb201.cells import CellNetwork
from harness_benchmarks.nb201.topology import parse_cell


def build_network(architecture: str, recipe: Recipe) -> CellNetwork:
    """A newly initialised network of the recipe's size, drawn from torch's global random state."""
    channels = IMAGE_SHAPE[0]
    return CellNetwork(parse_cell(architecture), recipe.widths, recipe.cells_per_stage, CLASSES, channels)


def train_once(architecture: str, seed_index: int, recipe: Recipe) -> float:
    """Test accuracy in percent after one training run.

    Initial weights, order of the images and training noise depend only on (benchmark, architecture, seed index). Test
    images are the same for every network. This sets torch's global random state.
    """
    seed = derive_seed("digits", architecture, seed_index)
    torch.manual_seed(seed)
    # channels_last is faster here; torch's type stubs do not have the argument.
    network = build_network(architecture, recipe).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    _optimise(network, _training_batches(recipe, np.random.default_rng(seed)), recipe)
    return _accuracy(network, noisy_test_images(recipe.training_images, recipe.noise, recipe.test_draws))


def _training_batches(recipe: Recipe, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    training, _ = split_digits(recipe.training_images)
    size = recipe.batch_size
    for _ in range(recipe.epochs):
        noisy = training.with_noise(recipe.noise, rng)
        order = rng.permutation(len(noisy.labels))
        for start in range(0, len(order) - size + 1, size):
            chosen = order[start : start + size]
            yield _tensor(noisy.pixels[chosen]), torch.from_numpy(noisy.labels[chosen])


def _optimise(network: nn.Module, batches: Iterator[tuple[Tensor, Tensor]], recipe: Recipe) -> None:
    network.train()
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=True,
        foreach=True,
    )
    for step, (images, labels) in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * (1 + math.cos(math.pi * step / recipe.steps)) / 2
        optimiser.zero_grad()
        torch.autograd.backward(F.cross_entropy(network(images), labels))
        optimiser.step()


@torch.no_grad()
def _accuracy(network: nn.Module, test: LabelledImages) -> float:
    network.eval()
    correct = 0
    for start in range(0, len(test.labels), 512):
        predicted = network(_tensor(test.pixels[start : start + 512])).argmax(dim=1).numpy()
        correct += int((predicted == test.labels[start : start + 512]).sum())
    return 100 * correct / len(test.labels)


def _tensor(pixels: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last)
