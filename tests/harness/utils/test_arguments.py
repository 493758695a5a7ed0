"""Values as notebooks have them are taken where their meaning is plain, and refused in one line elsewhere."""

from __future__ import annotations

import dataclasses
import inspect
import math
import os
from datetime import timedelta
from fractions import Fraction
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

import harness
from harness._utils import arguments
from harness.cli import app
from harness.contracts.proxy import proxy
from harness.errors import HarnessError
from harness.execution.options import RunOptions
from harness.execution.plan import make_plan
from harness.registry import select_proxies
from harness.results import as_run

WHOLE = arguments.whole()
NOT_WHOLE = "sample must be a whole number, not "

ACCEPTED = [
    *[(WHOLE, value, 10) for value in (
        10, "10", 10.0, np.int64(10), np.int32(10), np.float64(10), np.array(10), torch.tensor(10), Fraction(10),
        pd.Series([10])[0],
    )],
    *[(arguments.number, value, 0.5) for value in (0.5, "0.5", np.float32(0.5), torch.tensor(0.5), Fraction(1, 2))],
    *[(arguments.yes_or_no, value, True) for value in (True, np.bool_(True), np.array(True), torch.tensor(True), 1)],
    (arguments.yes_or_no, np.bool_(False), False),
    *[(arguments.seconds, value, 60.0) for value in (60, 60.0, np.int64(60), np.float32(60), torch.tensor(60), "60")],
    (arguments.seconds, timedelta(minutes=1), 60.0),
    (arguments.seconds, math.inf, None),
    *[(arguments.memory, value, 4_000_000_000) for value in ("4GB", 4_000_000_000, np.int64(4e9), 4e9)],
    *[(arguments.shard, value, (3, 16)) for value in ("3/16", (3, 16), [3, 16], np.array([3, 16]), ("3", "16"))],
    (arguments.shard, None, (1, 1)),
    *[(arguments.device, value, "cpu") for value in ("cpu", torch.device("cpu"))],
    (arguments.device, torch.device("cuda", 1), "cuda:1"),
    *[(arguments.texts, value, ["a", "b"]) for value in (
        ["a", "b"], ("a", "b"), np.array(["a", "b"]), pd.Index(["a", "b"]), (name for name in "ab"), {"a": 1, "b": 2},
    )],
    (arguments.texts, "a", ["a"]),
    (arguments.text, np.str_("cifar10"), "cifar10"),
    *[(arguments.path, value, Path("runs/x")) for value in ("runs/x", Path("runs/x"), PurePosixPath("runs/x"))],
    *[(arguments.path, value, Path.home() / "x") for value in ("~/x", Path("~/x"))],
    *[(arguments.paths, value, [Path.home() / "x"]) for value in ("~/x", Path("~/x"), ["~/x"], (x for x in ["~/x"]))],
    *[(arguments.several(WHOLE), value, [10, 100]) for value in (
        [10, 100], np.array([10, 100]), torch.tensor([10, 100]),
    )],
    *[(arguments.several(WHOLE), value, [10]) for value in (10, np.int64(10), "10", range(10, 11))],
    *[(arguments.epochs, value, 200) for value in (200, "200", np.int64(200))],
    (arguments.epochs, "final", "final"),
    (arguments.optional(WHOLE), None, None),
]  # fmt: skip

REFUSED = [
    *[(WHOLE, value, NOT_WHOLE) for value in (
        "ten", 1.5, True, np.bool_(True), None, math.nan, math.inf, [10], np.array([10]), torch.ones(2), "", 1j,
    )],
    (arguments.whole(2), 1, "must be a whole number of 2 or more, not 1"),
    *[(arguments.number, value, "must be a number") for value in ("half", None, True, math.nan, math.inf, [0.5])],
    *[(arguments.yes_or_no, value, "must be True or False") for value in ("yes", None, 2, 0.5, np.array([True]))],
    *[(arguments.seconds, value, "must be a positive number of seconds") for value in (
        0, -1, 0.0, math.nan, -math.inf, "soon", True, None, timedelta(0), np.array([1.0, 2.0]),
    )],
    *[(arguments.memory, value, "amount of memory") for value in (0, -1, "4", "much", math.nan, math.inf, True, [4])],
    *[(arguments.shard, value, "must be a part of the sample, such as 3/16") for value in (
        "3", "0/4", (5, 4), (1, 2, 3), (3,), 3, 0.5, ("a", "b"), (1.5, 2), "", "1/-2",
    )],
    *[(arguments.device, value, "must be 'cpu' or 'cuda'") for value in (0, None, ["cpu"])],
    *[(arguments.texts, value, "must be") for value in (None, 3, [1], ["a", None])],
    *[(arguments.text, value, "must be text") for value in (None, 3, ["a"])],
    *[(arguments.path, value, "must be the path") for value in (None, 3, "", b"x", ["x"])],
    (arguments.one_of("file", "random"), "none", "must be 'file' or 'random', not 'none'"),
    (arguments.function, 3, "must be a function"),
]  # fmt: skip


@pytest.mark.parametrize(("convert", "value", "wanted"), ACCEPTED)
def test_what_is_plain_is_accepted_as_python_has_it(convert, value, wanted):
    found = convert(value, "sample")
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(("convert", "value", "message"), REFUSED)
def test_what_is_not_is_refused_in_one_line(convert, value, message):
    with pytest.raises(HarnessError) as refusal:
        convert(value, "sample")
    assert message in str(refusal.value) and "\n" not in str(refusal.value) and len(str(refusal.value)) < 200


def test_every_option_of_a_run_has_a_converter_or_one_of_its_own():
    unconverted = {option.name for option in dataclasses.fields(RunOptions) if "converter" not in option.metadata}
    assert unconverted == {"proxies", "images"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Scores of plain values."""
    return harness.run(
        "digits", sample=2, batch_size=4, seed=3, proxies="params,snip", device="cpu", shard="1/1",
        out=tmp_path_factory.mktemp("plain"),
    )  # fmt: skip


def test_values_of_notebooks_give_the_scores_of_plain_ones(plain, tmp_path):
    given = harness.run(
        harness.load("digits"), sample=torch.tensor(2), batch_size=np.int64(4), seed=np.array(3),
        sample_seed=np.int32(3), proxies=np.array(["params", "snip"]), once_per_class=np.bool_(False),
        device=torch.device("cpu"), shard=(1, 1), workers=np.int8(1), time_limit=np.float32(900),
        memory_limit=200_000_000_000, retry_failed=np.bool_(True), out=PurePosixPath(tmp_path / "run"),
    )  # fmt: skip
    columns = ["architecture", "proxy", "value"]
    pd.testing.assert_frame_equal(given[columns], plain[columns])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"time_limit": -1}, "time_limit must be a positive number of seconds, not -1"),
        ({"time_limit": math.nan}, "time_limit must be"),
        ({"seed": None}, "seed must be a whole number, not None"),
        ({"batch_size": 8.5}, "batch_size must be a whole number, not 8.5"),
        ({"shard": 3}, "shard must be a part of the sample"),
        ({"out": None}, "out must be the path"),
        ({"device": 0}, "device must be 'cpu' or 'cuda'"),
        ({"images": 5}, "images must be a path, 'noise'"),
        ({"images": np.zeros((8, 8, 8, 1), np.uint8)}, "images were given without labels"),
        ({"images": "", }, "images must be the path"),
        ({"proxies": 5}, "proxies must be names or proxies"),
        ({"proxies": len}, "proxies must be names or proxies"),
        ({"proxies": ["params", 5]}, "proxies must be names or proxies"),
        ({"executor": 5}, "executor must be a function"),
        ({"benchmark": 5}, "benchmark must be the name of a benchmark"),
    ],
)  # fmt: skip
def test_a_run_refuses_in_one_line_that_names_the_parameter(values, message, tmp_path):
    usual = {"benchmark": "digits", "sample": 2, "batch_size": 4, "proxies": "params", "out": tmp_path / "run"}
    with pytest.raises(HarnessError) as refusal:
        harness.run(**{**usual, **values})
    assert str(refusal.value).startswith(message) and "\n" not in str(refusal.value)
    assert not (tmp_path / "run").exists()


def test_the_keywords_of_a_run_are_its_options_with_their_defaults():
    keywords = inspect.signature(harness.run).parameters
    options = {each.name: each.default for each in dataclasses.fields(RunOptions)}
    assert list(keywords) == ["benchmark", "out", *options]
    defaults = {name: keyword.default for name, keyword in keywords.items() if name in options}
    assert RunOptions.among(defaults) == RunOptions() and defaults == options | {"shard": None}


def test_proxies_come_in_any_collection():
    wanted = ["params", "snip"]
    for given in (wanted, tuple(wanted), dict.fromkeys(wanted), (name for name in wanted), pd.Series(wanted)):
        assert [found.name for found in select_proxies(given)] == wanted
    assert [found.name for found in select_proxies(None)] == [found.name for found in select_proxies("standard")]

    def forgotten(probe):
        return 1

    with pytest.raises(
        HarnessError, match=r"the function forgotten is not a proxy yet; decorate it with @harness.proxy"
    ):
        select_proxies([forgotten])
    declared = proxy("forgotten", better="higher", data="nothing", cite="")(forgotten)
    assert select_proxies(declared) == [declared]


class TestImages:
    @pytest.fixture
    def arrays(self):
        rng = np.random.default_rng(0)
        return rng.integers(0, 256, (32, 1, 8, 8), dtype=np.uint8), rng.integers(0, 10, 32)

    def plan(self, images, **values):
        return make_plan("digits", RunOptions(images=images, sample=1, proxies="params", batch_size=4, **values))

    def test_arrays_and_tensors_are_what_an_npz_of_them_is(self, arrays, tmp_path):
        images, labels = arrays
        np.savez(tmp_path / "images.npz", images=images, labels=labels)
        fingerprint = self.plan(tmp_path / "images.npz").setting.fingerprint
        channels_last = np.moveaxis(images, 1, -1)
        dataset = type("Dataset", (), {"data": channels_last, "targets": labels.tolist()})()
        for given in (arrays, list(arrays), {"images": images, "labels": labels}, (channels_last, labels), dataset,
                      (torch.from_numpy(images), torch.from_numpy(labels))):  # fmt: skip
            assert self.plan(given).setting.fingerprint == fingerprint

    def test_the_setting_names_them_by_their_contents(self, arrays):
        first, second = (self.plan((images, arrays[1])).setting.images for images in (arrays[0], arrays[0] + 1))
        assert first.startswith("32 images of arrays in memory (") and first != second
        assert self.plan(arrays).setting.images == first

    def test_without_labels_random_ones_must_be_asked_for(self, arrays):
        assert self.plan(arrays[0], labels="random").setting.images.endswith("random labels")
        with pytest.raises(HarnessError, match=r"give a pair \(images, labels\)"):
            self.plan(arrays[0])

    @pytest.mark.parametrize("given", [np.zeros(3), np.zeros((32, 3, 9, 9), np.uint8), np.array(["a"]), [[1], [1, 2]]])
    def test_other_shapes_and_kinds_are_refused(self, given):
        with pytest.raises(HarnessError) as refusal:
            self.plan((given, np.zeros(32, int)))
        assert "\n" not in str(refusal.value)


class TestHome:
    @pytest.fixture
    def home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.chdir(tmp_path)
        yield tmp_path / "home"
        assert not (tmp_path / "~").exists()

    def test_python_and_the_command_line_know_it(self, home):
        harness.run("digits", sample=3, batch_size=4, proxies="params", out="~/run")
        assert (home / "run" / "scores.sqlite").is_file()
        report = harness.report("~/run")
        report.write("~/report", figures=False)
        assert (home / "report" / "correlations.csv").is_file()
        harness.merge("~/run", "~/merged")
        assert (home / "merged" / "scores.sqlite").is_file()
        runner = CliRunner()
        options = ["--sample=3", "--batch-size=4", "--proxies=params"]
        for command in (
            ["run", "digits", "--out=~/again", *options],
            ["report", "~/again", "--no-figures", "--out=~/tables", "--html=~/page.html"],
            ["store", "export", "~/again", "--out=~/scores.csv"],
            ["agree", "~/again", "~/run", "--out=~/agreement.csv"],
        ):
            result = runner.invoke(app, command)
            assert result.exit_code == 0, result.output
        assert {path.name for path in home.iterdir()} >= {"again", "tables", "page.html", "scores.csv", "agreement.csv"}

    def test_a_proxy_of_ones_own_may_lie_there(self, home):
        home.mkdir()
        (home / "mine.py").write_text(
            "import harness\n@harness.proxy('mine', better='higher', data='nothing', cite='')\n"
            "def mine(probe): return 1\n"
        )
        assert [found.name for found in select_proxies("~/mine.py:mine")] == ["mine"]

    def test_nothing_else_is_taken_for_it(self):
        result = CliRunner().invoke(app, ["run", "~nobody-of-this-name", "--out=x~y"])
        assert "~nobody-of-this-name" in str(result.exception)


class TestNothingToDo:
    def test_an_empty_shard_succeeds_and_says_so(self, tmp_path):
        with pytest.warns(UserWarning, match="shard 5/8 is empty: the sample has only 4 networks") as told:
            scores = harness.run("digits", sample=4, batch_size=4, proxies="params", shard=(5, 8), out=tmp_path / "5")
        assert scores.empty and told[0].filename == __file__
        options = ["--sample", "4", "--batch-size", "4", "--proxies", "params"]
        result = CliRunner().invoke(app, ["run", "digits", *options, "--shard", "6/8", "--out", str(tmp_path / "6")])
        assert result.exit_code == 0
        assert "shard 6/8 is empty" in result.output and "next: harness report" not in result.output
        harness.run("digits", sample=4, batch_size=4, proxies="params", shard="1/8", out=tmp_path / "1")
        merged = harness.merge([tmp_path / name for name in ("5", "6", "1")], tmp_path / "merged")
        assert merged.networks == 1

    @pytest.mark.parametrize("limit", ["0", "-1", "nan"])
    def test_a_time_limit_of_nothing_is_refused(self, limit, tmp_path):
        result = CliRunner().invoke(app, ["run", "digits", "--time-limit", limit, "--out", str(tmp_path / "run")])
        assert isinstance(result.exception, HarnessError)
        assert f"--time-limit must be a positive number of seconds, not {float(limit)}" in str(result.exception)
        assert not (tmp_path / "run").exists()


def test_an_analysis_takes_an_opened_run_a_report_or_a_directory(digits_runs):
    opened = as_run(str(digits_runs[0]), "run")
    assert as_run(opened, "run") is opened
    report = harness.report(digits_runs[0])
    assert as_run(report, "run") is report.run
    with pytest.raises(HarnessError, match="run must be an opened run"):
        as_run(5, "run")
    assert os.fspath(opened.directory) == str(digits_runs[0])
