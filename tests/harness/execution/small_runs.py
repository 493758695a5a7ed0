"""Small runs of the embedded benchmark, and the scores that they stored."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.execution.options import RunOptions
from harness.execution.plan import make_plan
from harness.store import Store

PROXIES = "params,snip,naswot,zico"
KEPT = ["architecture", "proxy", "version", "seed", "status", "value", "error"]


def digits_plan(sample=6, proxies=PROXIES, batch_size=16):
    return make_plan("digits", RunOptions(proxies=proxies, sample=sample, batch_size=batch_size))


def scores(directory) -> pd.DataFrame:
    with Store.read(Path(directory)) as store:
        return store.scores()[KEPT]
