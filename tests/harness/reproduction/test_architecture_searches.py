"""A paper's architecture search made again, with the published networks as what it has to reach."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

import harness
from harness.errors import DataError, HarnessError
from harness.reproduction import ReproductionOptions, reproduce
from harness.reproduction.architecture_search import per_proxy
from harness.reproduction.mismatches import of_scores
from harness.reproduction.reading import load_protocol
from harness.searching import open_search

PROTOCOL = """
title = "A search"
citation = "me2026"
summary = "Two sizes."

[[part]]
name = "small"
kind = "architecture-search"
benchmark = "zen-resnet-plain"
dataset = "cifar10"
subset = "cifar"
images = "noise"
algorithm = "evolution"
budgets = ["official_params=6e5", "layers=18"]
evaluations = 20
searches = 2
population = 8
proxies = ["flops", "layers"]
batch_size = 2
"""


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    path = tmp_path_factory.mktemp("paper") / "mine.toml"
    path.write_text(PROTOCOL)
    return str(path)


@pytest.fixture(scope="module")
def made(protocol, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return reproduce(protocol, out, ReproductionOptions(sample=15)), out


def test_each_proxy_is_searched_for_with_each_seed(made):
    found = made[0].found
    assert list(zip(found["proxy"], found["search"], strict=True)) == [
        ("flops", 0), ("flops", 1), ("layers", 0), ("layers", 1),
    ]  # fmt: skip
    assert (found["evaluations"] == 15).all()
    assert len(set(found["architecture"])) > 1


def test_the_goal_is_the_best_listed_network_within_the_budgets(made):
    space = harness.load("zen-resnet-plain")
    inside = [
        name
        for name in space.subset("cifar")
        if space.quantity("official_params", name, "cifar10") <= 6e5 and space.quantity("layers", name, "cifar10") <= 18
    ]
    flops = max(space.quantity("flops", name, "cifar10") for name in inside)
    row = made[0].found.iloc[0]
    assert (row["listed"], row["listed_best"], row["listed_flops"]) == (len(inside), flops, flops)


def test_what_is_found_is_the_best_of_the_search_and_the_time_until_it_reached_the_goal(made):
    result, out = made
    for row in result.found.to_dict("records"):
        search = open_search(out / "small" / f"{row['proxy']}-{row['search']}")
        best = search.networks.loc[search.networks[row["proxy"]].idxmax()]
        assert row["best"] == best[row["proxy"]]
        scored = search.trace[search.trace["outcome"] == "scored"]
        enough = [
            count
            for count, score in zip(scored["evaluations"], scored["best"], strict=True)
            if score >= row["listed_best"]
        ]
        assert row["reached_after"] == (enough[0] if enough else pytest.approx(math.nan, nan_ok=True))


def test_the_searches_of_a_proxy_are_summed_up_in_one_row(made):
    found = made[0].found
    (flops, _) = per_proxy(found).to_dict("records")
    mine = found[found["proxy"] == "flops"]
    assert flops["best"] == mine["best"].max() and flops["searches"] == 2
    assert (flops["layers_low"], flops["layers_high"]) == (mine["layers"].min(), mine["layers"].max())
    lower = found[:2].assign(proxy="ntk", best=[3.0, 1.0])
    assert per_proxy(lower)["best"].item() == 1.0


def test_what_was_done_differently_is_said_in_the_table(made):
    page = (made[0].write(made[1] / "tables", figures=False), (made[1] / "tables" / "reproduction.md").read_text())[1]
    assert "15 networks scored; the part asks for 20" in page
    assert ("## Architecture searches" in page and "0 of 2" in page) or "1 of 2" in page or "2 of 2" in page
    csv = pd.read_csv(made[1] / "tables" / "found.csv")
    assert list(csv["best"]) == list(made[0].found["best"])


def test_without_searches_the_part_says_so(protocol, tmp_path):
    result = reproduce(protocol, tmp_path, ReproductionOptions(compute=False))
    assert "there are no searches in" in result.outcomes[0].why_not


def test_listed_networks_with_other_weights_are_refused(made, protocol, tmp_path):
    """The goal would be another one."""
    shutil.copytree(made[1] / "small", tmp_path / "small")
    shutil.rmtree(tmp_path / "small" / "listed")
    harness.run(
        "zen-resnet-plain", dataset="cifar10", subset="cifar", images="noise", batch_size=2, seed=5,
        proxies="flops,layers,params", out=tmp_path / "small" / "listed",
    )  # fmt: skip
    with pytest.raises(HarnessError, match="differ in seed"):
        reproduce(protocol, tmp_path, ReproductionOptions(compute=False))


def test_a_part_without_a_number_of_evaluations_is_refused(tmp_path):
    (tmp_path / "mine.toml").write_text(PROTOCOL.replace("evaluations = 20\n", ""))
    with pytest.raises(DataError, match="lacks 'evaluations'"):
        load_protocol(str(tmp_path / "mine.toml"))


def test_batches_and_resolution_are_stated_for_proxies_of_noise_too():
    """Zen-Score draws its images, as many and as large as those of the run."""
    part = replace(load_protocol("zen-nas").part("search-cifar10"), batch_size=64)
    setting = SimpleNamespace(batch_size=16, resolution=16, noise=False, initialisation=part.initialisation, seed=0)
    said = of_scores(part, setting)
    assert said == [
        "mini-batches of 16; the paper's have 64",
        "inputs of 16 × 16 pixels, which is not the benchmark's own size",
    ]
