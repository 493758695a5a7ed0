"""Accel-NASBench's archive and tables: what is read, what is refused, and the costs."""

import io
import json
import tarfile

import numpy as np
import pandas as pd
import pytest
from harness_benchmarks.accel_nasbench import AccelNasBench
from harness_benchmarks.accel_nasbench.architecture import of_fields, parse
from harness_benchmarks.accel_nasbench.sizes import sizes
from harness_benchmarks.accel_nasbench.sources import NETWORKS, ArchiveReader

import harness
from harness.data import import_table
from harness.data.local_tables import read_metadata, read_table
from harness.data.verify import verify
from harness.errors import DataError

BENCHMARK = AccelNasBench()
TOP1, TOP5 = "imagenet-1k/val/16", "imagenet-1k/val-top5/16"
LATENCIES = ("latency_zcu102", "latency_vck190")
THROUGHPUTS = tuple(f"throughput_{device}" for device in ("a100", "3090", "tpuv2", "tpuv3", "zcu102", "vck190"))

pytestmark = pytest.mark.usefixtures("home")


def networks(number=40):
    generator = np.random.default_rng(0)
    return [BENCHMARK.random(generator) for _ in range(number)]


def record(architecture, accuracy, scale=1.0):
    """A record as in the archive of afzalxo/Accel-NASBench @ 4260357, with made-up measurements."""
    fields = {}
    for number, stage in enumerate(parse(architecture)):
        names = (f"block{number}_{field}" for field in ("e", "k", "l", "se"))
        fields |= dict(zip(names, stage, strict=True))
    found = sizes(architecture, 224, 1000)
    return {
        "architecture": fields,
        "metrics": {"val_top1": accuracy, "val_top5": accuracy + 20, "train_time": 1000.5},
        "model_info": {"macs": found.stored / 1e6, "params": found.params / 1e6},
        "platform_perf": {
            **{name: {"latency_mean": scale * n, "latency_std": None} for n, name in enumerate(LATENCIES, 1)},
            **{
                name: {"throughput_mean": scale * 100 * n, "throughput_std": 1.0}
                for n, name in enumerate(THROUGHPUTS, 1)
            },
        },
    }


def records(number=40):
    """One of each network, the larger the better."""
    counted = sorted(networks(number), key=lambda each: sizes(each, 224, 1000).params)
    return [record(architecture, 45 + n / 4) for n, architecture in enumerate(counted)]


def archive(path, content, extra=()):
    with tarfile.open(path, "w:gz") as tar:
        folder = tarfile.TarInfo("./anb_dataset_jsons")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for number, each in enumerate(content):
            body = each if isinstance(each, bytes) else json.dumps(each).encode()
            member = tarfile.TarInfo(f"./anb_dataset_jsons/result_{number}.json")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
        for member in extra:
            tar.addfile(member)
    return path


def imported(path, **options):
    return import_table(BENCHMARK, path, allow_partial=True, **options)


def refusal(path):
    with pytest.raises(DataError) as caught:
        imported(path)
    assert "\n" not in str(caught.value) and path.name in str(caught.value)
    return str(caught.value)


class TestArchive:
    def test_it_is_read_without_extracting_it(self, tmp_path):
        content = records()
        summary = imported(archive(tmp_path / "a.tar.gz", content))
        assert summary.architectures == (40, NETWORKS)
        assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["a.tar.gz"]
        truth = BENCHMARK.ground_truth("imagenet-1k")
        assert sorted(truth.accuracy) == [each["metrics"]["val_top1"] for each in content]
        assert list(truth.accuracy.index) == list(BENCHMARK.architectures()) == sorted(networks())
        assert BENCHMARK.ground_truth("imagenet-1k", "val-top5").accuracy.equals(truth.accuracy + 20)
        assert read_table("accel-nasbench")["imagenet-1k/params"].tolist() == [
            BENCHMARK.parameters(each, "imagenet-1k") for each in sorted(networks())
        ]
        assert all(finding.right for finding in verify("accel-nasbench"))

    def test_so_is_the_folder_in_it(self, tmp_path):
        folder = tmp_path / "anb_dataset_jsons"
        folder.mkdir()
        for number, each in enumerate(records()):
            (folder / f"result_{number}.json").write_text(json.dumps(each))
        assert imported(folder).architectures == (40, NETWORKS)

    def test_a_network_that_was_trained_twice_has_the_mean_of_both(self, tmp_path):
        content = records()
        again = json.loads(json.dumps(content[7]))
        again["metrics"]["val_top1"] += 1
        again["platform_perf"]["throughput_a100"]["throughput_mean"] = None
        imported(archive(tmp_path / "a.tar.gz", [*content, again]))
        architecture, once = of_fields(str(content[7]["architecture"])), content[7]["metrics"]["val_top1"]
        assert BENCHMARK.ground_truth("imagenet-1k").accuracy[architecture] == once + 0.5
        assert len(BENCHMARK.architectures()) == 40
        assert read_table("accel-nasbench")["throughput_a100"].notna().all()

    def test_what_the_accuracy_is_is_said_wherever_it_is_shown(self, tmp_path):
        imported(archive(tmp_path / "a.tar.gz", records()))
        truth = BENCHMARK.ground_truth("imagenet-1k")
        for words in (truth.describe(), truth.axis, truth.metric, BENCHMARK.title):
            assert "shortened training" in words
        assert "16 epochs, one training (13 networks: mean of two)" in truth.describe()
        assert "shortened" in read_metadata("accel-nasbench").columns[TOP1]

    @pytest.mark.parametrize(
        ("damage", "words"),
        [
            (lambda r: r["model_info"].update(params=1.0), "has 1,000,000 parameters, but the network has"),
            (lambda r: r["model_info"].update(macs=400.0), "has 400,000,000 operations, but the network has"),
            (lambda r: r["metrics"].pop("val_top5"), "result_3.json has no accuracy for imagenet-1k/val-top5/16"),
            (lambda r: r.pop("metrics"), "result_3.json has no 'metrics'; it is not a record of Accel-NASBench"),
            (lambda r: r["architecture"].update(block2_k=7), "result_3.json does not describe a network"),
            (lambda r: r["metrics"].update(val_top1="high"), "'imagenet-1k/val/16' is 'high', which is not a number"),
            (lambda r: r["metrics"].update(val_top1=0.5), "mixes fractions and percent"),
            (lambda r: r["metrics"].update(val_top1=120), "has 120 for .* expected: 0 to 100"),
            (lambda r: r["platform_perf"]["latency_zcu102"].update(latency_mean=-1), "'latency_zcu102' has '-1.0'"),
        ],
    )
    def test_a_wrong_record_is_named(self, tmp_path, damage, words):
        content = records()
        damage(content[3])
        path = archive(tmp_path / "a.tar.gz", content)
        with pytest.raises(DataError, match=words):
            imported(path)
        refusal(path)

    def test_a_damaged_archive_is_refused(self, tmp_path):
        whole = archive(tmp_path / "a.tar.gz", records()).read_bytes()
        cut = tmp_path / "b.tar.gz"
        cut.write_bytes(whole[: len(whole) // 2])
        assert "truncated or damaged" in refusal(cut)
        assert "not JSON" in refusal(archive(tmp_path / "c.tar.gz", [*records(), b"{"]))
        assert "not JSON" in refusal(archive(tmp_path / "d.tar.gz", [b"[" * 30_000]))
        assert "a record is far shorter" in refusal(archive(tmp_path / "e.tar.gz", [b" " * 100_000]))
        assert "has no records result_0.json" in refusal(archive(tmp_path / "f.tar.gz", []))
        assert "not a record" in refusal(archive(tmp_path / "g.tar.gz", [[1, 2]]))

    def test_links_are_not_followed(self, tmp_path):
        link = tarfile.TarInfo("./anb_dataset_jsons/result_99.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        assert imported(archive(tmp_path / "a.tar.gz", records(), [link])).architectures[0] == 40

    def test_a_complete_archive_of_other_networks_is_refused(self, tmp_path, monkeypatch):
        from harness_benchmarks.accel_nasbench import sources

        monkeypatch.setattr(sources, "NETWORKS", 40)
        assert "other ones than were published" in refusal(archive(tmp_path / "a.tar.gz", records()))

    def test_what_lacks_networks_is_refused_unless_that_is_allowed(self, tmp_path):
        path = archive(tmp_path / "a.tar.gz", records())
        with pytest.raises(DataError, match="5,085 of 5,125 architectures are missing"):
            import_table(BENCHMARK, path)


class TestTables:
    @pytest.fixture
    def frame(self):
        """The published fields in columns, as other projects tabulate them."""
        rows = []
        for each in records():
            row = {
                name.replace("block", "").partition("_")[2] + name[5]: int(v)
                for name, v in each["architecture"].items()
            }
            row |= {"val_top1": each["metrics"]["val_top1"], "val_top5": each["metrics"]["val_top5"]}
            row |= {f"{name}_M": value for name, value in each["model_info"].items()}
            row |= {name: next(iter(values.values())) for name, values in each["platform_perf"].items()}
            rows.append(row)
        return pd.DataFrame(rows)

    def test_columns_of_fields_are_read(self, frame, tmp_path):
        frame.to_csv(tmp_path / "t.csv.gz", index_label="id")
        assert imported(tmp_path / "t.csv.gz").architectures == (40, NETWORKS)
        from_table = read_table("accel-nasbench")
        imported(archive(tmp_path / "a.tar.gz", records()))
        pd.testing.assert_frame_equal(from_table, read_table("accel-nasbench"))

    def test_a_row_that_is_no_network_is_named(self, frame, tmp_path):
        frame.loc[5, "k3"] = 7
        frame.to_csv(tmp_path / "t.csv", index=False)
        assert "row 6 is not a network of accel-nasbench" in refusal(tmp_path / "t.csv")

    def test_a_table_of_one_s_own_is_read(self, tmp_path):
        own = pd.DataFrame({"arch": networks(), TOP1: np.linspace(45, 60, 40)})
        own.to_csv(tmp_path / "own.csv", index=False)
        imported(tmp_path / "own.csv")
        assert BENCHMARK.ground_truth("imagenet-1k").accuracy[own["arch"][39]] == 60
        with pytest.raises(DataError, match="has no latencies and throughputs; import a file that has them"):
            BENCHMARK.costs("imagenet-1k")
        with pytest.raises(DataError, match="has no column 'imagenet-1k/val-top5/16'"):
            BENCHMARK.ground_truth("imagenet-1k", "val-top5")

    def test_errors_in_place_of_accuracies_are_refused(self, tmp_path):
        content = records(120)
        for each in content:
            each["metrics"]["val_top1"] = 100 - each["metrics"]["val_top1"]
        assert "looks like an error rate" in refusal(archive(tmp_path / "a.tar.gz", content))


class TestCosts:
    def test_throughputs_become_milliseconds(self, tmp_path):
        content = records()
        content[0]["platform_perf"]["throughput_tpuv2"]["throughput_mean"] = None
        imported(archive(tmp_path / "a.tar.gz", content))
        costs = BENCHMARK.costs("imagenet-1k")
        assert costs.meanings["zcu102_latency"] == "ZCU102 latency of one image (ms)"
        assert costs.meanings["a100_time"] == "A100 time per image (ms)"
        assert (
            list(costs.meanings) == list(costs.values.columns)
            and costs.source == "a.tar.gz (only 40 of 5,125 architectures)"
        )
        row = costs.values.iloc[-1]
        assert row[["zcu102_latency", "vck190_latency", "a100_time", "rtx3090_time"]].tolist() == [1, 2, 10, 5]
        assert costs.values["tpuv2_time"].isna().sum() == 1

    def test_without_a_table_the_message_says_what_to_import(self):
        with pytest.raises(DataError, match="harness data import accel-nasbench FILE"):
            BENCHMARK.costs("imagenet-1k")

    @pytest.mark.nightly
    def test_runs_and_searches_use_them(self, tmp_path, called):
        imported(archive(tmp_path / "a.tar.gz", records()))
        given = {"images": "noise", "batch_size": 4, "resolution": 32}
        harness.run("accel-nasbench", sample=12, proxies="params,flops", out=tmp_path / "run", **given)
        for analysis, cost, words in (("pareto", "a100_time", "A100 time"), ("budgets", "zcu102_latency", "ZCU102")):
            ended = called("analyse", analysis, tmp_path / "run", "--cost", cost)
            assert ended.code == 0 and words in ended.stdout
        found = harness.search(
            "accel-nasbench", proxy="params", budget={"flops": 250e6}, evaluations=12, out=tmp_path / "search", **given
        )
        best = found.best(1)["architecture"].iloc[0]
        assert BENCHMARK.quantity("flops", best, "imagenet-1k") <= 250e6


@pytest.mark.real_data
def test_the_real_table(real_data):
    summary = import_table(BENCHMARK, real_data / "more" / "accel-nasbench-imagenet.csv.gz")
    assert summary.architectures == (NETWORKS, NETWORKS) and summary.ignored == ("id", "train_time_s")
    assert {column: round(value, 3) for column, (value, _) in summary.best.items()} == {TOP1: 67.052, TOP5: 87.686}
    # The archive is not among the data at hand; 1 is its 2nd record.
    known = "e6k3l1-e1k5l3-e6k3l2-e6k3l1-e4k3l2-e6k5l1-e4k5l2"
    assert BENCHMARK.ground_truth("imagenet-1k").accuracy[known] == pytest.approx((61.092 + 61.106) / 2, abs=1e-4)
    costs = BENCHMARK.costs("imagenet-1k").values
    assert costs.isna().sum().sum() == 2 * 4 + 3 + 37 + 44
    assert costs.loc[known, "a100_time"] == pytest.approx(2000 / (8937.17 + 8960.96), rel=1e-5)


def test_readers_know_their_files(tmp_path):
    (tmp_path / "other.csv").write_text("arch,accuracy\n")
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "other.csv", tmp_path / "empty"):
        assert not ArchiveReader().accepts(path)
