"""The clocks for measuring costs."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from harness.probe.ledger import Ledger

CLOCKS: dict[str, Callable[[], float]] = {"processor": time.thread_time, "wall": time.perf_counter}
"""The clocks for measuring costs on a CPU."""

COARSEST = 1e-5
"""Maximum resolution in seconds; on some systems, ticks of processor time are longer than a proxy takes."""


def clock_of(device: str) -> str:
    """The clock for a device; on a CPU, it must not count the time of other programs."""
    if device != "cpu":
        return "device"
    fine = time.get_clock_info("thread_time").resolution <= COARSEST
    return "processor" if fine else "wall"


def ledger_for(device: str, threads: int = 1) -> Ledger:
    """A ledger that measures costs with the device's clock, or with that of the wall if several threads compute.

    On a GPU, times are events in its work queue. They are read after the unit, so measuring never has to wait for the
    queue to be empty.
    """
    if device != "cpu":
        return Ledger(_event, _seconds_between)
    return Ledger(CLOCKS[clock_of(device) if threads == 1 else "wall"])


def _event() -> torch.cuda.Event:
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    event.record()
    return event


def _seconds_between(later: torch.cuda.Event, earlier: torch.cuda.Event) -> float:
    later.synchronize()
    return float(earlier.elapsed_time(later)) / 1e3
