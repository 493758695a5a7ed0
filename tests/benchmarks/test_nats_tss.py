"""NATS-Bench's topology space: its networks, its sizes, and its ground truth from every source that is read."""

import shutil
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from harness_benchmarks.nats.archive import META_FILE
from harness_benchmarks.nats.tss import NatsTss
from harness_benchmarks.nb201.topology import OPERATIONS, SUBSETS, cell_string

from harness.data import import_table
from harness.data.local_tables import read_table
from harness.errors import DataError, HarnessError, UnknownNameError

BENCHMARK = NatsTss()
ARCHIVE = "NATS-tss-v1_0-3ffb9-simple"
SAMPLED = {
    0: "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
    11: "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|",
    284: "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|nor_conv_1x1~1|none~2|",
}


pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def complete(tmp_path):
    """A made-up but complete table."""
    accuracy = np.linspace(10, 95, 15_625)
    frame = pd.DataFrame({"arch": BENCHMARK.architectures(), "cifar10/test/200": accuracy})
    frame["cifar10/params"] = BENCHMARK.parameter_counts(list(frame["arch"]), "cifar10")
    return frame


def counted_parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def cells_by_convolutions():
    """A cell for each pair (3×3 convolutions, 1×1 convolutions)."""
    return {(a.count("nor_conv_3x3"), a.count("nor_conv_1x1")): a for a in BENCHMARK.architectures()}


class TestNetworks:
    @pytest.mark.parametrize("dataset", BENCHMARK.datasets)
    def test_logits_fit_the_task(self, dataset):
        task = BENCHMARK.task(dataset)
        network = BENCHMARK.build(SAMPLED[0], dataset)
        assert network.training
        assert network(torch.zeros(2, *task.image_shape)).shape == (2, task.classes)

    def test_tasks(self):
        tasks = [BENCHMARK.task(dataset) for dataset in BENCHMARK.datasets]
        assert [(task.image_shape, task.classes) for task in tasks] == [
            ((3, 32, 32), 10),
            ((3, 32, 32), 100),
            ((3, 16, 16), 120),
        ]

    @pytest.mark.parametrize("call", [BENCHMARK.build, BENCHMARK.parameters])
    @pytest.mark.parametrize("architecture", ["resnet18", "", SAMPLED[0][:-1], SAMPLED[0].replace("avg", "max")])
    def test_an_unknown_architecture_is_refused(self, call, architecture):
        with pytest.raises(HarnessError, match=r"does not describe a cell|unknown operation 'max_pool_3x3'"):
            call(architecture, "cifar10")

    def test_an_unknown_data_set_is_refused(self):
        with pytest.raises(UnknownNameError, match="did you mean 'cifar10'"):
            BENCHMARK.build(SAMPLED[0], "cifar-10")

    @pytest.mark.parametrize(("index", "millions"), [(0, 15.64737), (11, 113.95137), (284, 11.71521)])
    def test_multiply_adds_are_those_of_the_official_records(self, index, millions):
        from torch.utils.flop_counter import FlopCounterMode

        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            BENCHMARK.build(SAMPLED[index], "cifar10").eval()(torch.zeros(1, 3, 32, 32))
        assert counter.get_total_flops() / 2e6 == pytest.approx(millions, abs=1.1e-5)


class TestParameters:
    @pytest.mark.parametrize("dataset", BENCHMARK.datasets)
    def test_every_mix_of_operations_counts_as_the_built_network(self, dataset):
        """A cell of each of the 28 pairs of convolution counts."""
        for cell in cells_by_convolutions().values():
            with torch.device("meta"):
                built = counted_parameters(BENCHMARK.build(cell, dataset))
            assert BENCHMARK.parameters(cell, dataset) == built

    def test_an_operation_adds_the_same_on_every_edge_of_the_built_network(self):
        def built(*cell):
            with torch.device("meta"):
                return counted_parameters(BENCHMARK.build(cell_string(cell), "cifar10"))

        for operation in OPERATIONS:
            cells = [(*("none",) * edge, operation, *("none",) * (5 - edge)) for edge in range(6)]
            assert len({built(*cell) for cell in cells}) == 1

    def test_28_counts_for_28_mixes(self):
        counts = BENCHMARK.parameter_counts(BENCHMARK.architectures(), "cifar10")
        pairs = [(a.count("nor_conv_3x3"), a.count("nor_conv_1x1")) for a in BENCHMARK.architectures()]
        assert len(set(zip(pairs, counts, strict=True))) == len(set(pairs)) == len(set(counts)) == 28

    @pytest.mark.real_data
    @pytest.mark.parametrize("dataset", BENCHMARK.datasets)
    def test_every_cell_has_the_parameters_of_the_benchmark(self, real_data, dataset):
        published = pd.read_csv(real_data / "nats-tss.csv.gz", usecols=["arch", f"{dataset}/params"])
        counts = BENCHMARK.parameter_counts(list(published["arch"]), dataset)
        assert len(counts) == 15_625
        assert np.array_equal(counts, published[f"{dataset}/params"])


class TestArchitectures:
    def test_they_are_there_without_an_imported_table(self):
        assert len(BENCHMARK.architectures()) == 15_625

    @pytest.mark.parametrize(
        ("name", "size"), [("all", 15_625), ("connected", 15_284), ("reachable", 9_445), ("unique", 5_260)]
    )
    def test_sets(self, name, size):
        assert name in SUBSETS
        assert len(BENCHMARK.subset(name)) == size

    def test_a_sample_of_a_set_lies_in_it(self):
        belongs = BENCHMARK.membership("reachable")
        assert all(belongs(architecture) for architecture in BENCHMARK.sample(100, seed=0, subset="reachable"))

    def test_an_unknown_set_is_refused(self):
        with pytest.raises(UnknownNameError, match="did you mean 'unique'"):
            BENCHMARK.membership("uniqe")


class TestGroundTruth:
    def test_without_a_table_the_message_says_how_to_import_one_and_where_to_get_it(self):
        with pytest.raises(DataError, match=rf"harness data import nats-tss FILE .*{ARCHIVE}.*docs/data.md"):
            BENCHMARK.ground_truth("cifar10")

    def test_it_says_exactly_what_it_is(self, complete, tmp_path):
        complete.to_csv(tmp_path / "mine.csv", index=False)
        import_table(BENCHMARK, tmp_path / "mine.csv")
        truth = BENCHMARK.ground_truth("cifar10")
        assert truth.describe() == "cifar10 test top-1 accuracy (%), 200 epochs, mean over seeds"
        assert truth.source == "mine.csv"
        assert truth.higher_is_better
        assert list(truth.accuracy.index) == list(BENCHMARK.architectures())
        assert truth.accuracy.is_monotonic_increasing
        assert truth.accuracy.dtype == np.float64

    def test_a_truth_that_the_table_lacks_is_named(self, complete, tmp_path):
        complete.to_csv(tmp_path / "mine.csv", index=False)
        import_table(BENCHMARK, tmp_path / "mine.csv")
        with pytest.raises(DataError, match="has no column 'cifar10/x-valid/200'; it has cifar10/test/200"):
            BENCHMARK.ground_truth("cifar10", "x-valid")

    def test_a_truth_that_the_benchmark_lacks_is_named(self):
        with pytest.raises(UnknownNameError, match="unknown ground truth of nats-tss 'test/90'"):
            BENCHMARK.ground_truth("cifar10", "test", 90)

    def test_the_table_of_another_variant_is_refused(self, complete, tmp_path):
        complete["cifar10/params"] += 1
        complete.to_csv(tmp_path / "mine.csv", index=False)
        with pytest.raises(DataError, match="this table belongs to another benchmark or another network"):
            import_table(BENCHMARK, tmp_path / "mine.csv")

    def test_columns_say_what_they_hold_and_that_validation_of_cifar10_is_of_other_networks(self):
        truths = {name: truth.description for name, truth in BENCHMARK.table_format().truths.items()}
        assert len(truths) == 12
        assert "cifar10-valid" in truths["cifar10/x-valid/200"]
        assert "cifar10-valid" in truths["cifar10/val/12"]
        assert "cifar10-valid" not in truths["cifar10/test/200"] + truths["cifar100/x-valid/200"]

    @pytest.mark.real_data
    def test_the_real_table(self, real_data):
        summary = import_table(BENCHMARK, real_data / "nats-tss.csv.gz")
        assert summary.architectures == (15_625, 15_625)
        assert summary.ignored == ("index",)
        assert {column: round(value, 3) for column, (value, _) in summary.best.items() if "test/200" in column} == {
            "cifar10/test/200": 94.373,
            "cifar100/test/200": 73.513,
            "ImageNet16-120/test/200": 47.311,
        }
        published = pd.read_csv(real_data / "nats-tss.csv.gz", index_col="arch")
        for dataset, (split, epochs) in product(BENCHMARK.datasets, BENCHMARK.truths):
            truth = BENCHMARK.ground_truth(dataset, split, epochs)
            expected = published.loc[list(truth.accuracy.index), f"{dataset}/{split}/{epochs}"]
            np.testing.assert_allclose(truth.accuracy, expected, atol=6e-5)

    @pytest.mark.real_data
    @pytest.mark.parametrize("file", ["nats-sss.csv.gz", "nasbench101.csv.gz", "transnas-micro.csv.gz"])
    def test_tables_of_other_benchmarks_are_refused(self, real_data, file):
        with pytest.raises(DataError, match=r"unknown architecture|has no column 'arch'"):
            import_table(BENCHMARK, real_data / file)


@pytest.mark.real_data
class TestIndexedTables:
    @pytest.fixture
    def folder(self, tmp_path, real_data):
        """The layout of the small public files: tables by index, beside the archive's meta file."""
        published = pd.read_csv(real_data / "nats-tss.csv.gz")
        for dataset in BENCHMARK.datasets:
            path = tmp_path / "small" / dataset / "accuracies.csv"
            path.parent.mkdir(parents=True)
            table = published[["index", f"{dataset}/test/200"]].set_axis(["index", "accuracy"], axis=1)
            table.to_csv(path, index=False)
        shutil.copyfile(real_data / "nats-official-records" / ARCHIVE / META_FILE, tmp_path / "small" / META_FILE)
        return tmp_path / "small"

    def test_they_give_the_table_that_goes_by_strings(self, folder, real_data):
        import_table(BENCHMARK, real_data / "nats-tss.csv.gz")
        by_string = read_table("nats-tss", [f"{dataset}/test/200" for dataset in BENCHMARK.datasets])
        summary = import_table(BENCHMARK, folder)
        assert summary.architectures == (15_625, 15_625)
        assert "cifar100/accuracies.csv" in summary.source
        pd.testing.assert_frame_equal(read_table("nats-tss"), by_string)

    def test_the_meta_file_is_needed(self, folder):
        (folder / META_FILE).unlink()
        with pytest.raises(DataError, match=f"'small' has no {META_FILE}"):
            import_table(BENCHMARK, folder)

    @pytest.mark.parametrize(
        ("rows", "cause"),
        [
            ("number,accuracy\n0,90\n", "has no columns 'index'"),
            ("index,accuracy\nfirst,90\n", "has no columns 'index'"),
            ("index,accuracy\n15625,90\n", "there is no architecture 15625"),
            ("index,accuracy\n3,90\n3,91\n", "occurs more than once"),
            ("index,accuracy\n3,90\n", "not a number"),
        ],
    )
    def test_a_damaged_table_is_named(self, folder, rows, cause):
        (folder / "cifar100" / "accuracies.csv").write_text(rows)
        with pytest.raises(DataError, match=cause):
            import_table(BENCHMARK, folder)
