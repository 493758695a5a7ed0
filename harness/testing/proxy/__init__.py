"""The complete proxy contract, as one class to subclass."""

from __future__ import annotations

from harness.testing.proxy.data import ProxyDataContract
from harness.testing.proxy.device import ProxyDeviceContract
from harness.testing.proxy.facts import ProxyFactsContract
from harness.testing.proxy.purity import ProxyPurityContract
from harness.testing.proxy.scores import ProxyScoresContract


class ProxyContract(
    ProxyFactsContract, ProxyScoresContract, ProxyDataContract, ProxyDeviceContract, ProxyPurityContract
):
    """The complete contract of a proxy, as tests; subclass it and set ``proxy``.

    The networks are small cells of the embedded benchmark and a few other networks; the images are its digits.

    Attributes:
        proxy: the proxy under test.
        cells: number of connected cells of the embedded benchmark to score; all of them by default.
        not_finite: why some of them have no finite score, if the proxy's formula allows this.
    """
