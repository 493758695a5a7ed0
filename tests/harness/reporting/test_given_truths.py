"""Any number per architecture can be the truth of a run: from a file, a series or a table, and always named in full."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

import harness
from harness.data.given_truth import given_truth
from harness.errors import DataError, HarnessError, UnknownNameError
from harness.exhibits.noise_ceiling import noise_ceiling_of_benchmark, noise_ceiling_of_run
from harness.exhibits.top import top
from harness.gate import freeze


@pytest.fixture(scope="module")
def scored(digits_runs):
    return harness.report(digits_runs[0])


@pytest.fixture(scope="module")
def robust(scored):
    """Other numbers of the run's networks, by architecture; the run does not know them."""
    names = sorted(scored.scores["architecture"].unique())
    return pd.Series(
        np.random.default_rng(0).normal(50, 9, len(names)).round(2), pd.Index(names, name="arch"), name="pgd"
    )


@pytest.fixture
def file(robust, tmp_path):
    path = tmp_path / "robust.csv"
    pd.DataFrame({"pgd": robust, "a:b": -robust, "val_loss": 100 - robust, "note": "x"}).to_csv(path)
    return path


def taus(report):
    return report.correlations[report.correlations["set"] == "all"].set_index("proxy")["kendall"]


def expected(scored, truth):
    scores = scored.scores.pivot(index="architecture", columns="proxy", values="value")
    return {name: kendalltau(scores[name], truth.reindex(scores.index), nan_policy="omit").statistic for name in scores}


class TestWhatItMayBe:
    @pytest.mark.parametrize("form", ["file", "series", "mapping", "table", "ground truth"])
    def test_every_form_gives_the_coefficients_of_scipy(self, scored, digits_runs, robust, file, form):
        given = {
            "file": f"{file}:pgd",
            "series": robust,
            "mapping": robust.to_dict(),
            "table": robust.reset_index(),
            "ground truth": harness.report(digits_runs[0], truth=robust).truth,
        }[form]
        report = harness.report(digits_runs[0], truth=given)
        assert taus(report).to_dict() == pytest.approx(expected(scored, robust))
        assert "24 networks, 8 proxies; against 'p" in repr(report.run) or form == "mapping"

    def test_a_file_is_read_like_every_other_table(self, digits_runs, scored, robust, tmp_path):
        from harness_benchmarks.nb201.dialects import NASLIB_EDGES, NASLIB_OPERATIONS
        from harness_benchmarks.nb201.topology import EDGES, parse_cell

        def indices(architecture):
            operation = dict(zip(EDGES, parse_cell(architecture), strict=True))
            return str(tuple(NASLIB_OPERATIONS.index(operation[edge]) for edge in NASLIB_EDGES))

        theirs = pd.DataFrame({"net": map(indices, robust.index), "pgd": robust.to_numpy()})
        theirs.to_csv(tmp_path / "robust.csv.xz", sep=";", decimal=",", index=False)
        report = harness.report(digits_runs[0], truth=f"{tmp_path / 'robust.csv.xz'}:pgd")
        assert taus(report).to_dict() == pytest.approx(expected(scored, robust))
        assert "decimal commas; architectures are op indices of NASLib" in report.manifest["truth_source"]
        theirs.to_json(tmp_path / "robust.json", orient="records")
        for same in (theirs, theirs.set_index("net")["pgd"], f"{tmp_path / 'robust.json'}:pgd"):
            assert taus(harness.report(digits_runs[0], truth=same)).equals(taus(report))

    def test_numbers_that_are_left_of_an_index_are_not_those_of_nats_bench(self, robust):
        given, left = {"benchmark": harness.load("nats-tss"), "dataset": "cifar10"}, robust.reset_index(drop=True)[5:]
        assert given_truth(left, **given).accuracy.index[0] == "5"
        assert given_truth(left.rename_axis("arch"), **given).accuracy.index[0].startswith("|nor_conv_1x1~0|+|")

    def test_the_heading_names_file_hash_column_direction_and_coverage(self, digits_runs, file):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        report = harness.report(digits_runs[0], truth=f"{file}:pgd")
        described = f"'pgd' of robust.csv (sha256 {digest[:12]}), higher is better; a value for each of the 24 networks"
        assert report.heading.ground_truth == described
        assert report.manifest["truth_source"] == str(file) and report.truth.sha256 == digest

    def test_the_truths_of_the_benchmark_have_the_same_argument(self, digits_runs, scored):
        assert harness.report(digits_runs[0], truth="test/6").heading == scored.heading
        with pytest.raises(UnknownNameError, match="unknown ground truth of digits 'test/7'"):
            harness.report(digits_runs[0], truth="test/7")

    def test_an_opened_run_brings_its_truth(self, digits_runs, robust):
        run = harness.open_run(digits_runs[0], truth=robust)
        assert harness.report(run).truth is run.truth
        assert harness.report(run, truth="test").truth.split == "test"


class TestDirection:
    def test_lower_is_stated_and_turns_the_sign(self, digits_runs, robust, file):
        higher = taus(harness.report(digits_runs[0], truth=robust))
        lower = harness.report(digits_runs[0], truth=f"{file}:val_loss:lower")
        assert "lower is better" in lower.heading.ground_truth
        assert taus(lower).to_dict() == pytest.approx(higher.to_dict())
        assert taus(harness.report(digits_runs[0], truth=-robust, better="lower")).equals(higher)

    def test_a_name_like_a_loss_needs_it(self, digits_runs, robust, file):
        with pytest.raises(HarnessError, match=r"is a lower or a higher 'val_loss' better\? write .*:val_loss:lower"):
            harness.report(digits_runs[0], truth=f"{file}:val_loss")
        with pytest.raises(HarnessError, match="give better='lower'"):
            harness.report(digits_runs[0], truth=robust.rename("calibration error"))
        harness.report(digits_runs[0], truth=f"{file}:val_loss:higher")

    def test_it_is_said_once(self, digits_runs, file):
        with pytest.raises(HarnessError, match="the opposite"):
            harness.report(digits_runs[0], truth=f"{file}:pgd:lower", better="higher")
        with pytest.raises(HarnessError, match="the benchmark declares the direction of its own"):
            harness.report(digits_runs[0], truth="test", better="lower")


class TestAccuracies:
    def test_that_mix_fractions_and_percent_are_refused(self, digits_runs, robust):
        mixed = robust.rename("robust_acc").copy()
        mixed.iloc[:5] /= 100
        with pytest.raises(
            DataError, match="column 'robust_acc' of values given in Python mixes fractions and percent"
        ):
            harness.report(digits_runs[0], truth=mixed)
        with pytest.raises(DataError, match="mixes fractions and percent"):
            harness.report(digits_runs[0], truth=mixed, better="higher")
        # Only what is named as accuracies: other measures may be of any size.
        assert harness.report(digits_runs[0], truth=mixed.rename("pgd")).truth.split == "pgd"

    def test_that_are_nearly_all_small_may_be_errors_unless_a_direction_is_stated(self, digits_runs, robust):
        small = (robust / 10).rename("acc")
        with pytest.raises(DataError, match="are under 10 %: are these errors"):
            harness.report(digits_runs[0], truth=small)
        assert harness.report(digits_runs[0], truth=small, better="higher").truth.higher_is_better
        assert not harness.report(digits_runs[0], truth=small, better="lower").truth.higher_is_better


class TestNetworksWithoutAValue:
    def test_they_are_counted_and_left_out(self, scored, digits_runs, robust):
        partial = robust.iloc[:-1].copy()
        partial.iloc[:3], partial.iloc[5] = np.nan, np.inf
        report = harness.report(digits_runs[0], truth=partial)
        assert report.heading.ground_truth.endswith("a value for 19 of 24 networks; 5 have none and are left out")
        assert taus(report).to_dict() == pytest.approx(expected(scored, partial.replace(np.inf, np.nan)))
        assert set(report.correlations.query("set == 'all'")["networks"]) == {19}
        assert len(report.scores) == len(scored.scores), "the scores are kept"
        assert top(report.run)._repr_html_().count("19 of 24 networks") == 1

    def test_none_with_a_value_is_an_error_that_shows_both_spellings(self, digits_runs, robust):
        with pytest.raises(HarnessError, match=r"none of the 24 scored .*; it names its architectures like 'cell 0'"):
            harness.report(digits_runs[0], truth=robust.set_axis([f"cell {k}" for k in range(24)]))

    def test_a_baseline_of_the_gate_needs_a_truth_that_it_can_name(self, digits_runs, robust):
        with pytest.raises(HarnessError, match="must be one of digits"):
            freeze(harness.open_run(digits_runs[0], truth=robust))


class TestBeside:
    def test_given_numbers_are_ranked_like_a_proxy(self, digits_runs, robust, file):
        report = harness.report(digits_runs[0], truth=-robust, beside=[f"{file}:pgd", "test/6"])
        rows = report.correlations.query("set == 'all' and kind == 'truth'")["proxy"]
        assert set(rows) == {"robust.csv:pgd", "test/6"}
        assert taus(report)["robust.csv:pgd"] == pytest.approx(-1)
        assert report.labels["robust.csv:pgd"] == "pgd (trained)"

    def test_the_noise_ceiling_compares_them_with_the_accuracies(self, digits_runs, scored, robust):
        of_run = noise_ceiling_of_run(harness.open_run(digits_runs[0], truth=robust)).grids[0].data
        digits = harness.load("digits")
        of_all = noise_ceiling_of_benchmark(digits, "digits", truth=robust).grids[0].data
        pd.testing.assert_frame_equal(of_run, of_all)
        (row,) = of_run.to_dict("records")
        accuracy = scored.truth.accuracy.reindex(robust.index)
        assert row["relation"] == "other measure" and row["kendall"] == pytest.approx(kendalltau(robust, accuracy)[0])


WRONG = {
    "no such file": ("absent.csv:pgd", DataError, "no such file: 'absent.csv'; write FILE:COLUMN"),
    "no such column": ("{file}:pdg", UnknownNameError, "unknown column of robust.csv 'pdg': did you mean 'pgd'"),
    "several columns": ("{file}", HarnessError, "choose a column of numbers of robust.csv.*it has pgd, a:b, val_loss"),
    "no number": ("{file}:note", DataError, "'note' of robust.csv is 'x' for '.*', which is not a number"),
    "another thing": (3, HarnessError, "truth must be 'split/epochs', a file such as 'robust.csv:pgd', or a table"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_line(digits_runs, file, case):
    given, error, says = WRONG[case]
    with pytest.raises(error, match=says) as raised:
        harness.report(digits_runs[0], truth=given.format(file=file) if isinstance(given, str) else given)
    assert "\n" not in str(raised.value)


def test_a_column_may_have_a_colon(digits_runs, file):
    assert harness.report(digits_runs[0], truth=f"{file}:a:b").truth.metric == "a:b"


def test_two_values_of_one_architecture_are_refused(digits_runs, robust):
    with pytest.raises(DataError, match="in several rows that differ"):
        harness.report(digits_runs[0], truth=pd.concat([robust, robust + 1]))
    assert len(harness.report(digits_runs[0], truth=pd.concat([robust, robust])).truth.accuracy) == 24


def test_on_the_command_line(called, digits_runs, file):
    reported = called("report", digits_runs[0], "--truth", f"{file}:val_loss:lower", "--no-figures")
    words = " ".join(reported.stdout.split())
    assert (
        reported.code == 0 and "'val_loss' of robust.csv (sha256" in words and "lower is better; a value for" in words
    )
    selected = called("analyse", "selection", digits_runs[0], "--truth", f"{file}:pgd")
    assert "'pgd' of robust.csv" in " ".join(selected.stdout.split())
