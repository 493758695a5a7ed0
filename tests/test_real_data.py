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


def test_ranking_published_scores_gives_the_coefficients_computed_from_them_elsewhere(real_data):
    """Suite-Zero's scores and validation accuracies of the 9,445 cells without unreachable operations."""
    from harness_benchmarks.nats.hw_nas_bench import architecture_of

    scores = pd.read_csv(real_data / "published-scores-nats-tss-cifar10.csv.gz").set_index("net_str")
    table = pd.read_csv(real_data / "more" / "robust-nats-tss-cifar10.csv.gz", usecols=["net", "val_accs"])
    report = harness.rank(scores.join(table.set_index(table["net"].map(architecture_of))["val_accs"]), truth="val_accs")
    found = report.correlations.set_index("proxy")
    expected = {
        "params": (0.747, 0.568), "flops": (0.714, 0.519), "jacob_cov": (0.818, 0.632), "naswot": (0.792, 0.603),
        "epe_nas": (0.787, 0.589), "synflow": (0.732, 0.536), "l2_norm": (0.720, 0.527), "snip": (0.552, 0.400),
        "grad_norm": (0.550, 0.399), "fisher": (0.501, 0.360), "grasp": (0.491, 0.340), "zen": (0.101, 0.096),
        "plain": (-0.367, -0.244),
    }  # fmt: skip
    assert set(found.index) == set(expected)
    for proxy, coefficients in expected.items():
        # The source counts one sentinel among the scores of four proxies.
        assert found.loc[proxy, ["spearman", "kendall"]].tolist() == pytest.approx(coefficients, abs=0.0015), proxy
    assert found["failed"].to_dict() == dict.fromkeys(expected, 0) | dict.fromkeys(
        ("jacob_cov", "naswot", "epe_nas", "zen"), 1
    )


def test_ranking_joins_published_scores_with_the_benchmark(real_data, tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    import_table(harness.load("nats-tss"), real_data / "nats-tss.csv.gz")
    report = harness.rank(real_data / "published-scores-nats-tss-cifar10.csv.gz", benchmark="nats-tss")
    counts = report.correlations.groupby("set")["networks"].max().to_dict()
    assert counts == {"all": 9445, "connected": 9444, "reachable": 9445, "unique": 5260}
    facts = " ".join(report.heading.facts)
    assert "Sentinels counted as failures: EPE-NAS 1, Jacob cov 1, NASWOT 1, Zen-Score 1" in facts
    assert "do not fit" not in facts, "#Params of the table are the networks'"
