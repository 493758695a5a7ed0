"""A network of the zoo, newly initialised, by torchvision or timm, and made ready for proxies.

No weights are downloaded. The library's functions become modules by :func:`harness.networks.prepared`, so that proxies
see them.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from harness.errors import HarnessError
from harness.networks import prepared
from harness.probe import NotApplicableError
from harness.scoring.named import network_named
from harness_benchmarks.zoo.recipes import SIDE

PYCLS_RESNEXT152 = "pycls:resnext152_32x4d"
"""The one network of pycls that neither library names; it is timm's ResNeXt with more blocks."""

_LIBRARIES = {"pycls": "timm"}

_ONLY = {"vit_b_16": 224, "vit_b_32": 224, "vit_l_16": 224, "vit_l_32": 224, "maxvit_t": 224}
"""The side of images of networks whose weights are made for one size."""

_STAGES = ("RegStage", "AnyStage")
"""The classes of timm's and torchvision's stages of RegNets, which hold blocks."""

_LEAST = {"inception_v3": 75}
"""The least side of images that do not vanish on their way."""


def build(architecture: str) -> nn.Module:
    """The network of an architecture of the zoo, in training mode.

    Raises:
        HarnessError: if the library that builds it is not installed.
    """
    prefix, _, name = architecture.partition(":")
    library = _LIBRARIES.get(prefix, prefix)
    if not _is_installed(library):
        raise HarnessError(
            f"{architecture} is built by {library}, which is not installed; install it with: "
            "pip install 'nas-proxy-harness[zoo]'"
        )
    network = _plain(architecture)
    images = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator("cpu").manual_seed(0), device="cpu")
    with torch.random.fork_rng(devices=[]):
        return _sized(prepared(network, images.to(_device_of(network)), blocks=_blocks(network)), name)


def _blocks(network: nn.Module) -> list[str] | None:
    """Stem and blocks of RegNets, whose stages are of classes of their own; None: they are found, in sequences."""
    stages = [name for name, module in network.named_modules() if type(module).__name__ in _STAGES]
    if not stages:
        return None
    blocks = [f"{stage}.{name}" for stage in stages for name, _ in network.get_submodule(stage).named_children()]
    return ["stem", *blocks]


def _is_installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except (ImportError, ValueError):
        # ValueError: it was imported without a specification.
        return True


def _plain(architecture: str) -> nn.Module:
    """The library's own network."""
    if architecture == PYCLS_RESNEXT152:
        # Radosavovic et al., CVPR 2020; configs/dds_baselines/resnext/X-152-32x4d_dds_8gpu.yaml of pycls.
        return _deeper()
    make = network_named(architecture).build
    try:
        network = make()
    except NotImplementedError:
        # torchvision's RegNet computes its widths with tensors, which torch's meta device cannot do.
        with torch.device("cpu"):
            network = make().to("meta")
    return _with_one_head(architecture, network).train()


def _deeper() -> nn.Module:
    network_named("timm:resnext101_32x4d")
    create: Any = import_module("timm").create_model
    network: nn.Module = create("resnext101_32x4d", pretrained=False, layers=(3, 8, 36, 3))
    return network.train()


def _with_one_head(architecture: str, network: Any) -> nn.Module:
    """The network without those heads that only training uses, or with them at rest if the published #Params has them.

    torchvision's weights of GoogLeNet have none. Those of Inception v3 do, and they take no images smaller than
    299 × 299.
    """
    if architecture == "torchvision:googlenet":
        network.aux_logits, network.aux1, network.aux2 = False, None, None
    if architecture == "torchvision:inception_v3":
        network.AuxLogits = _AtRest(network.AuxLogits)
    return network  # type: ignore[no-any-return]


class _AtRest(nn.Module):
    """A head that is never computed."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, images: Tensor) -> None:
        """Nothing."""


def _device_of(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def _sized(network: nn.Module, name: str) -> nn.Module:
    """The network, which says in one line which images it takes where it does not take all."""
    only, least = _ONLY.get(name), _LEAST.get(name, 1)
    if only is None and least == 1:
        return network
    kind: Any = type(network)

    def checked(method: Any) -> Any:
        def call(self: nn.Module, images: Tensor) -> Any:
            sides = tuple(images.shape[-2:])
            if (only is not None and sides != (only, only)) or min(sides) < least:
                takes = f"of {only} × {only}" if only is not None else f"of at least {least} × {least}"
                raise NotApplicableError(f"{name} takes images {takes} only, not of {sides[0]} × {sides[1]}")
            return method(self, images)

        return call

    methods = [method for method in ("forward", "forward_features", "forward_blocks") if hasattr(kind, method)]
    body = {method: checked(getattr(kind, method)) for method in methods}
    body |= {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    network.__class__ = type(kind.__name__, (kind,), body)
    return network
