"""Zero-shot proxies: scores of a network at initialisation, one file per family."""

from harness.contracts.proxy import Proxy, proxy

__all__ = ["Proxy", "proxy"]
