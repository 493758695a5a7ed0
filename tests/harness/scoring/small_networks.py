"""Small networks, one for each thing that networks outside benchmarks do."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

CLASSES = 5


class Head(nn.Module):
    """Features to logits."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(channels, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(2).mean(dim=2))


class Convolutions(nn.Module):
    """A stem, a middle of one's own, and a head."""

    def __init__(self, middle: nn.Module | None = None, channels: int = 8) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8))
        self.middle = nn.Identity() if middle is None else middle
        self.head = Head(channels)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.middle(self.stem(x)))


class Functions(Convolutions):
    """Calls its activation functions, in three ways."""

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x), inplace=True)
        x = self.middle(x).relu()
        return self.head(F.gelu(x))


class Modules(Convolutions):
    """The same with modules."""

    def __init__(self, middle: nn.Module) -> None:
        super().__init__(middle)
        self.first, self.second, self.third = nn.ReLU(), nn.ReLU(), nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.stem(x))
        return self.head(self.third(self.second(self.middle(x))))


class FreeWeights(nn.Module):
    """Multiplies by parameters that belong to no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(8, 3, 3, 3) / 5)
        self.matrix = nn.Parameter(torch.randn(8, 6) / 3)
        self.last = nn.Parameter(torch.randn(CLASSES, 6) / 3)
        self.bias = nn.Parameter(torch.zeros(CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.kernel, stride=2, padding=1).relu()
        x = x.flatten(2).mean(dim=2) @ self.matrix
        return F.linear(x, self.last, self.bias)


class LayerWeights(nn.Module):
    """The same with layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.relu = nn.ReLU()
        self.first = nn.Linear(8, 6, bias=False)
        self.last = nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.first(self.relu(self.conv(x)).flatten(2).mean(dim=2)))


class Block(nn.Module):
    """A block of a transformer, with torch's attention."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.before, self.after = nn.LayerNorm(size), nn.LayerNorm(size)
        self.attention = nn.MultiheadAttention(size, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size))

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.mlp(self.after(x))


class Transformer(nn.Module):
    """A vision transformer of three blocks."""

    def __init__(self, size: int = 12, heads: int = 3) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, size, 4, 4)
        self.position = nn.Parameter(torch.randn(1, 4, size) / 10)
        self.blocks = nn.Sequential(*(Block(size, heads) for _ in range(3)))
        self.norm = nn.LayerNorm(size)
        self.head = nn.Linear(size, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.position
        return self.head(self.norm(self.blocks(tokens)).mean(dim=1))


class FusedBlock(nn.Module):
    """The attention of timm and Hugging Face: linear layers around torch's fused function."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.projection = nn.Linear(size, 3 * size), nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        split = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(*split)
        return x + self.projection(attended.transpose(1, 2).flatten(2))


class Mixer(nn.Module):
    """Mixes tokens, then channels."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.tokens, self.channels = nn.Linear(4, 4), nn.Linear(8, 8)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = x + F.gelu(self.tokens(x.transpose(1, 2))).transpose(1, 2)
        return self.head((x + F.gelu(self.channels(x))).mean(dim=1))


class SqueezeAndExcitation(nn.Module):
    """Scales channels by what they are on average."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        scale = x.mean(dim=(2, 3), keepdim=True)
        return x * torch.sigmoid(self.up(F.silu(self.down(scale))))


class StochasticDepth(nn.Module):
    """Drops the branch of some images."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.dropout = nn.Dropout(0.2)

    def forward(self, x: Tensor) -> Tensor:
        kept = torch.rand(len(x), 1, 1, 1, dtype=x.dtype) < 0.8 if self.training else 1
        return x + kept * self.dropout(self.conv(x).relu())


class Twice(nn.Module):
    """Calls one convolution twice, and another with its weight."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.same = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.same.weight = self.conv.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.same(self.conv(self.conv(x).relu()).relu())


class Sequences(nn.Module):
    """Convolutions and a transformer layer of torch over sequences, (images, channels, steps)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv1d(3, 8, 3, padding=1), nn.BatchNorm1d(8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.conv(x))).transpose(1, 2)
        return self.head(self.layer(x).mean(dim=1))


class Volumes(nn.Module):
    """Convolutions of three axes, forth and back."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv3d(3, 6, 3, padding=1), nn.BatchNorm3d(6), nn.ReLU()
        self.up = nn.ConvTranspose3d(6, 4, 2, 2)
        self.head = Head(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.up(self.relu(self.norm(self.conv(x)))))


class Named(NamedTuple):
    logits: Tensor
    features: Tensor


@dataclasses.dataclass
class Outputs:
    logits: Tensor
    loss: Any = None


class Wrapped(nn.Module):
    """Returns its logits among other things."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.network, self.form = Convolutions(nn.ReLU()), form

    def forward(self, x: Tensor) -> Any:
        logits = self.network(x)
        other = logits.detach() * 0
        return {
            "tuple": (other, logits),
            "dictionary": {"logits": logits, "features": other},
            "named tuple": Named(logits, other),
            "dataclass": Outputs(logits),
        }[self.form]


def frozen() -> nn.Module:
    network = Modules(nn.Conv2d(8, 8, 3, padding=1))
    network.stem.requires_grad_(False)
    return network


def normalised() -> nn.Module:
    return Modules(parametrizations.weight_norm(nn.Conv2d(8, 8, 3, padding=1)))


IMAGE = (3, 8, 8)

SMALL = {
    "functions": (lambda: Functions(nn.Conv2d(8, 8, 3, padding=1)), IMAGE),
    "free weights": (FreeWeights, IMAGE),
    "group norm": (lambda: Functions(nn.Sequential(nn.Conv2d(8, 8, 1), nn.GroupNorm(2, 8))), IMAGE),
    "instance norm": (lambda: Functions(nn.Sequential(nn.Conv2d(8, 8, 1), nn.InstanceNorm2d(8, affine=True))), IMAGE),
    "layer norm": (lambda: Functions(nn.LayerNorm(IMAGE[1:])), IMAGE),
    "no norm": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), Head(8)), IMAGE),
    "mobile": (lambda: Convolutions(nn.Sequential(nn.Conv2d(8, 8, 3, groups=8), nn.Hardswish(), nn.SiLU())), IMAGE),
    "grouped": (lambda: Modules(nn.Conv2d(8, 8, 3, padding=1, groups=2)), IMAGE),
    "transposed": (lambda: Modules(nn.ConvTranspose2d(8, 8, 2, 2)), IMAGE),
    "dropout and stochastic depth": (lambda: Convolutions(StochasticDepth()), IMAGE),
    "squeeze and excitation": (lambda: Functions(SqueezeAndExcitation()), IMAGE),
    "frozen": (frozen, IMAGE),
    "called twice": (lambda: Functions(Twice()), IMAGE),
    "parametrised": (normalised, IMAGE),
    "transformer": (Transformer, IMAGE),
    "fused attention": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Flatten(2), Transposed(), FusedBlock(8, 2), Pooled(), Last(8)),
        IMAGE,
    ),
    "mixer": (Mixer, IMAGE),
    "sequences": (Sequences, (3, 10)),
    "volumes": (Volumes, (3, 4, 4, 4)),
}
"""For each thing, a function that builds a network with it, and the shape of an image."""


class Transposed(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


class Pooled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=1)


class Last(nn.Linear):
    """A linear layer of a class of its own."""

    def __init__(self, size: int) -> None:
        super().__init__(size, CLASSES)
