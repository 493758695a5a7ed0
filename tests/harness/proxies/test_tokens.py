"""DSS and AZ-NAS's scores of transformers equal their definitions, computed part by part with numpy."""

import copy
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.proxies import tokens
from harness.proxies.tokens import az_expressivity_tokens, az_trainability_tokens, dss

IMAGE = (3, 8, 8)


class Attention(nn.Module):
    """Single-head attention of plain linear layers."""

    def __init__(self, size):
        super().__init__()
        self.qkv, self.proj = nn.Linear(size, 3 * size), nn.Linear(size, size)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return self.proj((q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])).softmax(-1) @ v)


class Part(nn.Module):
    """Attention and a feed-forward part, the norm before each."""

    def __init__(self, size):
        super().__init__()
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(size), Attention(size), nn.LayerNorm(size)
        self.fc1, self.act, self.fc2 = nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.fc2(self.act(self.fc1(self.norm2(x))))


class Transformer(nn.Module):
    """Two blocks on four tokens."""

    def __init__(self, size=6):
        super().__init__()
        self.patches, self.norm, self.head = nn.Conv2d(3, size, 4, 4), nn.LayerNorm(size), nn.Linear(size, 4)
        self.blocks = nn.ModuleList([Part(size), Part(size)])
        self.drop = nn.Dropout(0.5)

    def embedded(self, x):
        return self.patches(x).flatten(2).transpose(1, 2)

    def forward(self, x):
        x = self.drop(self.embedded(x))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


@pytest.fixture
def network():
    torch.manual_seed(3)
    return Transformer().double()


@pytest.fixture
def probe(network):
    return Probe(network, [Batch(torch.randn(5, *IMAGE, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0]))])


def test_dss_is_the_nuclear_norms_of_attention_and_the_saliency_of_the_rest(network, probe):
    plain = copy.deepcopy(network)
    plain.drop.p = 0.0
    for parameter in plain.parameters():
        parameter.data.abs_()
    plain(torch.ones(1, *IMAGE, dtype=torch.float64)).sum().backward()
    wanted = 0.0
    for block in plain.blocks:
        for layer in (block.attn.qkv, block.attn.proj):
            of_weight, of_gradient = (
                np.linalg.svd(matrix.detach().numpy(), compute_uv=False).sum()
                for matrix in (layer.weight, layer.weight.grad)
            )
            wanted += of_weight * of_gradient
        for layer in (block.fc1, block.fc2):
            wanted += (layer.weight * layer.weight.grad).abs().sum().item()
    wanted += (plain.head.weight * plain.head.weight.grad).abs().sum().item()
    network.drop.p = 0.0
    assert dss(probe) == pytest.approx(wanted, rel=1e-10)


@pytest.fixture
def drawn(monkeypatch):
    """The images and signs that are drawn."""
    kept = {"signs": []}
    gaussian_images, randint = tokens.gaussian_images, torch.randint

    def images(probe, count):
        kept["images"] = gaussian_images(probe, count)
        return kept["images"]

    monkeypatch.setattr(tokens, "gaussian_images", images)
    monkeypatch.setattr(torch, "randint", lambda *args: kept["signs"].append(randint(*args)) or kept["signs"][-1])
    return kept


def stream(network, images):
    """After each attention and each feed-forward part, without dropout."""
    x, found = network.embedded(images), []
    for block in network.blocks:
        x = x + block.attn(block.norm1(x))
        found.append(x)
        x = x + block.fc2(block.act(block.fc1(block.norm2(x))))
        found.append(x)
    return found


def test_expressivity_is_the_sum_of_the_entropies_after_every_part(network, probe, drawn):
    score = az_expressivity_tokens(probe)
    assert drawn["images"].shape == (64, *IMAGE)
    wanted = 0.0
    for x in stream(network, drawn["images"]):
        values = np.linalg.eigvalsh(np.cov(x.detach().numpy().reshape(-1, 6).T, bias=True))
        shares = values / values.sum()
        wanted -= sum(p * math.log(p + 1e-8) for p in shares)
    assert score == pytest.approx(wanted, rel=1e-9)


def test_trainability_is_how_each_part_keeps_random_signs(network, probe, drawn):
    score = az_trainability_tokens(probe)
    found, terms = stream(network, drawn["images"]), []
    for (before, after), bits in zip(pairwise(found), drawn["signs"], strict=True):
        signs = bits * 2.0 - 1
        (passed,) = torch.autograd.grad(after, before, signs.double(), retain_graph=True)
        mean = np.einsum("itc,itd->cd", passed.numpy(), signs.numpy()) / (64 * 4)
        largest = np.linalg.svd(mean, compute_uv=False).max()
        terms.append(2 - largest - 1 / (largest + 1e-6))
    assert len(terms) == 3
    assert score == pytest.approx(np.mean(terms), rel=1e-9)


def test_a_part_that_passes_the_signs_unchanged_is_left_out(network, probe):
    for parameter in network.blocks[1].fc2.parameters():
        nn.init.zeros_(parameter)
    with_identity = az_trainability_tokens(Probe(network, probe.batches))
    assert math.isfinite(with_identity)


def test_networks_without_tokens_say_so():
    batch = [Batch(torch.randn(4, *IMAGE), torch.tensor([0, 1, 2, 3]))]
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4))
    for proxy, reason in (
        (dss, "no linear layers of attention"),
        (az_expressivity_tokens, "no layer norms"),
        (az_trainability_tokens, "no layer norms"),
    ):
        with pytest.raises(NotApplicableError, match=reason):
            proxy(Probe(plain, batch))
    with_norms = nn.Sequential(nn.Flatten(1), nn.LayerNorm(192), nn.Linear(192, 4))
    with pytest.raises(NotApplicableError, match="fewer than three layer norms read tokens"):
        az_expressivity_tokens(Probe(with_norms, batch))
    batch_norm = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 4))
    with pytest.raises(NotApplicableError, match="batch norms; one image has no variance"):
        dss(Probe(batch_norm, batch))
