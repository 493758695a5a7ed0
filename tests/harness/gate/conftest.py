"""A baseline of a small run, and runs that differ from it."""

from dataclasses import replace

import pytest

from harness.gate import freeze
from harness.opened import open_run


@pytest.fixture(scope="session")
def run(digits_runs):
    return open_run(digits_runs[0])


@pytest.fixture(scope="session")
def baseline(run):
    return freeze(run)


@pytest.fixture
def altered(run):
    """The run with some rows of its scores changed: ``altered("snip", value=lambda v: -v)``."""

    def alter(proxy, **changes):
        scores = run.scores.copy()
        rows = scores["proxy"] == proxy
        for column, change in changes.items():
            scores.loc[rows, column] = change(scores.loc[rows, column])
        return replace(run, scores=scores)

    return alter


@pytest.fixture
def verdict():
    """The verdict of each proxy that is not the same."""
    return lambda checked: {row.proxy: row.verdict for row in checked.rows if row.verdict != "same"}
