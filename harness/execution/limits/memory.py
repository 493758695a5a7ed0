"""The memory of this process: its peak, its current use, its limit, and what happens to freed memory."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness._utils.sizes import readable_size
from harness.errors import HarnessError

LARGE = 2**20
"""Under a limit, the memory of tensors of at least this many bytes is returned to the system when freed."""

_TRIM_THRESHOLD, _MAP_THRESHOLD, _MOST_MAPPED = -1, -3, -4
"""Settings of GNU's allocator, from its ``malloc.h``."""
_STATUS = Path("/proc/self/status")


def peak_megabytes() -> float:
    """Peak resident memory of this process in megabytes.

    Linux's own count is preferred, since that of the resource module includes the memory of the parent before it
    started this process.
    """
    peak = _from_status("VmHWM")
    if peak is not None:
        return peak / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def keep_freed_memory() -> None:
    """Keep freed memory in this process, which computes one network after another.

    Otherwise, each network's tensors are returned to the system and allocated again page by page, filled with zeros,
    which takes a tenth of the time of a network. Changes the settings of GNU's allocator; has no effect elsewhere.
    """
    _set_allocator({_MOST_MAPPED: 0, _TRIM_THRESHOLD: 2**31 - 1})


def _set_allocator(options: Mapping[int, int]) -> None:
    """Change settings of GNU's allocator, if it is in use."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            for option, value in options.items():
                library.mallopt(option, value)


def bytes_in_use() -> int | None:
    """The memory that a limit counts: resident memory except programs and files; None if unknown."""
    return _from_status("RssAnon")


def check_limit(limit: int | None) -> None:
    """Refuse a limit that cannot be set here, or that this process exceeds before it computes anything.

    Raises:
        HarnessError: in these cases.
    """
    if limit is None:
        return
    in_use = bytes_in_use()
    if sys.platform != "linux" or in_use is None:
        raise HarnessError(f"memory limits are only supported on Linux, not on {sys.platform}; omit the limit")
    if limit <= in_use:
        raise HarnessError(
            f"a memory limit of {readable_size(limit)} is too small: a worker uses {readable_size(in_use)} before it "
            "computes anything; set a higher limit"
        )


@contextmanager
def limited(limit: int | None) -> Iterator[None]:
    """Limit the memory of this process in the block; allocations beyond the limit fail.

    It uses Linux's limit on data (``RLIMIT_DATA``), plus memory that was reserved before the block and never used (some
    libraries reserve a gigabyte). A limit on addresses would also count libraries and mapped files. After the first
    such block, this process returns the memory of large tensors as soon as they are freed, which takes time.
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
    """Make glibc allocate each large tensor from the system separately.

    Otherwise, it keeps freed memory in pieces, many of which are slightly too small for the next tensor of the same
    size, and the limit counts them all: what fits in a new process would fail in one that has run for a while.
    """
    _set_allocator({_MOST_MAPPED: 2**16, _MAP_THRESHOLD: LARGE, _TRIM_THRESHOLD: LARGE})


def _from_status(entry: str) -> int | None:
    """A value in bytes from this process's status on Linux; None on other systems."""
    if _STATUS.exists():
        for line in _STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{entry}:"):
                return int(line.split()[1]) * 1024
    return None
