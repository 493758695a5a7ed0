"""The processor of this machine."""

from __future__ import annotations

import platform
from pathlib import Path

_LINUX = Path("/proc/cpuinfo")


def processor_name() -> str:
    """The model name from the system; the architecture, such as ``arm64``, if there is none."""
    if _LINUX.exists():
        for line in _LINUX.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
