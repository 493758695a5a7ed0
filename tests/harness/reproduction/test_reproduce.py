"""From a protocol and its runs to the tables: nothing is dropped in silence, and what differs is said."""

from __future__ import annotations

import io
import math

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import harness
from harness.errors import HarnessError, UnknownNameError
from harness.reproduction.comparison import COLUMNS, SUMMARY_COLUMNS
from harness.reproduction.mismatches import detected
from harness.reproduction.parts import ReproductionOptions, scored
from harness.reproduction.protocol import Part
from harness.reproduction.reading import load_protocol
from harness.reproduction.reproduce import reproduce


@pytest.fixture(scope="module")
def reproduction(paper, finished, tmp_path_factory):
    options = ReproductionOptions(runs={"ranking": finished}, compute=False)
    return reproduce(str(paper), tmp_path_factory.mktemp("out"), options)


@pytest.fixture(scope="module")
def row(reproduction):
    rows = reproduction.rows.set_index(["part", "proxy", "coefficient"])
    assert rows.index.is_unique
    return lambda part, proxy, coefficient="kendall": rows.loc[(part, proxy, coefficient)]


class TestRows:
    def test_ours_is_what_the_report_says(self, row, finished):
        table = harness.report(finished).correlations
        expected = table[(table["set"] == "all") & (table["proxy"] == "params")].iloc[0]
        found = row("ranking", "params", "spearman")
        assert (found["ours"], found["low"], found["high"]) == (
            expected["spearman"], expected["spearman_low"], expected["spearman_high"],
        )  # fmt: skip
        assert found["networks"] == expected["used"]

    def test_published_difference_and_judgement(self, row):
        found = row("ranking", "snip")
        assert found["published"] == -0.60
        assert found["difference"] == pytest.approx(found["ours"] + 0.60)
        assert found["outside"]
        assert found["doubt"] == "the sign is lost"
        assert not row("ranking", "params")["outside"]

    def test_what_was_published_of_another_data_set_is_not_set_beside_ours(self, reproduction):
        rows = reproduction.rows
        chosen = rows[(rows["part"] == "ranking") & (rows["proxy"] == "params") & (rows["coefficient"] == "kendall")]
        assert chosen["published"].tolist() == [0.55]

    def test_every_proxy_of_the_part_has_a_row_for_each_coefficient(self, reproduction):
        rows = reproduction.rows[reproduction.rows["part"] == "ranking"]
        assert set(zip(rows["proxy"], rows["coefficient"], strict=True)) == {
            (proxy, coefficient)
            for proxy in ("params", "snip", "naswot", "zico")
            for coefficient in ("kendall", "spearman")
        }

    def test_what_was_not_scored_has_no_number_of_ours_and_says_so(self, row):
        found = row("ranking", "zico")
        assert math.isnan(found["ours"])
        assert math.isnan(found["difference"])
        assert found["outside"] is pd.NA
        assert "not among the scores of this run" in found["mismatches"]

    def test_what_was_not_published_has_no_difference(self, row):
        found = row("ranking", "naswot", "spearman")
        assert math.isfinite(found["ours"])
        assert math.isnan(found["published"])
        assert found["source"] == ""

    def test_another_set_of_the_same_run(self, row, finished):
        table = harness.report(finished).correlations
        expected = table[(table["set"] == "reachable") & (table["proxy"] == "params")].iloc[0]
        found = row("reachable", "params")
        assert found["ours"] == pytest.approx(expected["kendall"], nan_ok=True)
        assert found["networks"] == expected["used"] < 12


class TestMismatches:
    def test_declared_detected_and_of_one_proxy(self, row):
        assert row("ranking", "snip")["mismatches"] == (
            "the paper was never written",
            "12 networks, drawn uniformly; the paper ranks 500",
            "mini-batches of 16; the paper's have 32",
            "the paper's SNIP is another one",
        )

    def test_networks_of_the_published_value(self, row):
        assert "the published value is of 100 networks" in row("ranking", "naswot")["mismatches"]
        assert "how many networks the published value is of is not known" in row("ranking", "zico")["mismatches"]
        assert not any("published value" in sentence for sentence in row("ranking", "params")["mismatches"])

    @pytest.mark.parametrize(
        ("change", "of_part", "sentence"),
        [
            ({}, {}, None),
            ({"noise": True}, {}, "noise with random labels; the paper's mini-batches hold images"),
            ({}, {"images": "noise"}, "images of the data set; the paper's mini-batches hold noise"),
            ({"resolution": 4}, {}, "inputs of 4 × 4 pixels, which is not the benchmark's own size"),
            ({"subset": "connected"}, {}, "networks drawn from the set 'connected'; the paper's set is 'all'"),
            ({}, {"paper_truth": "val/6"}, "ranked against test/6 (split/epochs); the paper names val/6"),
            ({}, {"initialisation": "Kaiming"}, "weights initialised as PyTorch default; the paper's as Kaiming"),
            ({}, {"seeds": 5}, "one seed of weights and mini-batch; the paper averages over 5"),
            ({}, {"architectures": None}, "12 networks, drawn uniformly; the paper does not say how many it ranked"),
            ({}, {"architectures": 10}, "12 networks; the paper ranks 10 of them"),
            ({"batch_size": 64}, {}, "mini-batches of 64; the paper's have 16"),
            # Zen-Score draws as many images as a mini-batch has, and looks at no others.
            ({"noise": True, "batch_size": 64}, {"proxies": ("zen",)}, "mini-batches of 64; the paper's have 16"),
            ({"noise": True}, {"proxies": ("params", "zen")}, None),
            ({"batch_size": 64, "resolution": 7}, {"proxies": ("params", "flops")}, None),
        ],
    )
    def test_each_is_detected_and_none_without_reason(self, finished, change, of_part, sentence):
        from dataclasses import replace

        from harness.store import Store

        with Store.read(finished) as store:
            setting = replace(store.setting, **change)
        facts = {"benchmark": "digits", "dataset": "digits", "truth": "test/6", "proxies": ("snip",)}
        part = Part("one", **{**facts, "batch_size": 16, "architectures": 12, **of_part})
        assert detected(part, setting, "test/6", 12) == ([sentence] if sentence else [])

    @pytest.mark.parametrize(
        ("change", "networks", "sentence"),
        [
            (
                "status = 'non_finite', value = NULL WHERE proxy = 'snip' AND architecture = "
                "(SELECT MIN(architecture) FROM scores)",
                11,
                "1 of 12 networks have no finite score and are left out",
            ),
            ("value = 0 WHERE proxy = 'snip'", 12, "the same score on every network, so that there is nothing to rank"),
        ],
    )
    def test_scores_that_do_not_rank_are_told(self, finished, tmp_path, change, networks, sentence):
        import sqlite3

        from harness.store import FILE_NAME
        from harness.store.checksums import checksums_of_everything

        for file in finished.iterdir():
            if file.is_file():
                (tmp_path / file.name).write_bytes(file.read_bytes())
        with sqlite3.connect(tmp_path / FILE_NAME) as store:
            store.execute(f"UPDATE scores SET {change}")
            checksums_of_everything(store)
        (tmp_path / "mine.toml").write_text(
            'title = "T"\ncitation = "c"\nsummary = "s"\n[[part]]\nname = "one"\nbenchmark = "digits"\n'
            'dataset = "digits"\ntruth = "test/6"\nproxies = ["snip"]\n'
        )
        options = ReproductionOptions(runs={"one": tmp_path}, compute=False)
        rows = reproduce(str(tmp_path / "mine.toml"), tmp_path / "out", options).rows
        assert (rows["networks"] == networks).all()
        assert all(sentence in row for row in rows["mismatches"])


class TestSummary:
    def test_counts_and_order(self, reproduction):
        summary = reproduction.summary.set_index("part").loc["ranking"]
        rows = reproduction.rows[(reproduction.rows["part"] == "ranking") & reproduction.rows["published"].notna()]
        compared = rows[rows["outside"].notna()]
        assert summary["compared"] == len(compared) == 4
        assert summary["within"] == (~compared["outside"].astype(bool)).sum()
        assert summary["doubted"] == 1
        undoubted = compared[compared["doubt"] == ""]
        assert summary["undoubted_within"] == (~undoubted["outside"].astype(bool)).sum()
        assert summary["median_difference"] == pytest.approx(compared["difference"].abs().median())
        assert summary["median_reach"] == pytest.approx(((compared["high"] - compared["low"]) / 2).median(), abs=0.05)

    def test_order_is_kendalls_tau_between_the_two_rankings(self, reproduction):
        from scipy.stats import kendalltau

        rows = reproduction.rows[
            (reproduction.rows["part"] == "ranking") & (reproduction.rows["coefficient"] == "kendall")
        ]
        both = rows.dropna(subset=["ours", "published"])
        summary = reproduction.summary.set_index("part").loc["ranking"]
        assert summary["ranked"] == len(both) == 3
        assert summary["order"] == pytest.approx(kendalltau(both["ours"], both["published"]).statistic)


class TestSearches:
    def test_each_size_has_a_row_for_each_proxy_chance_and_the_best(self, reproduction):
        table = reproduction.searches
        assert len(table) == 2 * 4
        random = table[table["proxy"] == "a random one"]
        assert random["ours"].iloc[0] == pytest.approx(random["ours"].iloc[1])
        best = table[table["proxy"] == "the best of the draw"].set_index("networks")["ours"]
        assert best[10] > best[1] == pytest.approx(random["ours"].iloc[0])

    def test_the_published_mean_is_judged_where_there_is_one(self, reproduction):
        printed = reproduction.searches.dropna(subset=["published"])
        assert len(printed) == 1
        found = printed.iloc[0]
        assert (found["proxy"], found["networks"], found["published"]) == ("snip", 10, 12.0)
        assert found["outside"], "twelve percent are below every cell"
        assert found["low"] <= found["ours"] <= found["high"]
        assert "mini-batches of 16; the paper's have 64" in found["mismatches"]


class TestRuns:
    def test_a_part_without_a_run_says_why(self, paper, tmp_path, reproduction):
        outcomes = {found.part.name: found for found in reproduction.outcomes}
        assert outcomes["elsewhere"].why_not == "nobody kept the networks"
        nothing = reproduce(str(paper), tmp_path, ReproductionOptions(compute=False))
        assert len(nothing.rows) == 0
        assert {found.part.name: found.why_not for found in nothing.outcomes}["ranking"] == (
            f"there is no run in {tmp_path / 'ranking'}, and making runs is turned off"
        )

    def test_without_images_or_ground_truth_it_is_not_run_and_says_why(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "nothing"))
        found = reproduce("zico", tmp_path, ReproductionOptions(sample=2), parts=["tss-cifar10"])
        assert "harness data import" in found.outcomes[0].why_not
        assert not (tmp_path / "tss-cifar10").exists(), "nothing is scored that cannot be ranked"

    def test_runs_are_made_as_the_paper_did_and_gone_on_with(self, paper, tmp_path):
        options = ReproductionOptions(sample=3)
        first = reproduce(str(paper), tmp_path, options, parts=["ranking"])
        setting = first.outcomes[0].setting
        assert (setting.batch_size, setting.subset, setting.seed) == (32, "all", 0)
        assert first.rows["networks"].max() == 3
        again = reproduce(str(paper), tmp_path, ReproductionOptions(compute=False), parts=["ranking"])
        pd.testing.assert_frame_equal(first.rows, again.rows)

    def test_a_given_run_of_another_benchmark_is_refused(self, finished, tmp_path):
        with pytest.raises(HarnessError, match="is of digits digits, but the part 'tss-cifar10' is about nats-tss"):
            reproduce("zico", tmp_path, ReproductionOptions(runs={"tss-cifar10": finished}), parts=["tss-cifar10"])

    def test_misspelt_parts_and_empty_runs_are_refused(self, paper, tmp_path):
        with pytest.raises(UnknownNameError, match="did you mean 'ranking'"):
            reproduce(str(paper), tmp_path, ReproductionOptions(runs={"rankin": tmp_path}))
        with pytest.raises(UnknownNameError, match="did you mean 'ranking'"):
            reproduce(str(paper), tmp_path, parts=["rankin"])
        with pytest.raises(HarnessError, match="no run in "):
            reproduce(str(paper), tmp_path, ReproductionOptions(runs={"ranking": tmp_path}))

    def test_aggregates_stand_for_their_parts_and_params_is_always_there(self):
        assert scored(Part("one", proxies=("te_nas", "snip"))) == ["params", "ntk", "linear_regions_thin", "snip"]
        with pytest.raises(UnknownNameError, match="did you mean 'snip'"):
            scored(Part("one", proxies=("snipp",)))


class TestOutput:
    def test_every_file_is_written_and_holds_the_same_rows(self, reproduction, tmp_path):
        files = {path.name for path in reproduction.write(tmp_path)}
        assert files == {
            "reproduction.csv", "reproduction.md", "reproduction.tex", "summary.csv", "searches.csv", "protocol.json",
            "beside_published.pdf", "beside_published.png", "beside_published.csv",
        }  # fmt: skip
        written = pd.read_csv(tmp_path / "reproduction.csv")
        assert np.allclose(written["ours"], reproduction.rows["ours"].astype(float), equal_nan=True)
        page, tex = (tmp_path / "reproduction.md").read_text(), (tmp_path / "reproduction.tex").read_text()
        for text in (page, tex):
            assert "nobody kept the networks" in text
            assert "the sign is lost" in text
            assert "12 networks, drawn uniformly; the paper ranks 500" in text
        assert len([line for line in page.splitlines() if line.startswith("| digits digits")]) == len(written)
        assert tex.count("\\begin{table*}") == tex.count("\\end{table*}") == 3

    def test_the_terminal_says_what_the_page_says(self, reproduction):
        console = Console(width=140, record=True, file=io.StringIO())
        reproduction.show(console)
        text = console.export_text()
        for expected in (
            "Notes on all rows: 1–3",
            "a the sign is lost",
            "elsewhere",
            "nobody kept the networks",
            "the best of the draw",
            "Order τ",
        ):
            assert expected in text

    def test_without_coefficients_the_files_have_only_heads(self, paper, finished, tmp_path):
        options = ReproductionOptions(runs={"ranking": finished}, compute=False)
        found = reproduce(str(paper), tmp_path, options, parts=["search"])
        found.write(tmp_path)
        assert (tmp_path / "reproduction.csv").read_text() == ",".join(COLUMNS) + "\n"
        assert (tmp_path / "summary.csv").read_text() == ",".join(SUMMARY_COLUMNS) + "\n"
        assert "No coefficient was compared." in (tmp_path / "reproduction.md").read_text()

    def test_a_protocol_without_figures_draws_none(self, paper, finished, tmp_path):
        from dataclasses import replace

        protocol = replace(load_protocol(str(paper)), figures=())
        found = reproduce(
            protocol, tmp_path, ReproductionOptions(runs={"ranking": finished}, compute=False), parts=["ranking"]
        )
        assert not any(path.suffix == ".pdf" for path in found.write(tmp_path / "out"))


def test_a_run_is_ranked_against_the_accuracies_of_another_data_set(finished, tmp_path, monkeypatch):
    from dataclasses import replace

    from harness.contracts.ground_truth import GroundTruth
    from harness.registry import benchmark_classes

    digits = benchmark_classes()["digits"]
    own = digits.ground_truth

    def of_either(self, dataset: str, *chosen: object) -> GroundTruth:
        truth = own(self, "digits", *chosen)
        return truth if dataset == "digits" else replace(truth, dataset=dataset, accuracy=-truth.accuracy)

    monkeypatch.setattr(digits, "ground_truth", of_either)
    (tmp_path / "mine.toml").write_text(
        'title = "T"\ncitation = "c"\nsummary = "s"\n[defaults]\nbenchmark = "digits"\ndataset = "digits"\n'
        'truth = "test/6"\nproxies = ["snip"]\ncoefficients = ["kendall"]\n[[part]]\nname = "one"\n'
        '[[part]]\nname = "by others"\nrun_of = "one"\ntruth_dataset = "more digits"\n'
    )
    options = ReproductionOptions(runs={"one": finished}, compute=False)
    found = reproduce(str(tmp_path / "mine.toml"), tmp_path / "out", options)
    usual, others = found.rows.to_dict("records")
    assert others["ours"] == -usual["ours"] != 0
    assert others["dataset"] == "digits"
    told = {"ranked against the accuracies on more digits; the paper names digits"}
    assert set(others["mismatches"]) - set(usual["mismatches"]) == told
    first, *_ = next(grid for grid in found.exhibit().grids if grid.name == "reproduction").columns
    assert [cell.value for cell in first.cells] == ["digits digits", "digits digits, accuracies on more digits"]
