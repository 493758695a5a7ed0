"""Benchmarks outside any package: by their file or as an object, from a table and a function, wherever they compute."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys

import pandas as pd
import pytest
from torch import nn

import harness
from harness.errors import DataError, HarnessError, StoreError, UnguardedScriptError, UnknownNameError
from harness.execution.executors import spawned_workers
from harness.registry.own_benchmarks import place_of

TABLE = """architecture,depth,width,accuracy,val_loss
d1w4,1,4,61.2,1.21
d2w4,2,4,65.0,1.15
d1w8,1,8,66.9,1.10
d2w8,2,8,,
d3w8,3,8,73.0,0.88
"""
FROM_TABLE = """
import harness
from torch import nn

def build(architecture, row):
    layers, inputs = [], 3
    for _ in range(row["depth"]):
        layers += [nn.Conv2d(inputs, row["width"], 3), nn.BatchNorm2d(row["width"]), nn.ReLU()]
        inputs = row["width"]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))

task = harness.Task("cifar10", (3, 12, 12), 10)
mine = harness.Benchmark.from_table("nets.csv", build=build, task=task, accuracy="accuracy")
"""
AS_A_CLASS = """
import harness
import pandas as pd
from torch import nn

class Widths(harness.Benchmark):
    name, title, citation = "widths", "Widths of one convolution", "me2026"
    datasets, truths = ("cifar10",), (("test", 20),)

    def __init__(self, most=3):
        self.most = most

    def architectures(self):
        return [f"w{width}" for width in range(1, self.most + 1)]

    def task(self, dataset):
        return harness.Task(dataset, (3, 12, 12), 10)

    def build(self, architecture, dataset):
        width = int(architecture[1:])
        return nn.Sequential(nn.Conv2d(3, width, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))

    def ground_truth(self, dataset, split=None, epochs=None):
        accuracy = pd.Series({name: float(name[1:]) for name in self.architectures()})
        split, epochs = self.choose_truth(dataset, split, epochs)
        return harness.GroundTruth(self.name, dataset, split, epochs, "one", "accuracy", True, "us", accuracy)

wider = Widths(5)
"""
RUN = {"proxies": "params,naswot", "images": "noise", "batch_size": 4}
COMMAND = ["--proxies", "params", "--images", "noise", "--batch-size", "4"]


def one_worker():
    return spawned_workers(1)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a benchmark of each kind; nothing of it stays loaded."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    loaded = set(sys.modules)
    (tmp_path / "nets.csv").write_text(TABLE)
    (tmp_path / "tabled.py").write_text(FROM_TABLE)
    (tmp_path / "classy.py").write_text(AS_A_CLASS)
    yield tmp_path
    for name in [name for name in sys.modules if name not in loaded and name.startswith("harness_own_")]:
        with contextlib.suppress(KeyError):
            del sys.modules[name]


def build(architecture):
    width = int(architecture[1:])
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


FRAME = pd.DataFrame({"accuracy": [50.0, 60.0, 55.0]}, index=["w2", "w4", "w3"])
TASK = harness.Task("cifar10", (3, 12, 12), 10)


class TestFromATable:
    def test_it_has_the_rows_as_networks_and_the_numbers_as_truths(self, folder):
        mine = harness.load(f"{folder}/tabled.py:mine")
        assert mine.name == "nets" and mine.architectures() == ["d1w4", "d2w4", "d1w8", "d2w8", "d3w8"]
        assert mine.truths[0] == ("accuracy", "given") and ("depth", "given") in mine.truths
        assert [len(layer.weight) for layer in mine.build("d2w8", "cifar10") if isinstance(layer, nn.Conv2d)] == [8, 8]
        truth = mine.ground_truth("cifar10")
        assert truth.describe().startswith("'accuracy' of nets.csv (sha256 ") and truth.accuracy["d3w8"] == 73.0

    def test_a_network_without_an_accuracy_is_scored_and_counted(self, folder, tmp_path):
        harness.run(f"{folder}/tabled.py:mine", out=tmp_path / "run", **RUN)
        report = harness.report(tmp_path / "run")
        assert report.heading.ground_truth.endswith("4 of 5 networks; 1 network has none and is left out")
        lower = harness.report(tmp_path / "run", truth=f"{folder}/nets.csv:val_loss:lower")
        assert lower.correlations["kendall"].tolist() == report.correlations["kendall"].tolist()
        with pytest.raises(HarnessError, match="is a lower or a higher 'val_loss' better"):
            harness.report(tmp_path / "run", truth="val_loss")

    def test_an_object_will_do_even_inside_a_function(self, tmp_path):
        inside = harness.Benchmark.from_table(FRAME, build=build, task=TASK)
        scores = harness.run(inside, out=tmp_path / "run", **RUN)
        assert len(scores) == 6
        # Found again in the same process.
        assert harness.report(tmp_path / "run").truth.describe().startswith("'accuracy' of a table (sha256 ")

    @pytest.mark.parametrize(
        ("options", "error", "says"),
        [
            ({"table": FRAME.assign(more=1)}, HarnessError, "which column of a table is the accuracy.*accuracy, more"),
            ({"table": FRAME, "accuracy": "acuracy"}, UnknownNameError, "did you mean 'accuracy'"),
            ({"table": FRAME.reset_index(drop=True)}, DataError, "does not name the architectures"),
            ({"table": FRAME.iloc[:0]}, DataError, "has no rows"),
            ({"table": "absent.csv"}, DataError, "no such file: '.*absent.csv'"),
            ({"table": FRAME.rename(columns={"accuracy": "loss"})}, HarnessError, "give from_table better="),
            ({"table": FRAME, "better": "lowest"}, HarnessError, "'higher' or 'lower', not 'lowest'"),
            ({"table": FRAME, "build": 3}, HarnessError, "build must be a function"),
            ({"table": FRAME, "task": "cifar10"}, HarnessError, "task must be a Task"),
        ],
    )
    def test_what_is_wrong_is_one_line(self, options, error, says):
        with pytest.raises(error, match=says) as raised:
            harness.Benchmark.from_table(**{"build": build, "task": TASK} | options)
        assert "\n" not in str(raised.value)

    def test_a_function_that_builds_no_network_is_named_in_the_outcome(self, tmp_path):
        odd = harness.Benchmark.from_table(FRAME, build=lambda architecture: {}, task=TASK)
        scores = harness.run(odd, out=tmp_path / "run", **RUN)
        assert set(scores["status"]) == {"failed"} and "build must return a torch.nn.Module" in scores["error"][0]


class TestAnywhere:
    @pytest.mark.parametrize(
        ("where", "networks"),
        [
            ("tabled.py:mine", 5),
            pytest.param("classy.py:wider", 5, marks=pytest.mark.nightly),
            pytest.param("classy.py:Widths", 3, marks=pytest.mark.nightly),
        ],
    )
    def test_workers_load_the_file_and_give_the_same_bits(self, folder, tmp_path, where, networks):
        here = harness.run(f"{folder}/{where}", out=tmp_path / "here", **RUN)
        harness.run(f"{folder}/{where}", out=tmp_path / "there", sample=2, executor=one_worker, **RUN)
        there = harness.run(f"{folder}/{where}", out=tmp_path / "there", executor=one_worker, **RUN)
        assert len(here) == 2 * networks
        columns = ["architecture", "proxy", "status", "value"]
        pd.testing.assert_frame_equal(here[columns], there[columns])

    def test_an_object_without_a_name_is_none_of_workers(self, folder, tmp_path):
        widths = type(harness.load(f"{folder}/classy.py:wider"))
        with pytest.raises(HarnessError, match="worker processes cannot find the benchmark 'widths'; give it a name"):
            harness.run(widths(4), out=tmp_path / "run", executor=one_worker, **RUN)
        assert len(harness.run(widths(4), out=tmp_path / "run", **RUN)) == 8
        assert place_of(widths(4)) is None, "its class would make another one"

    @pytest.mark.nightly
    @pytest.mark.parametrize("how", ["-c", "-"])
    def test_an_interactive_session_has_no_file_for_workers(self, folder, how):
        script = (
            f"{AS_A_CLASS}\noptions = {RUN}\n"
            "print(len(harness.run('digits', out='digits', sample=2, proxies='params', batch_size=4, workers=2)))\n"
            "print(len(harness.run(wider, out='one', **options)))\n"
            "harness.run(wider, out='two', workers=2, **options)\n"
        )
        command = [sys.executable, how, *([script] if how == "-c" else [])]
        typed = {"capture_output": True, "text": True, "cwd": folder}
        process = subprocess.run(command, input=script, check=False, **typed)
        assert process.stdout == "2\n10\n"
        assert "is defined in an interactive session, which worker processes cannot import" in process.stderr
        reported = subprocess.run([sys.executable, "-m", "harness", "report", "one"], check=False, **typed)
        assert reported.returncode == 2 and "harness.report(directory, benchmark=...)" in reported.stderr

    def test_a_file_that_starts_a_run_is_not_run_twice(self, folder, tmp_path):
        script = folder / "script.py"
        script.write_text(f"{AS_A_CLASS}\nharness.run(wider, out='again')\n")
        with pytest.raises(HarnessError, match=r"script.py is being loaded for what it defines.*__main__"):
            harness.load(f"{script}:wider")
        assert issubclass(UnguardedScriptError, HarnessError)


class TestFoundAgain:
    @pytest.fixture
    def run(self, folder, tmp_path, monkeypatch):
        out = tmp_path / "run"
        harness.run(f"{folder}/tabled.py:mine", out=out, **RUN)
        # As in another process.
        monkeypatch.setattr("harness.registry.own_benchmarks._seen", {})
        return out

    def test_the_run_notes_file_and_hashes(self, run, folder):
        noted = harness.report(run).manifest["own_benchmark"]
        assert noted["file"] == str(folder / "tabled.py") and noted["reference"] == "tabled.py:mine"
        assert len(noted["sha256"]) == len(noted["contents"]) == 64

    def test_changed_code_is_told_by_a_report_and_refused_by_a_run(self, run, folder):
        (folder / "tabled.py").write_text(FROM_TABLE + "# changed\n")
        (fact,) = [fact for fact in harness.report(run).heading.facts if "changed" in fact]
        assert fact == "The benchmark has changed since these networks were scored: its code (tabled.py:mine)"
        with pytest.raises(StoreError, match=r"another version of the benchmark 'nets'.*its code; use a new --out"):
            harness.run(f"{folder}/tabled.py:mine", out=run, **RUN)

    def test_so_is_a_changed_table(self, run, folder):
        (folder / "nets.csv").write_text(TABLE.replace("65.0", "64.0"))
        del sys.modules["harness_own_tabled"]
        assert any("its data" in fact for fact in harness.report(run).heading.facts)
        with pytest.raises(StoreError, match="differs in its data"):
            harness.run(f"{folder}/tabled.py:mine", out=run, **RUN)

    def test_a_file_that_is_gone_is_one_line(self, run, folder, tmp_path, monkeypatch):
        mine = harness.load(f"{folder}/tabled.py:mine")
        (folder / "tabled.py").rename(tmp_path / "elsewhere.py")
        with pytest.raises(HarnessError, match=r"is gone: .*tabled.py; put it back, or a copy into this directory"):
            harness.report(run)
        assert harness.report(run, benchmark=mine).heading.networks == 5
        with pytest.raises(HarnessError, match="the run is of the benchmark 'nets', not of 'digits'"):
            harness.report(run, benchmark="digits")
        (tmp_path / "copy").mkdir()
        (tmp_path / "elsewhere.py").rename(tmp_path / "copy" / "tabled.py")
        (folder / "nets.csv").rename(tmp_path / "copy" / "nets.csv")
        del sys.modules["harness_own_tabled"]
        monkeypatch.chdir(tmp_path / "copy")
        assert harness.report(run).heading.networks == 5

    def test_shards_of_other_code_are_not_merged(self, folder, tmp_path):
        for shard in (1, 2):
            (folder / "tabled.py").write_text(FROM_TABLE + "#" * shard)
            harness.run(f"{folder}/tabled.py:mine", out=tmp_path / f"shard{shard}", shard=(shard, 2), **RUN)
        with pytest.raises(StoreError, match=r"differs from that of .* in its code"):
            harness.merge([tmp_path / "shard1", tmp_path / "shard2"], tmp_path / "all")


class TestNames:
    def test_a_registered_name_is_taken(self, tmp_path):
        taken = harness.Benchmark.from_table(FRAME, build=build, task=TASK, name="digits")
        with pytest.raises(HarnessError, match="the name 'digits' of your benchmark is already taken"):
            harness.run(taken, out=tmp_path / "run", **RUN)

    @pytest.mark.parametrize(
        ("where", "says"),
        [
            ("tabled.py:mime", "unknown benchmark of .*: did you mean 'mine'"),
            ("tabled.py:build", "'build' of .* is a function, not a benchmark.*its benchmarks: mine"),
            ("absent.py:mine", "cannot read the file .*absent.py"),
        ],
    )
    def test_what_is_wrong_is_one_line(self, folder, where, says):
        with pytest.raises(HarnessError, match=says):
            harness.load(f"{folder}/{where}")


def test_on_the_command_line(called, folder, tmp_path):
    ran = called("run", f"{folder}/tabled.py:mine", *COMMAND, "--out", tmp_path / "run")
    assert ran.code == 0 and "5 networks scored" in ran.stdout
    verified = called("store", "verify", tmp_path / "run")
    assert "5, all of nets" in verified.stdout
    reported = json.loads(called("report", tmp_path / "run", "--json").stdout)
    assert reported["heading"]["benchmark"] == "networks of nets.csv"
