"""Networks that proxies are tested on: every kind of cell of the embedded benchmark, and other networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.registry import load_benchmark

CLASSES = 10
OTHER_IMAGE = (3, 8, 8)

CONNECTED_CELLS = {
    "of convolutions": ("nor_conv_3x3", "nor_conv_1x1", "nor_conv_3x3", "nor_conv_1x1", "nor_conv_3x3", "nor_conv_1x1"),
    "of every kind": ("nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none", "nor_conv_1x1", "nor_conv_3x3"),
    "with a dead end": ("nor_conv_3x3", "none", "none", "nor_conv_1x1", "none", "none"),
}
ODD_CELLS = {
    "unconnected": ("nor_conv_3x3", "nor_conv_1x1", "skip_connect", "none", "none", "none"),
    "of none": ("none",) * 6,
    "of skip connections": ("skip_connect",) * 6,
    "of poolings": ("avg_pool_3x3",) * 6,
}
CELLS = CONNECTED_CELLS | ODD_CELLS


class LinearOnly(nn.Sequential):
    """Linear layers only: no convolution, batch norm or feature map."""

    def __init__(self) -> None:
        super().__init__(nn.Flatten(), nn.Linear(192, 12), nn.ReLU(), nn.Linear(12, CLASSES))


class PlainConvolutions(nn.Sequential):
    """Convolutions with bias, in-place ReLUs, no batch norm and no forward_features."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 6, 3),
            nn.ReLU(inplace=True),
            nn.Conv2d(6, 5, 3, stride=2),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(5, CLASSES),
        )


class _Classifying(nn.Module):
    """Features, their mean over positions, and a classifier."""

    classifier: nn.Linear

    def forward_features(self, images: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        return cast("Tensor", self.classifier(self.forward_features(images).mean(dim=(2, 3))))


class Residual(_Classifying):
    """Two convolutions with batch norm, the second around a skip connection; any number of image channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU())
        self.block = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU())
        self.classifier = nn.Linear(6, CLASSES)

    def forward_features(self, images: Tensor) -> Tensor:
        """The sum of both convolutions' features."""
        stem = self.stem(images)
        return cast("Tensor", stem + self.block(stem))


class FunctionalOnly(_Classifying):
    """ReLU as a function, which hooks do not see."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.classifier = nn.Linear(6, CLASSES)

    def forward_features(self, images: Tensor) -> Tensor:
        """The output of the ReLU."""
        return F.relu(self.norm(self.conv(images)))


class Grouped(_Classifying):
    """Grouped and depthwise convolutions, called in another order than registered; two ReLUs read one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.last_called = nn.Conv2d(8, 6, 3, groups=2, bias=False)
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(8)
        self.relu_a, self.relu_b, self.relu_c = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.norm = nn.BatchNorm2d(6)
        self.classifier = nn.Linear(6, CLASSES)

    def forward_features(self, images: Tensor) -> Tensor:
        """The output of the last ReLU."""
        stem = self.stem_norm(self.stem(images))
        hidden = self.last_called(self.relu_a(stem) + self.depthwise(self.relu_b(stem)))
        return cast("Tensor", self.relu_c(self.norm(hidden)))


class WithDropout(_Classifying):
    """A network that draws random numbers in every pass."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(0.3)
        self.classifier = nn.Linear(6, CLASSES)

    def forward_features(self, images: Tensor) -> Tensor:
        """The features after dropout."""
        return cast("Tensor", self.dropout(self.relu(self.norm(self.conv(images)))))


class BeginsInPlace(nn.Sequential):
    """A network whose first operation writes into its input images."""

    def __init__(self) -> None:
        super().__init__(nn.ReLU(inplace=True), nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(216, CLASSES))


OTHERS: dict[str, Callable[[], nn.Module]] = {
    "linear only": LinearOnly,
    "plain convolutions": PlainConvolutions,
    "without relu modules": FunctionalOnly,
    "grouped": Grouped,
    "dropout": WithDropout,
    "begins in place": BeginsInPlace,
    "residual": lambda: Residual(3),
}
"""Networks for images of ``OTHER_IMAGE``."""


def architecture(cell: str) -> str:
    """The official string of a cell's six operations.

    >>> architecture("of none")
    '|none~0|+|none~0|none~1|+|none~0|none~1|none~2|'
    """
    a, b, c, d, e, f = CELLS[cell]
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


def make(network: str, seed: int = 0) -> nn.Module:
    """The named cell or network, or the cell of an architecture: float32, training mode, the same in every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if network in OTHERS:
            return OTHERS[network]().train()
        named = architecture(network) if network in CELLS else network
        return load_benchmark("digits").build(named, "digits")
