"""Collecting exhibits: what a run does not allow is a sentence, what is broken is an error."""

import pytest

from harness.errors import HarnessError
from harness.exhibits import catalogue
from harness.exhibits.scatter import scatter
from harness.results import open_run


@pytest.fixture
def run(digits_runs):
    return open_run(digits_runs[0])


def test_order_is_kept_and_refusals_are_named(run, monkeypatch):
    def too_few(run):
        raise HarnessError("24 networks are too few")

    monkeypatch.setattr(catalogue, "FOR_ONE_RUN", (too_few, scatter))
    collected = catalogue.for_run(run)
    assert [exhibit.name for exhibit in collected.exhibits] == ["scatter"]
    assert collected.missing == ("too few: 24 networks are too few",)


def test_a_missing_exhibit_has_the_name_of_its_command(run, monkeypatch):
    def noise_ceiling_of_run(run):
        raise HarnessError("nothing to compare")

    monkeypatch.setattr(catalogue, "FOR_ONE_RUN", (noise_ceiling_of_run,))
    assert catalogue.for_run(run).missing == ("noise ceiling: nothing to compare",)


def test_a_mistake_of_ours_is_not_hidden(run, monkeypatch):
    def broken(run):
        raise ZeroDivisionError

    monkeypatch.setattr(catalogue, "FOR_ONE_RUN", (broken,))
    with pytest.raises(ZeroDivisionError):
        catalogue.for_run(run)


def test_every_registered_exhibit_shows_or_refuses_a_small_run(run):
    collected = catalogue.for_run(run)
    assert len(collected.exhibits) + len(collected.missing) == len(catalogue.FOR_ONE_RUN)
    names = [exhibit.name for exhibit in collected.exhibits]
    assert len(names) == len(set(names))
