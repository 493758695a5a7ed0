"""``harness analyse search``, ``budgets`` and ``pareto`` print and write; bad input is one line."""

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import HarnessError


def call(*arguments):
    return CliRunner().invoke(app, ["analyse", *map(str, arguments)])


def written(folder):
    return {file.name for file in folder.iterdir()}


def test_search(digits_runs, tmp_path):
    result = call("search", digits_runs[0], "--draws", "2,8", "--repetitions", "100", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "N = 8" in result.output and "100 simulated searches" in result.output
    assert written(tmp_path / "out") == {
        "search.csv", "search.md", "search.tex", "search_curve.csv", "search_curve.pdf", "search_curve.png",
    }  # fmt: skip


def test_budgets(digits_runs, tmp_path):
    arguments = ("--cost", "params", "--quantiles", "50,100", "--out", tmp_path / "out")
    result = call("budgets", digits_runs[0], *arguments)
    assert result.exit_code == 0, result.output
    assert "50 %" in result.output and "Optimum (best feasible)" in result.output
    assert written(tmp_path / "out") == {"budgets.md", "budgets.tex", "budgets_params.csv"}


def test_pareto(digits_runs, tmp_path):
    result = call("pareto", digits_runs[0], "--cost", "flops", "--show", "zen", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "Fronts against #FLOPs" in result.output
    assert written(tmp_path / "out") == {
        "pareto.md", "pareto.tex", "pareto_flops.csv",
        "pareto_front_flops.csv", "pareto_front_flops.pdf", "pareto_front_flops.png",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("search", "--draws", "ten"), "--draws must be comma-separated numbers, not 'ten'"),
        (("search", "--draws", "0"), "1 or more"),
        (("search", "--draws", "50", "--without-replacement"), "without replacement"),
        (("search", "--repetitions", "1"), "2 or more"),
        (("budgets", "--quantiles", "10,200"), "between 0 and 1"),
        (("budgets", "--cost", "parms"), "did you mean 'params'"),
        (("pareto", "--show", "zenn"), "did you mean 'zen'"),
    ],
)
def test_bad_input_is_one_line(digits_runs, arguments, words):
    command, *options = arguments
    result = call(command, digits_runs[0], *options)
    assert isinstance(result.exception, HarnessError)
    assert words in str(result.exception) and "\n" not in str(result.exception)
