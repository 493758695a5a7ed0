"""The attention that stands for torch's computes the same, and can be differentiated twice."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from harness.networks.attention import DotProductAttention, MultiheadAttention

IMAGES, TOKENS, OTHERS, SIZE, HEADS = 3, 4, 5, 6, 2
HIDDEN = torch.ones(TOKENS, TOKENS).triu(1)


def tokens(*shape):
    return torch.randn(*shape, dtype=torch.float64)


@pytest.mark.parametrize(
    ("options", "masks"),
    [
        ({}, {}),
        ({"bias": False}, {}),
        ({"batch_first": False}, {}),
        ({}, {"attn_mask": HIDDEN.bool()}),
        ({}, {"attn_mask": HIDDEN * -2}),
        ({}, {"attn_mask": (HIDDEN * -2).expand(IMAGES * HEADS, -1, -1)}),
        ({}, {"key_padding_mask": torch.tensor([[False] * 3 + [True]] * IMAGES)}),
        ({}, {"attn_mask": HIDDEN.bool(), "key_padding_mask": torch.tensor([[False] * 3 + [True]] * IMAGES)}),
    ],
)
def test_of_tokens_to_themselves(options, masks):
    original = nn.MultiheadAttention(SIZE, HEADS, **{"batch_first": True} | options).double()
    x = tokens(IMAGES, TOKENS, SIZE) if original.batch_first else tokens(TOKENS, IMAGES, SIZE)
    expected, _ = original(x, x, x, need_weights=False, **masks)
    torch.testing.assert_close(MultiheadAttention(original)(x, x, x, **masks)[0], expected)


@pytest.mark.parametrize("sizes", [{}, {"kdim": 7, "vdim": 8}])
def test_of_tokens_to_others(sizes):
    original = nn.MultiheadAttention(SIZE, HEADS, batch_first=True, **sizes).double()
    q, k, v = tokens(2, TOKENS, SIZE), tokens(2, OTHERS, original.kdim), tokens(2, OTHERS, original.vdim)
    expected, _ = original(q, k, v)
    ours = MultiheadAttention(original)
    torch.testing.assert_close(ours(q, k, v)[0], expected)
    projections = [ours.q_proj.weight, ours.k_proj.weight, ours.v_proj.weight]
    assert sum(weight.numel() for weight in projections) == SIZE * (SIZE + original.kdim + original.vdim)


def test_of_one_image_alone():
    original, x = nn.MultiheadAttention(SIZE, HEADS).double(), tokens(TOKENS, SIZE)
    torch.testing.assert_close(MultiheadAttention(original)(x, x, x)[0], original(x, x, x)[0])


@pytest.mark.parametrize(
    "options",
    [{}, {"is_causal": True}, {"scale": 0.3}, {"attn_mask": HIDDEN == 0}, {"attn_mask": HIDDEN.double() * -3}],
)
def test_of_products(options):
    q, k, v = tokens(3, IMAGES, HEADS, TOKENS, SIZE)
    expected = F.scaled_dot_product_attention(q, k, v, **options)
    torch.testing.assert_close(DotProductAttention()(q, k, v, **options), expected)


def test_of_groups_of_queries():
    q, k, v = tokens(IMAGES, 4, TOKENS, SIZE), tokens(IMAGES, 2, TOKENS, SIZE), tokens(IMAGES, 2, TOKENS, SIZE)
    expected = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    torch.testing.assert_close(DotProductAttention()(q, k, v, enable_gqa=True), expected)


def test_twice():
    q = tokens(1, 1, TOKENS, SIZE).requires_grad_(True)
    assert torch.autograd.gradgradcheck(lambda q: DotProductAttention()(q, q, q), q)
