"""A flipped bit in a file that is read back changes nothing silently; ``bit_flips.py`` flips a thousand."""

from __future__ import annotations

from unittest.mock import ANY

import pytest
from bit_flips import all_kinds, flip_bits

import harness.store.outcomes


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    return all_kinds(tmp_path_factory.mktemp("flips"))


@pytest.fixture(autouse=True)
def tables_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))


def test_no_flip_is_silent_and_none_a_traceback(kinds):
    said = []
    counts = flip_bits(kinds, seed=1, flips=100, say=said.append)
    assert said == []
    assert all(count["named"] for count in counts.values())


def test_it_is_seen_where_nothing_is_checked(kinds, monkeypatch):
    monkeypatch.setattr(harness.store.outcomes, "stored_checksums", lambda connection: ANY)
    assert flip_bits(kinds[:1], seed=1, flips=60, say=lambda words: None)["store"]["silent"] > 0
