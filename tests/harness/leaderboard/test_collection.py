"""A run becomes entries, entries become the same run again, and a changed or wrong entry is found."""

import json
import shutil
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

import harness
from harness.errors import HarnessError
from harness.leaderboard.adding import add
from harness.leaderboard.boards import ABOUT, BOARD, COLUMNS, make_board
from harness.leaderboard.collection import by_setting, entries_in, first_seeds
from harness.leaderboard.comparing import compared
from harness.leaderboard.entry import write_entry
from harness.leaderboard.getting import get
from harness.leaderboard.references import REFERENCES, missing_references
from harness.leaderboard.verifying import Again, verify
from harness.store import Store
from harness.store.records import Setting
from harness.store.score_files import read_manifest, write_manifest

ME = "Jane Doe"


@pytest.fixture
def collection(digits_runs, tmp_path):
    add(digits_runs[0], tmp_path / "scores", by=ME)
    return tmp_path / "scores"


def stored(directory):
    with Store.read(directory) as store:
        return store.scores()


def without_times(table):
    return table[[column for column in table if not column.endswith("_seconds")]]


def the_entry(collection, proxy="snip"):
    (entry,) = entries_in(collection, f"digits/digits/{proxy}@1")
    return entry


def changed_table(entry, change):
    """Write an entry's table anew, and a description whose checksums fit."""
    stated = read_manifest(entry.file, entry.table)
    table = pd.read_parquet(entry.table)
    change(table)
    table.to_parquet(entry.table, index=False)
    write_manifest(entry.file, stated, entry.table)


def rewritten(collection, entry, change):
    """Place an entry anew whose description was changed, with checksums that fit."""
    scores, stated = entry.scores(), {"setting": asdict(entry.setting), "proxy": entry.proxy, "version": entry.version}
    change(stated)
    shutil.rmtree(entry.file.parent)
    write_entry(collection, replace(entry, **stated | {"setting": Setting(**stated["setting"])}), scores)


class TestAdding:
    def test_each_proxy_becomes_an_entry_that_says_where_it_is_from(self, collection):
        entry = the_entry(collection)
        assert entry.name.startswith("digits/digits/snip@1/batch8-seed0-")
        assert (entry.networks, entry.counts, entry.tags, entry.by) == (24, {"ok": 24}, ("labels",), ME)
        assert entry.command.startswith("harness run digits --dataset digits --sample 24 --seed 0 --images ")
        assert entry.packages["torch"] == entry.setting.torch
        assert len(entries_in(collection)) == 8

    def test_a_run_comes_back_with_the_bits_of_its_scores(self, collection, digits_runs, tmp_path):
        name, outcomes = get(collection, "digits/digits", tmp_path / "again")
        assert (name, outcomes) == (the_entry(collection).setting_id, 192)
        again, before = stored(tmp_path / "again"), stored(digits_runs[0])
        pd.testing.assert_frame_equal(without_times(again), without_times(before), check_exact=True)
        np.testing.assert_allclose(again["own_seconds"], before["own_seconds"], atol=5e-7)
        pd.testing.assert_frame_equal(
            harness.report(tmp_path / "again").correlations, harness.report(digits_runs[0]).correlations
        )

    def test_the_same_run_changes_nothing_and_more_networks_extend_it(self, collection, tmp_path):
        files = {file: file.read_bytes() for file in collection.rglob("*.*")}
        get(collection, "digits/digits", tmp_path / "again", proxies=["params", "snip"])
        assert len(add(tmp_path / "again", collection, by="Somebody Else").unchanged) == 2
        assert {file: file.read_bytes() for file in collection.rglob("*.*")} == files
        harness.run("digits", sample=26, proxies="params,snip", batch_size=8, out=tmp_path / "again")
        assert len(add(tmp_path / "again", collection, by="Somebody Else").extended) == 2
        entry = the_entry(collection)
        assert (entry.networks, entry.by) == (26, f"{ME}; Somebody Else")
        assert "--sample 24 " in entry.command.split("\n")[0] and "--sample 26 " in entry.command.split("\n")[1]

    def test_further_seeds_are_entries_of_their_own_and_come_back_as_seeds(self, tmp_path):
        harness.run("digits", sample=4, proxies="params,snip", batch_size=8, seeds=2, out=tmp_path / "run")
        add(tmp_path / "run", tmp_path / "scores", by=ME)
        groups = by_setting(entries_in(tmp_path / "scores", "digits/digits"))
        assert sorted(name.split("-")[1] for name in groups) == ["seed0", "seed1"]
        assert [name.split("-")[1] for name in first_seeds(groups)] == ["seed0"]
        get(tmp_path / "scores", "digits/digits", tmp_path / "again")
        (further,) = harness.open_run(tmp_path / "again").seeds[1:]
        pd.testing.assert_frame_equal(
            without_times(further.scores), without_times(stored(tmp_path / "run" / "seeds" / "1")), check_exact=True
        )

    def test_other_scores_of_a_network_are_refused_but_not_rounding(self, collection, digits_runs):
        entry = the_entry(collection)
        scores = pd.read_parquet(entry.table)["value"]
        changed_table(entry, lambda table: table.__setitem__("value", scores * (1 + 1e-9)))
        add(digits_runs[0], collection, by=ME)
        assert the_entry(collection).scores()["value"].equals(scores * (1 + 1e-9)), "those of the entry stay"
        changed_table(entry, lambda table: table.__setitem__("value", scores * 1.01))
        with pytest.raises(HarnessError, match=r"has another score of '.*': .* there, .* in the run \(24 of 24"):
            add(digits_runs[0], collection, by=ME)

    def test_what_nobody_could_check_is_refused(self, tmp_path, digits_runs):
        with pytest.raises(HarnessError, match="say who computed the scores"):
            add(digits_runs[0], tmp_path / "scores", by=" ")
        with pytest.raises(HarnessError, match="unknown proxy 'snop'"):
            add(digits_runs[0], tmp_path / "scores", by=ME, proxies=["snop"])
        harness.search("digits", proxy="params", evaluations=3, batch_size=8, out=tmp_path / "search")
        with pytest.raises(HarnessError, match="chosen by a search and are no sample"):
            add(tmp_path / "search", tmp_path / "scores", by=ME)
        assert not (tmp_path / "scores").exists()


class TestVerifying:
    def test_scores_are_computed_again(self, collection):
        found = verify(collection, again=Again(share=0.1))
        assert len(found) == 8 and all(finding.right for finding in found)
        assert all("3 of 24 networks computed again" in finding.words for finding in found), found
        assert "equal to the last bit" in next(each.words for each in found if "params" in each.what)

    def test_a_tampered_table_is_named(self, collection):
        entry = the_entry(collection)
        content = bytearray(entry.table.read_bytes())
        content[len(content) // 2] ^= 1
        entry.table.write_bytes(bytes(content))
        (wrong,) = [each for each in verify(collection, again=Again(share=0)) if not each.right]
        assert wrong.what == entry.name and "checksum mismatch" in wrong.words

    def test_a_score_that_was_changed_together_with_its_checksum_is_found_by_computing_it(self, collection):
        entry = the_entry(collection)
        changed_table(entry, lambda table: table.__setitem__("value", table["value"] * 1.01))
        assert all(each.right for each in verify(collection, again=Again(share=0)))
        (wrong,) = [each for each in verify(collection, again=Again(share=0.01)) if not each.right]
        assert wrong.what == entry.name
        assert "1 of 24 networks computed again, and 1 of them are others" in wrong.words

    def test_what_cannot_be_computed_again_here_is_said(self, collection):
        rewritten(collection, the_entry(collection, "snip"), lambda stated: stated["setting"].update(fingerprint="0"))
        rewritten(collection, the_entry(collection, "plain"), lambda stated: stated.update(proxy="mine"))
        rewritten(collection, the_entry(collection, "params"), lambda stated: stated.update(version=9))
        words = {each.what.split("/")[2]: each.words for each in verify(collection)}
        assert "the images are others than those of the entry" in words["snip@1"]
        assert "'mine' is not registered; add --proxy path.py:mine" in words["mine@1"]
        assert "this harness has version 1 of params" in words["params@9"]
        assert "1 of 24 networks computed again" in words["naswot@1"]

    def test_an_entry_in_another_entrys_place_is_refused(self, collection):
        entry = the_entry(collection)
        shutil.copytree(entry.file.parent, collection / "digits" / "digits" / "plain@7")
        (wrong,) = [each for each in verify(collection, again=Again(share=0)) if not each.right]
        assert f"describes '{entry.name}', so it belongs at" in wrong.words

    def test_networks_of_another_benchmark_are_refused(self, collection):
        changed_table(
            the_entry(collection), lambda table: table.__setitem__("architecture", [f"x{i}" for i in range(24)])
        )
        (wrong,) = [each for each in verify(collection, again=Again(share=0)) if not each.right]
        assert "24 of 24 networks do not belong to digits, such as 'x0'" in wrong.words

    @pytest.mark.parametrize("share", [-0.1, 1.1])
    def test_a_share_is_a_share(self, share):
        with pytest.raises(HarnessError, match="is not valid; use 0 to 1"):
            Again(share=share)


def test_a_sum_of_both_signs_may_round_by_more_than_its_tolerance_but_a_count_may_not():
    then = pd.DataFrame({"status": "ok", "value": [-100.0, -1e-3, 1e-3, 100.0]}, index=list("abcd"))
    now = then.assign(value=then["value"] + 0.05)
    assert not compared("plain", then, now).differing
    assert compared("params", then, now).differing == tuple("abcd")
    assert compared("plain", then, now.assign(status="failed", value=float("nan"))).differing == tuple("abcd")


class TestBoards:
    def test_a_board_has_the_coefficients_of_the_report(self, collection, digits_runs):
        board = make_board(collection, "digits", "digits")
        report = harness.report(digits_runs[0])
        default = board.table[board.table["truth"] == board.about.truths[0]["name"]]
        shared = [name for name in report.correlations if name in COLUMNS]
        pd.testing.assert_frame_equal(
            default[shared].reset_index(drop=True), report.correlations[shared], check_dtype=False
        )
        every = board.table[(board.table["set"] == "all") & (board.table["proxy"] == "params")]
        assert 0 <= every["top5"].iloc[0] <= 1 and 0 <= every["cost"].iloc[0] < 1
        board.write(collection)
        written = pd.read_csv(collection / "digits" / "digits" / BOARD)
        assert tuple(written) == COLUMNS and len(written) == len(board.table)
        about = json.loads((collection / "digits" / "digits" / ABOUT).read_text())
        assert about["settings"][0]["proxies"] == 8 and about["sets"][0]["name"] == "all"

    def test_missing_reference_proxies_are_named(self, collection):
        missing = missing_references(entries_in(collection), [("digits", "digits"), ("nats-tss", "cifar10")])
        assert missing["nats-tss/cifar10"] == REFERENCES
        assert missing["digits/digits"] == ("az_expressivity", "az_progressivity", "az_trainability", "random")


class TestWhatIsAskedFor:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("get", "digits/mnist"), "there are no scores in"),
            (("get", "digits/digits", "--setting", "batch9"), "no setting is called 'batch9'; the settings are batch8"),
            (("get", "digits/digits", "--proxies", "snop"), "unknown proxy 'snop': did you mean 'snip'"),
            (("list", "digits/digits/snop@1"), "'.*digits' has fisher|there are no scores in"),
        ],
    )
    def test_is_said_in_one_line_if_it_is_not_there(self, collection, called, tmp_path, arguments, said):
        out = ["--out", tmp_path / "out"] if arguments[0] == "get" else []
        _, error, code = called("results", *arguments, *out, "--collection", collection)
        assert code == 2 and error.count("\n") == 1
        assert pd.Series([error]).str.contains(said).all(), error

    def test_is_listed(self, collection, called):
        out, _, code = called("results", "list", "digits/digits/snip@1", "--collection", collection)
        assert code == 0 and "snip@1" in out and ME in out and "1 entry" in out
        out, _, _ = called("results", "list", "--json", "--proxies", "zen", "--collection", collection)
        (entry,) = json.loads(out)["entries"]
        assert (entry["proxy"], entry["networks"], entry["tags"]) == ("zen", 24, ["noise"])
        out, _, _ = called("results", "list", "--missing", "--collection", collection)
        assert out.startswith("digits/digits: az_expressivity")

    def test_boards_are_written(self, collection, called):
        out, _, code = called("results", "boards", "--collection", collection)
        assert code == 0 and out.startswith("digits/digits: 1 setting")
        assert (collection / "digits" / "digits" / BOARD).is_file()
