"""``harness analyse pairs``, ``noise-ceiling``, ``required-n`` and ``bootstrap`` print, and write to a directory."""

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import HarnessError


def analyse(*arguments):
    return CliRunner().invoke(app, ["analyse", *map(str, arguments)])


@pytest.mark.parametrize(
    ("command", "words", "files"),
    [
        (["pairs"], "after Holm", {"pairs.csv", "pairs_by_proxy.csv", "pairs.png", "pairs.tex"}),
        (["pairs", "--against", "params"], "#Params", {"pairs.csv", "pairs.md"}),
        (["noise-ceiling"], "one training : another", {"noise_ceiling.csv", "noise_ceiling.pdf", "noise-ceiling.md"}),
        (["required-n", "--difference", "0.1"], "To detect .100", {"required_n.csv", "required_n.pdf"}),
        (["bootstrap", "--resamples", "100"], "SE ratio", {"bootstrap_kendall.csv", "bootstrap_difference.csv"}),
    ],
)
def test_it_prints_and_writes(digits_runs, tmp_path, command, words, files):
    result = analyse(*command, digits_runs[0], "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert words in result.output
    assert files <= {file.name for file in (tmp_path / "out").iterdir()}


def test_a_whole_benchmark_needs_no_run():
    result = analyse("noise-ceiling", "--benchmark", "digits")
    assert result.exit_code == 0, result.output
    assert "500, all of the set 'all'" in result.output


@pytest.mark.parametrize("arguments", [[], ["here", "--benchmark", "digits"]])
def test_either_a_run_or_a_benchmark(arguments):
    result = analyse("noise-ceiling", *arguments)
    assert isinstance(result.exception, HarnessError)
    assert "give either the directory of a run" in str(result.exception)
