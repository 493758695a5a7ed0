"""A small correlation table with every kind of row, and what belongs to it."""

import numpy as np
import pandas as pd
import pytest

from harness.contracts.ground_truth import GroundTruth
from harness.reporting import Heading

NAN = float("nan")


def row(subset, proxy, kendall, difference, p_value, verdict, networks=1000, **counts):
    """A row of the correlation table with plain intervals around its values."""
    failed, non_finite, skipped = (counts.get(name, 0) for name in ("failed", "non_finite", "skipped"))
    used = networks - failed - non_finite - skipped
    return {
        "set": subset,
        "proxy": proxy,
        "networks": networks,
        "ok": used,
        "failed": failed,
        "non_finite": non_finite,
        "skipped": skipped,
        "used": used,
        "distinct": counts.get("distinct", used),
        "tied_pairs": 0.0,
        "kendall": kendall,
        "kendall_low": kendall - 0.031,
        "kendall_high": kendall + 0.029,
        "spearman": kendall + 0.15,
        "spearman_low": kendall + 0.11,
        "spearman_high": kendall + 0.18,
        "difference": difference,
        "difference_low": difference - 0.012,
        "difference_high": difference + 0.013,
        "p_value": p_value,
        "verdict": verdict,
        "spearman_difference": difference,
    }


@pytest.fixture
def table():
    return pd.DataFrame(
        [
            row("all", "nwot", 0.61234567890123456, 0.0344, 0.00002, "win", skipped=12),
            row("all", "params", 0.5778, NAN, NAN, "baseline", distinct=28),
            row("all", "jacob_cov", 0.5701, -0.0077, 0.41, "tie"),
            row("all", "plain", -0.2442, -0.822, 0.0, "loss"),
            row("all", "broken", NAN, NAN, NAN, "undefined", failed=997, non_finite=3),
            row("connected", "params", 0.5601, NAN, NAN, "baseline", networks=978, distinct=28),
            row("connected", "nwot", 0.5556, -0.0046, 0.7, "tie", networks=978),
        ]
    )


@pytest.fixture
def costs(table):
    proxies = list(dict.fromkeys(table["proxy"]))
    return pd.DataFrame(
        {
            "proxy": proxies,
            "networks": 1000,
            "own_ms": [12.5, 0.02, 8.0, 3.25, NAN],
            "standalone_ms": [40.0, 0.02, 66.0, 31.0, NAN],
            "own_ratio": [0.4, 0.0006, 0.25, 0.1, NAN],
            "standalone_ratio": [1.29, 0.0006, 2.13, 1.0, NAN],
        }
    )


@pytest.fixture
def heading():
    return Heading(
        benchmark="NATS-Bench topology space",
        dataset="cifar10",
        networks=1000,
        subset="all",
        seed=0,
        ground_truth="cifar10 test top-1 accuracy (%), 200 epochs, mean over seeds",
        images="CIFAR-10 training images",
        batch_size=64,
        facts=("torch 2.13.0",),
    )


@pytest.fixture
def labels():
    return {"params": "#Params", "nwot": "NASWOT"}


@pytest.fixture
def truth():
    architectures = [f"|cell~{number}|" for number in range(60)]
    accuracy = pd.Series(np.linspace(80.0, 94.0, 60), index=architectures)
    accuracy.iloc[0] = 10.0
    return GroundTruth(
        "nats-tss", "cifar10", "test", 200, "mean over seeds", "top-1 accuracy (%)", True, "a table", accuracy
    )


@pytest.fixture
def scores(truth):
    """Every proxy of the table on every architecture; plain falls, jacob_cov has a missing value, broken has none."""
    rising = np.arange(60.0)
    values = {
        "nwot": rising,
        "params": rising // 10,
        "jacob_cov": np.where(rising == 5, np.inf, rising),
        "plain": -rising,
        "broken": np.full(60, NAN),
    }
    return pd.DataFrame(
        [
            {"architecture": name, "proxy": proxy, "status": "ok" if np.isfinite(value) else "failed", "value": value}
            for proxy, column in values.items()
            for name, value in zip(truth.accuracy.index, column, strict=True)
        ]
    )
