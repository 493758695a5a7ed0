"""Exclusive, stand-alone and marginal times, on a clock that only moves when it is told to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.probe.ledger import Ledger


class FakeClock:
    """Seconds that pass only when work is done."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def work(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def ledger(clock):
    return Ledger(clock)


def shared(ledger, clock):
    """Proxies a and b share a pass of 10 s; a works 1 s, b works 2 s on its own and has a helper of 4 s."""
    with ledger.measure("a"):
        with ledger.measure("pass"):
            clock.work(10)
        clock.work(1)
    with ledger.measure("b"):
        ledger.note_use("pass")
        clock.work(1.5)
        with ledger.measure("helper"):
            clock.work(4)
        clock.work(0.5)


def test_exclusive_time_leaves_out_what_was_started(ledger, clock):
    shared(ledger, clock)
    assert {key: ledger.exclusive(key) for key in ("a", "b", "pass", "helper")} == {
        "a": 1,
        "b": 2,
        "pass": 10,
        "helper": 4,
    }


def test_time_between_measurements_belongs_to_nobody(ledger, clock):
    clock.work(100)
    with ledger.measure("a"):
        clock.work(1)
    clock.work(100)
    with ledger.measure("b"):
        clock.work(2)
    assert (ledger.exclusive("a"), ledger.exclusive("b")) == (1, 2)


def test_standalone_time_adds_cached_results_as_if_they_were_not_there(ledger, clock):
    shared(ledger, clock)
    assert (ledger.standalone("a"), ledger.standalone("b")) == (11, 16)


def test_marginal_time_is_what_leaving_it_out_would_save(ledger, clock):
    shared(ledger, clock)
    assert ledger.marginal("a", ["b"]) == 1
    assert ledger.marginal("b", ["a"]) == 6
    assert ledger.marginal("b", []) == ledger.standalone("b")
    assert ledger.marginal("b", ["a", "b"]) == 6, "it is not its own company"


def test_what_is_used_through_others_counts_once(ledger, clock):
    with ledger.measure("proxy"):
        with ledger.measure("left"):
            with ledger.measure("base"):
                clock.work(8)
            clock.work(1)
        with ledger.measure("right"):
            ledger.note_use("base")
            clock.work(2)
    assert ledger.standalone("right") == 10
    assert ledger.standalone("proxy") == 11
    assert ledger.marginal("left", ["right"]) == 1


def test_a_result_computed_before_anyone_asked_still_counts_for_its_users(ledger, clock):
    with ledger.measure("pass"):
        clock.work(10)
    with ledger.measure("a"):
        ledger.note_use("pass")
        clock.work(1)
    assert ledger.standalone("a") == 11


def test_a_key_measured_twice_adds_up(ledger, clock):
    for seconds in (1, 2):
        with ledger.measure("a"):
            clock.work(seconds)
    assert ledger.exclusive("a") == 3


def test_a_failing_computation_is_timed_and_closed(ledger, clock):
    with pytest.raises(ZeroDivisionError), ledger.measure("a"):
        clock.work(1)
        with ledger.measure("broken"):
            clock.work(5)
            raise ZeroDivisionError
    with ledger.measure("b"):
        clock.work(2)
    assert [ledger.exclusive(key) for key in ("a", "broken", "b")] == [1, 5, 2]
    assert (ledger.standalone("a"), ledger.standalone("b")) == (6, 2)


def test_what_never_ran_took_no_time(ledger):
    assert (ledger.exclusive("never"), ledger.standalone("never"), ledger.marginal("never", ["a"])) == (0, 0, 0)


def test_noting_a_use_outside_any_measurement_is_allowed(ledger):
    ledger.note_use("pass")
    assert ledger.standalone("pass") == 0


trees = st.recursive(
    st.integers(0, 9).map(lambda seconds: (seconds, [])),
    lambda children: st.tuples(st.integers(0, 9), st.lists(children, max_size=3)),
    max_leaves=12,
)


@given(tree=trees)
def test_exclusive_times_of_a_nest_add_up_to_the_time_that_passed(tree):
    clock = FakeClock()
    ledger = Ledger(clock)
    expected = {}

    def compute(node, key):
        seconds, children = node
        with ledger.measure(key):
            for index, child in enumerate(children):
                compute(child, (*key, index))
            clock.work(seconds)
        expected[key] = seconds

    compute(tree, ())
    assert {key: ledger.exclusive(key) for key in expected} == expected
    assert ledger.standalone(()) == clock.now - 1000 == sum(expected.values())


class Moment:
    """A mark in a queue of work, whose time is known only when the work is done."""

    done = False

    def __init__(self, place):
        self.place = place

    def seconds_since(self, earlier):
        assert Moment.done, "the queue was waited for while work was still being put into it"
        return self.place - earlier.place


def test_moments_may_be_marks_in_a_queue_that_are_read_at_the_end(clock):
    Moment.done = False
    ledger = Ledger(lambda: Moment(clock()), lambda later, earlier: later.seconds_since(earlier))
    shared(ledger, clock)
    Moment.done = True
    assert (ledger.standalone("a"), ledger.exclusive("pass")) == (11, 10)
