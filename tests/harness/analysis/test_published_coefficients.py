"""Known coefficients on the real NAS-Bench-201 are met."""

import pandas as pd
import pytest
from scipy import stats

from harness.analysis import kendall, spearman

pytestmark = pytest.mark.real_data

# (Spearman, Kendall) on CIFAR-10 of the scores that NAS-Bench-Suite-Zero published, over the 9,445 cells without
# unreachable operations, against the accuracy of one of its trainings.
SUITE_ZERO = {
    "params": (0.747, 0.568),
    "flops": (0.714, 0.519),
    "jacov": (0.818, 0.632),
    "nwot": (0.792, 0.603),
    "epe_nas": (0.787, 0.589),
    "synflow": (0.732, 0.536),
    "l2_norm": (0.720, 0.527),
    "snip": (0.552, 0.400),
    "grad_norm": (0.550, 0.399),
    "fisher": (0.501, 0.360),
    "grasp": (0.491, 0.340),
    "zen": (0.101, 0.096),
    "plain": (-0.367, -0.244),
}


@pytest.fixture(scope="module")
def nats_tss(real_data):
    return pd.read_csv(real_data / "nats-tss.csv.gz").set_index("arch")


@pytest.fixture(scope="module")
def published(real_data):
    return pd.read_csv(real_data / "published-scores-nats-tss-cifar10.csv.gz").set_index("net_str")


@pytest.mark.parametrize(
    ("dataset", "tau", "rho"),
    [("cifar10", 0.578, 0.753), ("cifar100", 0.553, 0.728), ("ImageNet16-120", 0.520, 0.691)],
)
def test_params_over_all_15625_cells(nats_tss, dataset, tau, rho):
    params, accuracy = nats_tss[f"{dataset}/params"], nats_tss[f"{dataset}/test/200"]
    found_tau, found_rho = kendall(params, accuracy), spearman(params, accuracy)
    assert found_tau.networks == 15_625
    assert found_tau.value == pytest.approx(tau, abs=0.001)
    assert found_rho.value == pytest.approx(rho, abs=0.001)
    assert 0.01 < found_tau.high - found_tau.low < 0.02


def test_published_scores_rank_as_scipy_says(nats_tss, published):
    accuracy = nats_tss.loc[published.index, "cifar10/x-valid/200"]
    assert set(published.columns) == set(SUITE_ZERO)
    for score in (published[proxy] for proxy in SUITE_ZERO):
        assert kendall(score, accuracy).value == pytest.approx(stats.kendalltau(score, accuracy).statistic, abs=1e-12)
        assert spearman(score, accuracy).value == pytest.approx(stats.spearmanr(score, accuracy).statistic, abs=1e-12)


def test_published_scores_rank_as_published_up_to_the_seed_of_the_truth(nats_tss, published):
    # The published truth is one training's accuracy, which the ground truth here, a mean over seeds, is not.
    accuracy = nats_tss.loc[published.index, "cifar10/x-valid/200"]
    for proxy, (rho, tau) in SUITE_ZERO.items():
        assert spearman(published[proxy], accuracy).value == pytest.approx(rho, abs=0.015), proxy
        assert kendall(published[proxy], accuracy).value == pytest.approx(tau, abs=0.015), proxy
