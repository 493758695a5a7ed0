"""Networks that do unusual things: each has the number of its own formula, or a reason that names the place."""

import copy
import types

import pytest
import torch
from small_networks import CLASSES, IMAGE
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

import harness
from harness.errors import HarnessError
from harness.networks import prepared

BATCH = 6


class Given(nn.Module):
    """A network whose forward is a function of it and the images."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        for name, part in parts.items():
            if isinstance(part, torch.Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)
        self.given = forward

    def forward(self, x):
        return self.given(self, x)


def pooled(x):
    return x.flatten(2).mean(dim=2)


def tokens(x):
    return x.flatten(2).transpose(1, 2)


def parameter(*shape):
    return nn.Parameter(torch.randn(*shape) / 3)


class Sloped(nn.Module):
    def forward(self, x, slope):
        return F.leaky_relu(x, slope)


class Multiplied(nn.Module):
    def forward(self, x, weight):
        return F.linear(x, weight)


class NormAndReLU(nn.BatchNorm2d):
    """A batch norm that does more than normalise."""

    def __init__(self, channels):
        super().__init__(channels)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(super().forward(x))


def masked_attention(self, x):
    mask = torch.ones(64, 64, dtype=torch.bool)
    mask[3] = False
    return self.head(F.scaled_dot_product_attention(*[tokens(self.conv(x))] * 3, mask).mean(dim=1))


def weighed_attention(self, x):
    attended, weights = self.attention(*[tokens(self.conv(x))] * 3)
    return self.head((attended + weights.square().sum(dim=-1, keepdim=True)).mean(dim=1))


def learned_query(self, x):
    keys = tokens(self.conv(x))
    return self.head(self.attention(self.query.expand(len(x), 1, 8), keys, keys, need_weights=False)[0].mean(dim=1))


def linear():
    return nn.Linear(8, CLASSES)


def attention():
    return nn.MultiheadAttention(8, 2, batch_first=True)


SEEN = {
    "an activation function with several arguments": lambda: Given(
        lambda s, x: s.head(pooled(s.act(s.act(s.conv(x), 0.1), 0.5))), act=Sloped(), head=linear()
    ),
    "an argument of the mini-batch": lambda: Given(
        lambda s, x: s.head(pooled(F.elu(s.conv(x), 1.0 if len(x) == 2 else 0.3))), head=linear()
    ),
    "a norm with an activation function": lambda: Given(
        lambda s, x: s.head(pooled(s.norm(s.conv(x))).tanh()), norm=NormAndReLU(8), head=linear()
    ),
    "a bias of its own with a computed weight": lambda: Given(
        lambda s, x: F.linear(pooled(s.conv(x)), s.maker(pooled(s.conv(x)).mean(0)).view(CLASSES, 8), s.bias),
        maker=nn.Linear(8, 8 * CLASSES),
        bias=parameter(CLASSES),
    ),
    "a token for which nothing takes part": lambda: Given(masked_attention, head=linear()),
    "attention's weights": lambda: Given(weighed_attention, attention=attention(), head=linear()),
    "a learned query": lambda: Given(learned_query, attention=attention(), head=linear(), query=parameter(1, 1, 8)),
    "indices as parameters": lambda: Given(
        lambda s, x: s.head(pooled(s.conv(x)[:, s.order])),
        head=linear(),
        order=nn.Parameter(torch.arange(8).flip(0), requires_grad=False),
    ),
    "a forward of its own": lambda: _with_own_forward(Given(None, head=linear())),
}
"""Networks whose every score is that of its formula."""


def _with_own_forward(network):
    def forward(self, x):
        return {"logits": self.head(pooled(F.gelu(self.conv(x))))}

    network.forward = types.MethodType(forward, network)
    return network


@pytest.mark.parametrize("kind", SEEN)
def test_the_numbers_of_the_formula(kind):
    torch.manual_seed(0)
    network = SEEN[kind]().double()
    images, labels = torch.randn(BATCH, *IMAGE, dtype=torch.float64), torch.arange(BATCH) % CLASSES
    found = harness.score(network, images, labels, proxies="snip,grasp,flops,jacob_cov").set_index("proxy")["value"]
    expected = _by_hand(network, images, labels)
    assert found.to_dict() == pytest.approx(expected, rel=1e-6)


def _by_hand(network, images, labels):
    network = copy.deepcopy(network).train()
    cross = isinstance(getattr(network, "query", None), nn.Parameter)
    weights = [m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    weights += [m.in_proj_weight for m in network.modules() if isinstance(m, nn.MultiheadAttention)]

    def logits(x):
        returned = network(x)
        return returned["logits"] if isinstance(returned, dict) else returned

    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        gradients = torch.autograd.grad(F.cross_entropy(logits(images), labels), weights, create_graph=True)
        half = sum(g.square().sum() for g in gradients) / 2
        along = torch.autograd.grad(half, weights, allow_unused=True, materialize_grads=True)
        leaf = images.clone().requires_grad_(True)
        (jacobian,) = torch.autograd.grad(logits(leaf).sum(), leaf)
        if cross:  # the counter fails on views of parameters
            network.query.requires_grad_(False)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(images)
    eigenvalues = torch.linalg.eigvalsh(torch.corrcoef(jacobian.flatten(1))) + 1e-5
    return {
        "snip": sum(float((w * g).abs().sum()) for w, g in zip(weights, gradients, strict=True)),
        "grasp": -sum(float((w * h).sum()) for w, h in zip(weights, along, strict=True)),
        "flops": counter.get_total_flops() // 2 // BATCH,
        "jacob_cov": -float((eigenvalues.log() + 1 / eigenvalues).sum()),
    }


HIDDEN = {
    "another weight in each call": (
        lambda: Given(
            lambda s, x: s.act(s.act(pooled(s.conv(x)), s.one), s.two),
            act=Multiplied(),
            one=parameter(8, 8),
            two=parameter(CLASSES, 8),
        ),
        "linear in Multiplied 'act'",
    ),
    "a masked weight": (
        lambda: Given(
            lambda s, x: F.linear(pooled(s.conv(x)), s.weight * s.mask, s.bias),
            weight=parameter(CLASSES, 8),
            bias=parameter(CLASSES),
            mask=torch.ones(CLASSES, 8),
        ),
        "linear in Given",
    ),
    "chosen rows of a weight": (
        lambda: Given(lambda s, x: pooled(s.conv(x)) @ s.weight[torch.arange(8)], weight=parameter(9, CLASSES)),
        "matmul in Given",
    ),
    "a vector": (
        lambda: Given(lambda s, x: s.head(s.conv(x).flatten(2) @ s.vector), vector=parameter(64), head=linear()),
        "matmul in Given",
    ),
    "a recurrent cell": (
        lambda: Given(lambda s, x: s.head(s.cell(pooled(s.conv(x)))), cell=nn.GRUCell(8, 8), head=linear()),
        "gru_cell in GRUCell 'cell'",
    ),
    "old weight norm": (
        lambda: Given(
            lambda s, x: s.head(pooled(s.second(s.conv(x)))),
            second=nn.utils.weight_norm(nn.Conv2d(8, 8, 1)),
            head=linear(),
        ),
        "conv2d in Conv2d 'second'",
    ),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("kind", HIDDEN)
def test_hidden_weights_are_named(kind):
    build, place = HIDDEN[kind]
    table = harness.score(build(), torch.randn(BATCH, *IMAGE), proxies="snip,flops,jacob_cov").set_index("proxy")
    assert table["status"].to_dict() == {"snip": "skipped", "flops": "ok", "jacob_cov": "ok"}
    assert place in table["reason"]["snip"]


@pytest.mark.parametrize(
    ("relu", "is_seen"),
    [
        (lambda x: x.clip(min=0), True),
        (lambda x: F.threshold(x, 0, 0), True),
        (lambda x: torch.maximum(x, torch.zeros(())), False),
        (lambda x: torch.clamp(x, min=torch.zeros(())), False),
    ],
)
def test_every_way_to_write_a_relu_is_counted_or_named(relu, is_seen):
    torch.manual_seed(0)
    network = Given(lambda s, x: s.head(pooled(s.act(s.conv(x).relu() - 0.3))), act=nn.ReLU(), head=linear())
    images = torch.randn(BATCH, *IMAGE)
    expected = harness.score(network, images, proxies="naswot")["value"].item()
    network.given = lambda s, x: s.head(pooled(relu(s.conv(x).relu() - 0.3)))
    del network.act
    found = harness.score(network, images, proxies="naswot").iloc[0]
    assert found["value"] == expected if is_seen else "that is not a registered module" in found["reason"]


def test_a_clamp_keeps_its_gradient_at_zero():
    """Where a ReLU's is 0."""
    network = Given(lambda s, x: s.head(pooled((s.conv(x) * 0).clamp(min=0) + s.conv(x) * 0)), head=linear())
    leaf = torch.randn(BATCH, 8, 4, 4, requires_grad=True)
    network.given = lambda s, x: s.head(pooled((x - x.detach()).clamp(min=0)))
    (expected,) = torch.autograd.grad(network(leaf).sum(), leaf)
    (found,) = torch.autograd.grad(prepared(network, leaf.detach()[:2])(leaf).sum(), leaf)
    assert torch.equal(found, expected) and expected.abs().sum() > 0


@pytest.mark.parametrize("proxy", ["synflow", "gradsign"])
def test_a_norm_that_does_more_is_not_removed(proxy):
    network = SEEN["a norm with an activation function"]()
    found = harness.score(network, torch.randn(BATCH, *IMAGE), proxies=proxy).iloc[0]
    assert found["status"] == "skipped" and "NormAndReLU does more than normalise" in found["reason"]


def test_functions_that_keep_the_network_itself_are_refused():
    network = Given(lambda s, x: s.head(pooled(s.other(x))), norm=nn.BatchNorm2d(3), head=linear())
    network.other = lambda x: network.conv(network.norm(x))
    with pytest.raises(HarnessError, match="uses 'norm' of the very network that was given"):
        harness.score(network, torch.randn(BATCH, *IMAGE), proxies="snip")
    assert not network.norm.running_mean.any()
    network = Given(lambda s, x: s.other(pooled(s.conv(x))), weight=parameter(8, CLASSES))
    network.other = lambda x: x @ network.weight
    with pytest.raises(HarnessError, match="uses 'weight' of the very network"):
        harness.score(network, torch.randn(BATCH, *IMAGE), proxies="snip")


@pytest.mark.parametrize("error", [AttributeError, KeyError, ZeroDivisionError])
def test_any_error_of_a_pass_is_one_line(error):
    def forward(self, x):
        raise error("of the network")

    with pytest.raises(HarnessError, match=rf"cannot process images of 2×3×8×8: {error.__name__}: "):
        harness.score(Given(forward), torch.randn(BATCH, *IMAGE), proxies="snip")


def test_the_caller_keeps_the_random_state():
    network = Given(lambda s, x: s.head(pooled(F.dropout(s.conv(x)))), head=linear())
    images = torch.randn(BATCH, *IMAGE)
    before = torch.get_rng_state()
    harness.score(network, images, proxies="snip")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_method_that_forward_calls_with_more_arguments():
    class Parts(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.head = nn.Conv2d(3, 8, 3), linear()

        def forward_features(self, x, scale=1):
            return F.relu(self.conv(x)) * scale

        def forward(self, x):
            return self.head(pooled(self.forward_features(F.relu(x) - x, scale=2)))

    network, images = Parts(), torch.randn(BATCH, *IMAGE)
    ready = prepared(network, images[:2])
    torch.testing.assert_close(ready(images), network(images))
    assert [name for name, m in ready.named_modules() if isinstance(m, nn.ReLU)] == ["relu#1", "relu#0"]
    table = harness.score(network, images, proxies="naswot,snip")
    assert table["status"].eq("ok").all()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu", torch.bfloat16)])
def test_modes_of_the_caller_change_nothing(mode):
    network, images = Given(lambda s, x: s.head(pooled(s.conv(x).relu())), head=linear()), torch.randn(BATCH, *IMAGE)
    names = "snip,grasp,synflow,naswot,jacob_cov"
    expected = harness.score(network, images, proxies=names)["value"].tolist()
    with mode():
        assert harness.score(network, images, proxies=names)["value"].tolist() == pytest.approx(expected, rel=1e-6)
