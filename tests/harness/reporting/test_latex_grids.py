"""Tables as LaTeX: every character is one that LaTeX prints, and where there is a TeX, it does."""

import re
import shutil
import subprocess

import pandas as pd
import pytest

from harness.display.tables.columns import Column
from harness.display.tables.grids import LATEX_WIDTH, Grid, latex_grid
from harness.display.tables.latex import SPECIAL, escape, latex_tables
from harness.exhibits.heatmap import heatmap
from harness.exhibits.stability import stability
from harness.results import open_run


@pytest.fixture
def tables(digits_runs, table, heading, labels):
    runs = [open_run(directory) for directory in digits_runs]
    odd = Column("odd", "Σ log n", tuple(SPECIAL), "left")
    every = latex_grid(Grid("odd", "Odd: " + "".join(SPECIAL), (odd,), pd.DataFrame()))
    return "\n".join([latex_tables(table, heading, labels), heatmap(runs).latex(), stability(runs).latex(), every])


def one_cell(text, bold=False):
    column = Column("x", "X", (text,), "left", bold=(bold,))
    text = latex_grid(Grid("g", "G", (column,), pd.DataFrame()))
    return text.partition("\\midrule\n")[2].partition(r" \\")[0]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        (".577 [.549, .603] ▲", r"$.577^{\dagger}$ {\footnotesize $[.549, .603]$}"),
        ("-.577 ▼", r"$-.577^{\ddagger}$"),
        (".5 ○", "$.5$"),
        ("1,234", "$1{,}234$"),
        ("93.1 ± 0.2", r"$93.1$ {\footnotesize $\pm  0.2$}"),
        ("ResNet-18 ▲", r"ResNet-18 $\dagger$"),
        ("–", "--"),
    ],
)
def test_cells_are_mathematics_where_they_are_numbers(text, latex):
    assert one_cell(text) == latex


def test_the_best_is_bold_and_its_mark_and_interval_are_not():
    assert one_cell(".5 [.4, .6] ▲", bold=True) == r"$\mathbf{.5}^{\dagger}$ {\footnotesize $[.4, .6]$}"


def test_a_table_that_is_too_wide_gives_up_intervals():
    cells = (".577 [.549, .603]",)
    columns = tuple(Column(str(place), f"run {place}", cells, "left", short=(".577",)) for place in range(6))
    assert 6 * len(cells[0]) > LATEX_WIDTH
    assert "549" not in latex_grid(Grid("g", "G", columns, pd.DataFrame()))
    assert "549" in latex_grid(Grid("g", "G", columns[:3], pd.DataFrame()))


def test_no_character_is_left_that_latex_does_not_know(tables):
    # Letters with accents are known to LaTeX; symbols have to be commands.
    assert not re.findall(r"[^\x00-\x7fÀ-ž]", tables)
    assert tables.count(r"\begin{") == tables.count(r"\end{")
    assert tables.replace(r"\{", "").count("{") == tables.replace(r"\}", "").count("}")
    rows = [line for line in tables.splitlines() if line.endswith(r"\\")]
    assert rows and not any(re.search(r"(?<!\\)[#%_]", line) for line in rows)


def test_apostrophes_become_quotation_marks():
    assert escape("the set 'all'") == "the set `all'"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex is installed")
def test_they_compile(tables, tmp_path):
    lines = [
        r"\documentclass[twocolumn]{article}",
        r"\usepackage{booktabs}",
        r"\begin{document}",
        tables,
        r"\end{document}",
    ]
    (tmp_path / "all.tex").write_text("\n".join(lines), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
