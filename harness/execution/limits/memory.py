"""How much memory this process has needed, needs and may need, and what it does with what is freed."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.errors import HarnessError

LARGE = 2**20
"""Bytes of a tensor whose memory goes back to the system when it is gone, under a limit."""

_TRIM_THRESHOLD, _MAP_THRESHOLD, _MOST_MAPPED = -1, -3, -4
"""Names of settings of GNU's allocator, in its ``malloc.h``."""
_STATUS = Path("/proc/self/status")


def peak_megabytes() -> float:
    """Peak resident memory of this process in megabytes.

    Linux's own account is preferred: the resource module's also counts what the parent had before it started this
    process.
    """
    peak = _from_status("VmHWM")
    if peak is not None:
        return peak / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def keep_freed_memory() -> None:
    """Let this process keep the memory that it frees, for a process that computes one network after another.

    Otherwise each network's tensors are handed back to the system and come again page by page, filled with zeros, which
    takes a tenth of the time of a network. It changes the settings of GNU's allocator, and nothing elsewhere.
    """
    _set_allocator({_MOST_MAPPED: 0, _TRIM_THRESHOLD: 2**31 - 1})


def _set_allocator(options: Mapping[int, int]) -> None:
    """Change settings of GNU's allocator, where it is in use."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            for option, value in options.items():
                library.mallopt(option, value)


def bytes_in_use() -> int | None:
    """What a memory limit counts: resident memory that is no program and no file; None where unknown."""
    return _from_status("RssAnon")


def in_words(number: float) -> str:
    """A number of bytes with three digits and a unit.

    >>> in_words(268_435_456), in_words(3.21e9), in_words(12)
    ('268 MB', '3.21 GB', '<0.01 MB')
    """
    if number < 1e4:
        return "<0.01 MB"
    value, unit = (number / 1e9, "GB") if number >= 9.995e8 else (number / 1e6, "MB")
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def check_limit(limit: int | None) -> None:
    """Refuse a limit that cannot be set here, or that this process has reached before it computes anything.

    Raises:
        HarnessError: in these cases.
    """
    if limit is None:
        return
    in_use = bytes_in_use()
    if sys.platform != "linux" or in_use is None:
        raise HarnessError(f"a memory limit can be set on Linux alone, this is {sys.platform}; leave it away")
    if limit <= in_use:
        raise HarnessError(
            f"a memory limit of {in_words(limit)} is less than the {in_words(in_use)} that a worker holds before it "
            "computes anything; ask for more"
        )


@contextmanager
def limited(limit: int | None) -> Iterator[None]:
    """Let no allocation in the block bring what this process uses above so many bytes; one that would fails.

    The limit is Linux's on data (``RLIMIT_DATA``), raised by what was reserved before the block and never used, of
    which some libraries have a gigabyte. That on addresses would also count libraries and files that are only mapped.
    From the first such block on, this process gives the memory of large tensors back as soon as they are gone, which
    takes time.
    """
    if limit is None:
        yield
        return
    import resource

    _give_back_at_once()

    reserved = (_from_status("VmData") or 0) - (bytes_in_use() or 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bounds = [bound for bound in (limit + max(reserved, 0), soft, hard) if bound != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@functools.cache
def _give_back_at_once() -> None:
    """Let glibc take memory for tensors from the system one by one.

    Otherwise it keeps what is freed, in pieces of which many are a little too small for the next tensor of the same
    size, and the limit counts them all: what fits in a fresh process would fail in one that has worked for a while.
    """
    _set_allocator({_MOST_MAPPED: 2**16, _MAP_THRESHOLD: LARGE, _TRIM_THRESHOLD: LARGE})


def _from_status(entry: str) -> int | None:
    """Bytes that Linux tells of this process; None on other systems."""
    if _STATUS.exists():
        for line in _STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{entry}:"):
                return int(line.split()[1]) * 1024
    return None
