"""Proxies based on activation patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from harness.contracts.proxy import proxy
from harness.networks.leaving import hooked, untouched
from harness.probe import quantity
from harness.probe.activity import active_units, agreeing_units
from harness.proxies._sums import log_determinant

if TYPE_CHECKING:
    from harness.probe import Probe


@proxy(
    "naswot",
    label="NASWOT",
    better="higher",
    data="images",
    cite="mellor2021naswot",
    axes=("expressivity",),
    source="score_networks.py of the official code",
    aliases=("nwot", "nas_wot"),
)
def naswot(probe: Probe) -> Tensor:
    r"""How differently the images activate the ReLUs: log-determinant of their kernel.

    :math:`\log |\det K|`, where :math:`K_{ij}` is the number of ReLU units that are both active or both inactive on
    images i and j, in training mode. Two images with the same pattern make K singular and the score −∞.

    The official code counts in a second forward pass, after a backward pass through the first, and counts only the
    ReLUs that the backward pass reached. The passes differ only in the running statistics, which training mode does not
    read. So one pass gives the same K, unless a ReLU does not reach the outputs or the network draws random numbers. In
    the official networks every ReLU reaches the outputs, because the operation ``none`` multiplies by zero, so there is
    no variant with two passes. The official code hooks every module with ReLU in its class name, blocks included
    (``naswot_blocks``); NAS-Bench-Suite-Zero leaves blocks out, as this proxy does.
    """
    return log_determinant(probe.relu_kernel())


@proxy(
    "logdet",
    label="logdet",
    better="higher",
    data="images",
    cite="li2024survey",
    axes=("expressivity",),
    source="get_logdet in measures/__init__.py of the survey's code, as intended",
    variant_of="naswot",
)
def logdet(probe: Probe) -> Tensor:
    """The survey's logdet: exactly the same number as NASWOT.

    The survey's code copies NASWOT's hooks, which count in a second forward pass, but runs only one pass: as written, K
    is zero and the score is −∞ for every network. Its batches have 1,024 images.
    """
    return log_determinant(probe.relu_kernel())


@proxy(
    "naswot_blocks",
    label="NASWOT (blocks)",
    better="higher",
    data="images",
    cite="mellor2021naswot",
    axes=("expressivity",),
    source="score_networks.py of the official code, as it runs on NAS-Bench-201",
    variant_of="naswot",
)
def naswot_blocks(probe: Probe) -> Tensor:
    """NASWOT that also counts blocks with ReLU in their class name.

    The official code counts every module whose class name contains ReLU. On NAS-Bench-201 these are each ReLU and the
    block ReLUConvBN that starts with it and has the same input, so all ReLUs except the last count twice. The networks
    of this harness keep the official class names. On networks without such blocks the score equals ``naswot``.
    """
    return log_determinant(probe.relu_kernel() + _block_kernel(probe))


@proxy(
    "naswot_units",
    label="NASWOT (units)",
    better="higher",
    data="images",
    cite="mellor2021naswot",
    axes=("expressivity",),
    source="score_networks.py of the official code, with the relatives of ReLU too",
    variant_of="naswot",
)
def naswot_units(probe: Probe) -> Tensor:
    """NASWOT that counts every unit that passes positive inputs on: ReLU, GELU, SiLU, Hardswish and the like.

    A unit is active where its input is positive. On networks whose only such units are ReLUs it equals ``naswot``; on
    others, such as transformers and mobile networks, it needs no ReLU. Sigmoids and attention's softmax do not count.

    Raises:
        NotApplicableError: if the network has no such units, or applies activation functions that are not modules.
    """
    return log_determinant(agreeing_units(probe.unit_inputs()))


@quantity("harness.proxies.activation:_block_kernel")
def _block_kernel(probe: Probe) -> Tensor:
    """NASWOT's kernel of the inputs of all blocks with ReLU in their class name; zeros if there are none."""
    images = probe.batch().images
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64, device=images.device)

    def before_block(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        codes = active_units(inputs[0])
        kernel.add_((codes @ codes.T).double() + ((1 - codes) @ (1 - codes).T).double())

    blocks = [m for m in probe.network.modules() if "ReLU" in type(m).__name__ and list(m.children())]
    handles = [block.register_forward_pre_hook(before_block) for block in blocks]
    if blocks:
        with hooked(handles), untouched(probe.network), torch.no_grad():
            probe.network(images.clone())
    return kernel
