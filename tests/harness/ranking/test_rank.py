"""Scores that were computed anywhere are ranked, stored and opened like those of a run; nothing is guessed."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import harness
from harness.errors import DataError, HarnessError
from harness.ranking import rank_all
from harness.ranking.sizes import sizes_of

ACC = np.linspace(60, 95, 20)


@pytest.fixture
def frame():
    return pd.DataFrame({"arch": [f"net{i}" for i in range(20)], "acc": ACC, "mine": -ACC, "nwot": ACC**2})


@pytest.fixture
def digits():
    """The accuracies of some networks of the embedded benchmark, and scores that rank them perfectly."""
    accuracy = harness.load("digits").ground_truth("digits").accuracy[:40]
    return pd.DataFrame({"naswot": accuracy, "mine": -accuracy})


def taus(report):
    table = report.correlations
    return table[table["set"] == "all"].set_index("proxy")["kendall"].to_dict()


class TestDirections:
    def test_of_registered_names_are_known_and_others_are_asked_for(self, frame):
        with pytest.raises(HarnessError, match="is higher or lower better in mine") as asked:
            harness.rank(frame, truth="acc")
        assert "--higher NAME or --lower NAME" in str(asked.value) and "nwot" not in str(asked.value)
        assert taus(harness.rank(frame, truth="acc", lower="mine")) == {"mine": 1, "naswot": 1}
        assert taus(harness.rank(frame, truth="acc", higher="rest")) == {"mine": -1, "naswot": 1}
        assert taus(harness.rank(frame, truth="acc", without="Mine")) == {"naswot": 1}

    def test_names_may_stand_with_commas_between(self, frame):
        more = frame.assign(**{"other": ACC, "with, comma": ACC})
        report = harness.rank(more, truth="acc", lower="mine,other", higher="with, comma")
        assert taus(report) == {"mine": 1, "naswot": 1, "other": -1, "with, comma": 1}
        assert taus(harness.rank(more, truth="acc", without="mine, other", higher="rest")) == {
            "naswot": 1,
            "with, comma": 1,
        }
        with pytest.raises(HarnessError, match=r"unknown column of .* 'mien': did you mean 'mine'"):
            harness.rank(more, truth="acc", lower="other,mien")

    def test_a_declaration_wins_over_the_registry_and_is_said(self, frame):
        report = harness.rank(frame, truth="acc", lower=["mine", "NASWOT"])
        assert taus(report)["naswot"] == -1
        assert "Better, as declared: mine (lower), NASWOT (lower)" in report.heading.facts

    def test_of_truths_are_asked_for_unless_they_are_accuracies(self, frame):
        with_latency = frame.assign(latency=-ACC)
        options = {"higher": "nwot", "lower": "mine"}
        with pytest.raises(HarnessError, match="is higher or lower better in 'latency'"):
            harness.rank(with_latency, truth="latency", **options)
        report = harness.rank(with_latency, truth="latency", higher="nwot", lower=["mine", "latency"], without="acc")
        assert taus(report) == {"mine": 1, "naswot": 1}
        assert "lower is better" in report.heading.ground_truth

    @pytest.mark.parametrize(
        ("options", "cause"),
        [
            ({"higher": "mine", "lower": "mine"}, "'mine' is declared as --higher and as --lower"),
            ({"higher": "miin"}, "did you mean 'mine'"),
            ({"without": ["mine", "nwot"]}, "has no column of scores"),
            ({"truth": "accu"}, "did you mean 'acc'"),
            ({"truth": None}, "Give --benchmark NAME, or --truth COLUMN"),
        ],
    )
    def test_mistakes_are_one_line(self, frame, options, cause):
        with pytest.raises(HarnessError) as refused:
            harness.rank(frame, **{"truth": "acc", **options})
        assert cause in str(refused.value) and "\n" not in str(refused.value)


class TestScores:
    def test_that_are_missing_failed_or_infinite_are_counted(self, frame):
        scores = frame["mine"].astype(object)
        scores[:5] = [None, "OOM", -1e8, np.inf, -7]
        report = harness.rank(frame.assign(mine=scores), truth="acc", lower="mine", sentinel=-7)
        mine = report.scores[report.scores["proxy"] == "mine"].set_index("architecture")
        assert mine["status"].value_counts().to_dict() == {"ok": 15, "failed": 4, "non_finite": 1}
        assert mine.loc["net1", "error"] == "the table has 'OOM'"
        assert "Sentinels counted as failures: mine 2" in report.heading.facts

    @pytest.mark.parametrize("written", ["{:,.0f}", "{:.1f}%", "{:.1f} %"])
    @pytest.mark.parametrize("column", ["mine", "acc"])
    def test_numbers_with_separators_or_percent_signs_are_no_failures(self, frame, column, written):
        """Alone or beside plain numbers: those from a thousand on would count as failures."""
        texts = [written.format(1000 * value) for value in frame[column]]
        for values in (texts, [*texts[:3], *frame[column][3:]]):
            odd = frame.assign(**{column: values})
            with pytest.raises(DataError, match=f"column '{column}' writes numbers as '.*without separators"):
                harness.rank(odd, truth="acc", lower="mine")
        noted = frame.assign(note=["50% of the data", *texts[1:]])
        assert taus(harness.rank(noted, truth="acc", lower="mine")) == {"mine": 1, "naswot": 1}

    def test_two_columns_of_one_proxy_are_refused(self, frame):
        with pytest.raises(HarnessError, match="'nwot' and 'NASWOT' both mean NASWOT"):
            harness.rank(frame.assign(NASWOT=1.0), truth="acc", lower="mine")

    def test_a_row_for_each_seed_is_refused(self, frame):
        with pytest.raises(DataError, match=r"'net0' has several rows \(20 such architectures\)"):
            harness.rank(pd.concat([frame, frame]), truth="acc", lower="mine")

    def test_without_architectures_rows_are_numbered(self, frame):
        report = harness.rank(frame.drop(columns="arch"), truth="acc", lower="mine")
        assert report.scores["architecture"].iloc[0] == "row 1"

    def test_an_index_may_name_the_architectures(self, frame):
        report = harness.rank(frame.set_index("arch"), truth="acc", lower="mine")
        assert set(report.scores["architecture"]) == set(frame["arch"])


class TestTruths:
    def test_may_be_several_and_lack_numbers(self, frame, tmp_path, called):
        table = frame.assign(robust_acc=[None] * 3 + list(ACC[3:][::-1]))
        table.to_csv(tmp_path / "scores.csv", index=False)
        out, err, code = called(
            "rank", tmp_path / "scores.csv", "--truth", "acc", "--truth", "robust_acc", "--lower", "mine", "--out",
            tmp_path / "run", "--no-figures",
        )  # fmt: skip
        assert code == 0, err
        assert "column 'acc' of scores.csv" in out and "Kendall τ of every score with every ground truth" in out
        robust = harness.report(tmp_path / "run", split="robust_acc")
        assert robust.heading.networks == 17 and taus(robust)["mine"] == -1
        assert "3 architectures without a number in 'robust_acc' left out" in robust.heading.facts
        beside = harness.report(tmp_path / "run", beside=["robust_acc"]).correlations
        assert beside.set_index("proxy")["kind"]["robust_acc"] == "truth"

    @pytest.mark.parametrize(
        ("values", "cause"),
        [
            ([*ACC[:-1], ACC[-1] / 100], "mixes fractions and percent: 0.95 for 'net19'"),
            (np.linspace(3, 9, 20), "are under 10 %: are these errors"),
            (["n/a"] * 20, "has no numbers to rank against"),
        ],
    )
    def test_that_are_not_accuracies_are_refused(self, frame, values, cause):
        with pytest.raises(DataError) as refused:
            harness.rank(frame.assign(acc=values), truth="acc", lower="mine")
        assert cause in str(refused.value)

    def test_under_ten_percent_are_fine_if_declared_and_chance_is_no_fraction(self, frame):
        assert taus(harness.rank(frame.assign(acc=ACC[::-1] / 12), truth="acc", lower=["mine", "acc"]))["mine"] == 1
        assert harness.rank(frame.assign(acc=[1.0, *ACC[1:]]), truth="acc", lower="mine").heading.networks == 20

    def test_a_direction_or_a_file_has_its_own_place(self, frame):
        with pytest.raises(HarnessError, match="a direction is given as --lower acc"):
            harness.rank(frame, truth="acc:lower", lower="mine")
        with pytest.raises(HarnessError, match=r"the truth is a column of the same table: add the column of other.csv"):
            harness.rank(frame, truth="other.csv:acc", lower="mine")


class TestBenchmarks:
    def test_give_accuracies_sets_and_sizes(self, digits):
        report = harness.rank(digits, benchmark="digits", lower="mine")
        found = taus(report)
        assert found["naswot"] == found["mine"] == 1 and {"params", "flops"} <= set(found)
        assert set(report.correlations["set"]) == set(harness.load("digits").subsets)
        assert "Counted here: #Params and #FLOPs" in report.heading.facts
        assert "params" not in taus(harness.rank(digits, benchmark="digits", lower="mine", sizes=False))

    def test_may_be_ranked_by_another_table_and_by_each_other(self, digits, tmp_path):
        other = pd.DataFrame({"architecture": digits.index[3:], "pgd": -digits["naswot"].to_numpy()[3:]})
        other.to_csv(tmp_path / "robust.csv", index=False)
        truth = f"{tmp_path / 'robust.csv'}:pgd"
        report = harness.rank(digits, benchmark="digits", lower="mine", truth=truth)
        assert taus(report)["mine"] == -1
        assert report.heading.ground_truth.endswith("a value for 37 of 40 networks; 3 have none and are left out")
        # A table that brought its accuracies, too, although it is not stored.
        table = digits.rename_axis("arch").reset_index().assign(acc=np.arange(40))
        ranked = harness.rank(table, truth="acc", lower="mine")
        assert taus(harness.report(ranked, truth=truth))["naswot"] == -1
        assert set(harness.report(ranked, beside="acc", truth=truth).correlations["kind"]) == {"proxy", "truth"}
        with pytest.raises(HarnessError, match="it has no benchmark"):
            harness.report(ranked, benchmark="digits")

    def test_may_be_made_from_a_table(self, frame, tmp_path):
        own = harness.Benchmark.from_table(
            frame[["arch", "acc"]], build=torch.nn.Identity, task=harness.Task("mine", (3, 8, 8), 10), name="own"
        )
        ranked = harness.rank(
            frame[["arch", "mine"]], benchmark=own, lower="mine", sizes=False, baseline="mine", out=tmp_path / "run"
        )
        assert taus(ranked)["mine"] == 1
        again = harness.report(tmp_path / "run", baseline="mine", benchmark=own)
        assert again.heading == ranked.heading and "'acc' of a table" in again.heading.ground_truth

    def test_sizes_are_those_that_the_proxies_count(self, digits_runs):
        run = harness.open_run(digits_runs[0])
        scores = run.scores.pivot(index="architecture", columns="proxy", values="value")
        parameters, operations = sizes_of(run.benchmark, list(scores.index), "digits")
        assert (parameters == scores["params"]).all() and (operations == scores["flops"]).all()

    def test_refuse_architectures_that_they_do_not_have(self, digits):
        with pytest.raises(DataError, match=r"unknown architecture 'resnet'; expected: .*NASLib.*\(1 of 40 rows"):
            harness.rank(digits.rename(index={digits.index[0]: "resnet"}), benchmark="digits", lower="mine")

    def test_score_files_of_nas_bench_suite_zero(self, digits, tmp_path, called):
        from harness_benchmarks.nb201.dialects import NASLIB_EDGES, NASLIB_OPERATIONS
        from harness_benchmarks.nb201.topology import EDGES, parse_cell

        def indices(architecture):
            operation = dict(zip(EDGES, parse_cell(architecture), strict=True))
            return str(tuple(NASLIB_OPERATIONS.index(operation[edge]) for edge in NASLIB_EDGES))

        rows = {
            indices(name): {"id": row, "val_accuracy": 90, "nwot": {"score": score, "time": 0.1}}
            for row, (name, score) in enumerate(digits["naswot"].items())
        }
        next(iter(rows.values()))["nwot"]["score"] = -1e8
        file = tmp_path / "zc_digits.json"
        file.write_text(json.dumps({"digits": rows, "other": {}}))
        out, err, code = called("rank", file, "--benchmark", "digits", "--dataset", "digits", "--json")
        assert code == 0, err
        document = json.loads(out)
        row = next(row for row in document["correlations"] if row["proxy"] == "naswot")
        assert (row["kendall"], row["failed"], row["used"]) == (1, 1, 39)
        facts = " ".join(document["heading"]["facts"])
        for said in ("op indices of NASLib", "Sentinels counted as failures: NASWOT 1", "val_accuracy", "id"):
            assert said in facts


class TestStored:
    @pytest.fixture
    def stored(self, frame, tmp_path):
        file = tmp_path / "scores.csv"
        frame.assign(flops=ACC[::-1]).to_csv(file, index=False, sep=";", decimal=",")
        return rank_all(file, truth="acc", lower="mine", baseline="flops", out=tmp_path / "run"), tmp_path / "run"

    def test_is_opened_like_a_run(self, stored, called, tmp_path):
        ranked, run = stored
        again = harness.report(run, baseline="flops")
        pd.testing.assert_frame_equal(again.correlations, ranked.reports[0].correlations)
        assert again.heading == ranked.reports[0].heading
        assert "separated by ';'; decimal commas" in again.heading.facts[0]
        for command in (
            ("analyse", "pairs", run), ("analyse", "selection", run), ("agree", run, tmp_path / "scores.csv"),
            ("store", "verify", run), ("report", run, "--html", tmp_path / "page.html", "--no-figures"),
        ):  # fmt: skip
            out, err, code = called(*command)
            assert code == 0, (out, err)
        assert "computed elsewhere, read from scores.csv (sha256 " in (tmp_path / "page.html").read_text()

    def test_survives_a_report_and_its_restoration(self, stored, tmp_path):
        ranked, _ = stored
        ranked.reports[0].write(tmp_path / "report", figures=False)
        from harness.store.restore import restore

        restore(tmp_path / "report", tmp_path / "restored")
        again = harness.report(tmp_path / "restored", baseline="flops")
        pd.testing.assert_frame_equal(again.correlations, ranked.reports[0].correlations)

    def test_can_be_a_baseline_of_a_later_table(self, stored, frame, called, tmp_path):
        _, run = stored
        assert called("baseline", run, "--out", tmp_path / "frozen").code == 0
        worse = frame.assign(flops=ACC[::-1], mine=np.r_[-ACC[:10], ACC[10:]])
        worse.to_csv(tmp_path / "scores.csv", index=False)
        rank_all(tmp_path / "scores.csv", truth="acc", lower="mine", out=tmp_path / "later")
        out, err, code = called("check", tmp_path / "later", "--baseline", tmp_path / "frozen")
        assert code == 1 and "worse" in out, err
        err = called("check", "--baseline", tmp_path / "frozen").stderr
        assert "computed elsewhere" in err and "cannot be computed again" in err

    def test_is_never_overwritten(self, stored, frame):
        with pytest.raises(HarnessError, match="already contains a run; give a new --out"):
            harness.rank(frame, truth="acc", lower="mine", out=stored[1])

    def test_and_nothing_is_stored_if_a_ground_truth_is_unknown(self, frame, tmp_path):
        with pytest.raises(HarnessError, match="unknown column of"):
            harness.rank(frame, truth=["acc", "none"], lower="mine", out=tmp_path / "run")
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("benchmark", ["nats-tss", "nats-sss", "transnas-micro", "transnas-macro"])
def test_sizes_from_formulas_and_keys_are_those_of_the_networks(benchmark):
    loaded = harness.load(benchmark)
    architectures = loaded.sample(2, seed=3)
    # The last task of TransNAS-Bench-101 has transposed convolutions.
    for dataset in (loaded.datasets[0], loaded.datasets[-1]):
        for architecture, *sizes in zip(architectures, *sizes_of(loaded, architectures, dataset), strict=True):
            with torch.device("meta"):
                network = loaded.build(architecture, dataset).eval()
                with FlopCounterMode(display=False) as counter:
                    network(torch.zeros(1, *loaded.task(dataset).image_shape))
            parameters = sum(parameter.numel() for parameter in network.parameters())
            assert sizes == [parameters, counter.get_total_flops() // 2]
