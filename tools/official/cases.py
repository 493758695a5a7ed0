"""The networks and mini-batches on which both codes compute."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.contracts.proxy import Proxy
from harness.errors import HarnessError
from harness.images import Batch, load_images
from harness.probe import NotApplicableError, Probe
from harness.registry import load_benchmark
from harness.seeds import derive_seed

BATCHES = 2


@dataclass(frozen=True)
class Case:
    """One network with its mini-batches.

    Attributes:
        name: of the architecture.
        network: with initial weights; the official code gets copies.
        batches: two mini-batches.
        seed: of the random numbers that proxies draw.
    """

    name: str
    network: nn.Module
    batches: list[Batch]
    seed: int

    def first(self, images: int) -> Case:
        """The same with only the first images of each mini-batch."""
        return replace(self, batches=[Batch(batch.images[:images], batch.labels[:images]) for batch in self.batches])

    def copy(self) -> Any:
        """A copy of the network in training mode."""
        return copy.deepcopy(self.network).train()

    def probe(self) -> Probe:
        """A new probe."""
        return Probe(self.copy(), self.batches, self.seed)

    def score(self, proxy: Proxy) -> float:
        """Our score; NaN if the proxy is not applicable."""
        probe = self.probe()
        with probe.random_state("proxy", proxy.name):
            try:
                return proxy(probe)
            except NotApplicableError:
                return float("nan")


@dataclass(frozen=True)
class Sample:
    """What to compare on.

    Attributes:
        images: files of CIFAR-10 for cells of NATS-TSS; None for the cells and images of the digits benchmark.
        networks: their number.
        batch_size: the number of images drawn for each mini-batch.
        seed: of cells, weights, images and proxies.
        dtype: of weights and images.
    """

    images: str | None
    networks: int
    batch_size: int
    seed: int
    dtype: torch.dtype

    def cells(self) -> tuple[list[Case], tuple[tuple[str, str], ...]]:
        """Cells drawn at random, and the facts about them.

        Raises:
            HarnessError: if there are not enough images or cells.
        """
        benchmark = load_benchmark("nats-tss" if self.images else "digits")
        dataset = benchmark.datasets[0]
        task = benchmark.task(dataset)
        images = load_images(self.images, task, self.seed) if self.images else benchmark.images(dataset)
        if images is None:
            raise HarnessError(f"{benchmark.name} brings no images; give --images")
        drawn = images.batches(self.batch_size, BATCHES, seed=self.seed)
        batches = [Batch(batch.images.to(self.dtype), batch.labels) for batch in drawn]
        found = []
        for architecture in benchmark.sample(self.networks, self.seed):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(derive_seed("weights", benchmark.name, dataset, architecture, self.seed))
                network = benchmark.build(architecture, dataset).to(self.dtype)
            found.append(Case(architecture, network, batches, derive_seed("proxies", self.seed)))
        return found, (
            ("Networks", f"{len(found)} of {benchmark.title}, seed {self.seed}"),
            ("Images", images.description),
        )


@dataclass(frozen=True)
class Convolution:
    """A convolution of a chain, with batch norm and ReLU."""

    inputs: int
    outputs: int
    kernel: int
    stride: int


class Chain(nn.Sequential):
    """Convolutions in sequence, each with batch norm and ReLU: what official code of detection backbones can express.

    Attributes:
        convolutions: from input to output.
    """

    def __init__(self, convolutions: list[Convolution]) -> None:
        super().__init__(
            *(
                nn.Sequential(
                    nn.Conv2d(c.inputs, c.outputs, c.kernel, c.stride, padding=(c.kernel - 1) // 2, bias=False),
                    nn.BatchNorm2d(c.outputs),
                    nn.ReLU(),
                )
                for c in convolutions
            )
        )
        self.convolutions = convolutions

    def forward_features(self, images: Tensor) -> Tensor:
        """The last feature map."""
        features: Tensor = self(images)
        return features


def chains(cells: list[Case]) -> list[Case]:
    """As many random chains, with the same mini-batches: four to twelve convolutions, of which three have stride 2."""
    found = []
    for index, case in enumerate(cells):
        random = np.random.default_rng(derive_seed("chains", index))
        depth = int(random.integers(4, 13))
        strided = set(random.choice(np.arange(1, depth), size=3, replace=False).tolist())
        channels = [case.batches[0].images.shape[1], *(int(random.choice([8, 16, 24, 32])) for _ in range(depth))]
        convolutions = [
            Convolution(channels[i], channels[i + 1], int(random.choice([1, 3, 5])), 2 if i in strided else 1)
            for i in range(depth)
        ]
        network = Chain(convolutions).to(case.batches[0].images.dtype).train()
        found.append(replace(case, name=f"chain {index}", network=network))
    return found


class Block(nn.Module):
    """Two convolutions and a shortcut, as in ResNet-18."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.relu = nn.ReLU()
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(images, inputs, height, width) to (images, outputs, height / stride, width / stride)."""
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        result: Tensor = self.relu(y + self.shortcut(x))
        return result


def residual_network(width: int, channels: int = 3, classes: int = 10) -> nn.Sequential:
    """ResNet-18 for a width of 64 (He et al. 2016), or a narrower one."""
    stem = (nn.Conv2d(channels, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    widths = [width, width, width, 2 * width, 2 * width, 4 * width, 4 * width, 8 * width, 8 * width]
    blocks = [Block(inputs, outputs, 2 if inputs < outputs else 1) for inputs, outputs in pairwise(widths)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * width, classes))


WIDTHS = (64, 16, 24, 32)
"""Of the residual networks; the first is ResNet-18."""
SIDE = 128
"""Height and width of their images. Of smaller ones, the last maps have so few positions that gradients vanish."""


def residuals(cells: list[Case]) -> list[Case]:
    """ResNet-18 and three narrower ones, with noise and the same labels, in the order in memory that runs use.

    Gradients of plain areas of a picture vanish but for rounding, which decides their sign.
    """
    found = []
    for width, case in zip(WIDTHS, cells, strict=False):
        like = case.batches[0].images
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed("residual networks", width))
            network = residual_network(width, like.shape[1]).to(like.dtype)
        order = torch.channels_last
        generator = torch.Generator().manual_seed(derive_seed("residual images", width))
        shape = (like.shape[1], SIDE, SIDE)
        drawn = [torch.randn(len(batch.images), *shape, generator=generator) for batch in case.batches]
        batches = [
            Batch(images.to(like).contiguous(memory_format=order), batch.labels)
            for images, batch in zip(drawn, case.batches, strict=True)
        ]
        network = network.to(memory_format=order).train()  # type: ignore[call-overload]
        found.append(replace(case, name=f"ResNet-18, width {width}", network=network, batches=batches))
    return found
