"""The whole contract of a proxy, one class to subclass."""

from __future__ import annotations

from harness.testing.proxy.data import ProxyDataContract
from harness.testing.proxy.device import ProxyDeviceContract
from harness.testing.proxy.facts import ProxyFactsContract
from harness.testing.proxy.purity import ProxyPurityContract
from harness.testing.proxy.scores import ProxyScoresContract


class ProxyContract(
    ProxyFactsContract, ProxyScoresContract, ProxyDataContract, ProxyDeviceContract, ProxyPurityContract
):
    """Every promise that a proxy makes, as tests; subclass it and name the proxy.

    The networks are small cells of the embedded benchmark and a few that are no cells; the images are its digits.

    Attributes:
        proxy: the proxy under test.
        cells: how many connected cells of the embedded benchmark it is scored on; all of them unless given.
        not_finite: why there is no finite score on some of them, for a proxy whose formula is like that.
    """
