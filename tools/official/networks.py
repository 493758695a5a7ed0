"""Official networks beside ours, on the same weights: ``python -m tools.official.networks BENCHMARK CHECKOUT``.

It prints how many random architectures have the same number of parameters and how far their outputs are apart, and
stops at the first that differs. The official code is in a checkout of

- ``accel-nasbench``: github.com/afzalxo/ANB-DatasetCollection (compared with commit 08a6baa)
- ``vit-bench-101-autoformer``, ``vit-bench-101-pit``: github.com/lilujunai/Auto-Prox-AAAI24 (commit 90ed458)

and is imported with stand-ins for what it needs of timm, torchvision, einops, fvcore and yacs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from harness_benchmarks.accel_nasbench.architecture import LAYERS, STRIDES, WIDTHS
from harness_benchmarks.accel_nasbench.architecture import parse as parse_accel
from harness_benchmarks.accel_nasbench.sizes import STEM
from harness_benchmarks.vit_bench_101 import autoformer, pit
from torch import Tensor, nn

import harness
from harness._utils.console import say
from harness.contracts import SearchSpace
from tools.official.checkout import Checkout, Repository, stand_in

CLOSE = 1e-4
"""How far outputs of about 1 may be apart in float32."""

_LAYERS = (nn.Conv2d, nn.BatchNorm2d, nn.LayerNorm, nn.Linear)

Build = Callable[[Checkout, str, int], nn.Module]
"""Builds the official network from the checkout, the architecture and the number of classes."""


class Nothing(nn.Module):
    """Passes on what it gets, in place of stochastic depth."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """The same."""
        return x


def official_accel(checkout: Checkout, architecture: str, classes: int) -> nn.Module:
    """The network that Accel-NASBench trained, with the activation function of its configuration."""
    stand_ins = [
        stand_in("torchvision", ops=None),
        stand_in("torchvision.ops", StochasticDepth=Nothing),
        stand_in("torchvision.transforms"),
        stand_in("timm"),
        stand_in("timm.utils"),
        stand_in("timm.utils.model", unwrap_model=None),
    ]
    inputs = (STEM, *WIDTHS)
    design = [
        ["MB", stage.expansion, stage.kernel, STRIDES[n], inputs[n], WIDTHS[n], stage.layers, stage.excites]
        for n, stage in enumerate(parse_accel(architecture))
    ]
    assert len(design) == len(LAYERS)
    sys.modules.update({module.__name__: module for module in stand_ins})  # it also imports while it builds
    code = checkout.module("models/accelbenchnet.py", stand_ins, root="")
    network: nn.Module = code.AccelNet(design=design, activation_fn="relu", num_classes=classes)
    return network


def _transformers(checkout: Checkout, name: str) -> Any:
    """A class of Auto-Prox's transformers, without the teachers and trainers around it."""
    folder = checkout.folder / "pycls" / "models"
    none = SimpleNamespace(ENABLE_LOGIT=False)
    options = SimpleNamespace(
        PATCH_SIZE=16, PATCH_STRIDE=None, PATCH_PADDING=None, HIDDEN_DIM=1, DEPTH=1, NUM_HEADS=1, MLP_RATIO=1,
        DROP_RATE=0.0, DROP_PATH_RATE=0.1, ATTENTION_DROP_RATE=0.0, LN_EPS=1e-6,
    )  # fmt: skip
    model = SimpleNamespace(IMG_SIZE=224, IN_CHANNELS=3)
    cfg = SimpleNamespace(MODEL=model, TRANSFORMER=options, DISTILLATION=none, PIT=SimpleNamespace(STRIDE=8))
    registry = SimpleNamespace(register=lambda: lambda kind: kind)
    stand_ins = [
        stand_in("timm"),
        stand_in("timm.models"),
        stand_in("timm.models.layers", DropPath=Nothing, trunc_normal_=nn.init.trunc_normal_),
        stand_in("einops", rearrange=_rearranged),
        stand_in("pycls.core.config", cfg=cfg),
        _package("pycls.models", folder),
        _package("pycls.models.auto", folder / "auto"),
        stand_in("pycls.models.build", MODEL=registry),
    ]
    file, _, kind = name.partition(":")
    return getattr(checkout.module(f"pycls/models/auto/{file}.py", stand_ins, root=""), kind)


def _package(name: str, folder: Path) -> ModuleType:
    return stand_in(name, __path__=[str(folder)])


def _rearranged(x: Tensor, pattern: str, **sides: int) -> Tensor:
    """The two patterns of einops that PiT uses."""
    if pattern == "b c h w -> b (h w) c":
        return x.flatten(2).transpose(1, 2)
    assert pattern == "b (h w) c -> b c h w"
    return x.transpose(1, 2).reshape(len(x), -1, sides["h"], sides["w"])


def official_autoformer(checkout: Checkout, architecture: str, classes: int) -> nn.Module:
    """The AutoFormer that Auto-Prox trains and scores."""
    width, layers = autoformer.parse(architecture)
    given = {
        "hidden_dim": width,
        "mlp_ratio": [layer.ratio for layer in layers],
        "depth": len(layers),
        "num_heads": [layer.heads for layer in layers],
    }
    network: nn.Module = _transformers(checkout, "autoformer_subnet:AutoFormerSub")(given, classes)
    return network


def official_pit(checkout: Checkout, architecture: str, classes: int) -> nn.Module:
    """The PiT that Auto-Prox trains and scores."""
    found = pit.parse(architecture)
    given = {
        "base_dim": found.base,
        "mlp_ratio": found.ratio,
        "depth": [stage.layers for stage in found.stages],
        "num_heads": [stage.heads for stage in found.stages],
    }
    network: nn.Module = _transformers(checkout, "pit_subnet:PiT")(given, classes)
    return network


_AUTO_PROX = ("github.com/lilujunai/Auto-Prox-AAAI24", "pycls/models/auto/pit_subnet.py")
OFFICIAL: dict[str, tuple[tuple[str, str], Build, dict[str, str]]] = {
    "accel-nasbench": (("github.com/afzalxo/ANB-DatasetCollection", "models/accelbenchnet.py"), official_accel, {}),
    "vit-bench-101-autoformer": (
        _AUTO_PROX,
        official_autoformer,
        {"positions": "pos_embed", "class_token": "cls_token"},
    ),
    "vit-bench-101-pit": (_AUTO_PROX, official_pit, {"positions": "pos_embed", "class_token": "cls_token"}),
}
"""For each benchmark its repository, what builds its networks, and the free parameters with their names there."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmark", choices=OFFICIAL)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--networks", type=int, default=20)
    given = parser.parse_args(arguments)
    (address, file), build, named = OFFICIAL[given.benchmark]
    checkout = Repository(given.benchmark, address, file).found(given.checkout)
    if checkout is None:
        sys.exit(f"{given.checkout} has no file {file}; check out https://{address}")
    furthest = compared(given.benchmark, lambda *rest: build(checkout, *rest), named, given.networks)
    say(
        f"{given.networks} networks of {given.benchmark}: as many parameters, and outputs on the same weights differ "
        f"by {furthest:g} at most"
    )


def compared(name: str, build: Callable[[str, int], nn.Module], named: dict[str, str], number: int) -> float:
    """The largest difference between outputs of random networks of both codes, relative to the largest output."""
    space, generator, furthest = harness.load(name), np.random.default_rng(0), 0.0
    assert isinstance(space, SearchSpace)
    dataset = space.datasets[0]
    task = space.task(dataset)
    for _ in range(number):
        architecture = space.random(generator)
        torch.manual_seed(0)
        theirs, ours = build(architecture, task.classes), space.build(architecture, dataset)
        counts = [sum(parameter.numel() for parameter in network.parameters()) for network in (theirs, ours)]
        if counts[0] != counts[1]:
            sys.exit(f"it differs: {architecture} has {counts[1]:,} parameters here, {counts[0]:,} there")
        images = torch.randn(2, *task.image_shape)
        for one, other in zip(_used(theirs, images), _used(ours, images), strict=True):
            other.load_state_dict(one.state_dict())
        with torch.no_grad():
            for mine, official in named.items():
                ours.get_parameter(mine).copy_(theirs.get_parameter(official))
            wanted, found = theirs.eval()(images), ours.eval()(images)
        apart = float((wanted - found).abs().max() / wanted.abs().max())
        if not apart < CLOSE:
            sys.exit(f"it differs: the outputs of {architecture} by {apart:g}")
        furthest = max(furthest, apart)
    return furthest


def _used(network: nn.Module, images: Tensor) -> list[nn.Module]:
    """The layers with weights in the order in which a pass uses them, each once."""
    found: dict[nn.Module, None] = {}
    hooks = [
        module.register_forward_hook(lambda module, *_: found.setdefault(module))
        for module in network.modules()
        if isinstance(module, _LAYERS)
    ]
    with torch.no_grad():
        network(images)
    for hook in hooks:
        hook.remove()
    return list(found)


if __name__ == "__main__":
    main()
