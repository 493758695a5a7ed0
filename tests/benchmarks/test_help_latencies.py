"""HELP's latencies: its files, tables with its names, what is refused, and how they stand beside HW-NAS-Bench's."""

import pickle
import shutil
import zipfile
from collections import OrderedDict

import numpy as np
import pandas as pd
import pytest
from harness_benchmarks.nats.help_latencies import TABLE, devices
from harness_benchmarks.nats.tss import NatsTss
from harness_benchmarks.nb201.dialects import official_order

import harness
from harness.data import import_table
from harness.data.further_tables import importable
from harness.data.local_tables import read_table, table_path
from harness.errors import DataError
from harness.searching.budgets import quantity

pytestmark = pytest.mark.usefixtures("home")

HW = "nats-tss-costs-cifar10"
ORDER = official_order()
SHARED = ["pixel3", "raspi4", "eyeriss", "fpga"]


WEIGHTS = {"nor_conv_3x3": 9, "nor_conv_1x1": 3, "avg_pool_3x3": 2, "skip_connect": 0.1}
HEAVINESS = [1 + sum(weight * cell.count(name) for name, weight in WEIGHTS.items()) for cell in ORDER]
FEW = 1500


def made_up(scale=1.0):
    """A latency of every cell in NATS-Bench's order: the more, the heavier its operations; no two alike."""
    return [scale * each + place / 1e5 for place, each in enumerate(HEAVINESS)]


def write(path, content, member="archive/data.pkl"):
    """A file as torch writes it: a zip archive with a pickle."""
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, pickle.dumps(content, protocol=2))
        archive.writestr("archive/version", "3\n")


@pytest.fixture
def folder(tmp_path):
    """HELP's folder, of three devices."""
    write(tmp_path / "latency" / "pixel2.pt", [round(each) for each in made_up()])
    write(tmp_path / "latency" / "titan_rtx_32.pt", made_up(0.5))
    write(tmp_path / "latency" / "pixel3.pt", made_up(2))
    (tmp_path / "latency" / "notes.txt").write_text("not a device")
    return tmp_path / "latency"


@pytest.fixture
def table():
    """The same as a user's table, with the latencies of two more devices."""
    columns = {"1080ti_1": made_up(), "Gold 6226": made_up(3), "pixel3": made_up(2)}
    return pd.DataFrame({"index": range(len(ORDER)), "arch": ORDER, **columns})


def refusal(source, **options):
    with pytest.raises(DataError) as caught:
        import_table(importable(TABLE), source, **options)
    assert "\n" not in str(caught.value)
    assert not table_path(TABLE).exists()
    return str(caught.value)


def import_hw(tmp_path, scale, columns=("pixel3_latency", "edgegpu_latency")):
    frame = pd.DataFrame({"arch": ORDER, **{column: made_up(scale) for column in columns}})[:FEW]
    frame.to_csv(tmp_path / "hw.csv", index=False)
    import_table(importable(HW), tmp_path / "hw.csv", allow_partial=True)


class TestDevices:
    def test_27_of_them_each_with_a_column_of_its_own(self):
        assert len(devices()) == 27
        assert len({device.column for device in devices()} | {device.sha256 for device in devices()}) == 54
        gpus = [device for device in devices() if " of 256 images (ms)" in device.words]
        assert [device.name for device in gpus] == [
            "1080ti_256", "2080ti_256", "titanx_256", "titanxp_256", "titan_rtx_256"
        ]  # fmt: skip


class TestFolder:
    @pytest.mark.parametrize("above", [False, True])
    def test_numbers_belong_to_the_cells_in_nats_bench_s_order(self, folder, above):
        summary = import_table(importable(TABLE), folder.parent if above else folder)
        assert summary.architectures == (15_625, 15_625)
        assert summary.source == "3 of HELP's 27 files of latencies"
        stored = read_table(TABLE)
        assert list(stored.columns) == ["titan_rtx_32_latency", "pixel2_latency", "pixel3_latency"]
        np.testing.assert_allclose(stored.loc[list(ORDER), "titan_rtx_32_latency"], made_up(0.5), rtol=1e-6)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (made_up()[:-1], "pixel2.pt has 15,624 latencies; expected: 15,625, one for each cell in"),
            ({"latency": made_up()}, "pixel2.pt is not a list of numbers"),
            ([str(each) for each in made_up()], "pixel2.pt is not a list of numbers"),
            ([True, *made_up()[1:]], "pixel2.pt is not a list of numbers"),
            ([10**400, *made_up()[1:]], "pixel2.pt has a number that is not a latency"),
            ([-1.0, *made_up()[1:]], "column 'pixel2_latency' has -1 for '|avg_pool_3x3~0|"),
            ([float("nan"), *made_up()[1:]], "which is not a number"),
            ([20 / each for each in made_up()], "has the wrong sign or unit: the median of 64 cells with nothing but"),
            (OrderedDict, "pixel2.pt is not a list of numbers"),
            (print, "contains more than plain data ('builtins.print'"),
        ],
        ids=str,
    )  # fmt: skip
    def test_another_content_is_refused(self, folder, content, message):
        write(folder / "pixel2.pt", content)
        assert message.replace("builtins", "__builtin__") in refusal(folder).replace("builtins", "__builtin__")

    def test_a_damaged_file_is_named(self, folder):
        whole = (folder / "pixel2.pt").read_bytes()
        for damaged in (whole[:100], whole[:-200], b"", b"arch,pixel2\n"):
            (folder / "pixel2.pt").write_bytes(damaged)
            assert "pixel2.pt is truncated, or not a file of latencies" in refusal(folder)
        write(folder / "pixel2.pt", made_up(), member="data.bin")
        assert "not a file of latencies" in refusal(folder)
        write(folder / "pixel2.pt", [1] * 3_000_000)
        assert "too many for a list of latencies" in refusal(folder)


class TestTable:
    def test_columns_are_called_like_the_files(self, table, tmp_path):
        table[:FEW].to_csv(tmp_path / "mine.csv", index=False)
        summary = import_table(importable(TABLE), tmp_path / "mine.csv", allow_partial=True)
        assert list(read_table(TABLE).columns) == ["1080ti_1_latency", "gold_6226_latency", "pixel3_latency"]
        assert summary.ignored == ("index",)

    def test_what_is_not_such_a_table_is_refused(self, table, tmp_path):
        path = tmp_path / "mine.csv"
        table[::-1].assign(index=range(15_625)).to_csv(path, index=False)
        assert "the columns 'index' and 'arch' disagree" in refusal(path)
        table = table[:FEW]
        table.to_csv(path, index=False)
        assert "14,125 of 15,625 architectures are missing" in refusal(path)
        table.drop(columns="arch").to_csv(path, index=False)
        assert "has no column 'arch'" in refusal(path, allow_partial=True)
        table[["arch"]].to_csv(path, index=False)
        assert "no costs column: it needs at least one of 1080ti_1_latency" in refusal(path, allow_partial=True)
        pd.concat([table, table[:1]]).to_csv(path, index=False)
        assert "duplicate architecture" in refusal(path, allow_partial=True)


class TestBesideHwNasBench:
    def test_alone_they_are_the_costs_of_cifar10(self, folder):
        import_table(importable(TABLE), folder)
        costs = NatsTss().costs("cifar10")
        assert list(costs.values.columns) == ["titan_rtx_32_latency", "pixel2_latency", "pixel3_latency"]
        assert costs.meanings["titan_rtx_32_latency"] == "Titan RTX latency of 32 images (ms)"

    def test_together_every_column_has_its_source(self, folder, tmp_path):
        import_table(importable(TABLE), folder)
        import_hw(tmp_path, 2)
        costs = NatsTss().costs("cifar10")
        assert list(costs.values.columns) == [
            "edgegpu_latency", "pixel3_latency", "titan_rtx_32_latency", "pixel2_latency"
        ]  # fmt: skip
        partial = "hw.csv (only 1,500 of 15,625 architectures)"
        assert costs.source_of("pixel3_latency") == costs.source_of("edgegpu_latency") == partial
        assert costs.source_of("pixel2_latency") == "3 of HELP's 27 files of latencies"
        np.testing.assert_allclose(costs.values.loc[list(ORDER), "titan_rtx_32_latency"], made_up(0.5), rtol=1e-6)
        assert costs.values["edgegpu_latency"].notna().sum() == FEW

    def test_partial_tables_have_what_either_has(self, table, tmp_path):
        table[1_000 : 1_000 + FEW].to_csv(tmp_path / "mine.csv", index=False)
        import_table(importable(TABLE), tmp_path / "mine.csv", allow_partial=True)
        import_hw(tmp_path, 2)
        values = NatsTss().costs("cifar10").values
        assert len(values) == 1_000 + FEW
        assert values["1080ti_1_latency"].notna().sum() == values["edgegpu_latency"].notna().sum() == FEW
        assert values.loc[ORDER[2_000], "1080ti_1_latency"] == pytest.approx(made_up()[2_000])

    def test_tables_of_different_data_sets_are_found_out(self, folder, tmp_path):
        import_table(importable(TABLE), folder)
        import_hw(tmp_path, 2.1)
        with pytest.raises(
            DataError, match=r"nats-tss-costs-cifar10 and .*-help disagree: 'pixel3_latency' of '.*' is"
        ):
            NatsTss().costs("cifar10")

    def test_without_either_the_message_names_both(self):
        with pytest.raises(DataError, match=rf"harness data import {HW} FILE .*, or: harness data import {TABLE} FILE"):
            NatsTss().costs("cifar10")
        with pytest.raises(DataError, match=r"harness data import nats-tss-costs-cifar100 FILE") as caught:
            NatsTss().costs("cifar100")
        assert "help" not in str(caught.value)

    def test_a_budget_names_a_device_and_its_mini_batch(self, table, tmp_path):
        table[:FEW].to_csv(tmp_path / "mine.csv", index=False)
        import_table(importable(TABLE), tmp_path / "mine.csv", allow_partial=True)
        found = quantity("latency:1080ti_1", NatsTss(), "cifar10")
        assert "GeForce GTX 1080 Ti latency of 1 image (ms), from mine.csv" in found.meaning
        assert found.measure(ORDER[284]) == pytest.approx(made_up()[284])


@pytest.fixture(scope="module")
def real(real_data, tmp_path_factory):
    """The local table of the real latencies."""
    path = real_data / "more" / "help-nats-tss-latency-ms.csv.gz"
    if not path.is_file():
        pytest.skip(f"no {path.name} among the real data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_DATA", str(tmp_path_factory.mktemp("real")))
        return import_table(importable(TABLE), path).path


@pytest.mark.real_data
class TestRealLatencies:
    @pytest.fixture(autouse=True)
    def imported(self, real, home):
        home.mkdir()
        shutil.copy(real, home)

    def test_four_devices_are_those_of_hw_nas_bench_for_cifar10(self, real_data):
        import_table(importable(HW), real_data / "hw-nas-bench-nats-tss-cifar10.csv.gz")
        ours, theirs = read_table(TABLE), read_table(HW)
        for device in SHARED:
            # Written with five digits, and stored with six decimals.
            np.testing.assert_allclose(ours[f"{device}_latency"], theirs[f"{device}_latency"], rtol=5.1e-5, atol=1e-6)
        assert NatsTss().costs("cifar10").values.shape == (15_625, 8 + 23)

    @pytest.mark.parametrize("dataset", ["cifar100", pytest.param("ImageNet16-120", marks=pytest.mark.nightly)])
    def test_the_table_of_another_data_set_is_found_out(self, real_data, dataset):
        import_table(importable(HW), real_data / f"hw-nas-bench-nats-tss-{dataset}.csv.gz")
        with pytest.raises(DataError, match="one of them belongs to another data set"):
            NatsTss().costs("cifar10")

    def test_latencies_are_those_that_help_names_for_its_networks(self):
        """data/nasbench201/architecture_config of HayeonLee/HELP @ 45f70eb (MIT)."""
        cell = "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_1x1~2|"
        other = "|skip_connect~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|nor_conv_1x1~1|skip_connect~2|"
        values = NatsTss().costs("cifar10").values
        assert round(values.loc[cell, "titan_rtx_256_latency"], 1) == 18.9
        assert round(values.loc[other, "gold_6226_latency"], 1) == 8.0

    @pytest.mark.nightly
    def test_a_search_can_be_limited_by_them(self, real_data, tmp_path):
        import_table(harness.load("nats-tss"), real_data / "nats-tss.csv.gz")
        found = harness.search(
            "nats-tss", dataset="cifar10", proxy="params", budget={"latency:titan_rtx_256": 12.0}, images="noise",
            evaluations=6, batch_size=2, out=tmp_path / "search",
        )  # fmt: skip
        latency = NatsTss().costs("cifar10").values["titan_rtx_256_latency"]
        assert (latency[list(found.best(6)["architecture"])] <= 12).all()
