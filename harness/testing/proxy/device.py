"""The contract of a proxy's device: it computes on the network's device."""

from __future__ import annotations

import contextlib
import traceback
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from harness.images import Batch
from harness.probe import Probe
from harness.testing.proxy.networks import make
from harness.testing.proxy.subject import ProxySubject, described

ELSEWHERE = "meta"
"""A device that every machine has: its tensors have shapes but no values, and are not CPU tensors."""

_aten = torch.ops.aten
_CROSSING = {_aten._to_copy, _aten.copy_, _aten.index, _aten.index_put, _aten.index_put_}
"""Operations that accept CPU tensors together with those of another device."""


class ProxyDeviceContract(ProxySubject):
    """The contract of a proxy's device."""

    @pytest.mark.parametrize("network", ["of every kind", "linear only"])
    def test_it_computes_on_the_network_s_device(self, network: str) -> None:
        """No operation mixes CPU tensors with the network's tensors on another device.

        The formula runs on tensors without values as far as possible: requested numbers are 1, and the test ends where
        more is needed, such as the positions of non-zero entries.
        """
        batches = [Batch(b.images.to(ELSEWHERE), b.labels.to(ELSEWHERE)) for b in self.batches(network)]
        probe = Probe(make(network).to(ELSEWHERE), batches)
        devices = _Devices()  # type: ignore[no-untyped-call]
        with contextlib.suppress(Exception), devices:
            self.proxy(probe)
        assert devices.mixed is None, (
            f"on {described(network)}, {devices.mixed}: create tensors with device=probe.batch().images.device, or "
            "like an existing tensor"
        )


class _Devices(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Stops a computation at the first operation on tensors of several devices, and records that operation.

    CPU scalars are allowed everywhere. The meta device itself accepts most of these operations.
    """

    mixed: str | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        elsewhere = [tensor for tensor in tensors if tensor.device.type == ELSEWHERE]
        strays = [tensor for tensor in tensors if tensor.device.type != ELSEWHERE and tensor.dim()]
        if elsewhere and strays and func.overloadpacket not in _CROSSING:
            name = func.overloadpacket.__name__.strip("_")
            self.mixed = self.mixed or (
                f"'{name}' takes a CPU tensor of shape {tuple(strays[0].shape)} together with one on the "
                f"network's device{_line()}"
            )
            raise RuntimeError(self.mixed)
        if elsewhere and func.overloadpacket is _aten._local_scalar_dense:
            dtype = elsewhere[0].dtype
            return True if dtype == torch.bool else 1.0 if dtype.is_floating_point else 1
        if elsewhere and func.overloadpacket is _aten.equal:
            return True
        return func(*args, **(kwargs or {}))


def _line() -> str:
    """The innermost line of code outside torch, as a suffix."""
    frames = [frame for frame in traceback.extract_stack() if "/torch/" not in frame.filename.replace("\\", "/")]
    place = next((frame for frame in reversed(frames) if frame.filename != __file__), None)
    return f" ({place.filename.replace(chr(92), '/').rpartition('/')[2]}:{place.lineno})" if place else ""
