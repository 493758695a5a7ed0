"""Runs that are made up of scores and accuracies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.analysis.joined import Joined
from harness.analysis.scores import ProxyScores


def joined(scores, accuracy, architectures=None):
    """Scores of each proxy beside accuracies, both as they are; NaN where there is no score."""
    n = len(accuracy)
    return Joined(
        architectures=pd.Index([f"a{i}" for i in range(n)] if architectures is None else architectures),
        accuracy=np.asarray(accuracy, dtype=float),
        proxies={
            name: ProxyScores(np.asarray(values, dtype=float), np.zeros(n, dtype=np.int8))
            for name, values in scores.items()
        },
    )
