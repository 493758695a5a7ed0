"""This process's memory: what it has needed at most, and keeping what is freed for the next network."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_megabytes() -> float:
    """Peak resident memory of this process in megabytes.

    Linux's own account is preferred: the resource module's also counts what the parent had before it started this
    process.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


_TRIM_THRESHOLD, _MOST_MAPPED = -1, -4
"""Names of two settings of GNU's allocator, in its ``malloc.h``."""


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for a process that computes one network after another.

    Otherwise each network's tensors are handed back to the system and come again page by page, filled with zeros, which
    takes a tenth of the time of a network. It changes the settings of GNU's allocator, and nothing elsewhere.
    """
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_MOST_MAPPED, 0)
        set_option(_TRIM_THRESHOLD, 2**31 - 1)
