"""What is printed can be read wherever it goes: in any encoding, at any width, whatever characters names hold."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

import harness
from harness._utils.console import output, say
from harness._utils.transliteration import SYMBOLS, transliterated
from harness._utils.visible import json_page, visible, visible_page
from harness.cli import app
from harness.display.figures.saving import figure_bytes
from harness.display.tables.columns import words
from harness.display.tables.grids import Grid
from harness.display.tables.markdown import markdown_grid

ENCODINGS = ["cp1252", "latin-1", "ascii", "cp932"]
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
EVIL = "a\x1b[31mb\x1b]0;title\x07 \u202ec\u2066\x9b\nd\udcff"
COMMANDS = {
    "help": ["--help"],
    "help of a command": ["analyse", "search", "--help"],
    "misused": ["report", "RUN", "--nonsense"],
    "list proxies": ["list", "proxies"],
    "list benchmarks": ["list", "benchmarks"],
    "list protocols": ["list", "protocols"],
    "status": ["data", "status"],
    "run": ["run", "digits", "--sample", "24", "--seed", "0", "--sample-seed", "0", "--batch-size", "8",
            "--proxies", "params,flops,naswot,synflow,snip,zen,zico,plain", "--out", "RUN"],
    "report": ["report", "RUN", "--out", "OUT", "--no-figures"],
    "verify": ["store", "verify", "RUN"],
    "agree": ["agree", "RUN", "RUN"],
    "unknown": ["run", "digits", "--proxies", "nobody's τ", "--out", "OUT"],
    "stability": ["analyse", "stability", "RUN", "OTHER"],
    **{name: ["analyse", name, "RUN"] for name in (
        "scatter", "heatmap", "top", "selection", "beyond-size", "redundancy", "bias", "search", "budgets", "pareto",
        "pairs", "noise-ceiling", "required-n",
    )},
}  # fmt: skip


class TestEncodings:
    @pytest.mark.parametrize(
        "encoding", [ENCODINGS[0], *(pytest.param(e, marks=pytest.mark.nightly) for e in ENCODINGS[1:])]
    )
    def test_every_command_prints_the_same_table(self, called, encoding, digits_runs, tmp_path, monkeypatch):
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
        places = {"RUN": str(digits_runs[0]), "OTHER": str(digits_runs[1]), "OUT": str(tmp_path / "out")}
        # The slow commands under one encoding alone: they print by the same two doors.
        slow = {"search", "pareto", "redundancy", "required-n", "scatter", "heatmap"}
        for name, arguments in COMMANDS.items():
            if name in slow and encoding != "cp1252":
                continue
            filled = [places.get(argument, argument) for argument in arguments]
            out, err, code = called(*filled, encoding=encoding)
            assert code == (2 if name in ("misused", "unknown") else 0), (name, err)
            assert "Traceback" not in err
            assert not set(out + err) & set(SYMBOLS), name
            if name == "report":
                assert "Kendall tau" in out and "o tie" in out and "+-" not in out

    def test_columns_stay_in_line(self):
        def lines(encoding):
            file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
            table = Table("τ", "b")
            table.add_row(Text("≥ ± Δτ", style="bold"), "x")
            table.add_row("plain", Text("○ tie"))
            output(Console(file=file, width=60)).print(table)
            file.flush()
            return file.buffer.getvalue().decode(encoding).splitlines()

        ascii_lines = lines("ascii")
        second = [line.index(word) for word in ("x", "o tie") for line in ascii_lines if word in line]
        assert len(second) == 2 and len(set(second)) == 1
        assert len(ascii_lines) == len(lines("utf-8"))

    def test_every_sign_of_the_code_is_known(self):
        root = Path(harness.__file__).parents[1]
        literals = (
            node.value
            for folder in ("harness", "benchmarks")
            for file in (root / folder).rglob("*.py")
            if file.name != "transliteration.py"
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
        assert "\\u" not in transliterated("".join(sorted(set("".join(literals)) - {"\\"})), "ascii")

    def test_files_are_utf_8_whatever_the_output_is(self, digits_runs, tmp_path):
        subprocess.run(
            [sys.executable, "-m", "harness", "report", digits_runs[0], "--no-figures", "--out", tmp_path],
            env=os.environ
            | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            check=True,
            capture_output=True,
        )
        assert "Kendall τ" in (tmp_path / "correlations.md").read_text(encoding="utf-8")


class TestUnseenCharacters:
    def test_they_are_written_out(self):
        assert visible(EVIL) == r"a\x1b[31mb\x1b]0;title\x07 \u202ec\u2066\x9b\nd\udcff"
        assert visible_page("τ ≥\n× é") == "τ ≥\n× é"
        assert not UNSEEN.search(visible(EVIL))

    def test_in_a_terminal(self, capsys):
        file = io.StringIO()
        console = output(Console(file=file, width=200, force_terminal=True, color_system=None))
        table = Table(EVIL)
        table.add_row(Text(EVIL, style="bold"))
        console.print(table, Text(EVIL), EVIL.replace("[", "\\["))
        assert not UNSEEN.search(file.getvalue())
        say(EVIL, err=True)
        assert not UNSEEN.search(capsys.readouterr().err)

    def test_styles_stay_on_their_words(self):
        file = io.StringIO()
        console = output(Console(file=file, width=80, force_terminal=True, color_system="standard"))
        console.print(Text.assemble("a\x1b ", ("bold", "bold"), " c"))
        assert file.getvalue() == "a\\x1b \x1b[1mbold\x1b[0m c\n"

    def test_in_markdown_latex_and_json(self):
        from harness.display.tables.latex import escape

        assert not UNSEEN.search(markdown_grid(Grid("a", EVIL, (words("a", "A", [EVIL]),), None, (EVIL,))))
        assert not UNSEEN.search(escape(EVIL)) and r"\textbackslash{}x1b" in escape(EVIL)
        assert not UNSEEN.search(json_page({"name": EVIL}))
        assert json.loads(json_page({"name": EVIL, "nan": float("nan")})) == {"name": EVIL, "nan": None}

    def test_in_a_figure(self):
        from matplotlib.figure import Figure

        figure = Figure()
        text = figure.text(0, 0, "a\x1b[31m\nb")
        figure_bytes(figure, "png")
        assert text.get_text() == "a\\x1b[31m\nb"

    def test_from_a_proxy_to_every_file(self, called, tmp_path):
        source = tmp_path / "evil_proxy.py"
        source.write_text(
            f"import harness\n"
            f"@harness.proxy({visible(EVIL)!r}.encode().decode('unicode_escape')[:9], label={EVIL[:-1]!r}, "
            "better='higher', data='nothing', cite='x\\x1b[1m')\n"
            "def evil(probe):\n    'Sum.'\n    return probe.network is not None and id(probe) % 7\n",
            encoding="utf-8",
        )
        harness.run("digits", sample=8, batch_size=8, proxies=["params", f"{source}:evil"], out=tmp_path / "run")
        page = tmp_path / "page.html"
        out, err, code = called("report", tmp_path / "run", "--html", page)
        assert code == 0, err
        assert not UNSEEN.search(out) and r"a\x1b[31mb" in out
        files = [page, *(file for file in (tmp_path / "run" / "report").iterdir() if file.suffix in
                 (".md", ".tex", ".csv", ".json"))]  # fmt: skip
        assert [file.name for file in files if UNSEEN.search(file.read_text(encoding="utf-8"))] == []

    def test_in_complaints(self, called, tmp_path):
        for arguments in (["report", f"{tmp_path}/a\x1b[31m\nb"], ["report", "RUN", "--a\x1b[31mb"]):
            _, err, code = called(*arguments)
            assert code == 2 and not UNSEEN.search(err) and "\\x1b" in err
        _, err, _ = called("report", f"{tmp_path}/a\nb")
        assert err.count("\n") == 1

    def test_in_junit(self):
        from xml.etree import ElementTree

        from harness.gate import outputs

        class Checked:
            rows, alarms = (), ()

        assert ElementTree.fromstring(outputs.as_junit(Checked())).tag == "testsuites"
        with pytest.raises(ElementTree.ParseError):
            ElementTree.fromstring("<a>\x1b</a>")
        ElementTree.fromstring(visible_page("<a>\x1b</a>"))

    def test_all_output_goes_through_say_or_output(self):
        """Every module prints by ``say`` or through ``output`` of :mod:`harness._utils.console`."""
        root = Path(harness.__file__).parent
        past = [
            f"{file.relative_to(root)}: {line.strip()}"
            for file in root.rglob("*.py")
            for line in file.read_text(encoding="utf-8").splitlines()
            if re.search(r"typer\.echo|click\.echo|(?<![\w.])print\(|(?<!stderr=True, )Console\((?!stderr=True)", line)
            and ">>>" not in line
            and file.name != "console.py"
        ]
        assert past == []


class TestWidth:
    @pytest.mark.parametrize("width", [60, 80, 140])
    def test_columns_is_honoured_without_a_terminal(self, called, width, digits_runs, tmp_path, monkeypatch):
        monkeypatch.setenv("COLUMNS", str(width))
        for arguments in (["report", digits_runs[0], "--out", tmp_path, "--no-figures"],
                          ["analyse", "beyond-size", digits_runs[0]], ["analyse", "bias", digits_runs[0]]):  # fmt: skip
            out, _, _ = called(*arguments)
            lines = out.partition("\nwritten to")[0].splitlines()
            assert max(map(len, lines)) <= width
            assert [line for line in lines if line != line.rstrip()] == []
            assert "…" not in out

    def test_a_wide_table_comes_in_parts_that_name_the_rows(self, called, digits_runs, monkeypatch):
        monkeypatch.setenv("COLUMNS", "60")
        out, _, _ = called("analyse", "beyond-size", digits_runs[0])
        assert len(re.findall(r"(?m)^ NASWOT ", out)) >= 2


class TestWords:
    def test_one_network_is_not_a_table_of_dashes(self, called, tmp_path):
        harness.run("digits", sample=1, batch_size=8, proxies="params,snip", out=tmp_path)
        out, _, _ = called("report", tmp_path, "--no-figures")
        assert "Set 'all': 1 network\n" in out and "1 architecture drawn" in out
        assert "need 3 networks or more" in out
        assert "–" not in out

    def test_sets_are_explained_where_they_are_printed(self, called, digits_runs, tmp_path):
        out, _, _ = called("report", digits_runs[0], "--out", tmp_path, "--no-figures")
        markdown = (tmp_path / "correlations.md").read_text(encoding="utf-8")
        for text in (" ".join(out.split()), markdown):
            for name, described in harness.load("digits").subsets.items():
                assert name == "all" or described in text
            assert "of 24 networks" in text

    def test_ties_are_not_dim(self):
        from harness.display.tables.correlations import STYLES

        assert STYLES["tie"] == ""


class TestEndedReading:
    """As before ``| head``: files are written even if nobody reads what is printed."""

    @pytest.mark.parametrize(
        ("arguments", "files"),
        [
            (["report", "RUN", "--out", "OUT", "--no-figures"], ["correlations.csv", "manifest.json"]),
            (["report", "RUN", "--out", "OUT", "--no-figures", "--json"], ["correlations.csv", "manifest.json"]),
            (["analyse", "bootstrap", "RUN", "--resamples", "100", "--out", "OUT"], ["bootstrap_kendall.csv"]),
            (["agree", "RUN", "RUN", "--out", "OUT/agreement.csv"], ["agreement.csv"]),
        ],
    )
    def test_files_are_written_first(self, digits_runs, tmp_path, monkeypatch, arguments, files):
        def ended(*_, **__):
            raise BrokenPipeError

        for place in ("rich.console.Console.print", "harness.cli.shared.say_json"):
            monkeypatch.setattr(place, ended)
        places = {"RUN": str(digits_runs[0]), "OUT": str(tmp_path), "OUT/agreement.csv": str(tmp_path / files[0])}
        result = CliRunner().invoke(app, [places.get(argument, argument) for argument in arguments])
        assert isinstance(result.exception, BrokenPipeError | SystemExit)
        assert set(files) <= {file.name for file in tmp_path.iterdir()}

    @pytest.mark.nightly
    @pytest.mark.skipif(os.name == "nt", reason="needs a pipe that reports its closing")
    def test_of_a_process(self, digits_runs, tmp_path):
        command = [
            sys.executable,
            "-m",
            "harness",
            "report",
            str(digits_runs[0]),
            "--out",
            str(tmp_path),
            "--no-figures",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            assert b"Traceback" not in process.stderr.read()
        assert (tmp_path / "manifest.json").is_file()
