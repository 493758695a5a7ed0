"""The harness with a bug planted in it, to show that the stress test finds one: ``planted.py BUG run digits …``."""

from __future__ import annotations

import os
import sys
import time

from harness.cli import main
from harness.execution import unit
from harness.execution.runner import Dispatcher
from harness.store import Store
from harness.store.records import UnitResult

BUGS = ("drop", "half", "forget", "order", "swallow", "rewrite")


def plant(bug: str) -> None:
    """Put the bug of that name in its place."""
    add, missing, score = Store.add, Store.missing, unit._score
    if bug == "drop":
        seen: list[str] = []

        def add_most(store, result):
            seen.append(result.architecture)
            if len(seen) % 5:
                add(store, result)

        Store.add = add_most
    elif bug == "half":

        def add_in_two(store, result):
            middle = len(result.scores) // 2
            for part in (result.scores[:middle], result.scores[middle:]):
                add(store, UnitResult(result.architecture, part, result.forward_backward_seconds))
                time.sleep(0.1)

        Store.add = add_in_two
    elif bug == "forget":
        Store.missing = lambda store, architectures, proxies: (
            unit.Unit(architecture, tuple(proxies)) for architecture in architectures
        )
    elif bug == "order":
        calls: list[int] = []

        def score_by_order(*given):
            status, value, error = score(*given)
            calls.append(1)
            return status, value and value + 1e-9 * len(calls), error

        unit._score = score_by_order
    elif bug == "swallow":

        def forget_suspects(dispatcher, suspects):
            dispatcher._in_flight.clear()
            dispatcher.close()
            return iter(())

        Dispatcher._compute_alone = forget_suspects
    elif bug == "rewrite":

        def begin_again(store, architectures, proxies):
            store.connection.execute("DELETE FROM scores")
            return missing(store, architectures, proxies)

        Store.missing = begin_again
    else:
        sys.exit(f"unknown bug '{bug}'; one of {', '.join(BUGS)}")


if __name__ == "__main__":
    os.environ["STRESS_BUG"] = sys.argv.pop(1)
# Workers import this module as well, and get the bug from the environment.
if "STRESS_BUG" in os.environ:
    plant(os.environ["STRESS_BUG"])
if __name__ == "__main__":
    main()
