"""The parts that both families of transformers have in common.

Source: lilujunai/Auto-Prox-AAAI24 at commit 90ed458, ``pycls/models/auto/common.py``.
"""

from __future__ import annotations

from torch import Tensor, nn

from harness.networks.attention import DotProductAttention

PATCH = 16
"""Height and width of a patch."""

EPSILON = 1e-6
"""Of every layer norm."""


class Attention(nn.Module):
    """Multi-head self-attention; all heads together are as wide as the tokens.

    Args:
        width: number of channels.
        heads: number of heads, which divides the width.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.product = DotProductAttention()  # in plain products, which proxies can count and differentiate twice
        self.projection = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(images, tokens, width) to the same shape."""
        parts = self.qkv(tokens).reshape(*tokens.shape[:2], 3, self.heads, -1)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        attended = self.product(queries, keys, values)
        projected: Tensor = self.projection(attended.transpose(1, 2).flatten(2))
        return projected


class TransformerLayer(nn.Module):
    """Attention and a perceptron of two linear layers, each after a layer norm and beside a residual link.

    Args:
        width: number of channels.
        heads: number of heads.
        hidden: units of the perceptron.
    """

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=EPSILON)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=EPSILON)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """(images, tokens, width) to the same shape."""
        tokens = tokens + self.attention(self.norm1(tokens))
        out: Tensor = tokens + self.mlp(self.norm2(tokens))
        return out


def as_map(tokens: Tensor, sides: tuple[int, int]) -> Tensor:
    """Tokens (images, height · width, channels), row by row, as a feature map (images, channels, height, width)."""
    return tokens.transpose(1, 2).reshape(len(tokens), -1, *sides)


def of_map(features: Tensor) -> Tensor:
    """The inverse of :func:`as_map`."""
    return features.flatten(2).transpose(1, 2)


def as_column(tokens: Tensor) -> Tensor:
    """Tokens (images, tokens, width) as a feature map of one column, (images, width, tokens, 1)."""
    return tokens.transpose(1, 2).unsqueeze(-1)


def of_column(column: Tensor) -> Tensor:
    """The inverse of :func:`as_column`."""
    return column.squeeze(-1).transpose(1, 2)
