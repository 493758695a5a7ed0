"""A baseline of a small run, and runs that differ from it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.gate import freeze
from harness.gate.costs import OwnCosts, Place
from harness.gate.measure_costs import representative
from harness.results import open_run


@pytest.fixture(scope="session")
def run(digits_runs):
    return open_run(digits_runs[0])


@pytest.fixture(scope="session")
def costs(run):
    """From a hundredth of a pass to three, on twelve networks."""
    names = sorted(run.scores["proxy"].unique())
    networks = representative(run.scores)
    passes = np.random.default_rng(0).uniform(0.9, 1.1, (len(networks), 1)) * np.geomspace(0.01, 3, len(names))
    table = pd.DataFrame(passes, index=networks, columns=names)
    return OwnCosts(table, pd.Series(0.02, index=networks), Place("abacus", "processor", run.setting.torch))


@pytest.fixture(scope="session")
def dearer(costs):
    """The costs with those of one proxy, or of the calls, grown by a factor or by one for each network."""

    def grow(name, factor):
        if name == "calls":
            return replace(costs, calls=costs.calls * factor)
        return replace(costs, passes=costs.passes.assign(**{name: costs.passes[name] * factor}))

    return grow


@pytest.fixture(scope="session")
def baseline(run, costs):
    return freeze(run, costs)


@pytest.fixture
def altered(run):
    """The run with some rows of its scores changed: ``altered("snip", value=lambda v: -v)``."""

    def alter(proxy, **changes):
        scores = run.scores.copy()
        rows = scores["proxy"] == proxy
        for column, change in changes.items():
            scores.loc[rows, column] = change(scores.loc[rows, column])
        return replace(run, scores=scores)

    return alter


@pytest.fixture
def verdict():
    """The verdict of each proxy that is not the same."""
    return lambda checked: {row.proxy: row.verdict for row in checked.rows if row.verdict != "same"}
