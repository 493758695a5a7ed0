"""A unit's time ends it where it may be interrupted, and nowhere else."""

import signal
import time

import pytest

from harness.execution.limits.time import Deadline, OutOfTimeError


def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_what_takes_too_long_is_interrupted():
    deadline = Deadline(0.05)
    started = time.monotonic()
    with (
        deadline.running(),
        pytest.raises(OutOfTimeError, match=r"exceeded the time limit of 0.05 seconds"),
        deadline.interruptible(),
    ):
        busy(5)
    assert time.monotonic() - started < 2


def test_afterwards_nothing_is_started():
    deadline = Deadline(0.05)
    with deadline.running():
        with pytest.raises(OutOfTimeError), deadline.interruptible():
            busy(5)
        with pytest.raises(OutOfTimeError, match="was already reached"), deadline.interruptible():
            pytest.fail("must not be entered")


def test_code_between_blocks_is_not_interrupted():
    deadline = Deadline(0.02)
    with deadline.running():
        busy(0.1)
        assert deadline.expired


def test_no_limit_sets_no_alarm():
    before = signal.getsignal(signal.SIGALRM)
    deadline = Deadline(None)
    with deadline.running(), deadline.interruptible():
        assert signal.getsignal(signal.SIGALRM) is before
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_the_alarm_is_given_back():
    before = signal.getsignal(signal.SIGALRM)
    with Deadline(5).running():
        pass
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
