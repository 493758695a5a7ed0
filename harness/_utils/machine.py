"""Which processor this machine has."""

from __future__ import annotations

import platform
from pathlib import Path

_LINUX = Path("/proc/cpuinfo")


def processor_name() -> str:
    """The model's name as the system tells it; the architecture, such as ``arm64``, where it tells none."""
    if _LINUX.exists():
        for line in _LINUX.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
