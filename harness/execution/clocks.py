"""The clocks that costs are told by."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from harness.probe.ledger import Ledger

CLOCKS: dict[str, Callable[[], float]] = {"processor": time.thread_time, "wall": time.perf_counter}
"""The clocks that costs are told by on a processor."""

COARSEST = 1e-5
"""Seconds; some systems count the processor's time in ticks that are longer than a proxy takes."""


def clock_of(device: str) -> str:
    """The clock for a device: on a CPU, the time of other programs must not count as the cost of a proxy."""
    if device != "cpu":
        return "device"
    fine = time.get_clock_info("thread_time").resolution <= COARSEST
    return "processor" if fine else "wall"


def ledger_for(device: str) -> Ledger:
    """A ledger that tells costs by the device's clock.

    On a GPU moments are events in its queue of work. They are read when the unit is done, so that the queue never has
    to run empty to be timed.
    """
    if device != "cpu":
        return Ledger(_event, _seconds_between)
    return Ledger(CLOCKS[clock_of(device)])


def _event() -> torch.cuda.Event:
    event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    event.record()
    return event


def _seconds_between(later: torch.cuda.Event, earlier: torch.cuda.Event) -> float:
    later.synchronize()
    return float(earlier.elapsed_time(later)) / 1e3
