"""Tables as LaTeX: every character is one that LaTeX prints, and where there is a TeX, it does."""

import math
import re
import shutil
import subprocess

import pandas as pd
import pytest

from harness.display.tables.columns import Column, estimates, words
from harness.display.tables.grids import Grid
from harness.display.tables.latex import LATEX_WIDTH, LONGEST_FLOAT, SPECIAL, escape, latex_grid
from harness.display.tables.numbers import coefficient, count
from harness.exhibits.heatmap import heatmap
from harness.exhibits.stability import stability
from harness.reporting.tables import exhibit_of
from harness.results import open_run


@pytest.fixture
def tables(digits_runs, table, heading, labels):
    runs = [open_run(directory) for directory in digits_runs]
    odd = words("odd", "Σ log n", SPECIAL)
    every = latex_grid(Grid("odd", "Odd: " + "".join(SPECIAL), (odd,), None))
    exhibits = (exhibit_of(table, None, heading, labels), heatmap(runs), stability(runs))
    return "\n".join([*(exhibit.latex() for exhibit in exhibits), every])


def cells(*columns):
    body = latex_grid(Grid("g", "G", columns, None)).partition("\\midrule\n")[2]
    return [line.removesuffix(r" \\") for line in body.splitlines() if line.endswith(r" \\")]


@pytest.mark.parametrize(
    ("column", "latex"),
    [
        (
            Column("x", "X", [0.577], coefficient, bounds=["[.549, .603]"], marks=[" ▲"]),
            r"$.577^{\dagger}$ {\footnotesize $[.549, .603]$}",
        ),
        (Column("x", "X", [-0.577], coefficient, marks=[" ▼"]), r"$-.577^{\ddagger}$"),
        (Column("x", "X", [-0.577], coefficient, marks=["*"]), r"$-.577^{*}$"),
        (Column("x", "X", [0.5], coefficient, marks=[" ○"]), "$.500$"),
        (Column("x", "X", [1234], count), "$1{,}234$"),
        (Column("x", "X", [93.1], str, bounds=["± 0.2"]), r"$93.1$ {\footnotesize $\pm  0.2$}"),
        (Column("x", "X", [math.nan], coefficient, marks=[" ▲"]), "--"),
        (Column("x", "X", [71.1], str, bounds=["to 80.8"]), r"$71.1$ {\footnotesize $\mbox{to }80.8$}"),
        (words("x", "X", ["ResNet-18 ▲"]), r"ResNet-18 $\dagger$"),
        (words("x", "X", ["–"]), "--"),
    ],
)
def test_numbers_are_mathematics_and_words_are_text(column, latex):
    assert cells(column) == [latex]


def test_the_best_is_bold_and_its_mark_and_interval_are_not():
    column = Column("x", "X", [0.5], coefficient, bounds=["[.4, .6]"], marks=[" ▲"], best=[True])
    assert cells(column) == [r"$\mathbf{.500}^{\dagger}$ {\footnotesize $[.4, .6]$}"]


def test_points_stand_in_a_column_where_some_values_are_negative():
    column = Column("x", "X", [0.5, -0.2, math.nan], coefficient, "left", best=[False, True, False])
    assert cells(column) == [r"\phantom{$-$}$.500$", r"$\mathbf{-.200}$", r"\phantom{$-$}--"]


def test_a_table_that_is_too_wide_gives_up_intervals():
    found = pd.DataFrame({"t": [0.577], "t_low": [0.549], "t_high": [0.603]})
    columns = tuple(estimates(f"run {place}", f"run {place}", found, "t", brief=True) for place in range(6))
    assert 6 * len(str(columns[0].cells[0])) > LATEX_WIDTH
    assert "549" not in latex_grid(Grid("g", "G", columns, None))
    assert "549" in latex_grid(Grid("g", "G", columns[:3], None))


def test_intervals_that_are_given_up_are_mentioned():
    found = pd.DataFrame({"t": [0.577], "t_low": [0.549], "t_high": [0.603]})
    columns = tuple(estimates(f"run {place}", f"run {place}", found, "t", brief=True) for place in range(6))
    assert "The intervals are left out" in latex_grid(Grid("g", "G", columns, None))
    assert "left out" not in latex_grid(Grid("g", "G", columns[:3], None))


def test_columns_with_equal_heads_are_all_kept():
    columns = (Column("first", "τ", [0.1], coefficient), Column("second", "τ", [0.2], coefficient))
    assert cells(*columns) == ["$.100$ & $.200$"]


@pytest.mark.parametrize(("title", "start"), [("Which one?", "Which one? A note."), ("These", "These. A note.")])
def test_a_caption_ends_every_sentence_once(title, start):
    assert rf"\caption{{{start}}}" in latex_grid(Grid("g", title, (words("x", "X", "a"),), None, ("A note.",)))


def test_a_long_table_goes_on_over_several_pages():
    column = words("x", "X", ["a"] * (LONGEST_FLOAT + 1))
    assert r"\begin{longtable}" in latex_grid(Grid("g", "G", (column,), None))


def test_no_character_is_left_that_latex_does_not_know(tables):
    # Letters with accents are known to LaTeX; symbols have to be commands.
    assert not re.findall(r"[^\x00-\x7fÀ-ž]", tables)
    assert tables.count(r"\begin{") == tables.count(r"\end{")
    assert tables.replace(r"\{", "").count("{") == tables.replace(r"\}", "").count("}")
    rows = [line for line in tables.splitlines() if line.endswith(r"\\")]
    assert rows and not any(re.search(r"(?<!\\)[#%_]", line) for line in rows)


@pytest.mark.parametrize(
    ("plain", "latex"),
    [
        ("the set 'all'", "the set `all'"),
        ("Spearman's and Kendall's", "Spearman's and Kendall's"),
        ("the proxies' ranks in 'all'", "the proxies' ranks in `all'"),
    ],
)
def test_quotation_marks_are_told_from_apostrophes(plain, latex):
    assert escape(plain) == latex


def test_bars_and_division_signs_are_commands():
    assert escape("ZiCo (|g|), SE ÷ SE") == r"ZiCo (\textbar{}g\textbar{}), SE $\div$ SE"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex is installed")
def test_they_compile(tables, tmp_path):
    lines = [
        r"\documentclass[twocolumn]{article}",
        r"\usepackage{booktabs,longtable}",
        r"\begin{document}",
        tables,
        r"\end{document}",
    ]
    (tmp_path / "all.tex").write_text("\n".join(lines), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
