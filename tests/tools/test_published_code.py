"""The published code that the harness is measured against computes the same scores, so the race is fair."""

import math

import pytest
import torch
from harness_benchmarks.nb201.cells import CellNetwork
from harness_benchmarks.nb201.topology import parse_cell

from harness.images import Batch
from harness.probe import Probe
from harness.registry import select_proxies
from tools.perf.published_code import PUBLISHED, one_by_one

CELL = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"


@pytest.fixture(scope="module")
def drawn():
    torch.manual_seed(0)
    network = CellNetwork(parse_cell(CELL), (4, 8, 8), 1, 5).double().train()
    return network, Batch(torch.randn(8, 3, 16, 16, dtype=torch.float64), torch.arange(8) % 5)


@pytest.fixture(scope="module")
def published(drawn):
    return one_by_one(*drawn)


def test_a_network_that_lets_nothing_through_has_no_jacobian(drawn):
    nothing = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    network = CellNetwork(parse_cell(nothing), (4, 8, 8), 1, 5).double().train()
    (proxy,) = select_proxies("jacob_cov")
    assert math.isnan(one_by_one(network, drawn[1])["jacob_cov"])
    assert math.isnan(proxy(Probe(network, [drawn[1]])))


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_gives_the_harness_scores(name, drawn, published):
    network, batch = drawn
    (proxy,) = select_proxies(name)
    assert published[name] == pytest.approx(proxy(Probe(network, [batch])), rel=1e-9)
