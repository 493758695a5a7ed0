"""NAS-Bench-101 as a benchmark: its cells and its ground truth come from an imported table, and from nowhere else."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from harness_benchmarks.nasbench101 import ARCHITECTURES, NasBench101
from harness_benchmarks.nasbench101.cell import Cell, module_hash
from harness_benchmarks.nasbench101.tables import CELL_COLUMNS, parameter_counts

from harness.analysis import kendall, spearman
from harness.data import import_table
from harness.data.local_tables import read_metadata, read_table, table_path
from harness.errors import DataError, HarnessError, UnknownNameError

BENCHMARK = NasBench101()
CELLS = [Cell(2, 0b1, ""), Cell(3, 0b101, "1"), Cell(3, 0b111, "2"), Cell(4, 0b100101, "01"), Cell(4, 0b110111, "12")]
NAMES = sorted(map(module_hash, CELLS))


pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def whole(real_data, tmp_path_factory):
    """The folder of the imported table of all cells, and the summary."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_DATA", str(folder))
        return folder, import_table(BENCHMARK, real_data / "nasbench101.csv.gz")


@pytest.fixture
def table():
    """A table of five cells, in the layout of a public one: fractions, digits for operations, a dash for none."""
    frame = pd.DataFrame(
        {
            "hash": [module_hash(cell) for cell in CELLS],
            "vertices": [cell.vertices for cell in CELLS],
            "adjacency_bits": [cell.adjacency for cell in CELLS],
            "ops": [cell.operations or "-" for cell in CELLS],
            "cifar10/test/108": [0.8, 0.85, 0.9, 0.91, 0.92],
        }
    )
    counted = frame.rename(columns={"hash": "architecture"}).replace({"ops": {"-": ""}})
    frame["params"] = parameter_counts(counted)
    return frame


@pytest.fixture
def imported(tmp_path, table):
    def write(changed=None, name="cells.csv", **options):
        path = tmp_path / name
        (table if changed is None else changed).to_csv(path, index=False)
        return import_table(BENCHMARK, path, **{"allow_partial": True, **options})

    return write


def refusal(write, *arguments, **options):
    with pytest.raises(DataError) as caught:
        write(*arguments, **options)
    assert "\n" not in str(caught.value)
    assert not table_path("nasbench101").exists()
    return str(caught.value)


class TestWithoutATable:
    @pytest.mark.parametrize(
        "ask",
        [
            BENCHMARK.architectures,
            lambda: BENCHMARK.sample(3, seed=0),
            lambda: BENCHMARK.build("0" * 32, "cifar10"),
            lambda: BENCHMARK.ground_truth("cifar10"),
        ],
    )
    def test_the_message_says_what_to_import(self, ask):
        with pytest.raises(
            DataError, match=r"harness data import nasbench101 FILE .*nasbench_only108.tfrecord.*docs/data.md"
        ):
            ask()


class TestImport:
    @pytest.mark.parametrize("name", ["cells.csv", "cells.csv.gz"])
    def test_a_table_of_cells(self, imported, table, name):
        summary = imported(name=name)
        assert summary.architectures == (5, ARCHITECTURES)
        assert summary.best == {"cifar10/test/108": (pytest.approx(92), module_hash(CELLS[-1]))}
        assert summary.ignored == ()
        stored = read_table("nasbench101")
        assert list(stored.index) == NAMES
        assert set(stored.columns) == {*CELL_COLUMNS, "cifar10/test/108", "cifar10/params"}
        assert set(stored["ops"]) == {"", "1", "2", "01", "12"}
        assert read_metadata("nasbench101").columns["ops"].startswith("operation of each vertex")

    @pytest.mark.parametrize("unit", [1, 100])
    def test_equally_many_correct_images_are_one_accuracy(self, imported, table, unit):
        # 27,378 of 29,952 is 91.40625 %, which a last digit rounds up or down.
        means = [0.9206063, 0.92060632, 0.91406249, 0.91406251, 27379 / 29952]
        imported(table.assign(**{"cifar10/test/108": [unit * mean for mean in means]}))
        found = BENCHMARK.ground_truth("cifar10").accuracy[[module_hash(cell) for cell in CELLS]].tolist()
        assert found == pytest.approx([92.0606, 92.0606, 91.40625, 91.40625, 91.4096], abs=6e-5)
        assert found[0] == found[1]
        assert found[2] == found[3] < found[4]

    def test_accuracies_of_other_images_stay(self, imported, table):
        imported(table.assign(**{"cifar10/test/108": [0.8, 0.85004, 0.85005, 0.85006, 0.9]}))
        found = BENCHMARK.ground_truth("cifar10").accuracy[[module_hash(cell) for cell in CELLS]]
        assert found.tolist() == pytest.approx([80, 85.004, 85.005, 85.006, 90], abs=1e-5)

    def test_a_table_of_an_earlier_version_opens(self, imported, table):
        """Its accuracies are rounded means; the layout is the same."""
        from harness.data.local_tables import write_table

        imported()
        earlier = read_table("nasbench101")
        earlier["cifar10/test/108"] = np.float32([80.0001, 85, 90, 91, 92])
        write_table(earlier, read_metadata("nasbench101"))
        assert sorted(BENCHMARK.ground_truth("cifar10").accuracy) == pytest.approx([80.0001, 85, 90, 91, 92])

    def test_percent_stays_percent(self, imported, table):
        imported()
        fractions = read_table("nasbench101")
        imported(table.assign(**{"cifar10/test/108": 100 * table["cifar10/test/108"]}))
        pd.testing.assert_frame_equal(read_table("nasbench101"), fractions)

    def test_an_incomplete_table_needs_the_users_word(self, imported):
        message = refusal(imported, allow_partial=False)
        assert "423,619 of 423,624 architectures are missing" in message
        assert "--allow-partial" in message

    def test_more_architectures_than_there_are(self, imported, monkeypatch):
        monkeypatch.setattr("harness_benchmarks.nasbench101.ARCHITECTURES", 4)
        assert "cells.csv has 5 architectures, but the benchmark has only 4" in refusal(imported)

    def test_a_repeated_architecture(self, imported, table):
        message = refusal(imported, pd.concat([table, table[2:3]]))
        assert f"duplicate architecture '{module_hash(CELLS[2])}'" in message

    @pytest.mark.parametrize("value", [1.5, -0.5])
    def test_an_accuracy_out_of_range(self, imported, table, value):
        table.loc[1, "cifar10/test/108"] = value
        message = refusal(imported, table)
        assert f"cells.csv: column 'cifar10/test/108' of fractions has {value} for '{module_hash(CELLS[1])}'" in message

    def test_parameters_of_another_network(self, imported, table):
        table.loc[3, "params"] += 1
        assert "this table belongs to another benchmark or another network" in refusal(imported, table)

    def test_another_cell_under_the_hash(self, imported, table):
        table.loc[4, "ops"] = "10"
        assert f"the cell of '{module_hash(CELLS[4])}' has" in refusal(imported, table)

    @pytest.mark.parametrize("kept", [30, -30])
    def test_a_truncated_file(self, imported, tmp_path, kept):
        imported(name="cells.csv.gz")
        table_path("nasbench101").unlink()
        path = tmp_path / "cells.csv.gz"
        path.write_bytes(path.read_bytes()[:kept])
        assert "cells.csv.gz is truncated" in refusal(import_table, BENCHMARK, path)

    def test_a_refused_file_leaves_the_former_table(self, imported, table):
        imported()
        before = table_path("nasbench101").read_bytes()
        with pytest.raises(DataError):
            imported(table.assign(vertices=9))
        assert table_path("nasbench101").read_bytes() == before

    @pytest.mark.real_data
    @pytest.mark.parametrize("file", ["nats-tss.csv.gz", "nats-sss.csv.gz", "transnas-micro.csv.gz"])
    def test_tables_of_other_benchmarks_are_refused(self, real_data, file):
        with pytest.raises(DataError, match=r"architectures are missing|has no column"):
            import_table(BENCHMARK, real_data / file)
        with pytest.raises(DataError, match=r"has no column"):
            import_table(BENCHMARK, real_data / file, allow_partial=True)

    @pytest.mark.real_data
    def test_a_record_file_brings_every_length_and_every_repeat(self, real_data):
        """Somebody's own trainings in the official format: 91 cells, four lengths, three trainings of each."""
        summary = import_table(BENCHMARK, real_data / "nasbench101-format-sample.tfrecord", allow_partial=True)
        assert summary.architectures == (91, ARCHITECTURES)
        for split, epochs in BENCHMARK.truths:
            truth = BENCHMARK.ground_truth("cifar10", split, epochs).accuracy
            repeats = BENCHMARK.repeats(split, epochs)
            assert repeats.shape == (91, 3)
            np.testing.assert_allclose(repeats.mean(axis=1), truth, atol=1e-4)
        assert (read_table("nasbench101")["cifar10/seconds/108"] > 0).all()


class TestArchitectures:
    def test_they_are_the_table_s_sorted(self, imported):
        imported()
        assert list(BENCHMARK.architectures()) == NAMES
        assert sorted(BENCHMARK.sample(5, seed=1)) == NAMES

    def test_each_has_its_cell_which_its_hash_is_of(self, imported):
        imported()
        assert [module_hash(BENCHMARK.cell(name)) for name in NAMES] == NAMES

    def test_another_table_brings_others(self, imported, table):
        imported()
        assert len(BENCHMARK.architectures()) == 5
        imported(table[:2])
        assert len(BENCHMARK.architectures()) == 2

    @pytest.mark.parametrize("name", ["resnet18", "", "f" * 32])
    def test_an_unknown_one_is_refused(self, imported, name):
        imported()
        with pytest.raises(HarnessError, match=f"'{name}' is not a cell in the local table of nasbench101"):
            BENCHMARK.build(name, "cifar10")

    def test_networks_have_the_parameters_and_fit_the_task(self, imported):
        imported()
        for name in NAMES:
            network = BENCHMARK.build(name, "cifar10")
            built = sum(parameter.numel() for parameter in network.parameters())
            assert built == BENCHMARK.parameters(name, "cifar10")
            assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)

    def test_the_only_data_set_is_cifar10(self):
        with pytest.raises(UnknownNameError, match="unknown dataset of nasbench101 'cifar100'"):
            BENCHMARK.task("cifar100")

    def test_the_only_set_is_all(self):
        assert list(BENCHMARK.subsets) == ["all"]


class TestGroundTruth:
    def test_it_says_exactly_what_it_is(self, imported):
        imported()
        truth = BENCHMARK.ground_truth("cifar10")
        assert truth.describe() == "cifar10 test top-1 accuracy (%), 108 epochs, mean over 3 seeds"
        assert truth.source == "cells.csv (only 5 of 423,624 architectures)"
        assert list(truth.accuracy.index) == NAMES
        assert truth.accuracy[module_hash(CELLS[0])] == pytest.approx(80)

    def test_single_trainings_stand_in_the_order_of_the_file(self, imported, table):
        mean = table["cifar10/test/108"]
        imported(table.assign(**{f"cifar10/test/108/repeat-{n}": mean + 0.01 * (n - 2) for n in (1, 2, 3)}))
        for repeats in BENCHMARK.repeats().to_numpy():
            assert np.diff(repeats) == pytest.approx([1, 1], abs=1e-3)

    def test_what_the_table_lacks_is_named(self, imported):
        imported()
        with pytest.raises(DataError, match="has no column 'cifar10/val/12'"):
            BENCHMARK.ground_truth("cifar10", "val", 12)
        with pytest.raises(DataError, match="has no column 'cifar10/test/108/repeat-1'"):
            BENCHMARK.repeats()
        with pytest.raises(UnknownNameError, match="unknown ground truth of nasbench101 'test/200'"):
            BENCHMARK.ground_truth("cifar10", "test", 200)


@pytest.mark.real_data
class TestWholeBenchmark:
    @pytest.fixture(autouse=True)
    def home(self, whole, monkeypatch):
        monkeypatch.setenv("HARNESS_DATA", str(whole[0]))

    def test_all_cells_are_there(self, whole):
        assert whole[1].architectures == (ARCHITECTURES, ARCHITECTURES)
        assert whole[1].best["cifar10/test/108"][0] == pytest.approx(94.3176, abs=1e-4)

    def test_every_cell_has_the_published_parameters(self, real_data):
        published = pd.read_csv(real_data / "nasbench101.csv.gz", usecols=["hash", "params"]).set_index("hash")[
            "params"
        ]
        described = read_table("nasbench101", list(CELL_COLUMNS))
        assert len(described) == ARCHITECTURES
        assert np.array_equal(parameter_counts(described), published[described.index])

    @pytest.mark.nightly
    def test_built_networks_have_the_published_parameters(self):
        published = read_table("nasbench101", ["cifar10/params"])["cifar10/params"]
        for name in BENCHMARK.sample(100, seed=0):
            with torch.device("meta"):
                built = sum(parameter.numel() for parameter in BENCHMARK.build(name, "cifar10").parameters())
            assert built == published[name]

    def test_hashes_of_a_sample(self):
        names = BENCHMARK.sample(300, seed=1)
        assert [module_hash(BENCHMARK.cell(name)) for name in names] == names

    def test_params_rank_as_published(self):
        """Kendall τ .307 and Spearman ρ .435 over the whole space."""
        accuracy = BENCHMARK.ground_truth("cifar10").accuracy
        counts = read_table("nasbench101", ["cifar10/params"])["cifar10/params"].to_numpy(dtype=float)
        assert round(kendall(counts, accuracy).value, 3) == 0.307
        assert round(spearman(counts, accuracy).value, 3) == 0.435

    def test_accuracies_that_differ_in_the_eighth_decimal_alone_are_one(self, real_data):
        """The file has 15,083 different means, of 8,282 different numbers of correct images."""
        means = pd.read_csv(real_data / "nasbench101.csv.gz", usecols=["cifar10/test/108"])["cifar10/test/108"]
        images = 3 * 9984 * means
        assert (images - images.round()).abs().max() < 0.0011
        assert means.nunique() == 15_083
        assert BENCHMARK.ground_truth("cifar10").accuracy.nunique() == images.round().nunique() == 8282

    def test_it_opens_fast_and_small(self, whole):
        code = (
            "import time; start = time.process_time()\n"
            "from harness.data.local_tables import read_table\n"
            "assert len(read_table('nasbench101')) == 423624\n"
            "from harness.execution.limits.memory import peak_megabytes\n"
            "print(time.process_time() - start, peak_megabytes())"
        )
        environment = {**os.environ, "HARNESS_DATA": str(whole[0])}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        seconds, megabytes = map(float, done.stdout.split())
        assert seconds < 2
        assert megabytes < 300
