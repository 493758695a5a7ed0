"""Equal networks are scored once for all, and readers of the run see no difference."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import harness
from harness.errors import HarnessError, StoreError
from harness.execution.equivalence import missing_units, networks
from harness.execution.options import RunOptions
from harness.execution.plan import make_plan
from harness.execution.runner import run
from harness.exhibits import catalogue
from harness.gate.baseline import freeze
from harness.gate.rerun import plan_of
from harness.registry import load_benchmark
from harness.results import open_run
from harness.store import Store
from harness.store.checksums import checksums_of_everything
from harness.store.merge import merge

PROXIES = "params,synflow,snip,naswot"
OF_EACH, OF_ONE = ["params", "synflow"], ["snip", "naswot"]
KEPT = ["architecture", "proxy", "version", "status", "value", "error"]
SAMPLE = 60
DIGITS = load_benchmark("digits")


def plan(sample=SAMPLE, proxies=PROXIES, once=True, shard=(1, 1)):
    return make_plan(DIGITS, RunOptions(proxies=proxies, sample=sample, batch_size=8, shard=shard, once_per_class=once))


def scores(directory) -> pd.DataFrame:
    with Store.read(directory) as store:
        return store.scores()[KEPT]


def values(directory) -> pd.DataFrame:
    return scores(directory).pivot(index="architecture", columns="proxy", values="value")


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    directory = tmp_path_factory.mktemp("once")
    assert run(plan(), directory).computed == networks(plan())
    return directory


@pytest.fixture(scope="module")
def each(tmp_path_factory):
    """Every sampled network and every representative scored by itself."""
    directory = tmp_path_factory.mktemp("each")
    whole = plan(once=False)
    everyone = dict.fromkeys([*whole.architectures, *plan().representatives.values()])
    run(replace(whole, architectures=list(everyone)), directory)
    return directory


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    def stop(done, total):
        if done == 25:
            raise KeyboardInterrupt

    directory = tmp_path_factory.mktemp("interrupted")
    assert run(plan(400), directory, progress=stop).interrupted
    return directory


class TestScores:
    def test_every_sampled_network_has_every_outcome_and_no_other_network_has_any(self, once):
        found = scores(once)
        assert set(found["architecture"]) == set(DIGITS.sample(SAMPLE, 0))
        assert len(found) == SAMPLE * 4

    def test_members_have_the_bits_of_their_representative(self, once, each):
        standing = plan().representatives
        assert len(set(standing.values())) < SAMPLE
        shared, alone = values(once)[OF_ONE], values(each)[OF_ONE]
        expected = alone.loc[[standing[a] for a in shared.index]].set_index(shared.index)
        pd.testing.assert_frame_equal(shared, expected, check_exact=True)

    def test_what_needs_no_images_is_each_networks_own(self, once, each):
        own = values(once)[OF_EACH]
        pd.testing.assert_frame_equal(own, values(each)[OF_EACH].loc[own.index], check_exact=True)
        of_class = own["params"].groupby(plan().representatives)
        assert of_class.nunique().max() > 1, "some class has members with other dead operations"

    def test_fewer_passes_are_made(self):
        wanted = plan(proxies="snip,naswot")
        assert networks(wanted) == len(set(wanted.representatives.values()))

    @pytest.mark.nightly
    def test_in_pieces_with_workers_and_merged_from_shards(self, tmp_path, once):
        run(plan(20, "naswot"), tmp_path / "pieces")
        run(plan(40, "snip,params"), tmp_path / "pieces")
        run(plan(), tmp_path / "pieces", workers=2)
        pd.testing.assert_frame_equal(scores(tmp_path / "pieces"), scores(once), check_exact=True)
        for part in (1, 2):
            run(plan(shard=(part, 2)), tmp_path / f"{part}")
        merge([tmp_path / "1", tmp_path / "2"], tmp_path / "merged")
        pd.testing.assert_frame_equal(scores(tmp_path / "merged"), scores(once), check_exact=True)

    def test_a_new_member_of_a_class_that_is_known_costs_no_pass(self, tmp_path):
        few, more = plan(20, "snip"), plan(SAMPLE, "snip")
        run(few, tmp_path)
        known = {few.representatives[a] for a in few.architectures}
        new = {more.representatives[a] for a in more.architectures} - known
        assert run(more, tmp_path).computed == len(new) < SAMPLE - 20

    def test_a_failure_is_that_of_the_class_and_gives_way_to_a_score(self, tmp_path):
        wanted = plan(proxies="snip")
        run(wanted, tmp_path)
        standing = pd.Series(wanted.representatives)
        member = standing[standing.duplicated()].index[0]
        before = scores(tmp_path)
        with Store.create_or_open(tmp_path, wanted.setting, wanted.proxies, {}) as store:
            store.connection.execute(
                "UPDATE scores SET status = 'failed', value = NULL WHERE architecture = ?", (member,)
            )
            checksums_of_everything(store.connection)
            assert list(missing_units(wanted, store)) == []
            store.forget_failed()
            assert list(missing_units(wanted, store)) == []
        pd.testing.assert_frame_equal(scores(tmp_path), before, check_exact=True)


class TestUnfinished:
    """Networks of large classes are scored early, so those scored by some time are no uniform sample."""

    def test_those_whose_turn_has_not_come_are_left_out_and_counted(self, interrupted):
        drawn, stored = DIGITS.sample(400, 0), scores(interrupted)
        opened = open_run(interrupted)
        for name, found in opened.scores.groupby("proxy"):
            there = set(stored.loc[stored["proxy"] == name, "architecture"])
            come = next(place for place, architecture in enumerate(drawn) if architecture not in there)
            assert set(found["architecture"]) == set(drawn[:come])
            assert 5 < come <= len(there)
        kept = set(zip(opened.scores["architecture"], opened.scores["proxy"], strict=True))
        waiting = {a for a, name in zip(stored["architecture"], stored["proxy"], strict=True) if (a, name) not in kept}
        assert len(waiting) > 5
        said = f"scores of {len(waiting)} networks that equal a scored one"
        assert any(said in line for line in harness.report(opened).heading.lines())

    def test_a_finished_run_or_shard_keeps_all(self, tmp_path, once):
        run(plan(30, "snip", shard=(2, 2)), tmp_path)
        for directory, networks_of in ((once, SAMPLE), (tmp_path, 15)):
            assert open_run(directory).networks == networks_of and not open_run(directory).notes


class TestSetting:
    def test_it_is_recorded_and_mixes_with_no_other(self, tmp_path, once):
        with pytest.raises(StoreError, match="once_per_class: stored 'True', now 'None'"):
            run(plan(once=False), once)
        run(plan(4, once=False), tmp_path)
        with pytest.raises(StoreError, match="once_per_class"):
            merge([once, tmp_path], tmp_path / "merged")

    def test_it_is_printed_above_every_table(self, once, each):
        words = "only one is scored"
        assert any(words in line for line in harness.report(once).heading.lines())
        assert not any(words in line for line in harness.report(each).heading.lines())

    def test_the_analyses_of_a_run_work_on_it(self, once):
        assert catalogue.for_run(open_run(once)).exhibits

    def test_a_baseline_of_it_is_run_again_in_the_same_way(self, once):
        again = plan_of(freeze(open_run(once)))
        assert again.setting == plan().setting
        assert {a: again.representatives[a] for a in again.architectures} == plan().representatives


def test_a_benchmark_that_knows_no_equal_networks_refuses():
    benchmark = load_benchmark("nats-sss")
    with pytest.raises(HarnessError, match="nats-sss does not group equivalent architectures"):
        benchmark.representatives(["8:8:8:8:8"])


class TestNatsTss:
    """Numbers in docs/data.md."""

    def test_the_whole_space_has_a_third_as_many_classes(self):
        benchmark = load_benchmark("nats-tss")
        standing = benchmark.representatives(benchmark.architectures())
        assert list(dict.fromkeys(standing.values())) == benchmark.subset("unique")
        assert len(set(standing.values())) == 5260

    def test_a_thousand_cells_have_564(self):
        benchmark = load_benchmark("nats-tss")
        assert len(set(benchmark.representatives(benchmark.sample(1000, seed=0)).values())) == 564

    def test_representatives_have_no_dead_operations(self):
        benchmark = load_benchmark("nats-tss")
        assert set(benchmark.subset("unique")) <= set(benchmark.subset("reachable"))
