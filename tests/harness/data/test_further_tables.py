"""Tables besides accuracies: names, what benchmarks declare, and getting one from a local server."""

import re
from dataclasses import replace

import pytest
from rich.console import Console
from test_device_costs import FORMAT
from toy_downloads import Toy, files

from harness.data import FurtherTable, get, status, verify
from harness.data.further_tables import further_tables, sources_of
from harness.data.get import GetOptions
from harness.data.image_sources import IMAGE_SOURCES
from harness.data.local_tables import read_table
from harness.data.sources import Files, Sources
from harness.errors import HarnessError
from harness.registry import benchmark_classes, load_benchmark

CSV = "arch,watch_latency\na,1.5\nb,2.5\n"
NAME = "toy-costs-mnist"


def test_names_are_of_one_thing_each():
    assert not set(further_tables()) & ({*benchmark_classes(), *IMAGE_SOURCES})
    assert {"nats-tss-costs-cifar100", "nats-tss-costs-cifar10-help", "nats-tss-robust-cifar10"} <= set(
        further_tables()
    )
    kinds = {name: type(table).__name__ for name, table in further_tables().items()}
    assert kinds["nats-tss-costs-cifar10-help"] == kinds["nats-tss-costs-cifar10"] == "CostTable"
    assert kinds["nats-tss-robust-cifar10"] == "FurtherTable"


@pytest.mark.parametrize("name", further_tables())
def test_a_format_is_whole(name):
    table_format = further_tables()[name].table_format()
    assert set(table_format.essential) <= set(table_format.truths)
    assert all(truth.description for truth in table_format.truths.values())
    for words in (table_format.obtain, table_format.seeds, table_format.kind):
        assert words and "\n" not in words
    assert f"harness data get {name}" in table_format.obtain or sources_of(further_tables()[name]) is None


@pytest.mark.parametrize("name", benchmark_classes())
def test_every_further_truth_is_a_column_of_one_table(name):
    benchmark = load_benchmark(name)
    tables = [set(table.format.truths) for table in further_tables().values() if table.name.startswith(f"{name}-")]
    for dataset in benchmark.datasets:
        further = benchmark.further_truths(dataset)
        assert not set(further) & set(benchmark.truths_of(dataset))
        for split, epochs in further:
            assert sum(f"{dataset}/{split}/{epochs}" in columns for columns in tables) == 1
            assert benchmark.choose_truth(dataset, split, epochs) == (split, epochs)


@pytest.fixture
def table(home, server, monkeypatch):
    """The only further table, with a file from a local server; the toy is the only benchmark."""
    toy = FurtherTable(NAME, replace(FORMAT, sources=Sources(files(server, "the watch", "watch.csv", CSV))))
    for module in (get, verify, status):
        monkeypatch.setattr(module, "further_tables", lambda: {NAME: toy})
        monkeypatch.setattr(module, "benchmark_classes", lambda: {"toy": Toy})
        monkeypatch.setattr(module, "IMAGE_SOURCES", {})
    monkeypatch.setattr(Toy, "declared", Sources(files(server, "a little", "little.csv", "")), raising=False)
    monkeypatch.setattr(status, "load_benchmark", lambda name: Toy())
    return toy


def got(**options):
    said = []
    get.get(NAME, GetOptions(**options), said.append)
    return "\n".join(said)


def test_it_is_downloaded_imported_and_verified(table, home, server):
    assert [finding.words for finding in verify.verify(NAME)] == [f"missing; get it with: harness data get {NAME}"]
    assert f"{NAME} missing harness data get {NAME}" in shown()
    text = got()
    assert "sha256 verified" in text and f"imported the costs of {NAME} from watch.csv" in text
    assert read_table(NAME)["watch_latency"].tolist() == [1.5, 2.5]
    assert f"the table {NAME} exists already" in (again := got()) and "nothing was downloaded" in again
    assert server.asked == ["/watch.csv"]
    assert [finding.right for finding in verify.verify(NAME)] == [True, True]
    assert "download watch.csv" in shown()
    (home / "downloads" / NAME / "watch.csv").write_text("damaged")
    assert [finding.right for finding in verify.verify(NAME)] == [True, False]


def shown():
    console = Console(width=300, record=True)
    status.print_data_status(console)
    return re.sub(r" +", " ", console.export_text())


def test_what_cannot_be_got_is_said(table, monkeypatch):
    with pytest.raises(HarnessError, match=f"{NAME} has no larger version of its costs: omit --full"):
        got(full=True)
    bare = FurtherTable(NAME, FORMAT)
    monkeypatch.setattr(get, "further_tables", lambda: {NAME: bare})
    with pytest.raises(HarnessError, match=f"{NAME} declares no download for its costs; FILE is the stopwatch's table"):
        got()
    assert [source for source in (sources_of(bare), sources_of(table)) if isinstance(source, Sources)] != []
    assert isinstance(sources_of(table).standard, Files)
