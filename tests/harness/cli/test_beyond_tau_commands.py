"""``harness analyse top, selection, beyond-size, redundancy, bias``: each prints, and writes to a given directory."""

import pytest
from typer.testing import CliRunner

from harness.cli import app


@pytest.mark.parametrize(
    ("command", "said", "written"),
    [
        ("top", "selected by true accuracy", {"top.csv", "top_smallest.csv", "top_curve"}),
        ("selection", "How good is the best selected network?", {"selection.csv", "regret_at_k.csv", "regret"}),
        ("beyond-size", "within strata of #Params", {"beyond_size.csv", "beyond_size"}),
        ("redundancy", "adds to its nearest other", {"redundancy.csv", "agreement"}),
        (
            "bias",
            "ρ of the score minus ρ of the accuracy",
            {"dependence.csv", "bias.csv", "dependence_map", "bias_map"},
        ),
    ],
)
def test_it_prints_and_writes(digits_runs, tmp_path, command, said, written):
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["analyse", command, str(digits_runs[0]), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert said in result.output
    page = command.replace("-", "_")
    figures = {name for name in written if not name.endswith(".csv")}
    expected = {f"{page}.md", f"{page}.tex", *(written - figures)}
    expected |= {f"{name}.{kind}" for name in figures for kind in ("csv", "pdf", "png")}
    assert {file.name for file in out.iterdir()} == expected


@pytest.mark.parametrize(
    "options",
    [
        ["top", "--by", "proxy", "--percent", "50", "--percent", "20", "--highlight", "zico"],
        ["selection", "--k", "2", "--percent", "25", "--set", "connected"],
        ["beyond-size", "--given", "synflow", "--bins", "4"],
    ],
)
def test_options_are_understood(digits_runs, options):
    result = CliRunner().invoke(app, ["analyse", options[0], str(digits_runs[0]), *options[1:]])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["top", "--percent", "0"], "use shares above 0"),
        (["beyond-size", "--given", "synflo"], "did you mean 'synflow'"),
        (["bias", "--set", "conected"], "did you mean 'connected'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(digits_runs, options, complaint):
    result = CliRunner().invoke(app, ["analyse", options[0], str(digits_runs[0]), *options[1:]])
    assert result.exit_code != 0
    assert complaint in str(result.exception)
