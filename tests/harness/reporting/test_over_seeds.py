"""A report over seeds: whether they agree beside each τ, the mean over them, and their scores in the files."""

import json

import pytest

import harness
from harness.analysis.seeds import TRUSTED_AGREEMENT
from harness.exhibits.heatmap import heatmap


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Sixteen networks with three seeds, of a proxy that does not depend on it, one that does, and an alias's."""
    out = tmp_path_factory.mktemp("seeds") / "run"
    harness.run("digits", sample=16, proxies="params,snip,random", batch_size=8, seeds=3, seeds_on=12, out=out)
    return out


@pytest.fixture(scope="module")
def report(run):
    return harness.report(run)


def test_the_table_is_of_the_networks_of_all_seeds(report):
    table = report.seeds.set_index("proxy")
    assert table["networks"].tolist() == [12] * 3 and table["seeds"].tolist() == [3] * 3
    assert table.loc["params", "agreement"] == 1 and table.loc["random", "agreement"] < TRUSTED_AGREEMENT
    # The main table is that of the first seed alone.
    assert report.correlations["used"].max() == 16


def test_what_seeds_do_not_agree_on_is_marked_in_the_main_table(report):
    main, seeds = report.exhibit(figures=False).grids[:2]
    marked = {}
    for grid in (main, seeds):
        names, column = (next(each for each in grid.columns if each.name == name) for name in ("proxy", "seeds agree"))
        marked[grid.name] = {name: cell.mark for name, cell in zip(names.values, column.cells, strict=True)}
        assert any("below .800" in note for note in grid.notes)
    assert marked["correlations"] == marked["seeds"]
    assert marked["seeds"]["Random"] == " !" and marked["seeds"]["#Params"] == ""


def test_every_other_exhibit_names_them_in_its_heading(report, digits_runs):
    heading = heatmap([report.run, harness.open_run(digits_runs[0])]).heading
    lines = [line for line in heading.lines() if "Seeds rank differently" in line]
    assert len(lines) == 1 and "Random" in lines[0] and "#Params" not in lines[0]


def test_every_output_has_it(report, called, run, tmp_path):
    out, _, code = called("report", run, "--out", tmp_path, "--html", tmp_path / "page.html", "--no-figures")
    assert code == 0 and "Mean over 3 seeds: the 12 networks that all of them scored" in out
    for name in ("correlations.md", "correlations.tex", "page.html"):
        assert "Mean over 3 seeds" in (tmp_path / name).read_text(encoding="utf-8"), name
    assert (tmp_path / "seeds.csv").is_file() and (tmp_path / "seeds" / "2" / "scores.csv.gz").is_file()
    assert "written to" in out and "seeds/2/scores.csv.gz" in out
    mean = (tmp_path / "correlations.tex").read_text(encoding="utf-8").partition("Mean over 3 seeds")[2]
    assert "Bold: best." in mean.partition("tabular")[0]
    document = json.loads(called("report", run, "--json")[0])
    assert [row["proxy"] for row in document["seeds"]] == report.seeds["proxy"].tolist()


def test_seeds_with_nothing_in_common_leave_the_rest_of_the_report(tmp_path):
    usual = {"sample": 6, "batch_size": 8, "sample_seed": 0}
    harness.run("digits", out=tmp_path, proxies="params", **usual)
    harness.run("digits", out=tmp_path / "seeds" / "1", proxies="synflow", seed=1, **usual)
    report = harness.report(tmp_path)
    assert report.seeds is None and set(report.correlations["proxy"]) == {"params"}
    assert any("No mean over seeds" in line for line in report.heading.lines())


def test_the_terminal_has_no_table_of_dashes(tmp_path, called):
    harness.run("digits", out=tmp_path, sample=6, seeds=2, seeds_on=2, proxies="params", batch_size=8)
    out, _, code = called("report", tmp_path, "--no-figures")
    assert code == 0 and "Mean over" not in out


def test_a_run_of_one_seed_has_none_of_it(digits_runs, called):
    report = harness.report(digits_runs[0])
    assert report.seeds is None and "seeds" not in {grid.name for grid in report.exhibit(figures=False).grids}
    assert json.loads(called("report", digits_runs[0], "--json")[0])["seeds"] is None
