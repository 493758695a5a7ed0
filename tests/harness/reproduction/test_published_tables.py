"""The published numbers are plausible, and every name in them is known or declared unknown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.analysis.published import read_published
from harness.registry import aggregates, benchmark_classes, load_benchmark, proxies
from harness.reproduction.tables import published_searches

FOLDER = Path(__file__).parents[3] / "results" / "published"
COEFFICIENTS = sorted(FOLDER.glob("*.csv"))
SEARCHES = sorted((FOLDER / "search").glob("*.csv"))
PAGE = (FOLDER / "README.md").read_text()

PROXIES_ELSEWHERE = {
    "az_nas_linear_agg", "epsinas", "eznas", "l_swag", "l_swag_mean_deviation", "l_swag_patterns", "libra", "rbflex",
    "swap_regularised", "t_cet", "zico_mean_only", "zico_std_only",
}  # fmt: skip
BENCHMARKS_ELSEWHERE = {"zen-nas-resnets"}


@pytest.fixture(params=COEFFICIENTS, ids=lambda path: path.stem)
def table(request):
    return read_published(request.param)


def test_columns_and_citation_are_complete(table):
    assert list(table.columns) == [
        "source", "benchmark", "dataset", "proxy", "coefficient", "value", "architectures", "note", "doubt",
    ]  # fmt: skip
    assert table["source"].nunique() == 1
    assert (table["note"] != "").all()


def test_no_number_stands_twice(table):
    assert not table.duplicated(["benchmark", "dataset", "proxy", "coefficient"]).any()


def test_every_name_is_known_or_declared_unknown(table):
    assert set(table["proxy"]) <= {*proxies(), *aggregates(), *PROXIES_ELSEWHERE}
    for benchmark, dataset in set(zip(table["benchmark"], table["dataset"], strict=True)):
        if benchmark not in BENCHMARKS_ELSEWHERE:
            assert dataset in benchmark_classes()[benchmark].datasets


def test_no_more_networks_than_the_benchmark_has(table):
    sizes = {"nats-tss": 15625, "nats-sss": 32768, "nasbench101": 423624, "transnas-micro": 4096,
             "transnas-macro": 3256, "zen-nas-resnets": 16}  # fmt: skip
    stated = table.dropna(subset=["architectures"])
    for benchmark, architectures in zip(stated["benchmark"], stated["architectures"], strict=True):
        assert 16 <= architectures <= sizes[benchmark]


def test_kendall_and_spearman_agree_in_sign_and_kendall_is_the_smaller(table):
    wide = table.pivot(index=["benchmark", "dataset", "proxy"], columns="coefficient", values="value")
    if {"kendall", "spearman"} <= set(wide.columns):
        both = wide.dropna()
        assert (both["kendall"] * both["spearman"] >= 0).all()
        # Among values near zero the order of the two is not fixed.
        assert (both["kendall"].abs() <= both["spearman"].abs() + 0.01).all()


def test_a_doubt_is_a_sentence_with_its_evidence(table):
    doubts = table.loc[table["doubt"] != "", "doubt"]
    assert doubts.str.len().gt(40).all()


def test_names_declared_unknown_are_in_use_and_on_the_page():
    used = {proxy for path in COEFFICIENTS for proxy in read_published(path)["proxy"]}
    assert used >= PROXIES_ELSEWHERE
    assert all(f"`{name}`" in PAGE for name in PROXIES_ELSEWHERE | BENCHMARKS_ELSEWHERE)


def test_the_page_lists_every_file_and_no_other():
    listed = set(re.findall(r"`([\w/-]+\.csv)`", PAGE))
    assert listed == {path.relative_to(FOLDER).as_posix() for path in [*COEFFICIENTS, *SEARCHES]}


class TestWhatIsDoubted:
    def doubted(self, name):
        table = read_published(FOLDER / f"{name}.csv")
        return table[table["doubt"] != ""]

    def test_all_of_zicos_column_that_does_not_follow_from_the_accuracies(self):
        table = read_published(FOLDER / "zico-table3.csv")
        column = table[(table["benchmark"] == "nats-sss") & (table["dataset"] == "cifar10")]
        assert (column["doubt"] != "").all()
        assert (table.loc[table["benchmark"] == "nats-tss", "doubt"] == "").all()

    def test_where_the_sign_is_lost_suite_zero_prints_the_other_one(self):
        theirs = read_published(FOLDER / "suite-zero-figure2.csv").set_index(["benchmark", "dataset", "proxy"])["value"]
        lost = self.doubted("zico-table5")
        lost = lost[lost["doubt"].str.contains("sign is lost") & (lost["coefficient"] == "spearman")]
        assert len(lost) == 8
        for row in lost.to_dict("records"):
            other = theirs[(row["benchmark"], row["dataset"], row["proxy"])]
            assert other < 0 < row["value"]
            assert abs(other) == pytest.approx(row["value"], abs=0.021)

    def test_a_column_with_every_sign_turned_is_doubted(self):
        theirs = read_published(FOLDER / "suite-zero-figure2.csv").set_index(["benchmark", "dataset", "proxy"])["value"]
        doubted = self.doubted("blog-deeper-look")
        assert doubted["dataset"].value_counts()["autoencoder"] == 7
        for row in read_published(FOLDER / "blog-deeper-look.csv").to_dict("records"):
            other = theirs[(row["benchmark"], row["dataset"], row["proxy"])]
            assert (other * row["value"] < 0) == (row["doubt"] != "")
            assert not row["doubt"] or f" {other:.2f} ".replace("0.", ".") in row["doubt"]

    def test_absolute_values_stand_against_negative_ones(self):
        theirs = read_published(FOLDER / "suite-zero-figure2.csv").set_index(["benchmark", "dataset", "proxy"])["value"]
        absolute = self.doubted("zero-cost-nas-correlations")
        assert len(absolute) == 4
        assert all(theirs[("nasbench101", "cifar10", proxy)] < 0 for proxy in absolute["proxy"])

    @pytest.mark.real_data
    def test_params_over_the_size_space_is_not_what_zico_prints(self, real_data):
        import pandas as pd

        from harness.analysis import kendall, spearman

        truth = pd.read_csv(real_data / "nats-sss.csv.gz")
        values = [f(truth["cifar10/params"], truth["cifar10/test/90"]).value for f in (kendall, spearman)]
        assert values == pytest.approx([0.690, 0.872], abs=0.001)


@pytest.mark.parametrize("path", SEARCHES, ids=lambda path: path.stem)
def test_searches_are_plausible(path):
    table = published_searches(path.relative_to(FOLDER).with_suffix("").as_posix())
    assert table["accuracy"].between(0, 100).all()
    assert table["deviation"].between(0, 20).all()
    assert not table.duplicated(["benchmark", "dataset", "proxy", "networks", "truth"]).any()
    assert set(table["proxy"]) <= set(proxies())
    for row in table.to_dict("records"):
        split, _, epochs = row["truth"].partition("/")
        load_benchmark(row["benchmark"]).choose_truth(row["dataset"], split, int(epochs))
