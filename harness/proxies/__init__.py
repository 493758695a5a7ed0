"""Zero-shot proxies: scores of a network at initialisation, one family a file."""

from harness.contracts.proxy import Proxy, proxy

__all__ = ["Proxy", "proxy"]
