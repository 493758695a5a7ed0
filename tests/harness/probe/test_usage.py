"""What a network computes beside its registered modules is not scored as if it were not there."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.probe.usage import Part, seeing
from harness.registry import proxies

PROXIES = proxies()
WEIGHTS = {
    *[
        "grad_norm",
        "grad_norm_all",
        "plain",
        "snip",
        "grasp",
        "l2_norm",
        "layers",
        "convolutions",
        "log_layer_sizes",
        "log_layer_sizes_all",
    ],
    *[
        "synflow",
        "log_synflow",
        "synflow_bn",
        "gradsign",
        "gradsign_mean",
        "zico",
        "zico_magnitude",
        "zico_half_batches",
        "l_swag",
    ],
    *["vkdnw", "vkdnw_entropy", "vkdnw_entropy_fisher", "zen", "zen_32", "zen_paper", "entropy", "swap", "swap_units"],
}
CALLS = {
    *["fisher", "fisher_channel", "zico_bc", "near", "meco_layers", "epsinas", "epsinas_nasbench101"],
    *["intrain", "intrain_geometry", "intrain_resilience"],
}
RELUS = {
    *[
        "naswot",
        "naswot_units",
        "swap_units",
        "swap_transformers",
        "l_swag",
        "logdet",
        "naswot_blocks",
        "linear_regions",
        "linear_regions_noise",
        "rbflex",
        "swap",
        "entropy",
        "near",
    ],
    *["wrcor_unweighted", "wrcor_activations", "wrcor_gradients"],
}
BATCH_NORMS = {
    *[
        "synflow",
        "log_synflow",
        "entropy",
        "zen",
        "zen_32",
        "zen_paper",
        "gradsign",
        "gradsign_mean",
        "knas",
        "knas_first",
        "near",
    ],
    *["epsinas", "epsinas_nasbench101"],
}
MODULES = {"meco", "meco_image", "meco_layers", "meco_opt", "dextr", "near"}
OTHERWISE_NOT = {
    *["wrcor", "linear_regions_thin", "az_expressivity", "az_progressivity", "az_trainability"],
    *["dss", "az_expressivity_tokens", "az_trainability_tokens"],
}
"""These networks offer neither blocks, nor a thin version, nor tokens."""


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU()
        self.classifier = nn.Linear(6, 5)

    def middle(self, x):
        return x

    def forward_features(self, x):
        return self.middle(self.relu(self.norm(self.conv(x))))

    def forward(self, x):
        return self.classifier(self.forward_features(x).mean(dim=(2, 3)))


class Attention(Small):
    """Its out_proj is never called: the function takes its weight."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)

    def middle(self, x):
        tokens = x.flatten(2).transpose(1, 2)
        return self.attention(tokens, tokens, tokens)[0].transpose(1, 2).reshape(x.shape)


class Product(Small):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(6, 6))

    def middle(self, x):
        return (x.transpose(1, 3) @ self.matrix.t()).transpose(1, 3)


class Uncalled(Small):
    """Uses the weight of a layer without calling it, so that its gradient is seen but its output is not."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Conv2d(6, 6, 1, bias=False)

    def middle(self, x):
        return F.conv2d(x, self.hidden.weight)


class FunctionalRelu(Small):
    def middle(self, x):
        return F.relu(x - 1)


class Clamped(Small):
    def middle(self, x):
        return (x - 1).clamp(min=0)


class FunctionalNorm(Small):
    def middle(self, x):
        return F.batch_norm(x, None, None, training=True)


class Listed(Small):
    """Keeps a layer where no module knows of it."""

    def __init__(self):
        super().__init__()
        self.hidden = [nn.Conv2d(6, 6, 1, bias=False).double()]

    def middle(self, x):
        return self.hidden[0](x)


class ListedRelu(Listed):
    def __init__(self):
        super().__init__()
        self.hidden = [nn.ReLU()]


NETWORKS = {
    Attention: WEIGHTS | CALLS | {"rbflex"},  # the last module is never called
    Product: WEIGHTS | CALLS,
    Uncalled: CALLS | {"rbflex", "vkdnw", "vkdnw_entropy", "vkdnw_entropy_fisher"},
    FunctionalRelu: RELUS,
    Clamped: RELUS,
    FunctionalNorm: BATCH_NORMS,
    Listed: WEIGHTS | CALLS | MODULES,
    ListedRelu: RELUS | MODULES,
    Small: set(),
}


def batches():
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(2, 8, 3, 6, 6, generator=generator, dtype=torch.float64)
    return [Batch(images, torch.arange(8) % 5) for images in pixels]


@pytest.mark.parametrize("kind", NETWORKS, ids=lambda kind: kind.__name__)
def test_a_proxy_that_cannot_see_a_part_of_a_network_says_so(kind):
    torch.manual_seed(0)
    probe = Probe(kind().double(), batches())
    reasons = {}
    for name, proxy in PROXIES.items():
        try:
            proxy(probe)
        except NotApplicableError as reason:
            reasons[name] = str(reason)
    assert reasons.keys() - OTHERWISE_NOT == NETWORKS[kind]


@pytest.mark.parametrize(
    ("kind", "part", "place"),
    [
        (Attention, Part.WEIGHTS, "multi_head_attention_forward in MultiheadAttention 'attention'"),
        (Uncalled, Part.LAYERS, "conv2d in Uncalled"),
        (Clamped, Part.RELUS, "clamp in Clamped"),
        (FunctionalNorm, Part.BATCH_NORMS, "batch_norm in FunctionalNorm"),
        (Listed, Part.MODULES, "call in Conv2d (not registered)"),
    ],
)
def test_the_reason_names_the_place(kind, part, place):
    network = kind().double()
    with pytest.raises(NotApplicableError) as reason, seeing(network, part):
        network(batches()[0].images)
    assert str(reason.value) == f"the network {part.value}: {place}"


def test_many_places_are_counted():
    network = nn.Sequential(*(FunctionalRelu() for _ in range(5)))
    with (
        pytest.raises(NotApplicableError, match=r"'1', .* '2' and 2 more$"),
        seeing(network, Part.RELUS),
    ):
        for module in network:
            module(torch.zeros(2, 3, 6, 6))


def test_a_pass_that_fails_for_what_is_not_seen_gives_that_reason():
    network = Listed()
    with pytest.raises(NotApplicableError, match="is not registered"), seeing(network, Part.MODULES):
        network(torch.zeros(2, 3, 6, 6))
    with (
        pytest.raises(RuntimeError, match=r"same dtype|expected scalar type|should be the same"),
        seeing(network, Part.RELUS),
    ):
        network(torch.zeros(2, 3, 6, 6))


def test_what_is_made_of_parameters_in_their_own_layer_is_seen():
    class Standardised(nn.Conv2d):
        def forward(self, x):
            weight = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
            return F.conv2d(x, weight, self.bias, padding=self.padding)

    class Positions(Small):
        def __init__(self):
            super().__init__()
            self.conv = Standardised(3, 6, 3, padding=1)
            self.positions, self.scale = nn.Parameter(torch.zeros(1, 6, 6, 6)), nn.Parameter(torch.ones(6, 1, 1))

        def middle(self, x):
            return (x + self.positions) * self.scale

    network = Positions()
    with seeing(network, *Part) as usage:
        network(torch.randn(2, 3, 6, 6))
    assert usage.borrowed == set()


def test_a_weight_used_by_another_module_is_borrowed():
    network = Uncalled()
    with seeing(network) as usage:
        network(torch.randn(2, 3, 6, 6))
    assert usage.borrowed == {id(network.hidden.weight)}


def test_nothing_is_left_behind():
    from torch.nn.modules import module as hooks

    before = (len(hooks._global_forward_hooks), len(hooks._global_forward_pre_hooks))
    with pytest.raises(NotApplicableError), seeing(FunctionalRelu(), Part.RELUS):
        torch.zeros(1).relu()
    assert (len(hooks._global_forward_hooks), len(hooks._global_forward_pre_hooks)) == before
