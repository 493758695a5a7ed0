"""Protocols: read from files, every key checked, and those that come along fit the registry and the tables."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from harness._utils.citations import CITATIONS
from harness.errors import DataError, UnknownNameError
from harness.registry import aggregates, benchmark_classes, load_benchmark, proxies
from harness.reproduction.parts import scored
from harness.reproduction.reading import load_protocol, protocol_names
from harness.reproduction.tables import published_coefficients, published_names, published_searches
from harness.results import parse_truth

REPOSITORY = Path(__file__).parents[3]
PARTS = [(name, part) for name in protocol_names() for part in load_protocol(name).parts]
RUN = [(name, part) for name, part in PARTS if part.kind != "unavailable"]

MINIMAL = """
title = "T"
citation = "c"
summary = "s"
[[part]]
name = "one"
benchmark = "digits"
dataset = "digits"
truth = "test/6"
proxies = ["params"]
"""


def ids(pairs):
    return [f"{name}-{part.name}" for name, part in pairs]


def written(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


class TestReading:
    def test_what_is_not_stated_has_a_default(self, tmp_path):
        part = load_protocol(written(tmp_path, MINIMAL)).part("one")
        assert (part.kind, part.subset, part.seeds) == ("correlation", "all", 1)
        assert part.coefficients == ("kendall", "spearman")
        assert part.architectures is None

    def test_the_example_of_the_page_is_a_protocol(self, tmp_path):
        page = (REPOSITORY / "docs" / "reproduce-a-paper.md").read_text()
        example = page.partition("```toml\n")[2].partition("```")[0]
        (part,) = load_protocol(written(tmp_path, example)).parts
        assert (part.subset, part.seeds, part.batch_size) == ("reachable", 5, 64)

    def test_defaults_hold_for_every_part_that_says_nothing_else(self, tmp_path):
        text = MINIMAL + '[[part]]\nname = "two"\nbatch_size = 8\n[defaults]\nbatch_size = 7\n'
        text += 'benchmark = "digits"\ndataset = "digits"\ntruth = "test/6"\nproxies = ["params"]\n'
        protocol = load_protocol(written(tmp_path, text))
        assert [part.batch_size for part in protocol.parts] == [7, 8]

    def test_a_misspelt_protocol_is_told_what_is_near(self):
        with pytest.raises(UnknownNameError, match=r"unknown protocol 'zyco': did you mean 'zico'\?"):
            load_protocol("zyco")

    def test_a_misspelt_part_is_told_what_is_near(self):
        with pytest.raises(UnknownNameError, match=r"part of the protocol zico 'tss-cifar': did you mean"):
            load_protocol("zico").part("tss-cifar")

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('summary = "s"', "", r"mine\.toml lacks 'summary'"),
            ('truth = "test/6"', "", r"mine\.toml, part one lacks 'truth'"),
            ('name = "one"', "", r"part 1 lacks 'name'"),
            ('proxies = ["params"]', 'proxis = ["params"]', r"part one: unknown key 'proxis': did you mean 'proxies'"),
            ('proxies = ["params"]', 'proxies = "params"', r"'proxies' must be a list of texts, but is 'params'"),
            ('proxies = ["params"]', 'proxies = ["params"]\nbatch_size = 0', r"'batch_size' must be a whole number"),
            ('proxies = ["params"]', 'proxies = ["params"]\nseeds = true', r"'seeds' must be a whole number"),
            ('proxies = ["params"]', 'proxies = ["params"]\nkind = "serch"', r"unknown kind 'serch': did you mean"),
            ('proxies = ["params"]', 'proxies = ["params"]\ncoefficients = ["tau"]', r"unknown coefficients 'tau'"),
            ('proxies = ["params"]', 'proxies = ["params"]\nrun_of = "two"', r"'run_of': unknown part 'two'"),
            ('proxies = ["params"]', 'proxies = ["params"]\nrun_of = "one"', r"a part with its own run"),
            ('title = "T"', 'title = "T', r"mine\.toml cannot be read \(.*line 2"),
            ('title = "T"', 'title = "T"\nfigures = ["bars"]', r"unknown figures 'bars'"),
        ],
    )
    def test_a_wrong_file_is_refused_with_file_and_key(self, tmp_path, old, new, message):
        assert old in MINIMAL
        with pytest.raises(DataError, match=message):
            load_protocol(written(tmp_path, MINIMAL.replace(old, new)))

    def test_a_file_without_parts_and_two_parts_of_one_name_are_refused(self, tmp_path):
        with pytest.raises(DataError, match=r"has no \[\[part\]\]"):
            load_protocol(written(tmp_path, MINIMAL.partition("[[part]]")[0]))
        with pytest.raises(DataError, match="two parts called 'one'"):
            load_protocol(written(tmp_path, MINIMAL + "[[part]]" + MINIMAL.partition("[[part]]")[2]))

    def test_a_missing_file_is_refused(self, tmp_path):
        with pytest.raises(DataError, match=r"none\.toml cannot be read"):
            load_protocol(str(tmp_path / "none.toml"))


class TestThoseThatComeAlong:
    def test_there_are_the_four_of_the_goal(self):
        assert {"survey", "zico", "epe-nas", "zen-nas"} <= set(protocol_names())

    @pytest.mark.parametrize("name", protocol_names())
    def test_they_cite_a_known_paper(self, name):
        assert load_protocol(name).citation in CITATIONS

    @pytest.mark.parametrize(("name", "part"), RUN, ids=ids(RUN))
    def test_benchmark_data_set_set_truth_and_proxies_exist(self, name, part):
        assert part.benchmark in benchmark_classes()
        benchmark = load_benchmark(part.benchmark)
        benchmark.check_dataset(part.dataset)
        benchmark.check_subset(part.subset)
        if part.kind != "architecture-search":
            benchmark.choose_truth(part.truth_dataset or part.dataset, *parse_truth(part.truth))
        assert set(part.proxies) <= {*proxies(), *aggregates()}
        assert "params" in scored(part)
        assert set(part.remarks) <= {*proxies(), *aggregates()}

    @pytest.mark.parametrize(("name", "part"), RUN, ids=ids(RUN))
    def test_their_tables_say_something_about_the_part(self, name, part):
        read = published_searches if part.kind == "search" else published_coefficients
        for table in map(read, part.published):
            here = table[(table["benchmark"] == part.benchmark) & (table["dataset"] == part.dataset)]
            assert set(here["proxy"]) & set(part.proxies)

    @pytest.mark.parametrize(
        ("protocol", "table"), [("zico", "zico-table3"), ("zico", "zico-table5"), ("zico", "zico-figure3")]
    )
    def test_no_number_of_the_papers_own_tables_is_left_out(self, protocol, table):
        rows = published_coefficients(table)
        compared = set()
        for part in load_protocol(protocol).parts:
            if table in part.published:
                compared |= {(part.benchmark, part.dataset, proxy) for proxy in part.proxies}
        assert set(zip(rows["benchmark"], rows["dataset"], rows["proxy"], strict=True)) <= compared

    def test_what_cannot_be_done_says_why(self):
        unavailable = [part for _, part in PARTS if part.kind == "unavailable"]
        assert "figure15" in {part.name for part in unavailable}
        assert all(len(part.reason) > 20 for part in unavailable)


class TestTables:
    def test_tables_are_found_by_name(self):
        assert {"zico-table3", "search/epe-nas-readme"} <= set(published_names())
        with pytest.raises(UnknownNameError, match=r"unknown published table 'zico-table4': did you mean 'zico-table"):
            published_coefficients("zico-table4")

    def test_the_wheel_carries_them_where_they_are_looked_for(self):
        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
        carried = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
        assert carried["results/published"] == "harness/published"

    def test_another_csv_is_no_table_of_searches(self, tmp_path):
        (tmp_path / "one.csv").write_text("a,b\n1,2\n")
        with pytest.raises(DataError, match="lacks the column 'source'"):
            published_searches("one.csv", tmp_path / "mine.toml")
        with pytest.raises(DataError, match=r"no such file: .*none\.csv"):
            published_searches("none.csv", tmp_path / "mine.toml")
