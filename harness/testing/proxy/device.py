"""The contract of where a proxy computes: on the network's device, whichever that is."""

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
"""A device that every machine has: its tensors have shapes and no values, and are no tensors of the processor."""

_aten = torch.ops.aten
_CROSSING = {_aten._to_copy, _aten.copy_, _aten.index, _aten.index_put, _aten.index_put_}
"""Operations that take tensors of the processor beside those of another device."""


class ProxyDeviceContract(ProxySubject):
    """What a proxy promises of devices."""

    @pytest.mark.parametrize("network", ["of every kind", "linear only"])
    def test_it_computes_on_the_network_s_device(self, network: str) -> None:
        """No tensor of the processor meets the network's where those lie elsewhere.

        Followed as far as the formula goes without values: where it asks for numbers they are 1, and where it needs
        more than that, such as the places of what is not zero, this test ends.
        """
        batches = [Batch(b.images.to(ELSEWHERE), b.labels.to(ELSEWHERE)) for b in self.batches(network)]
        probe = Probe(make(network).to(ELSEWHERE), batches)
        devices = _Devices()  # type: ignore[no-untyped-call]
        with contextlib.suppress(Exception), devices:
            self.proxy(probe)
        assert devices.mixed is None, (
            f"on {described(network)}, {devices.mixed}: make tensors with device=probe.batch().images.device, or like "
            "one that is there"
        )


class _Devices(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Ends a computation at the first operation on tensors of several devices, and keeps what that was.

    Scalars of the processor may be anywhere. The meta device itself lets most of these operations pass.
    """

    mixed: str | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        elsewhere = [tensor for tensor in tensors if tensor.device.type == ELSEWHERE]
        strays = [tensor for tensor in tensors if tensor.device.type != ELSEWHERE and tensor.dim()]
        if elsewhere and strays and func.overloadpacket not in _CROSSING:
            name = func.overloadpacket.__name__.strip("_")
            self.mixed = self.mixed or (
                f"'{name}' takes a tensor of the processor, of shape {tuple(strays[0].shape)}, beside one of the "
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
    """The last line of code outside of torch that led here."""
    frames = [frame for frame in traceback.extract_stack() if "/torch/" not in frame.filename.replace("\\", "/")]
    place = next((frame for frame in reversed(frames) if frame.filename != __file__), None)
    return f" ({place.filename.replace(chr(92), '/').rpartition('/')[2]}:{place.lineno})" if place else ""
