"""NATS-Bench's size space: its networks, its sizes, and its ground truth from every source that is read."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from harness_benchmarks.nats.archive import META_FILE, read_order
from harness_benchmarks.nats.sss import CANDIDATES, CELL, SIZE, NatsSss
from harness_benchmarks.nb201 import topology

from harness.analysis import kendall, spearman
from harness.data import import_table
from harness.data.local_tables import table_path
from harness.errors import DataError, HarnessError, UnknownNameError

BENCHMARK = NatsSss()
ARCHIVE = "NATS-sss-v1_0-50262-simple"
SAMPLED = {0: "8:8:8:8:8", 11: "8:8:8:16:32", 284: "8:8:40:32:40"}
CORNERS = [":".join(map(str, widths)) for widths in itertools.product((8, 64), repeat=5)]


pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def made_up():
    """A made-up but complete table; not to be changed."""
    frame = pd.DataFrame({"arch": BENCHMARK.architectures(), "cifar10/test/90": np.linspace(10, 95, 32_768)})
    frame["cifar10/params"] = BENCHMARK.parameter_counts(list(frame["arch"]), "cifar10")
    return frame


@pytest.fixture
def complete(made_up):
    """The same, for a test to damage."""
    return made_up.copy()


def counted_parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def on_meta(architecture, dataset):
    with torch.device("meta"):
        return BENCHMARK.build(architecture, dataset)


def multiply_adds(architectures, dataset):
    """Those of the convolutions and the classifier, from the widths alone, (architectures,)."""
    task = BENCHMARK.task(dataset)
    first, second, third, fourth, fifth = np.array([a.split(":") for a in architectures], dtype=int).T
    cells = [45 * first**2, *(27 * w**2 + (18 + (w != v)) * v * w for v, w in ((second, third), (fourth, fifth)))]
    reductions = [9 * w**2 + 10 * v * w for v, w in ((first, second), (third, fourth))]
    pixels = task.image_shape[-1] ** 2
    convolutions = pixels * (27 * first + cells[0])
    convolutions += pixels // 4 * (reductions[0] + cells[1]) + pixels // 16 * (reductions[1] + cells[2])
    return convolutions + task.classes * fifth


def import_frame(frame, folder, **options):
    frame.to_parquet(folder / "mine.parquet", index=False)
    return import_table(BENCHMARK, folder / "mine.parquet", **options)


class TestNetworks:
    @pytest.mark.parametrize("dataset", BENCHMARK.datasets)
    @pytest.mark.parametrize("architecture", SAMPLED.values())
    def test_logits_and_features_fit_the_task(self, architecture, dataset):
        task = BENCHMARK.task(dataset)
        network = BENCHMARK.build(architecture, dataset)
        images = torch.zeros(2, *task.image_shape)
        assert network.training
        assert network(images).shape == (2, task.classes)
        width, side = int(architecture.split(":")[-1]), task.image_shape[-1] // 4
        assert network.forward_features(images).shape == (2, width, side, side)

    def test_each_layer_has_its_own_width_and_the_second_and_fourth_halve_the_image(self):
        network = BENCHMARK.build("16:24:32:40:48", "cifar10")
        features = network.stem(torch.zeros(2, 3, 32, 32))
        shapes = [features.shape[1:]]
        for block in network.blocks:
            features = block(features)
            shapes.append(features.shape[1:])
        assert shapes == [(16, 32, 32), (16, 32, 32), (24, 16, 16), (32, 16, 16), (40, 8, 8), (48, 8, 8)]

    @pytest.mark.real_data
    def test_the_cell_is_the_one_that_the_archive_names(self, real_data):
        from nats_bench import create

        api = create(str(real_data / "nats-official-records" / ARCHIVE), "size", fast_mode=True, verbose=False)
        for index, architecture in SAMPLED.items():
            stated = api.get_net_config(index, "cifar10")
            assert stated["genotype"] == CELL
            assert stated["channels"] == architecture

    def test_no_two_networks_have_the_same_shape(self):
        """Widths stand in the shapes, so that every architecture is a functional class of its own."""
        sample = BENCHMARK.sample(100, seed=1)
        shapes = {
            tuple(tuple(parameter.shape) for parameter in on_meta(architecture, "cifar10").parameters())
            for architecture in sample
        }
        assert len(shapes) == len(sample)

    @pytest.mark.parametrize("call", [BENCHMARK.build, BENCHMARK.parameters])
    @pytest.mark.parametrize(
        ("architecture", "cause"),
        [
            ("", "one has five widths"),
            ("8:8:8:8", "one has five widths"),
            ("8:8:8:8:8:8", "one has five widths"),
            (CELL, "one has five widths"),
            ("8:8:8:72:8", "layer 4 has the width '72'; known: 8, 16, 24, 32, 40, 48, 56, 64"),
            ("8:12:8:8:8", "layer 2 has the width '12'"),
            ("08:8:8:8:8", "layer 1 has the width '08'"),
            ("8:8:8:8: 8", "layer 5 has the width ' 8'"),
            ("8:8:8:8:", "layer 5 has the width ''"),
            ("8:8:-8:8:8", "layer 3 has the width '-8'"),
        ],
    )
    def test_an_unknown_architecture_is_refused(self, call, architecture, cause):
        with pytest.raises(HarnessError, match=cause):
            call(architecture, "cifar10")

    def test_an_unknown_data_set_is_refused(self):
        with pytest.raises(UnknownNameError, match="did you mean 'cifar100'"):
            BENCHMARK.build(SAMPLED[0], "cifar-100")

    @pytest.mark.parametrize(
        ("index", "millions"),
        [
            (0, (4.481114, 4.481924, 1.121336)),
            (11, (6.84065, 6.84362, 1.71404)),
            (284, (21.827994, 21.831684, 5.461816)),
        ],
    )
    def test_multiply_adds_are_those_of_the_official_records(self, index, millions):
        """To the last digit: the records count the classifier's bias too, one for each class."""
        from torch.utils.flop_counter import FlopCounterMode

        for dataset, published in zip(BENCHMARK.datasets, millions, strict=True):
            task = BENCHMARK.task(dataset)
            with torch.device("meta"), FlopCounterMode(display=False) as counter:
                BENCHMARK.build(SAMPLED[index], dataset).eval()(torch.zeros(1, *task.image_shape))
            assert counter.get_total_flops() / 2e6 + task.classes / 1e6 == pytest.approx(published, abs=1e-9)
            assert counter.get_total_flops() / 2 == multiply_adds([SAMPLED[index]], dataset)


class TestParameters:
    @pytest.mark.parametrize(
        "dataset", ["cifar10", *(pytest.param(d, marks=pytest.mark.nightly) for d in BENCHMARK.datasets[1:])]
    )
    def test_the_count_is_that_of_the_built_network(self, dataset):
        """All 32 corners of the space and 200 networks drawn at random."""
        architectures = [*CORNERS, *BENCHMARK.sample(200, seed=0)]
        built = [counted_parameters(on_meta(architecture, dataset)) for architecture in architectures]
        assert BENCHMARK.parameter_counts(architectures, dataset).tolist() == built

    def test_the_count_of_one_is_that_of_many(self):
        counts = BENCHMARK.parameter_counts(CORNERS, "cifar100")
        assert [BENCHMARK.parameters(architecture, "cifar100") for architecture in CORNERS] == counts.tolist()

    def test_no_architecture_no_count(self):
        assert BENCHMARK.parameter_counts([], "cifar10").shape == (0,)

    @pytest.mark.real_data
    @pytest.mark.parametrize("dataset", BENCHMARK.datasets)
    def test_every_network_has_the_parameters_of_the_benchmark(self, real_data, dataset):
        published = pd.read_csv(real_data / "nats-sss.csv.gz", usecols=["arch", f"{dataset}/params"])
        counts = BENCHMARK.parameter_counts(list(published["arch"]), dataset)
        assert len(counts) == 32_768
        assert np.array_equal(counts, published[f"{dataset}/params"])


class TestArchitectures:
    def test_every_mix_of_widths_once(self):
        architectures = BENCHMARK.architectures()
        assert len(architectures) == len(set(architectures)) == len(CANDIDATES) ** 5 == 32_768
        assert (architectures[0], architectures[-1]) == ("8:8:8:8:8", "64:64:64:64:64")
        assert {index: architectures[index] for index in SAMPLED} == SAMPLED

    @pytest.mark.real_data
    def test_they_stand_in_the_official_order(self, real_data):
        published = pd.read_csv(real_data / "nats-sss.csv.gz", usecols=["index", "arch"])
        assert published["index"].tolist() == list(range(32_768))
        assert published["arch"].tolist() == list(BENCHMARK.architectures())
        assert read_order(real_data / "nats-official-records" / ARCHIVE / META_FILE, archive=SIZE) == list(
            BENCHMARK.architectures()
        )

    def test_there_is_one_set_because_the_cell_is_connected_and_reaches_all_its_operations(self):
        assert list(BENCHMARK.subsets) == ["all"]
        assert topology.live_cell(topology.parse_cell(CELL)) == topology.parse_cell(CELL)
        assert len(BENCHMARK.subset()) == 32_768

    def test_a_set_of_the_topology_space_is_refused(self):
        with pytest.raises(UnknownNameError, match="unknown set of nats-sss 'unique'"):
            BENCHMARK.membership("unique")


class TestGroundTruth:
    def test_without_a_table_the_message_says_how_to_import_one_and_where_to_get_it(self):
        with pytest.raises(DataError, match=rf"harness data import nats-sss FILE .*{ARCHIVE}.*docs/data.md"):
            BENCHMARK.ground_truth("cifar10")

    def test_it_says_exactly_what_it_is(self, complete, tmp_path):
        import_frame(complete, tmp_path)
        truth = BENCHMARK.ground_truth("cifar10")
        assert truth.describe() == "cifar10 test top-1 accuracy (%), 90 epochs, one seed"
        assert truth.source == "mine.parquet"
        assert truth.higher_is_better
        assert list(truth.accuracy.index) == list(BENCHMARK.architectures())
        assert truth.accuracy.is_monotonic_increasing
        assert truth.accuracy.dtype == np.float64

    @pytest.mark.parametrize(("epochs", "seeds"), [(90, "one seed"), (12, "mean over seeds"), (1, "one seed")])
    def test_it_says_how_seeds_are_combined_for_each_length_of_training(self, complete, tmp_path, epochs, seeds):
        complete[f"cifar10/x-valid/{epochs}"] = complete["cifar10/test/90"]
        import_frame(complete, tmp_path)
        assert BENCHMARK.ground_truth("cifar10", "x-valid", epochs).seeds == seeds

    def test_a_truth_that_the_table_lacks_is_named(self, complete, tmp_path):
        import_frame(complete, tmp_path)
        with pytest.raises(DataError, match="has no column 'cifar10/test/12'; it has cifar10/test/90"):
            BENCHMARK.ground_truth("cifar10", "test", 12)

    def test_a_truth_that_the_benchmark_lacks_is_named(self):
        with pytest.raises(UnknownNameError, match="unknown ground truth of nats-sss 'test/200'"):
            BENCHMARK.ground_truth("cifar10", "test", 200)

    def test_columns_say_what_they_hold_and_that_validation_of_cifar10_is_of_other_networks(self):
        truths = {name: truth.description for name, truth in BENCHMARK.table_format().truths.items()}
        assert len(truths) == 18
        assert set(truths) == set(SIZE.entries)
        assert "cifar10-valid" in truths["cifar10/x-valid/90"]
        assert "cifar10-valid" not in truths["cifar10/test/90"] + truths["cifar100/x-valid/90"]


class TestTable:
    @pytest.mark.parametrize(
        ("damage", "cause"),
        [
            (lambda t: t.assign(**{"cifar10/params": t["cifar10/params"] + 1}), "another benchmark or another network"),
            (lambda t: t.assign(arch=["8:8:8:8:9", *t["arch"][1:]]), "unknown architecture '8:8:8:8:9'"),
            (lambda t: t.assign(arch=["8:8:8:8:16", *t["arch"][1:]]), "duplicate architecture '8:8:8:8:16'"),
            (lambda t: t[1:], "1 of 32,768 architectures are missing, first '8:8:8:8:8'"),
            (lambda t: t.assign(**{"cifar10/test/90": 95 - t["cifar10/test/90"] * 2}), "has -.* expected: 0 to 100"),
            (lambda t: t.assign(**{"cifar10/test/90": t["cifar10/test/90"] + 6}), "has 100.* expected: 0 to 100"),
            (lambda t: t.assign(**{"cifar10/test/90": t["cifar10/test/90"] / 100}), "has fractions"),
            (
                lambda t: t.rename(columns={"cifar10/test/90": "cifar10/test/200"}),
                "needs at least one of cifar10/test/90",
            ),
        ],
    )
    def test_a_wrong_table_is_refused_and_the_former_one_stays(self, complete, tmp_path, damage, cause):
        import_frame(complete, tmp_path)
        before = table_path("nats-sss").read_bytes()
        with pytest.raises(DataError, match=cause):
            import_frame(damage(complete), tmp_path)
        assert table_path("nats-sss").read_bytes() == before

    @pytest.mark.real_data
    def test_the_real_table(self, real_data):
        summary = import_table(BENCHMARK, real_data / "nats-sss.csv.gz")
        assert summary.architectures == (32_768, 32_768)
        assert summary.ignored == ("index",)
        assert {column: round(value, 2) for column, (value, _) in summary.best.items()} == {
            "cifar10/test/90": 93.65,
            "cifar100/test/90": 71.34,
            "ImageNet16-120/test/90": 47.40,
        }

    @pytest.mark.real_data
    def test_every_accuracy_is_that_of_one_training(self, real_data):
        """Each is a whole number of test images, which a mean over several trainings would seldom be."""
        import_table(BENCHMARK, real_data / "nats-sss.csv.gz")
        for dataset, images in (("cifar10", 10_000), ("cifar100", 5_000), ("ImageNet16-120", 3_000)):
            correct = BENCHMARK.ground_truth(dataset).accuracy * images / 100
            assert (correct - correct.round()).abs().max() < 0.01

    @pytest.mark.real_data
    @pytest.mark.parametrize(
        ("dataset", "tau", "rho"),
        [("cifar10", 0.690, 0.872), ("cifar100", 0.533, 0.717), ("ImageNet16-120", 0.677, 0.857)],
    )
    def test_params_over_all_32768_networks(self, real_data, dataset, tau, rho):
        import_table(BENCHMARK, real_data / "nats-sss.csv.gz")
        accuracy = BENCHMARK.ground_truth(dataset).accuracy
        params = BENCHMARK.parameter_counts(list(accuracy.index), dataset)
        assert kendall(params, accuracy).networks == 32_768
        assert kendall(params, accuracy).value == pytest.approx(tau, abs=0.0005)
        assert spearman(params, accuracy).value == pytest.approx(rho, abs=0.0005)

    @pytest.mark.real_data
    def test_zico_s_column_of_cifar10_is_ranked_by_the_accuracies_of_cifar100(self, real_data):
        """Of the numbers that need no weights: printed .19 and .28 for #FLOPs, .53 and .72 for #Params."""
        import_table(BENCHMARK, real_data / "nats-sss.csv.gz")
        architectures = list(BENCHMARK.architectures())
        found = {}
        for dataset, other in itertools.product(BENCHMARK.datasets, ("cifar10", "cifar100")):
            accuracy = BENCHMARK.ground_truth(dataset).accuracy[architectures]
            for name, size in (("flops", multiply_adds), ("params", BENCHMARK.parameter_counts)):
                counts = size(architectures, other).astype(float)
                found[dataset, name, other] = [f(counts, accuracy).value for f in (kendall, spearman)]
        assert found["cifar100", "flops", "cifar10"] == pytest.approx([0.192, 0.281], abs=0.0005)
        assert found["cifar100", "flops", "cifar100"] == pytest.approx([0.192, 0.281], abs=0.0005)
        assert found["cifar10", "flops", "cifar10"] == pytest.approx([0.442, 0.609], abs=0.0005)
        assert found["cifar100", "params", "cifar100"] == pytest.approx([0.533, 0.717], abs=0.0005)
        assert found["cifar100", "params", "cifar10"] == pytest.approx([0.526, 0.710], abs=0.0005)
        assert found["ImageNet16-120", "flops", "cifar10"] == pytest.approx([0.415, 0.575], abs=0.0005)

    @pytest.mark.real_data
    @pytest.mark.parametrize("file", ["nats-tss.csv.gz", "nasbench101.csv.gz", "transnas-macro.csv.gz"])
    def test_tables_of_other_benchmarks_are_refused(self, real_data, file):
        with pytest.raises(DataError, match=r"unknown architecture|has no column 'arch'"):
            import_table(BENCHMARK, real_data / file)
