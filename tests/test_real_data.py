"""The main job on NATS-Bench with real accuracies and real images, held against an independent source."""

from __future__ import annotations

import pandas as pd
import pytest

import harness
from harness.data import import_table

pytestmark = pytest.mark.real_data

CELLS = 16


@pytest.fixture(scope="module")
def published(real_data):
    """Scores that NAS-Bench-Suite-Zero computed, under our names."""
    table = pd.read_csv(real_data / "published-scores-nats-tss-cifar10.csv.gz").set_index("net_str")
    return table.rename(columns={"nwot": "naswot", "jacov": "jacob_cov", "synflow": "log_synflow"})


@pytest.fixture(scope="module")
def run(real_data, tmp_path_factory):
    """A small run; the report of it, and its scores by proxy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_DATA", str(tmp_path_factory.mktemp("data")))
        import_table(harness.load("nats-tss"), real_data / "nats-tss.csv.gz")
        out = tmp_path_factory.mktemp("run")
        scores = harness.run(
            "nats-tss",
            sample=CELLS,
            subset="reachable",
            images=real_data / "images" / "cifar-10-batches-bin",
            proxies="params,log_synflow,zen,naswot,snip,flops",
            batch_size=32,
            out=out,
        )
        yield harness.report(out), scores.pivot(index="architecture", columns="proxy", values="value")


def test_params_are_the_benchmark_s(run, real_data):
    table = pd.read_csv(real_data / "nats-tss.csv.gz").set_index("arch")
    ours = run[1]["params"]
    assert (ours == table.loc[ours.index, "cifar10/params"]).all()


def test_synflow_and_zen_have_the_published_values_up_to_the_weights_drawn(run, published):
    ours = run[1]
    theirs = published.loc[ours.index]
    # A cell without convolutions has no weights to average over, so its score moves more.
    assert (ours["log_synflow"] / theirs["log_synflow"] - 1).abs().median() < 0.01
    assert (ours["zen"] / theirs["zen"] - 1).abs().median() < 0.05


@pytest.mark.parametrize(("proxy", "least"), [("log_synflow", 0.99), ("zen", 0.95), ("naswot", 0.9), ("snip", 0.85)])
def test_ranks_agree_with_the_published_scores(run, published, proxy, least):
    ours = run[1][proxy]
    assert ours.corr(published.loc[ours.index, proxy], method="spearman") > least


def test_the_report_says_what_was_ranked_against_what(run):
    lines = "\n".join(run[0].heading.lines())
    assert "cifar10 test top-1 accuracy (%), 200 epochs, mean over seeds" in lines
    assert "2,048 images of data_batch_1.bin, normalised as cifar10" in lines
    assert "drawn uniformly from the set 'reachable'" in lines


def test_every_network_is_used(run):
    table = run[0].correlations
    whole = table[table["set"] == "all"]
    assert set(whole["used"]) == {CELLS}
