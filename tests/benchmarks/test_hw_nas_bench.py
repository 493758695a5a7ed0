"""HW-NAS-Bench's costs: the encoding of the cells, what an import refuses, and the real tables."""

import itertools

import numpy as np
import pandas as pd
import pytest
from harness_benchmarks.nats.hw_nas_bench import COSTS, architecture_of
from harness_benchmarks.nats.tss import NatsTss
from harness_benchmarks.nb201.dialects import NASLIB_EDGES, NASLIB_OPERATIONS
from harness_benchmarks.nb201.topology import enumerate_architectures, membership, parse_cell
from scipy.stats import spearmanr

from harness.analysis.budgets import budgets_table
from harness.analysis.joined import Joined
from harness.analysis.scores import ProxyScores
from harness.data import import_table
from harness.data.further_tables import importable
from harness.errors import DataError, UnknownNameError

NAME = "nats-tss-costs-cifar10"


@pytest.fixture
def frame():
    """Made-up costs of every cell: one for each operation, the more the heavier."""
    weight = {"skip_connect": 1, "none": 0, "nor_conv_3x3": 9, "nor_conv_1x1": 3, "avg_pool_3x3": 2}
    nets = list(itertools.product(range(5), repeat=6))
    cost = [1 + sum(weight[NASLIB_OPERATIONS[op]] for op in net) for net in nets]
    return pd.DataFrame({"net": [str(net) for net in nets], "edgegpu_latency": cost, "fpga_energy": cost})


def refusal(frame, path, **options):
    frame.to_csv(path, index=False)
    with pytest.raises(DataError) as caught:
        import_table(importable(NAME), path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_encoding_is_one_to_one_with_the_official_strings():
    nets = [str(net) for net in itertools.product(range(5), repeat=6)]
    assert sorted(map(architecture_of, nets)) == sorted(enumerate_architectures())


def test_places_are_the_edges_of_the_official_table():
    """Edges stand there by where they start: 0→1, 0→2, 0→3, 1→2, 1→3, 2→3."""
    assert architecture_of("(0, 1, 2, 3, 4, 1)") == (
        "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
    )


def test_each_place_is_the_operation_of_its_edge():
    for place, operation in itertools.product(range(6), range(5)):
        net = [1] * 6
        net[place] = operation
        found = dict(
            zip(((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)), parse_cell(architecture_of(str(net))), strict=True)
        )
        expected = dict.fromkeys(NASLIB_EDGES, "none") | {NASLIB_EDGES[place]: NASLIB_OPERATIONS[operation]}
        assert found == expected


@pytest.mark.parametrize("net", ["(4, 3, 3, 0, 0)", "(4, 3, 3, 0, 0, 5)", "433000", "__import__('os')", ""])
def test_what_is_no_cell_is_refused(net):
    with pytest.raises(DataError, match="is not a cell"):
        architecture_of(net)


def test_a_table_is_imported_and_read(home, tmp_path, frame):
    file = tmp_path / "costs.csv"
    frame.assign(edgetpu_latency=-1.0).to_csv(file, index=False)
    summary = import_table(importable(NAME), file)
    assert summary.architectures == (15_625, 15_625)
    assert summary.ignored == ("edgetpu_latency",)
    costs = NatsTss().costs("cifar10")
    assert list(costs.values.index) == list(enumerate_architectures())
    assert costs.meanings["edgegpu_latency"] == "Edge GPU latency (ms)"
    cell = architecture_of("(2, 2, 2, 2, 2, 2)")
    assert costs.values.loc[cell].to_dict() == {"edgegpu_latency": 55, "fpga_energy": 55}


def test_official_strings_do_as_well(home, tmp_path, frame):
    file = tmp_path / "costs.csv"
    frame.assign(arch=frame.pop("net").map(architecture_of)).to_csv(file, index=False)
    assert import_table(importable(NAME), file).architectures == (15_625, 15_625)


def test_what_is_not_these_costs_is_refused(home, tmp_path, frame):
    file = tmp_path / "costs.csv"
    assert "4 of 15,625 architectures are missing" in refusal(frame[:-4], file)
    assert "duplicate architecture" in refusal(pd.concat([frame, frame[:1]]), file)
    assert "'edgegpu_latency' has 0" in refusal(frame.assign(edgegpu_latency=frame["edgegpu_latency"] - 1), file)
    assert "which is not a number" in refusal(frame.assign(fpga_energy="slow"), file)
    assert "no costs column" in refusal(frame[["net"]], file)
    assert "'(9, 0, 0, 0, 0, 0)' is not a cell" in refusal(
        frame.replace({"net": {str((0,) * 6): "(9, 0, 0, 0, 0, 0)"}}), file
    )


def test_numbers_that_stand_for_other_operations_are_refused(home, tmp_path, frame):
    swapped = frame["net"].str.translate(str.maketrans("12", "21"))
    message = refusal(frame.assign(net=swapped), tmp_path / "costs.csv")
    assert "must mean 0 skip_connect, 1 none, 2 nor_conv_3x3" in message


def test_strings_beside_the_numbers_must_agree(home, tmp_path, frame):
    arch = frame["net"].map(architecture_of)
    assert "one of them is wrong" in refusal(frame.assign(arch=arch[::-1].to_numpy()), tmp_path / "costs.csv")


def test_without_a_table_the_message_says_what_to_import(home):
    with pytest.raises(DataError, match="harness data import nats-tss-costs-cifar100 FILE"):
        NatsTss().costs("cifar100")
    with pytest.raises(UnknownNameError):
        NatsTss().costs("mnist")


@pytest.fixture
def real(real_data, home):
    """The costs of the real file for CIFAR-10."""
    import_table(importable(NAME), real_data / "hw-nas-bench-nats-tss-cifar10.csv.gz")
    return NatsTss().costs("cifar10").values


@pytest.mark.real_data
def test_the_real_table_has_eight_costs_of_every_cell(real):
    assert list(real.columns) == list(COSTS)
    assert real.shape == (15_625, 8)
    assert (real > 0).all(axis=None)


@pytest.mark.real_data
@pytest.mark.parametrize("column", ["edgegpu_latency", "raspi4_latency", "pixel3_latency"])
def test_the_cheapest_measured_networks_are_those_without_a_path(real, column):
    """What is not connected computes nothing: this shows the order of the edges, which counts of operations do not."""
    connected = np.array([membership("connected")(cell) for cell in real.index])
    cheapest = real[column].to_numpy().argsort()[:200]
    assert not connected[cheapest].any()


@pytest.mark.real_data
def test_simulated_costs_depend_on_the_operations_alone_and_grow_with_convolutions(real):
    counts = [str([cell.count(operation) for operation in NASLIB_OPERATIONS]) for cell in real.index]
    for column in ("eyeriss_latency", "eyeriss_energy", "fpga_latency", "fpga_energy"):
        grouped = real[column].groupby(np.array(counts))
        assert ((grouped.max() - grouped.min()) / grouped.min()).max() < 1e-4
    params = NatsTss().parameter_counts(list(real.index), "cifar10")
    assert spearmanr(params, real["fpga_latency"]).statistic > 0.85


PUBLISHED_LOSSES = {
    "params": (2.1, 0.7, 1.9, 1.5, 1.2),
    "synflow": (0.6, 2.8, 2.1, 3.2, 1.2),
    "epe_nas": (3.6, 1.6, 1.4, 1.4, 1.2),
    "nwot": (9.7, 9.7, 4.5, 5.5, 1.8),
    "jacov": (4.7, 4.7, 1.2, 2.4, 2.5),
    **dict.fromkeys(("grad_norm", "snip", "fisher", "grasp"), (9.7, 9.7, 9.9, 9.9, 10.1)),
}
"""Accuracy lost to the best feasible cell under edge GPU latency, computed elsewhere from the same scores."""


@pytest.mark.real_data
def test_losses_under_latency_budgets_are_those_of_another_computation(real, real_data):
    """Up to the truth, there one seed's, here a mean over seeds; and the ties of #Params, there broken by order."""
    scores = pd.read_csv(real_data / "published-scores-nats-tss-cifar10.csv.gz", index_col="net_str")
    truth = pd.read_csv(real_data / "nats-tss.csv.gz", index_col="arch")["cifar10/x-valid/200"].reindex(scores.index)
    ok = np.zeros(len(scores), dtype=np.int8)
    proxies = {name: ProxyScores(scores[name].to_numpy(dtype=float), ok) for name in PUBLISHED_LOSSES}
    latency = real["edgegpu_latency"].reindex(scores.index)
    table = budgets_table(Joined(scores.index, truth.to_numpy(), proxies), latency.to_numpy())
    ours = table.pivot(index="row", columns="quantile", values="regret").loc[list(PUBLISHED_LOSSES)]
    theirs = np.array(list(PUBLISHED_LOSSES.values()))
    assert np.abs(ours.to_numpy() - theirs).max() < 1.7
    assert np.abs(ours.to_numpy() - theirs)[:6].mean() < 0.6
    assert spearmanr(ours.to_numpy().ravel(), theirs.ravel()).statistic > 0.9
    # The same cells are chosen: these four agree, and so does NASWOT under the two smallest budgets.
    assert (ours.loc[["snip", "fisher", "grasp"]] == ours.loc["grad_norm"]).all(axis=None)
    assert (ours.loc["nwot"].to_numpy()[:2] == ours.loc["grad_norm"].to_numpy()[:2]).all()
    tied = table[(table["tied"] > 1) & table["row"].isin(PUBLISHED_LOSSES)]
    assert set(tied["row"]) == {"params"}
    feasible = [latency[latency <= budget].index for budget in table["budget"].unique()]
    first = [truth[cells].max() - truth[scores.loc[cells, "params"].idxmax()] for cells in feasible]
    assert np.abs(np.array(first) - PUBLISHED_LOSSES["params"]).max() < 0.45
