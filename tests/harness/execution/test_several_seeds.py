"""A run over several seeds: the same networks again, each seed a run of its own inside the first."""

import shutil
import sqlite3

import pandas as pd
import pytest

import harness
from harness.errors import HarnessError
from harness.results import open_run
from harness.store.maintenance import compact, verify
from harness.store.merge import merge
from harness.store.restore import restore
from harness.store.seeds import further_seeds, seed_directory
from harness.store.sqlite import FILE_NAME

USUAL = {"proxies": "params,snip", "batch_size": 8}


def run(out, **options):
    return harness.run("digits", out=out, **USUAL | options)


def values(scores):
    return scores.set_index(["seed", "architecture", "proxy"])["value"].sort_index()


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A run of six networks with seed 4, and of the first three of them with the seeds 5 and 6."""
    out = tmp_path_factory.mktemp("seeds") / "run"
    return out, run(out, sample=6, seed=4, seeds=3, seeds_on=3)


def test_every_seed_is_a_run_of_its_own_on_the_start_of_the_same_sample(three, tmp_path):
    out, scores = three
    alone = [run(tmp_path / f"{seed}", sample=3, seed=seed, sample_seed=4) for seed in (4, 5, 6)]
    here = values(scores)
    for table in map(values, alone):
        pd.testing.assert_series_equal(here.reindex(table.index), table, check_exact=True)
    assert scores["seed"].value_counts().to_dict() == {4: 12, 5: 6, 6: 6}
    assert list(further_seeds(out)) == [5, 6] and all(found.right for found in verify(out / "seeds" / "6"))


def test_a_repeated_run_computes_only_what_is_missing(three, tmp_path):
    calls = []
    run(tmp_path / "run", sample=6, seed=4)
    again = run(
        tmp_path / "run",
        sample=6,
        seed=4,
        seeds=3,
        seeds_on=3,
        progress=lambda done, total: calls.append((done, total)),
    )
    pd.testing.assert_series_equal(values(again), values(three[1]), check_exact=True)
    assert set(calls) == {(done, 12) for done in range(6, 13)}


def test_shards_are_merged_seed_by_seed(three, tmp_path):
    shards = [tmp_path / "1", tmp_path / "2"]
    for number, out in enumerate(shards, 1):
        run(out, sample=6, seed=4, seeds=3, seeds_on=3, shard=(number, 2))
    merged = merge(shards, tmp_path / "merged")
    assert merged.outcomes == merged.added == 24
    whole = pd.concat([each.scores for each in open_run(tmp_path / "merged").seeds])
    pd.testing.assert_series_equal(values(whole), values(three[1]), check_exact=True)


def test_a_published_run_is_restored_with_its_seeds(three, tmp_path):
    harness.report(three[0]).write(tmp_path / "report", figures=False)
    assert restore(tmp_path / "report", tmp_path / "run") == 24
    assert [each.setting.seed for each in open_run(tmp_path / "run").seeds] == [4, 5, 6]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seeds": 0}, "invalid number of seeds 0; use 1 or more"),
        ({"seeds_on": 3}, "for the seeds after the first"),
        ({"seeds": 2, "seeds_on": 0}, "invalid seeds_on 0; use 1 to 6, the size of the sample"),
        ({"seeds": 2, "seeds_on": 7}, "invalid seeds_on 7; use 1 to 6, the size of the sample"),
    ],
)
def test_seeds_that_make_no_sense_are_refused(tmp_path, options, words):
    with pytest.raises(HarnessError, match=words):
        run(tmp_path / "run", sample=6, **options)
    assert not (tmp_path / "run").exists()


def test_another_run_in_the_place_of_a_seed_is_refused(three, tmp_path):
    out = tmp_path / "run"
    run(out, sample=3, seed=4)
    run(out / "seeds" / "5", sample=3, seed=5)
    with pytest.raises(HarnessError, match=r"5 is not a further seed .* \(sample_seed: '5', not '4'\)"):
        harness.report(out)


def test_seeds_left_by_the_report_of_another_run_are_not_restored(three, tmp_path):
    harness.report(three[0]).write(tmp_path / "report", figures=False)
    run(tmp_path / "other", sample=3, seed=9)
    harness.report(tmp_path / "other").write(tmp_path / "report", figures=False)
    with pytest.raises(HarnessError, match="5 is not a further seed"):
        restore(tmp_path / "report", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_proxy_of_the_first_seed_alone_can_be_left_out(tmp_path):
    run(tmp_path / "run", sample=3, seeds=2, proxies="params")
    run(tmp_path / "run", sample=3, proxies="snip")
    harness.report(tmp_path / "run").write(tmp_path / "report", figures=False)
    assert restore(tmp_path / "report", tmp_path / "restored", without=["snip"]) == 6


def test_only_the_directories_that_a_run_makes_are_seeds(three, tmp_path):
    out = tmp_path / "run"
    run(out, sample=3, seed=4, seeds=2)
    for name in ("notes", "7"):
        (out / "seeds" / name).mkdir()
    shutil.copytree(out / "seeds" / "5", out / "seeds" / "05")
    assert further_seeds(out) == {5: out / "seeds" / "5"}
    shutil.rmtree(out / "seeds" / "5")
    assert further_seeds(out) == {}


def damaged(out):
    with sqlite3.connect(out / FILE_NAME) as connection:
        connection.execute(
            "UPDATE scores SET value = value + 1 WHERE architecture = (SELECT MIN(architecture) FROM scores)"
        )


def test_stored_networks_of_later_seeds_are_known_from_the_start(tmp_path):
    out, calls = tmp_path / "run", []
    run(out, sample=3, seeds=3)
    (out / FILE_NAME).unlink()
    run(out, sample=3, seeds=3, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(6, 9), (7, 9), (8, 9), (9, 9)]


def test_a_later_seed_of_another_setting_is_refused_before_the_first_is_computed(tmp_path):
    out = tmp_path / "run"
    run(out / "seeds" / "1", sample=3, seed=1, sample_seed=0, batch_size=4)
    with pytest.raises(HarnessError, match="batch_size"):
        run(out, sample=3, seeds=2)
    assert not (out / FILE_NAME).exists()


@pytest.mark.parametrize("seed", [0, 1])
def test_a_repair_is_told_once_at_the_line_of_the_caller(tmp_path, seed):
    out = tmp_path / "run"
    run(out, sample=3, seeds=2)
    damaged(seed_directory(out, 1) if seed else out)
    with pytest.warns(UserWarning, match="will be computed again") as told:
        harness.run("digits", out=out, sample=3, seeds=2, **USUAL)
    assert [each.filename for each in told if "will be computed again" in str(each.message)] == [__file__]


def test_verify_and_compact_include_every_seed(three, tmp_path):
    out = shutil.copytree(three[0], tmp_path / "run")
    assert [each.what for each in verify(out) if each.what.endswith("outcomes")] == [
        "outcomes",
        "seed 5, outcomes",
        "seed 6, outcomes",
    ]
    before, _ = compact(out)
    assert before > 2 * compact(out / "seeds" / "5")[1]
    damaged(out / "seeds" / "6")
    (out / "seeds" / "5" / FILE_NAME).write_text("not a database")
    wrong = {each.what: each.words for each in verify(out) if not each.right}
    assert list(wrong) == ["seed 5, run", "seed 6, checksums"] and str(out / "seeds" / "5") in wrong["seed 5, run"]


def test_an_export_says_that_it_has_one_seed(three, tmp_path, called):
    out, _, code = called("store", "export", three[0], "--out", tmp_path / "scores.csv")
    assert code == 0 and f"export {three[0] / 'seeds' / '5'}, {three[0] / 'seeds' / '6'} too" in " ".join(out.split())
