"""``harness analyse scatter`` and ``heatmap``, and ``harness report`` with a width and a page."""

import pytest
from typer.testing import CliRunner

from harness.cli import app


def call(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_scatter_writes_one_proxy(digits_runs, tmp_path):
    assert "NASWOT" in call("analyse", "scatter", digits_runs[0], "--proxy", "naswot", "--out", tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        "scatter_naswot.csv", "scatter_naswot.md", "scatter_naswot.pdf", "scatter_naswot.png", "scatter_naswot.tex",
        "scatter_naswot_coefficients.csv",
    }  # fmt: skip


def test_heatmap_writes_runs_side_by_side(digits_runs, tmp_path):
    assert "best mean rank first" in call("analyse", "heatmap", *digits_runs, "--out", tmp_path, "--width", 2)
    assert {file.name for file in tmp_path.iterdir()} == {
        f"heatmap.{kind}" for kind in ("csv", "md", "pdf", "png", "tex")
    }


def test_the_page_is_written_to_the_given_file(digits_runs, tmp_path):
    page = tmp_path / "new" / "page.html"
    output = call("report", digits_runs[0], "--out", tmp_path, "--no-figures", "--html", page)
    assert f"page written to {page}" in output
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(("width", "pixels"), [(1, 660), (2, 1360)])
def test_report_draws_both_figures_at_the_width(digits_runs, tmp_path, width, pixels):
    from PIL import Image

    call("report", digits_runs[0], "--out", tmp_path, "--width", width)
    for name in ("kendall_by_proxy", "accuracy_by_score"):
        assert Image.open(tmp_path / f"{name}.png").width == pixels
