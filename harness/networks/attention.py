"""Attention in plain products, so that proxies see its weights, count its products and differentiate it twice."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DotProductAttention(nn.Module):
    """softmax(Q Kᵀ · scale + mask) V, as :func:`torch.nn.functional.scaled_dot_product_attention`.

    The function's fast kernels have no second derivative and hide their products.
    """

    stands_for = nn.MultiheadAttention

    def forward(self, *arguments: Any, **named: Any) -> Tensor:
        """The values with their weights, for the arguments of :func:`attended`."""
        return attended(*arguments, **named)[0]


def attended(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> tuple[Tensor, Tensor]:
    """The weighted values, (..., queries, channels), and the weights, (..., queries, keys).

    The arguments are those of :func:`torch.nn.functional.scaled_dot_product_attention`: ``attn_mask`` is added, or if
    boolean says what takes part. A token for which nothing takes part gets zeros.
    """
    if enable_gqa:
        groups = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(groups, -3), value.repeat_interleave(groups, -3)
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    similarity = (query * factor) @ key.transpose(-2, -1)
    if is_causal:
        seen = torch.ones(similarity.shape[-2:], dtype=torch.bool, device=query.device).tril()
        similarity = similarity.masked_fill(~seen, -math.inf)
    if attn_mask is None:
        weights = similarity.softmax(dim=-1)
    else:
        is_boolean = attn_mask.dtype == torch.bool
        similarity = similarity.masked_fill(~attn_mask, -math.inf) if is_boolean else similarity + attn_mask
        alone = (similarity == -math.inf).all(dim=-1, keepdim=True)
        weights = similarity.masked_fill(alone, 0.0).softmax(dim=-1).masked_fill(alone, 0.0)
    weights = F.dropout(weights, dropout_p)
    return weights @ value, weights


class MultiheadAttention(nn.Module):
    """A :class:`torch.nn.MultiheadAttention` whose projections are linear layers that are called.

    It has the same parameters and computes the same function. The projection of queries, keys and values stays one
    layer with one weight, as there, unless they are projected from different tensors.
    """

    stands_for = nn.MultiheadAttention

    def __init__(self, original: nn.MultiheadAttention) -> None:
        super().__init__()
        self.embed_dim, self.num_heads = original.embed_dim, original.num_heads
        self.dropout, self.batch_first = original.dropout, original.batch_first
        self._qkv_same_embed_dim = original._qkv_same_embed_dim
        biases: list[Any] = [None] * 3 if original.in_proj_bias is None else [original.in_proj_bias]
        if original._qkv_same_embed_dim:
            self.in_proj: nn.Linear | None = _linear(original.in_proj_weight, biases[0])
        else:
            self.in_proj = None
            weights = (original.q_proj_weight, original.k_proj_weight, original.v_proj_weight)
            self._project_apart(list(weights), original.in_proj_bias)
        self.out_proj = _linear(original.out_proj.weight, original.out_proj.bias)
        self.train(original.training)

    @property
    def in_proj_bias(self) -> Tensor | None:
        """The bias of the projection; read by :class:`torch.nn.TransformerEncoder`."""
        return None if self.in_proj is None else self.in_proj.bias

    def _project_apart(self, weights: list[Tensor], bias: Tensor | None) -> None:
        biases = [None] * 3 if bias is None else list(bias.detach().chunk(3))
        for name, weight, part in zip(("q_proj", "k_proj", "v_proj"), weights, biases, strict=True):
            kept = weight if isinstance(weight, nn.Parameter) else nn.Parameter(weight.detach().clone())
            setattr(self, name, _linear(kept, None if part is None else nn.Parameter(part.clone())))

    def separate(self) -> None:
        """Project queries, keys and values by a layer each; for calls with different tensors."""
        if self.in_proj is not None:
            self._project_apart(list(self.in_proj.weight.detach().chunk(3)), self.in_proj.bias)
            self.in_proj = None

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The arguments and results of :class:`torch.nn.MultiheadAttention`."""
        unbatched, batch_first = query.dim() == 2, self.batch_first
        if unbatched:
            query, key, value = (tensor.unsqueeze(0) for tensor in (query, key, value))
            batch_first = True
        if self.in_proj is not None and query is key is value:
            projected = self.in_proj(query).chunk(3, dim=-1)
        else:
            self.separate()
            layers: Any = (self.q_proj, self.k_proj, self.v_proj)
            projected = tuple(layer(tensor) for layer, tensor in zip(layers, (query, key, value), strict=True))
        q, k, v = (self._by_head(tensor if batch_first else tensor.transpose(0, 1)) for tensor in projected)
        mask = self._mask(attn_mask, key_padding_mask, q, k)
        values, weights = attended(q, k, v, mask, self.dropout if self.training else 0.0)
        merged = values.transpose(1, 2).flatten(2)
        output = self.out_proj(merged if batch_first else merged.transpose(0, 1))
        if not need_weights:
            return output[0] if unbatched else output, None
        if average_attn_weights:
            weights = weights.mean(dim=1)
        return (output[0], weights[0]) if unbatched else (output, weights)

    def _by_head(self, tensor: Tensor) -> Tensor:
        """(images, tokens, channels) to (images, heads, tokens, channels of a head)."""
        return tensor.reshape(*tensor.shape[:2], self.num_heads, -1).transpose(1, 2)

    def _mask(self, attn_mask: Tensor | None, padding: Tensor | None, q: Tensor, k: Tensor) -> Tensor | None:
        """What is added to the similarities: (images, heads, queries, keys), or a shape that extends to it."""
        masks = []
        if attn_mask is not None:
            of_heads = attn_mask.dim() == 3
            masks.append(attn_mask.reshape(len(q), self.num_heads, *attn_mask.shape[1:]) if of_heads else attn_mask)
        if padding is not None:
            masks.append(padding.reshape(-1, 1, 1, k.shape[2]))
        added = [_added(mask, q.dtype) for mask in masks]
        return None if not added else added[0] if len(added) == 1 else added[0] + added[1]


def _added(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask as numbers to add: −∞ where a boolean one is true."""
    return torch.zeros_like(mask, dtype=dtype).masked_fill(mask, -math.inf) if mask.dtype == torch.bool else mask


def can_be_plain(module: nn.Module) -> bool:
    """Whether :class:`MultiheadAttention` can stand for a module."""
    return (
        type(module) is nn.MultiheadAttention
        and module.bias_k is None
        and module.bias_v is None
        and not module.add_zero_attn
    )


def _linear(weight: Any, bias: Any) -> nn.Linear:
    """A linear layer with these very parameters."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    layer.register_parameter("weight", weight)
    if bias is not None:
        layer.register_parameter("bias", bias)
    return layer
