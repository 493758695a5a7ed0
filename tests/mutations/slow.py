"""The standard proxies, each 30 % slower, for processes that are told where to find them: ``slow.py:NAME``."""

from dataclasses import replace

from planting import slowed

from harness.registry import STANDARD, proxies

SHARE = 0.3

globals().update({name: replace(proxies()[name], function=slowed(name, SHARE)) for name in STANDARD})
