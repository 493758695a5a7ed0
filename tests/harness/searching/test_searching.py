"""Searches of the embedded space, as a user makes them: scores, budgets, interruption, results."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import harness
from harness.errors import DataError, HarnessError, StoreError
from harness.searching import open_search
from harness.searching.budgets import budgets
from harness.searching.run import oriented, scores_of
from harness.store import Store

SPACE = harness.load("digits")
CELL = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|"
QUICK = {"proxy": "naswot", "batch_size": 8, "population": 12}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("search")
    return harness.search("digits", out=out, evaluations=30, budget="params=5000", also="params,flops", **QUICK)


def test_scores_are_those_of_a_run(found, tmp_path):
    """The networks, weights and mini-batches of a search are those of a run with the same seed."""
    cells = found.networks["architecture"].tolist()[:5]

    class Found(type(SPACE)):
        def architectures(self):
            return cells

    scores = harness.run(Found(), out=tmp_path, proxies="naswot,params,flops", batch_size=8)
    wide = scores.pivot(index="architecture", columns="proxy", values="value").reindex(cells)
    for name in wide:
        assert wide[name].tolist() == found.networks[name].tolist()[:5]


def test_lower_scores_of_a_proxy_are_better_where_it_says_so():
    scores = oriented({"ntk": 5.0, "zen": 2.0, "naswot": None}, {"ntk": "lower", "zen": "higher", "naswot": "higher"})
    assert scores["ntk"] == -5.0 and scores["zen"] == 2.0 and np.isnan(scores["naswot"])


def test_budgets_hold_and_are_what_the_proxies_count(found):
    networks = found.networks
    assert (networks["params"] <= 5_000).all()
    rejected = found.trace[found.trace["outcome"] == "params"]
    assert (rejected["params"] > 5_000).all()
    for name, most in (("params", 5_000), ("flops", 1e5)):
        measure = budgets([f"{name}={most}"], SPACE, "digits").each[0].quantity.measure
        counted = found.search.scores()[name][0]
        assert measure(found.search.architectures()[0]) == counted


def test_a_budget_that_counts_otherwise_than_the_proxy_of_its_name_has_a_column_of_its_own(tmp_path):
    """Zen-NAS's layers are those of its blocks; the proxy counts convolutions and the classifier."""
    found = harness.search(
        "zen-resnet-plain",
        proxy="layers",
        budget="layers=18",
        images="noise",
        batch_size=2,
        evaluations=4,
        out=tmp_path,
    )
    space = harness.load("zen-resnet-plain")
    for row in found.networks.to_dict("records"):
        assert row["layers"] == row["score"] > row["layers (budget)"]
        assert row["layers (budget)"] == space.quantity("layers", row["architecture"], found.setting.dataset)
    assert "layers" in found.exhibit().grids[0].columns[3].header


def test_the_best_so_far_never_falls_and_ends_at_the_best(found):
    best = found.trace["best"].dropna()
    assert best.is_monotonic_increasing
    assert best.iloc[-1] == found.networks["score"].iloc[0]


def test_accuracies_are_shown_where_they_are_known(found):
    known = SPACE.ground_truth("digits").accuracy
    shown = found.networks.set_index("architecture")["accuracy"]
    assert shown.dropna().to_dict() == {name: known[name] for name in shown.index if name in known}


def test_a_search_is_opened_again_from_its_scores(found):
    again = open_search(found.directory)
    pd.testing.assert_frame_equal(again.trace, found.trace)
    pd.testing.assert_frame_equal(again.networks, found.networks)
    pd.testing.assert_frame_equal(again.population, found.population)


def test_more_evaluations_go_on_where_it_ended_and_score_nothing_twice(found, tmp_path):
    first = harness.search("digits", out=tmp_path, evaluations=8, **QUICK)
    times = []
    longer = harness.search(
        "digits", out=tmp_path, evaluations=14, watch=lambda s: times.append(s.evaluations), **QUICK
    )
    assert longer.trace["architecture"].tolist()[: len(first.trace)] == first.trace["architecture"].tolist()
    whole = harness.search("digits", out=tmp_path / "new", evaluations=14, reuse=tmp_path, **QUICK)
    pd.testing.assert_frame_equal(whole.trace, longer.trace)


def test_another_search_in_the_same_directory_is_refused(found):
    with pytest.raises(StoreError, match=r"contains another search .*algorithm: stored 'evolution', now 'local'"):
        harness.search("digits", out=found.directory, algorithm="local", budget="params=5000", **QUICK)


def test_a_search_opens_as_a_run_that_is_said_to_be_no_sample(found, tmp_path):
    run = harness.open_run(found.directory)
    assert found.search.evaluations == run.networks
    cells = SPACE.architectures()[:6]

    class Listed(type(SPACE)):
        def random(self, generator):
            return cells[int(generator.integers(len(cells)))]

    harness.search(Listed(), out=tmp_path, algorithm="random", evaluations=6, **QUICK)
    page = harness.report(tmp_path).exhibit().markdown()
    assert "6 architectures of a search for NASWOT by random: no sample of the space" in page
    assert "drawn uniformly" not in page


def test_scores_of_another_version_or_of_unregistered_code_are_not_taken_over(found, monkeypatch):
    naswot, _, flops = found.objective.proxies
    newer = replace(naswot, version=naswot.version + 1)
    with Store.read(found.directory) as store:
        assert {name for _, name in scores_of(found.directory, store, [naswot, flops])} == {"naswot", "flops"}
        assert scores_of(found.directory, store, [replace(naswot)]) == {}
        monkeypatch.setattr("harness.searching.run.is_registered", lambda proxy: True)
        assert scores_of(found.directory, store, [newer]) == {}


def test_the_exhibit_has_the_best_networks_and_figures(found, tmp_path):
    exhibit = found.exhibit()
    files = {file.name for file in exhibit.write(tmp_path)}
    assert {"course.png", "score_by_params.png", "networks.csv", "search.md", "search.tex"} <= files
    page = (tmp_path / "search.md").read_text()
    assert "evolution: Lin et al." in page and "params ≤ 5,000" in page
    assert (tmp_path / "networks.csv").read_text().splitlines()[1].startswith(found.networks["architecture"].iloc[0])


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("params", "the budget 'params' needs a positive number, such as params=1e6"),
        ("params=-3", "the budget 'params' needs a positive number"),
        ("parms=3", "unknown budget 'parms'; digits knows: params, flops, listed"),
        ("params=10", "none of 10,0.. candidates keeps to the budgets: the smallest params of them is"),
        ("latency:edgegpu=5", "unknown budget 'latency:edgegpu'; digits knows"),
    ],
)
def test_wrong_budgets_are_refused_in_one_line(budget, message, tmp_path):
    with pytest.raises(HarnessError, match=message) as raised:
        harness.search("digits", out=tmp_path, budget=budget, **QUICK)
    assert "\n" not in str(raised.value)


def test_a_table_and_a_predictor_can_be_budgets(tmp_path):
    table = pd.DataFrame({"arch": SPACE.architectures(), "energy": np.arange(500.0)})
    table.to_csv(tmp_path / "costs.csv", index=False)
    (tmp_path / "depth_of_cells.py").write_text("def depth(architecture):\n    return architecture.count('conv')\n")
    limited = budgets([f"{tmp_path}/costs.csv:energy=40", f"{tmp_path}/depth_of_cells.py:depth=2"], SPACE, "digits")
    cell = SPACE.architectures()[7]
    assert limited.check(cell)[1][f"{tmp_path}/costs.csv:energy"] == 7.0
    assert limited.each[1].quantity.measure(CELL) == 3.0
    with pytest.raises(DataError, match=r"the table of the budget .*costs.csv:energy' has no value for \|none~0\|"):
        limited.check("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")


def test_a_measured_latency_is_kept_for_the_next_time(tmp_path):
    first = harness.search("digits", out=tmp_path, evaluations=4, budget="measured:cpu=1000", **QUICK)
    again = harness.search("digits", out=tmp_path, evaluations=4, budget="measured:cpu=1000", **QUICK)
    assert (first.networks["measured:cpu"] > 0).all()
    pd.testing.assert_frame_equal(again.networks, first.networks)
    pd.testing.assert_frame_equal(open_search(tmp_path).networks, first.networks)


def test_what_is_no_space_is_refused(tmp_path):
    class Listed(harness.Benchmark):
        name = "listed-only"
        title = "x"
        citation = "x"
        datasets = ("digits",)
        truths = (("test", 1),)
        architectures = task = build = ground_truth = lambda *_: None

    with pytest.raises(HarnessError, match="listed-only is no search space; derive its class from"):
        harness.search(Listed(), out=tmp_path, **QUICK)


def test_a_start_that_the_space_cannot_build_is_refused(tmp_path):
    with pytest.raises(HarnessError, match="nor_conv_9x9"):
        harness.search("digits", out=tmp_path, start=CELL.replace("nor_conv_3x3", "nor_conv_9x9"), **QUICK)


COMMAND = [
    sys.executable, "-m", "harness", "search", "digits", "--proxy", "naswot", "--batch-size", "8", "--population", "12",
    "--evaluations", "40", "--no-figures", "--out",
]  # fmt: skip


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_search_ends_as_if_it_had_not_been_killed(tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([*COMMAND, tmp_path / "whole"], check=True, env=environment, capture_output=True)
    for kills in range(3):
        process = subprocess.Popen([*COMMAND, tmp_path / "killed", "--workers", str(1 + kills % 2)], env=environment)
        time.sleep(4 + 2 * kills)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([*COMMAND, tmp_path / "killed", "--workers", "2"], check=True, env=environment, capture_output=True)
    for name in ("trace.csv", "population.csv", "networks.csv"):
        whole, killed = ((tmp_path / place / "search" / name).read_bytes() for place in ("whole", "killed"))
        assert whole == killed, name
