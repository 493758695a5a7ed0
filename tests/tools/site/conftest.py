"""A small collection of scores, its board, and a browser."""

from dataclasses import replace

import pytest
from chromium import browser
from pages import HOSTILE

from harness.leaderboard.adding import add
from harness.leaderboard.boards import make_board
from harness.leaderboard.collection import entries_in
from harness.leaderboard.entry import write_entry
from tools.site.build import HERE
from tools.site.leaderboard.boards import read_boards
from tools.site.leaderboard.known import known_proxies


@pytest.fixture(scope="module")
def collection(digits_runs, tmp_path_factory):
    """A collection with a board: eight proxies, one of which nobody registered."""
    root = tmp_path_factory.mktemp("site") / "scores"
    add(digits_runs[0], root, by="Jane Doe")
    (plain,) = entries_in(root, "digits/digits", ["plain"])
    facts = {"better": "higher", "label": HOSTILE, "sha256": "0", "version": 1, "reference": "mine.py:mine"}
    write_entry(root, replace(plain, proxy="mine", facts=facts, by=HOSTILE), plain.scores())
    make_board(root, "digits", "digits").write(root)
    return root


@pytest.fixture(scope="module")
def board(collection):
    (board,) = read_boards(collection).boards
    return board


@pytest.fixture(scope="module")
def proxies():
    return known_proxies(HERE / "none.md")


@pytest.fixture(scope="module")
def chromium():
    """A browser for the tests of a file."""
    with browser() as started:
        yield started
