"""The store keeps every committed unit, and never mixes scores made under different conditions."""

from __future__ import annotations

import dataclasses
import json
import math
import sqlite3

import numpy as np
import pytest

from harness.errors import StoreError
from harness.execution.options import RunOptions
from harness.execution.plan import make_plan
from harness.images import Images
from harness.registry import load_benchmark, select_proxies
from harness.store import Store
from harness.store.records import Score, Unit, UnitResult
from harness.store.sqlite import FILE_NAME


@pytest.fixture(scope="module")
def plan():
    rng = np.random.default_rng(0)
    benchmark = load_benchmark("digits")
    shape = benchmark.task("digits").image_shape
    images = Images(
        pixels=rng.standard_normal((64, *shape), dtype=np.float32),
        labels=rng.integers(0, 10, 64),
        description="random images",
    )
    return make_plan(benchmark, RunOptions(proxies="params,snip", images=images, sample=5, batch_size=8))


def outcome(proxy="params", status="ok", value=1.5, version=1):
    return Score(proxy, version, status, value if status == "ok" else None, None, 0.25, 0.5)


def result(architecture, *scores):
    return UnitResult(architecture, scores, 0.1)


@pytest.fixture
def store(tmp_path, plan):
    with Store.create_or_open(tmp_path / "run", plan.setting, plan.proxies, {"python": "3"}) as store:
        yield store


class TestKeeping:
    def test_what_was_added_is_read_back_exactly(self, store, plan):
        value = math.pi * 1e40
        store.add(result(plan.architectures[0], outcome("params", value=value), outcome("snip", "non_finite")))
        table = Store.read(store.directory).scores()
        assert table["value"][0] == value
        assert list(table["status"]) == ["ok", "non_finite"]
        assert math.isnan(table["value"][1])
        assert list(table["seed"]) == [0, 0]

    def test_missing_units_name_only_the_proxies_without_an_outcome(self, store, plan):
        first, second = plan.architectures[:2]
        store.add(result(first, outcome("params"), outcome("snip", "failed")))
        store.add(result(second, outcome("params")))
        missing = list(store.missing(plan.architectures[:3], ["params", "snip"]))
        assert missing == [Unit(second, ("snip",)), Unit(plan.architectures[2], ("params", "snip"))]

    def test_of_two_outcomes_of_one_class_the_one_that_did_not_fail_is_shared(self, store, plan):
        failed, scored, bare = plan.architectures[:3]
        store.add(result(failed, outcome("snip", "failed")), result(scored, outcome("snip", value=2.5)))
        store.spread(dict.fromkeys((failed, scored, bare), "their class"), ["snip"])
        table = store.scores().set_index("architecture")
        assert (table.loc[bare, "status"], table.loc[bare, "value"]) == ("ok", 2.5)
        assert table.loc[failed, "status"] == "failed"

    def test_an_outcome_is_never_overwritten(self, store, plan):
        store.add(result(plan.architectures[0], outcome(value=1.0)))
        with pytest.raises(StoreError, match="would be overwritten"):
            store.add(result(plan.architectures[0], outcome("snip"), outcome("params", value=2.0)))
        table = store.scores()
        assert list(table["proxy"]) == ["params"], "a refused unit leaves nothing behind"
        assert table["value"][0] == 1.0

    def test_failed_outcomes_can_be_forgotten_and_others_not(self, store, plan):
        first, second = plan.architectures[:2]
        store.add(result(first, outcome("params"), outcome("snip", "failed")))
        store.add(result(second, outcome("params", "skipped"), outcome("snip", "non_finite")))
        assert store.forget_failed() == 1
        assert sorted(store.scores()["status"]) == ["non_finite", "ok", "skipped"]

    def test_scores_can_be_read_during_the_run(self, store, plan):
        with Store.read(store.directory) as reader:
            assert reader.scores().empty
            store.add(result(plan.architectures[0], outcome()))
            assert len(reader.scores()) == 1

    def test_the_manifest_tells_the_setting_and_further_facts(self, store, plan):
        manifest = Store.read(store.directory).manifest()
        assert manifest["python"] == "3"
        assert manifest["setting"] == dataclasses.asdict(plan.setting)
        assert store.setting == plan.setting


class TestRefusing:
    def reopen(self, store, plan):
        store.close()
        return Store.create_or_open(store.directory, plan.setting, plan.proxies, {})

    @pytest.mark.parametrize(("field", "value"), [("seed", 1), ("batch_size", 16), ("torch", "0.1"), ("dataset", "x")])
    def test_another_setting_is_refused_and_named(self, store, plan, field, value):
        other = dataclasses.replace(plan, setting=dataclasses.replace(plan.setting, **{field: value}))
        with pytest.raises(StoreError, match=rf"other settings \({field}: stored '.*', now '{value}'\).*new --out"):
            self.reopen(store, other)

    def test_the_same_setting_resumes_with_more_proxies_and_architectures(self, store, plan):
        store.add(result(plan.architectures[0], outcome()))
        larger = dataclasses.replace(plan, proxies=select_proxies("all"), architectures=plan.benchmark.sample(9, 0))
        with self.reopen(store, larger) as reopened:
            assert len(reopened.scores()) == 1

    @pytest.mark.parametrize("version", [0, 2])
    def test_scores_of_another_version_of_a_proxy_are_refused(self, store, plan, version):
        store.add(result(plan.architectures[0], outcome("snip", version=version)))
        with pytest.raises(StoreError, match=f"scores of snip version {version}, but this harness computes version 1"):
            self.reopen(store, plan)

    def test_a_second_writer_is_refused(self, store, plan):
        with pytest.raises(StoreError, match="another run is writing"):
            Store.create_or_open(store.directory, plan.setting, plan.proxies, {})

    def test_another_schema_is_refused(self, store, plan):
        store.note("schema", 99)
        with pytest.raises(StoreError, match="schema 99"):
            self.reopen(store, plan)

    def test_a_setting_changed_by_hand_is_refused(self, store, plan):
        changed = json.dumps(dataclasses.asdict(plan.setting) | {"seed": 7})
        store.connection.execute("UPDATE manifest SET value = ? WHERE key = 'setting'", (changed,))
        with pytest.raises(StoreError, match="was edited"):
            Store.read(store.directory)

    def test_a_damaged_file_is_refused(self, store, plan):
        store.close()
        (store.directory / FILE_NAME).write_bytes(b"not a database" * 100)
        with pytest.raises(StoreError, match="the file is damaged"):
            Store.create_or_open(store.directory, plan.setting, plan.proxies, {})

    def test_a_directory_without_a_run_is_refused(self, tmp_path):
        with pytest.raises(StoreError, match="no run in "):
            Store.read(tmp_path)

    def test_a_file_in_place_of_the_directory_is_refused(self, tmp_path, plan):
        (tmp_path / "run").write_text("")
        with pytest.raises(StoreError, match="cannot use the store"):
            Store.create_or_open(tmp_path / "run", plan.setting, plan.proxies, {})


def test_a_full_disk_loses_nothing_that_was_committed(store, plan):
    store.add(result(plan.architectures[0], outcome()))
    # SQLite reports a reached page limit with the same error as a full disk.
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    long = Score("snip", 1, "failed", None, "x" * 100_000, 0.0, 0.0)
    with pytest.raises(StoreError, match="free some disk space and repeat the command"):
        store.add(result(plan.architectures[1], outcome(), long))
    store.connection.execute("PRAGMA max_page_count = 1000000")
    assert list(store.scores()["architecture"]) == [plan.architectures[0]]
    store.add(result(plan.architectures[1], outcome(), long))
    assert len(store.scores()) == 3


def test_the_database_itself_refuses_an_ok_without_a_value(store, plan):
    with pytest.raises(sqlite3.IntegrityError):
        store.connection.execute(
            "INSERT INTO scores VALUES (?, 'params', 1, 'ok', NULL, NULL, 0, 0, 0)", (plan.architectures[0],)
        )
