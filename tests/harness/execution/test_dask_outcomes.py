"""What becomes of an outcome on its way from a Dask worker, with a client that needs no cluster."""

from __future__ import annotations

from concurrent.futures import CancelledError

import pytest

from harness.errors import HarnessError
from harness.execution.dask_executor import ATTEMPTS, DaskExecutor
from harness.execution.executors import WorkerDiedError


class KilledWorker(Exception):  # noqa: N818
    """As Dask's, which is known by its name."""

    allowed_failures = 2


class Sent:
    """A future of Dask that is done at once."""

    def __init__(self, result):
        self.result = lambda timeout: result()

    def add_done_callback(self, settle):
        settle(self)


class Client:
    """Answers each call that is sent with the next outcome: an error, or None for that of the call."""

    def __init__(self, *outcomes, status="running"):
        self.outcomes, self.status, self.sent = list(outcomes), status, 0

    def submit(self, call, **_):
        self.sent += 1
        outcome = self.outcomes.pop(0)
        if outcome == "unreachable":
            raise OSError(outcome)
        return Sent(call if outcome is None else lambda: raised(outcome))


def raised(error):
    raise error


def outcome_of(client):
    executor = DaskExecutor.__new__(DaskExecutor)
    executor._client, executor._resources, executor._in_hand = client, None, set()
    future = executor.submit(divmod, 7, 4)
    assert future.done() and not executor._in_hand
    return future


def test_an_outcome_is_passed_on():
    assert outcome_of(Client(None)).result() == (1, 3)


@pytest.mark.parametrize("lost", [CancelledError("its worker died"), TimeoutError("no answer")])
def test_a_lost_outcome_is_computed_again(lost):
    client = Client(lost, lost, None)
    assert outcome_of(client).result() == (1, 3)
    assert client.sent == 3


def test_an_outcome_that_is_always_lost_is_given_up():
    client = Client(*[CancelledError()] * ATTEMPTS)
    with pytest.raises(HarnessError, match="lost connection to the Dask scheduler"):
        outcome_of(client).result()
    assert client.sent == ATTEMPTS


def test_with_the_scheduler_gone_nothing_is_sent_again():
    of_connection = CancelledError()
    of_connection.reason = "scheduler-connection-lost"
    for client in (Client(of_connection), Client(CancelledError(), status="closed")):
        with pytest.raises(HarnessError, match="lost connection to the Dask scheduler"):
            outcome_of(client).result()
        assert client.sent == 1


def test_a_scheduler_that_goes_while_a_unit_is_sent_again_is_told():
    with pytest.raises(HarnessError, match="lost connection to the Dask scheduler"):
        outcome_of(Client(CancelledError(), "unreachable")).result()


def test_a_unit_that_kills_its_workers_is_told_from_other_errors():
    with pytest.raises(WorkerDiedError, match="died 3 times on this network"):
        outcome_of(Client(KilledWorker())).result()
    with pytest.raises(ZeroDivisionError):
        outcome_of(Client(ZeroDivisionError())).result()
