"""Shards of a run, merged, are the run: nothing lost, nothing twice, and different runs are refused."""

import shutil
import sqlite3

import pandas as pd
import pytest

import harness
from harness._utils.arguments import shard
from harness.errors import HarnessError, StoreError
from harness.store.checksums import checksums_of_everything
from harness.store.sqlite import FILE_NAME

SETTING = {"sample": 7, "batch_size": 8, "proxies": "params,snip"}
SCORE = ["architecture", "proxy", "status", "value"]


def run(out, **changes):
    return harness.run("digits", out=out, **{**SETTING, **changes})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"))[SCORE]


@pytest.fixture(scope="module")
def kept_shards(tmp_path_factory):
    places = [tmp_path_factory.mktemp(f"shard{k}") for k in (1, 2, 3)]
    for k, place in enumerate(places, start=1):
        run(place, shard=f"{k}/3")
    return places


@pytest.fixture
def shards(kept_shards, tmp_path):
    """Copies, to be changed."""
    return [shutil.copytree(shard, tmp_path / f"copy{k}") for k, shard in enumerate(kept_shards)]


def change(run_directory, statement):
    with sqlite3.connect(run_directory / FILE_NAME) as connection:
        connection.execute(statement)
        checksums_of_everything(connection)
    connection.close()


def read(directory):
    from harness.store import Store

    with Store.read(directory) as store:
        return store.scores()[SCORE]


class TestMerging:
    def test_the_shards_of_a_run_are_the_run_bit_for_bit(self, whole, shards, tmp_path):
        done = harness.merge(shards, tmp_path / "merged")
        assert (done.networks, done.outcomes, done.added, done.mended) == (7, 14, 14, 0)
        pd.testing.assert_frame_equal(read(tmp_path / "merged"), whole, check_exact=True)

    def test_shards_share_no_network_and_are_near_equal_in_size(self, kept_shards):
        networks = [set(read(shard)["architecture"]) for shard in kept_shards]
        assert sorted(map(len, networks)) == [2, 2, 3]
        assert len(set.union(*networks)) == 7

    def test_merging_again_changes_nothing(self, shards, tmp_path):
        harness.merge(shards, tmp_path / "merged")
        before = read(tmp_path / "merged")
        done = harness.merge([*shards, shards[0]], tmp_path / "merged")
        assert (done.outcomes, done.added, done.mended) == (14, 0, 0)
        pd.testing.assert_frame_equal(read(tmp_path / "merged"), before, check_exact=True)

    def test_a_merged_run_is_continued_and_reported_like_any_other(self, whole, shards, tmp_path):
        harness.merge(shards[:2], tmp_path / "merged")
        scores = run(tmp_path / "merged")[SCORE]
        pd.testing.assert_frame_equal(scores, whole, check_exact=True)
        assert harness.report(tmp_path / "merged").heading.networks == 7

    def test_a_failed_outcome_gives_way_to_one_that_another_run_has(self, whole, shards, tmp_path):
        first = read(shards[0])["architecture"].iloc[0]
        other = shutil.copytree(shards[0], tmp_path / "other")
        change(shards[0], "UPDATE scores SET status = 'failed', value = NULL WHERE proxy = 'snip'")
        assert harness.merge([shards[0]], tmp_path / "merged").networks == 3
        done = harness.merge([other], tmp_path / "merged")
        assert (done.added, done.mended) == (0, 3)
        merged = read(tmp_path / "merged").set_index(["architecture", "proxy"])
        assert merged.loc[(first, "snip"), "value"] == whole.set_index(SCORE[:2]).loc[(first, "snip"), "value"]

    def test_a_failure_is_not_mended_by_another(self, shards, tmp_path):
        """Merging the same runs again and again changes nothing, whatever failed in them."""
        change(shards[0], "UPDATE scores SET status = 'failed', value = NULL WHERE proxy = 'snip'")
        harness.merge([shards[0]], tmp_path / "merged")
        done = harness.merge([shards[0]], tmp_path / "merged")
        assert (done.added, done.mended) == (0, 0)

    def test_a_failed_outcome_never_replaces_a_score(self, shards, tmp_path):
        harness.merge([shards[0]], tmp_path / "merged")
        before = read(tmp_path / "merged")
        change(shards[0], "UPDATE scores SET status = 'failed', value = NULL")
        harness.merge([shards[0]], tmp_path / "merged")
        pd.testing.assert_frame_equal(read(tmp_path / "merged"), before)


class TestRefusing:
    def test_another_setting_is_named(self, shards, tmp_path):
        run(tmp_path / "seed1", seed=1, sample_seed=0)
        with pytest.raises(
            StoreError, match=r"other settings .*seed: '1', not '0'.*only merge runs with the same settings"
        ):
            harness.merge([shards[0], tmp_path / "seed1"], tmp_path / "merged")

    def test_two_scores_of_one_network_are_both_shown_and_nothing_is_merged(self, shards, tmp_path):
        harness.merge([shards[0]], tmp_path / "merged")
        before = read(tmp_path / "merged")
        change(shards[0], "UPDATE scores SET value = value + 1 WHERE proxy = 'snip'")
        with pytest.raises(StoreError, match=r"snip of '.*' is [\d.e-]+ in .* and [\d.e-]+ in .*harness agree"):
            harness.merge([shards[0]], tmp_path / "merged")
        pd.testing.assert_frame_equal(read(tmp_path / "merged"), before)

    def test_another_version_of_a_proxy_is_named(self, shards, tmp_path):
        harness.merge([shards[0]], tmp_path / "merged")
        change(shards[0], "UPDATE scores SET version = 9 WHERE proxy = 'snip'")
        with pytest.raises(StoreError, match=r"snip was scored by version 1 in .* and by version 9"):
            harness.merge([shards[0]], tmp_path / "merged")

    def test_a_run_into_itself(self, shards):
        with pytest.raises(StoreError, match="into itself"):
            harness.merge(shards, shards[1])

    def test_no_runs(self, tmp_path):
        with pytest.raises(StoreError, match="no runs to merge"):
            harness.merge([], tmp_path / "merged")

    def test_damaged_batches(self, shards, tmp_path):
        (shards[1] / "batches.npz").write_bytes(b"")
        with pytest.raises(StoreError, match=r"cannot merge .*the run's mini-batches"):
            harness.merge(shards, tmp_path / "merged")
        assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("text", ["3", "0/4", "5/4", "a/b", "1/", "-1/4", "1/2/3", ""])
def test_an_invalid_shard_is_refused(text):
    with pytest.raises(HarnessError, match="must be a part of the sample, such as 3/16"):
        shard(text, "shard")
