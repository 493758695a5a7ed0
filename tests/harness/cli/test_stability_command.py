"""``harness analyse stability`` prints the table, and writes it to the given directory."""

from typer.testing import CliRunner

from harness.cli import app


def test_it_prints_and_writes(digits_runs, tmp_path):
    result = CliRunner().invoke(app, ["analyse", "stability", *map(str, digits_runs), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "most stable first" in result.output
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "stability.csv",
        "stability.md",
        "stability.pdf",
        "stability.png",
        "stability.tex",
    }


def test_nothing_is_written_by_default(digits_runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["analyse", "stability", *map(str, digits_runs)])
    assert result.exit_code == 0
    assert not list(tmp_path.iterdir())
