"""A proxy that costs some time, so that a fault can hit it, and that causes one where it is told to."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from pathlib import Path

from harness import proxy

PAUSE = 0.06
ROOM = 64 << 20


@proxy("troubled", better="higher", data="nothing", cite="nobody2026")
def troubled(probe):
    """The number of weights, after a pause, or the trouble that a file asks for, once."""
    file = Path(os.environ["STRESS_TROUBLE"])
    try:
        # Whoever succeeds in renaming it is the one that has the trouble.
        taken = file.rename(file.with_suffix(f".{os.getpid()}"))
    except FileNotFoundError:
        time.sleep(PAUSE)
    else:
        cause(taken.read_text())
    return sum(weight.numel() for weight in probe.network.parameters())


def cause(trouble: str) -> None:
    """The trouble of that name."""
    if trouble == "segfault":
        ctypes.string_at(0)
    elif trouble == "hang":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(600)
    elif trouble == "leak":
        leak()
    elif trouble == "exit":
        sys.exit(0)
    else:
        raise RuntimeError("no Unicode: \udcff")


def leak() -> None:
    """Takes memory until there is no more."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, before[1]))
    try:
        kept = []
        while True:
            kept.append(bytearray(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
