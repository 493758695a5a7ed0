"""Tables of costs: imported like accuracies, under a name of their own for each data set."""

import re

import pandas as pd
import pytest
from rich.console import Console

from harness.contracts.benchmark import Benchmark
from harness.data import TableFormat, Truth, import_table
from harness.data.device_costs import read_costs
from harness.data.further_tables import CostTable, cost_table_name, further_tables, importable
from harness.data.local_tables import read_table, table_path
from harness.data.status import print_data_status
from harness.data.verify import verify
from harness.errors import DataError, UnknownNameError

FORMAT = TableFormat(
    architectures=lambda: ["a", "b"],
    truths={"watch_latency": Truth("Watch latency (ms)", (1e-6, 1e9), 6, higher_is_better=False)},
    essential=("watch_latency",),
    seeds="one measurement",
    parameters=lambda architectures, dataset: None,
    datasets=(),
    obtain="FILE is the stopwatch's table",
    kind="costs",
)


pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "watch.csv"
    pd.DataFrame({"arch": ["b", "a"], "watch_latency": [2.5, 0.25], "note": ["x", "y"]}).to_csv(path, index=False)
    return path


TABLE = CostTable("toy-costs-mnist", FORMAT)


def test_what_was_imported_is_read_with_its_meaning(file):
    summary = import_table(TABLE, file)
    text = "\n".join(summary.lines())
    for words in ("imported the costs of toy-costs-mnist", " 0.250", "unused columns: note"):
        assert words in text
    found = read_costs("toy", "mnist", FORMAT)
    assert found.values["watch_latency"].to_dict() == {"a": 0.25, "b": 2.5}
    assert found.meanings == {"watch_latency": "Watch latency (ms)"}
    assert found.source == "watch.csv"


def test_without_a_table_the_message_says_how_to_import_one():
    with pytest.raises(DataError, match=r"no costs of toy for mnist .* harness data import toy-costs-mnist FILE"):
        read_costs("toy", "mnist", FORMAT)


@pytest.mark.parametrize("value", ["0", "-1", "inf", "", "fast"])
def test_a_cost_is_a_positive_number(file, value):
    file.write_text(f"arch,watch_latency\na,1\nb,{value}\n")
    with pytest.raises(DataError, match="watch_latency"):
        import_table(TABLE, file)
    assert not table_path(TABLE.name).exists()


def test_another_table_is_refused(file):
    file.write_text("arch,speed\na,1\nb,2\n")
    with pytest.raises(DataError, match="no costs column: it needs at least one of watch_latency"):
        import_table(TABLE, file)


def test_every_data_set_of_a_benchmark_with_costs_has_a_name():
    assert {"nats-tss-costs-cifar10", "nats-tss-costs-cifar100", "nats-tss-costs-ImageNet16-120"} <= set(
        further_tables()
    )
    assert isinstance(importable("nats-tss"), Benchmark)
    assert isinstance(importable("nats-tss-costs-cifar10"), CostTable)
    with pytest.raises(UnknownNameError, match="did you mean 'nats-tss-costs-cifar10'"):
        importable("nats-tss-costs-cifar1")


def said():
    console = Console(width=300, record=True)
    print_data_status(console)
    return re.sub(r" +", " ", console.export_text())


@pytest.fixture
def only_the_toy(monkeypatch):
    for module in ("status", "verify"):
        monkeypatch.setattr(f"harness.data.{module}.further_tables", lambda: {TABLE.name: TABLE})


def test_status_and_verify_know_it(file, only_the_toy):
    assert "toy-costs-mnist missing harness data import toy-costs-mnist FILE" in said()
    assert not verify(TABLE.name)[0].right
    import_table(TABLE, file)
    assert "costs watch_latency" in said()
    (finding,) = verify(TABLE.name)
    assert finding.right and "2 of 2 architectures" in finding.words
    table_path(TABLE.name).write_bytes(b"PAR1 damaged")
    assert "damaged" in said()
    assert not verify(TABLE.name)[0].right


def test_accuracies_and_costs_are_two_tables(file):
    import_table(TABLE, file)
    assert table_path("toy-costs-mnist") != table_path("toy")
    assert list(read_table("toy-costs-mnist").columns) == ["watch_latency"]
    assert cost_table_name("toy", "mnist") == "toy-costs-mnist"
