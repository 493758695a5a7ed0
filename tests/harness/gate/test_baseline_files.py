"""A baseline is read as it was written, the same bytes each time, and refused when a hand has been at it."""

import gzip
import hashlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.errors import DataError, HarnessError
from harness.gate import compare, freeze, read_baseline, write_baseline
from harness.gate.baseline_files import DOCUMENT, SCHEMA_VERSION, SCORES, checksum_of


@pytest.fixture
def directory(baseline, tmp_path):
    write_baseline(baseline, tmp_path)
    return tmp_path


def rewrite(directory, change, seal=True):
    """Change the document, with a checksum that fits or the one that stood there."""
    document = json.loads((directory / DOCUMENT).read_text())
    change(document)
    if seal:
        document["checksum"] = checksum_of(document)
    (directory / DOCUMENT).write_text(json.dumps(document))


def test_it_is_read_as_it_was_frozen(baseline, directory):
    read = read_baseline(directory)
    assert (read.setting, read.truth, read.proxies, read.facts) == (
        baseline.setting,
        baseline.truth,
        baseline.proxies,
        baseline.facts,
    )
    pd.testing.assert_frame_equal(read.scores, baseline.scores, check_exact=True, check_dtype=False)
    for name, row in baseline.coefficients.items():
        np.testing.assert_array_equal(list(read.coefficients[name].values()), list(row.values()))
    pd.testing.assert_frame_equal(read.costs.passes, baseline.costs.passes, rtol=1e-3)
    pd.testing.assert_series_equal(read.costs.calls, baseline.costs.calls, rtol=1e-3)
    assert read.costs.place == baseline.costs.place


def test_one_without_costs_is_read_as_such(run, tmp_path):
    write_baseline(freeze(run), tmp_path)
    assert read_baseline(tmp_path).costs is None


def test_every_score_is_kept_to_the_last_bit(run, directory):
    kept = read_baseline(directory).scores.set_index(["architecture", "proxy"])["value"]
    then = run.scores.set_index(["architecture", "proxy"])["value"]
    assert then.reindex(kept.index).equals(kept)


def test_the_same_baseline_gives_the_same_bytes(baseline, directory, tmp_path):
    write_baseline(baseline, tmp_path / "again")
    for name in (DOCUMENT, SCORES):
        assert (directory / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_it_states_what_it_rests_on(directory):
    document = json.loads((directory / DOCUMENT).read_text())
    assert document["schema"] == SCHEMA_VERSION
    assert document["sample"] == 24
    # The package's metadata may lack the local part of the version, such as "+cu130".
    assert document["setting"]["torch"].startswith(document["facts"]["packages"]["torch"].partition("+")[0])
    assert document["scores_sha256"] == hashlib.sha256((directory / SCORES).read_bytes()).hexdigest()
    assert set(document["coefficients"]["snip"]) >= {"kendall", "kendall_low", "kendall_high"}
    assert len(document["costs"]["networks"]) == len(document["costs"]["passes"]["zico"]) == 12


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["coefficients"]["snip"].update(kendall=0.99),
        lambda document: document["setting"].update(seed=1),
        lambda document: document["proxies"].pop("snip"),
        lambda document: document.pop("checksum"),
    ],
)
def test_a_document_changed_by_hand_is_refused(directory, change):
    rewrite(directory, change, seal=False)
    with pytest.raises(DataError, match=r"baseline\.json was edited or damaged; restore it"):
        read_baseline(directory)


def test_changed_scores_are_refused(directory):
    text = gzip.decompress((directory / SCORES).read_bytes()).replace(b",ok,", b",ok,1", 1)
    (directory / SCORES).write_bytes(gzip.compress(text))
    with pytest.raises(DataError, match=r"scores\.csv\.gz was edited or damaged"):
        read_baseline(directory)


def test_a_file_cut_off_is_refused(directory):
    (directory / DOCUMENT).write_bytes((directory / DOCUMENT).read_bytes()[:-40])
    with pytest.raises(DataError, match="cannot be read"):
        read_baseline(directory)


def test_where_there_is_none_that_is_said(tmp_path):
    with pytest.raises(DataError, match=r"has no baseline \(no baseline.json\)"):
        read_baseline(tmp_path)


def test_a_baseline_with_costs_of_runs_opens_and_judges_all_but_costs(run, costs, directory):
    scores = pd.read_csv(directory / SCORES, dtype=str).assign(own_cost="0.5")
    packed = gzip.compress(scores.to_csv(index=False).encode())
    (directory / SCORES).write_bytes(packed)
    sha256 = hashlib.sha256(packed).hexdigest()
    rewrite(directory, lambda document: document.update(schema=1, scores_sha256=sha256, costs={"snip": 0.5}))
    read = read_baseline(directory)
    checked = compare(read, run, costs=costs)
    assert {row.verdict for row in checked.rows} == {"same"}
    assert checked.notes == ("Costs are not judged: the baseline has none of this kind; freeze a new baseline.",)
    write_baseline(read, directory)
    assert json.loads((directory / DOCUMENT).read_text())["schema"] == SCHEMA_VERSION


@pytest.mark.parametrize("schema", [SCHEMA_VERSION + 1, 0, "one", None])
def test_an_unknown_schema_is_refused(directory, schema):
    rewrite(directory, lambda document: document.update(schema=schema))
    with pytest.raises(DataError, match=f"has schema {schema}; this version reads 1 to {SCHEMA_VERSION}"):
        read_baseline(directory)


def test_an_unfinished_run_is_not_frozen(run):
    last = run.scores.index[run.scores["proxy"] == "snip"][-1]
    with pytest.raises(HarnessError, match="is not finished: snip has 23 of 24 networks"):
        freeze(replace(run, scores=run.scores.drop(index=last)))
