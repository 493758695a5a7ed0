"""``harness.score``: any network, with the numbers that its own formulas give, or a reason."""

import copy
import math

import numpy as np
import pytest
import torch
from small_networks import (
    CLASSES,
    IMAGE,
    SMALL,
    Convolutions,
    FreeWeights,
    Functions,
    LayerWeights,
    Modules,
    Transformer,
    Wrapped,
)
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import parametrize
from torch.utils.flop_counter import FlopCounterMode

import harness
from harness.errors import HarnessError
from harness.networks import prepared
from harness.registry import proxies
from harness.seeds import derive_seed

BATCH = 6


def batches_of(shape, count=2, dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    return [
        (torch.randn(BATCH, *shape, generator=generator).to(dtype), torch.arange(BATCH) % CLASSES) for _ in range(count)
    ]


def built(build, dtype=torch.float64):
    torch.manual_seed(0)
    return build().to(dtype)


def values(network, images, names="all", **options):
    table = harness.score(network, images, proxies=names, **options)
    return table.set_index("proxy")


def alike(first, second):
    """Equal statuses, and values that are equal up to rounding."""
    assert first["status"].to_dict() == second["status"].to_dict()
    np.testing.assert_allclose(first["value"], second["value"], rtol=1e-6, atol=1e-9, equal_nan=True)


class TestSameNumbers:
    """A network has the same scores however it is written."""

    def test_functions_and_modules(self):
        functions, modules = (
            built(lambda: Functions(nn.Conv2d(8, 8, 3, padding=1))),
            built(lambda: Modules(nn.Conv2d(8, 8, 3, padding=1))),
        )
        modules.load_state_dict(functions.state_dict())
        batches = batches_of(IMAGE)
        names = [name for name in proxies() if not name.startswith(("wrcor", "rbflex"))]
        # Functions have no place in the order of modules, which decides what these two look at last.
        alike(values(functions, batches, names), values(modules, batches, names))

    def test_free_weights_and_layers(self):
        free, layers = built(FreeWeights), built(LayerWeights)
        with torch.no_grad():
            layers.conv.weight.copy_(free.kernel)
            layers.first.weight.copy_(free.matrix.T)
            layers.last.weight.copy_(free.last)
            layers.last.bias.copy_(free.bias)
        names = (
            "params,flops,l2_norm,grad_norm,snip,plain,grasp,fisher,synflow,naswot,zico,zico_bc,gradsign,near,layers"
        )
        alike(values(free, batches_of(IMAGE), names), values(layers, batches_of(IMAGE), names))

    @pytest.mark.parametrize("form", ["memory", "evaluation mode", "compiled", "parallel"])
    def test_wrappers_and_layouts(self, form):
        network = built(lambda: Functions(nn.Conv2d(8, 8, 3, padding=1)))
        names = "naswot,snip,synflow,params"
        expected = values(network, batches_of(IMAGE), names)
        other = {
            "memory": lambda: copy.deepcopy(network).to(memory_format=torch.channels_last),
            "evaluation mode": lambda: copy.deepcopy(network).eval(),
            "compiled": lambda: torch.compile(network),
            "parallel": lambda: nn.DataParallel(network),
        }[form]()
        alike(values(other, batches_of(IMAGE), names), expected)

    def test_a_run(self, tmp_path):
        """The network of a benchmark has the scores of a run, to the last bit."""
        names = [name for name, proxy in proxies().items() if name != "random"]
        scores = harness.run("digits", sample=1, proxies=names, batch_size=8, out=tmp_path)
        benchmark, architecture = harness.load("digits"), scores["architecture"].iloc[0]

        def build():
            torch.manual_seed(derive_seed("weights", "digits", benchmark.datasets[0], architecture, 0))
            return benchmark.build(architecture, benchmark.datasets[0])

        with np.load(tmp_path / "batches.npz") as stored:
            kept = [torch.from_numpy(stored[name]) for name in sorted(stored.files)]
        images = [tensor for tensor in kept if tensor.is_floating_point()]
        labels = [tensor for tensor in kept if not tensor.is_floating_point()]
        found = values(build(), list(zip(images, labels, strict=True)), names)
        expected = scores.set_index("proxy")["value"]
        assert found["value"].dropna().to_dict() == expected.dropna().to_dict()


class TestFormulas:
    """Every number of every small network, from its formula on the network as it was given."""

    @pytest.mark.parametrize("kind", SMALL)
    def test_by_hand(self, kind):
        build, shape = SMALL[kind]
        network, batches = built(build), batches_of(shape)
        # With dropout, each pass draws other masks.
        names = ["l2_norm", "flops"] if "dropout" in kind else list(BY_HAND)
        found = values(network, batches, names)["value"]
        expected = by_hand(network, batches)
        for name in names:
            assert found[name] == pytest.approx(expected[name], rel=1e-6, abs=1e-9), name

    @pytest.mark.parametrize("kind", SMALL)
    def test_float32_gives_what_float64_gives(self, kind):
        """Whatever has a number has it in both, unless rounding decides it."""
        build, shape = SMALL[kind]
        names = [name for name in proxies() if name not in ("ntk", "gradsign", "gradsign_mean", "random")]
        if "dropout" in kind:
            pytest.skip("masks are drawn in the network's own type")
        double = values(built(build), batches_of(shape), names)
        single = values(built(build).float(), batches_of(shape, dtype=torch.float32), names)
        assert double["status"].to_dict() == single["status"].to_dict()
        assert "failed" not in set(double["status"]), double[double["status"] == "failed"]["reason"].to_dict()
        numbers = double["value"].notna()
        np.testing.assert_allclose(single["value"][numbers], double["value"][numbers], rtol=2e-2, atol=1e-3)

    @pytest.mark.parametrize("kind", SMALL)
    def test_the_network_keeps_every_bit(self, kind):
        build, shape = SMALL[kind]
        network = built(build).eval()
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        marks = [(p.requires_grad, p.grad, p._version) for p in network.parameters()]
        structure = [(name, type(module)) for name, module in network.named_modules()]
        harness.score(network, batches_of(shape), proxies="standard")
        assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
        assert [(p.requires_grad, p.grad, p._version) for p in network.parameters()] == marks
        assert [(name, type(module)) for name, module in network.named_modules()] == structure
        assert not network.training


BY_HAND = ("flops", "l2_norm", "snip", "plain", "grad_norm", "grasp", "zico", "jacob_cov")


def by_hand(network, batches):
    """The scores from their formulas, on the network itself with torch's own functions."""
    network = copy.deepcopy(network).train().requires_grad_(True)
    for module in list(network.modules()):
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")
    weights = weights_of(network)

    def loss_of(batch):
        return F.cross_entropy(network(batch[0]), batch[1])

    # The fused kernels of attention cannot be differentiated twice.
    with sdpa_kernel(SDPBackend.MATH):
        gradients = torch.autograd.grad(loss_of(batches[0]), weights, create_graph=True)
        product = sum((g * g.detach()).sum() for g in gradients)
        along = torch.autograd.grad(product, weights, allow_unused=True, materialize_grads=True)
        others = torch.autograd.grad(loss_of(batches[1]), weights)
        images = batches[0][0].clone().requires_grad_(True)
        (jacobian,) = torch.autograd.grad(network(images).sum(), images)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(images)
    pairs = [(w.detach(), g.detach()) for w, g in zip(weights, gradients, strict=True)]
    eigenvalues = torch.linalg.eigvalsh(torch.corrcoef(jacobian.flatten(1))) + 1e-5
    ratios = [((a.abs() + b.abs()) / (a - b).abs())[a != b] for (_, a), b in zip(pairs, others, strict=True)]
    return {
        "flops": counter.get_total_flops() // 2 // BATCH,
        "l2_norm": sum(float(w.norm()) for w, _ in pairs),
        "snip": sum(float((w * g).abs().sum()) for w, g in pairs),
        "plain": sum(float((w * g).sum()) for w, g in pairs),
        "grad_norm": sum(float(g.norm()) for _, g in pairs),
        "grasp": -sum(float((w * h).sum()) for (w, _), h in zip(pairs, along, strict=True)),
        "zico": sum(float(ratio.sum().log()) for ratio in ratios if len(ratio)),
        "jacob_cov": -float((eigenvalues.log() + 1 / eigenvalues).sum()),
    }


def weights_of(network):
    """The weights that a network multiplies features by, each once."""
    layers = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
    found = {}
    for module in network.modules():
        if isinstance(module, layers):
            found[id(module.weight)] = module.weight
        elif isinstance(module, nn.MultiheadAttention):
            found[id(module.in_proj_weight)] = module.in_proj_weight
        elif isinstance(module, FreeWeights):
            found |= {id(p): p for p in (module.kernel, module.matrix, module.last)}
    return list(found.values())


class TestPlaces:
    @pytest.mark.parametrize(
        ("form", "output"),
        [("tuple", 1), ("dictionary", None), ("dictionary", "logits"), ("named tuple", None), ("dataclass", None)],
    )
    def test_logits_among_other_outputs(self, form, output):
        network = built(lambda: Wrapped(form))
        names = "snip,jacob_cov,naswot"
        alike(
            values(network, batches_of(IMAGE), names, output=output), values(network.network, batches_of(IMAGE), names)
        )

    def test_it_is_asked_for_if_it_is_not_clear(self):
        with pytest.raises(HarnessError, match=r"returns 'tuple' of 0 \(2, 5\), 1 \(2, 5\): give output="):
            harness.score(built(lambda: Wrapped("tuple")), batches_of(IMAGE), proxies="snip")

    def test_features_and_blocks_are_found_or_named(self):
        network = built(Transformer)
        names = "az_expressivity,az_trainability"
        found = values(network, batches_of(IMAGE), names)
        named = values(network, batches_of(IMAGE), names, blocks=["blocks.0", "blocks.1", "blocks.2"])
        assert found["status"].eq("ok").all()
        # Named blocks have no stem, whose entropy is positive.
        assert 0 < named["value"]["az_expressivity"] < found["value"]["az_expressivity"]
        with pytest.raises(HarnessError, match="the network calls no module 'layer9' that returns a tensor; it has"):
            harness.score(network, batches_of(IMAGE), proxies="az_expressivity", blocks=["blocks.0", "layer9"])

    def test_blocks_pass_on_what_they_return(self):
        """Features on the way to the outputs: AZ-NAS differentiates one by another."""
        network = built(Transformer).train()
        images = batches_of(IMAGE)[0][0]
        ready = prepared(network, images[:2])
        torch.testing.assert_close(ready(images), network(images))
        stem, *blocks = ready.forward_blocks(images)
        assert [feature.shape for feature in (stem, *blocks)] == [(BATCH, 12, 4, 1)] * 4
        (through,) = torch.autograd.grad(blocks[0].sum(), stem)
        assert through.abs().sum() > 0
        torch.testing.assert_close(
            ready.forward_features(images),
            network.norm(
                network.blocks(network.patches(images).flatten(2).transpose(1, 2) + network.position)
            ).transpose(1, 2)[..., None],
        )


class NewGELUActivation(nn.Module):
    """GELU in arithmetic, as libraries have it."""

    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def test_a_unit_in_arithmetic_is_known_by_its_name():
    named, known = (
        values(built(lambda kind=kind: Convolutions(kind())), batches_of(IMAGE), "naswot_units,swap_units")
        for kind in (NewGELUActivation, nn.GELU)
    )
    assert named["value"]["naswot_units"] == known["value"]["naswot_units"]
    assert named["status"].eq("ok").all()


class TestReasons:
    """What cannot be seen is said."""

    def test_what_is_not_defined_is_skipped_with_the_reason(self):
        found = values(built(Transformer), batches_of(IMAGE), "naswot,zen,meco,vkdnw,rbflex,naswot_units")
        assert set(found["status"][:-1]) == {"skipped"} and found["status"].iloc[-1] == "ok"
        assert "normalises" in found["reason"]["zen"] or "normalise" in found["reason"]["zen"]
        assert "has them last" in found["reason"]["meco"]
        assert "naswot_units" in found["reason"]["naswot"]

    def test_products_with_computed_weights(self):
        class Computed(Convolutions):
            def forward(self, x):
                return super().forward(x) @ (self.free @ self.free.T)

            def __init__(self):
                super().__init__()
                self.free = nn.Parameter(torch.ones(CLASSES, 2))

        found = values(built(Computed), batches_of(IMAGE), "snip,flops,synflow")
        assert found["status"].to_dict() == {"snip": "skipped", "flops": "ok", "synflow": "skipped"}
        assert "matmul in Computed" in found["reason"]["snip"]

    def test_notes_say_which_parameters_no_layer_has(self):
        table = harness.score(built(Transformer), batches_of(IMAGE), proxies="params")
        assert table.attrs["notes"] == {"": ["only #Params counts 'position' (1×4×12, of a Transformer)"]}

    def test_notes_say_that_some_units_are_no_relus(self):
        network = built(lambda: Convolutions(nn.Sequential(nn.ReLU(), nn.SiLU())))
        (note,) = harness.score(network, batches_of(IMAGE), proxies="naswot").attrs["notes"][""]
        assert note.startswith("NASWOT, SWAP and other proxies that count ReLUs see 1 of its 2 units")

    def test_notes_say_where_no_gradient_passes(self):
        network = built(Transformer)
        nn.init.zeros_(network.head.weight)
        table = harness.score(network, batches_of(IMAGE), proxies="snip")
        assert table["value"].item() == 0
        assert "the weights of 'head' are all zero: no gradient passes it" in table.attrs["notes"][""]

    def test_a_network_without_weights(self):
        network, images = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), batches_of(IMAGE)[0][0]
        found = values(network, images, "params,snip,grasp")
        assert found["value"]["params"] == 0
        assert set(found["reason"][1:]) == {"the network has no convolutions or linear layers"}

    def test_random_labels_that_do_not_fit_the_outputs(self):
        network = built(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))
        images = batches_of(IMAGE)[0][0]
        found = values(network, images, "params,naswot,snip")
        assert found["status"].to_dict() == {"params": "ok", "naswot": "ok", "snip": "skipped"}
        assert "give labels, or the loss of (outputs, labels)" in found["reason"]["snip"]
        labels = torch.zeros(len(images), 1, 1, dtype=torch.int64)
        with pytest.raises(HarnessError, match=r"of outputs .* fails .*; give labels that fit") as raised:
            harness.score(network, images, labels, proxies="snip")
        assert "\n" not in str(raised.value)


class TestInputs:
    def test_a_tensor_is_one_mini_batch_or_several(self):
        network = built(lambda: Convolutions(nn.ReLU()))
        (images, labels), (more, same) = batches_of(IMAGE)
        both = torch.cat([images, more]), torch.cat([labels, same])
        one = values(network, images, "snip,zico", labels=labels)
        assert one["reason"]["zico"] == "needs 2 mini-batches; there is 1"
        split = values(network, both[0].numpy(), "snip,zico", labels=both[1].numpy(), batches=2)
        loader = torch.utils.data.DataLoader(list(zip(*both, strict=True)), BATCH)
        alike(split, values(network, loader, "snip,zico"))
        assert split["value"]["snip"] == one["value"]["snip"]

    def test_labels_and_losses(self):
        network, (images, labels) = built(lambda: Convolutions(nn.ReLU())), batches_of(IMAGE)[0]
        by_class = values(network, images, "snip", labels=labels)["value"]
        distributions = F.one_hot(labels, CLASSES).double()
        assert values(network, images, "snip", labels=distributions)["value"].item() == pytest.approx(
            by_class.item(), rel=1e-3
        )
        smoothed = values(
            network, images, "snip", labels=labels, loss=lambda o, t: F.cross_entropy(o, t, label_smoothing=0.1)
        )
        assert smoothed["value"].item() != by_class.item()
        drawn = [values(network, images, "snip", seed=seed)["value"].item() for seed in (0, 0, 1)]
        assert drawn[0] == drawn[1] != drawn[2]

    def test_a_function_draws_the_weights_of_the_seed(self):
        found = [values(lambda: Convolutions(nn.ReLU()), batches_of(IMAGE), "l2_norm", seed=s) for s in (0, 0, 1)]
        first, again, other = (table["value"].item() for table in found)
        assert first == again != other

    def test_several_networks(self):
        table = harness.score({"a": Convolutions(), "b": Transformer}, batches_of(IMAGE), proxies="params,snip")
        assert table["network"].tolist() == ["a", "a", "b", "b"]
        assert table["status"].eq("ok").all()

    @pytest.mark.parametrize(
        ("network", "images", "options", "reason"),
        [
            (Convolutions, torch.zeros(4, 3, 8, 8, dtype=torch.uint8), {}, "images are uint8; give floats"),
            (Convolutions, torch.full((4, 3, 8, 8), math.nan), {}, "images have NaN or infinite values"),
            (Convolutions, torch.zeros(0, 3, 8, 8), {}, "0 images cannot be split into 1 mini-batches"),
            (Convolutions, "cifar", {}, "images must be a tensor or array"),
            (Convolutions, torch.zeros(4, 1, 8, 8), {}, "cannot process images of 2×1×8×8: RuntimeError"),
            (Convolutions, torch.zeros(4, 3, 8, 8), {"labels": torch.zeros(3)}, "there are 4 images and 3 labels"),
            (Convolutions, torch.zeros(4, 3, 8, 8), {"labels": torch.full((4,), 5)}, "labels go from 5 to 5, but the"),
            (Convolutions, torch.zeros(4, 3, 8, 8), {"loss": 3}, "loss must be a function of"),
            (Convolutions, torch.zeros(4, 3, 8, 8), {"threads": 0}, "threads must be a whole number"),
            (lambda: Convolutions().half(), torch.zeros(4, 3, 8, 8), {}, "the network computes in float16"),
            (lambda: 3, torch.zeros(4, 3, 8, 8), {}, "the function returned 'int', not a torch.nn.Module"),
            (3, torch.zeros(4, 3, 8, 8), {}, "network must be a torch.nn.Module or a function"),
            (
                lambda: torch.jit.trace(Convolutions(), torch.zeros(2, 3, 8, 8)),
                torch.zeros(4, 3, 8, 8),
                {},
                "cannot be looked into",
            ),
            (lambda: nn.LazyLinear(3), torch.zeros(4, 3), {}, "has no values yet"),
        ],
    )
    def test_what_does_not_fit_gets_one_line(self, network, images, options, reason):
        with pytest.raises(HarnessError, match=reason):
            harness.score(network, images, proxies="snip", **options)
