"""Cells from the whole of NAS-Bench-101, built: each network has the parameters that were published."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from harness_benchmarks.nasbench101.cell import Cell
from harness_benchmarks.nasbench101.network import CellNetwork

CELLS = 2_000

pytestmark = [pytest.mark.nightly, pytest.mark.real_data]


@pytest.fixture(scope="module")
def published(real_data):
    """Cells evenly spread over the table in the order of their hashes, the first and the last included."""
    columns = ["hash", "vertices", "adjacency_bits", "ops", "params"]
    table = pd.read_csv(real_data / "nasbench101.csv.gz", usecols=columns, dtype={"ops": "str"}).sort_values("hash")
    return table.iloc[np.linspace(0, len(table) - 1, CELLS).round().astype(int)]


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Parameters are made and not filled: drawing their values takes two thirds of the time and counts none."""
    for draw in ("uniform_", "normal_"):
        monkeypatch.setattr(torch.Tensor, draw, lambda tensor, *_, **__: tensor)


def differing(rows):
    """The cells whose networks have other parameters than published: built and published counts by hash."""
    wrong = {}
    for name, vertices, bits, operations, stated in rows.itertuples(index=False):
        network = CellNetwork(Cell(vertices, bits, operations.replace("-", "")), classes=10)
        assert all(parameter.device.type == "cpu" for parameter in network.parameters())
        built = sum(parameter.numel() for parameter in network.parameters())
        if built != stated:
            wrong[name] = (built, stated)
    return wrong


def test_2000_networks_have_the_published_parameters(published):
    assert published["hash"].is_unique and len(published) == CELLS
    assert set(published["vertices"]) >= {5, 6, 7}
    assert differing(published) == {}


def test_a_wrong_count_would_be_found(published):
    rows = published.head(2)
    assert set(differing(rows.assign(params=rows["params"] + 1))) == set(rows["hash"])
