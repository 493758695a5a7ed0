"""An exhibit in the terminal and as files: every digit in CSV, words and rounded numbers elsewhere."""

import io
import math
from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from harness.display.exhibit import Exhibit, Listing
from harness.display.figures.drawing import Drawing
from harness.display.figures.style import ONE_COLUMN
from harness.display.tables.columns import Column, estimates, words
from harness.display.tables.grids import Grid
from harness.display.tables.heading import Heading
from harness.display.tables.numbers import count


def draw(width):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 1))
    figure.add_subplot().plot([0, 1])
    return figure


@pytest.fixture
def exhibit():
    data = pd.DataFrame(
        {"proxy": ["jacob_cov", "zen"], "kendall": [0.12345678, -0.2], "low": [0.1, math.nan], "high": [0.15, math.nan]}
    )
    columns = (
        words("proxy", "Proxy", ("Jacob_cov", "Zen")),
        estimates("kendall", "Kendall τ\n[95 %]", data, "kendall", "low", "high", best=(True, False)),
        Column("networks", "Net-\nworks", (1234, math.nan), count),
    )
    return Exhibit(
        name="trial",
        title="A trial",
        heading=Heading("Bench", "d", 5, "all", 0, "d test accuracy", "noise", 8, noise=True),
        grids=(Grid("numbers", "Some numbers", columns, data, ("A note of 5 %.",)),),
        drawings=(Drawing("line", "A line.", pd.DataFrame({"x": [0, 1]}), draw),),
        notes=("A last word.",),
    )


def test_the_terminal_shows_heading_table_and_notes(exhibit):
    file = io.StringIO()
    exhibit.show(Console(file=file, width=100))
    text = file.getvalue()
    for part in (
        "A trial",
        "NOISE, NO REAL IMAGES",
        "Some numbers",
        "Jacob_cov",
        ".123 [.100, .150]",
        "A note of 5 %.",
    ):
        assert part in text
    assert text.rstrip().endswith("A last word.")


def test_files_hold_every_digit_and_every_figure(exhibit, tmp_path):
    files = exhibit.write(tmp_path)
    assert [file.name for file in files] == sorted(file.name for file in tmp_path.iterdir())
    assert [file.name for file in files] == [
        "line.csv", "line.pdf", "line.png", "numbers.csv", "trial.md", "trial.tex",
    ]  # fmt: skip
    assert pd.read_csv(tmp_path / "numbers.csv")["kendall"].tolist() == [0.12345678, -0.2]


def test_without_figures_nothing_is_drawn(exhibit, tmp_path):
    exhibit.write(tmp_path, figures=False)
    assert not list(tmp_path.glob("line.*"))


def test_markdown_escapes_names_and_bolds_the_best(exhibit):
    text = exhibit.markdown()
    assert "| Proxy | Kendall τ [95 %] | Networks |" in text
    assert "| Jacob\\_cov | **.123 [.100, .150]** | 1,234 |" in text
    assert "- A note of 5 %." in text


def test_latex_sets_numbers_as_mathematics_and_bolds_the_value_alone(exhibit):
    text = exhibit.latex()
    assert r"Jacob\_cov & \phantom{$-$}$\mathbf{.123}$ {\footnotesize $[.100, .150]$} & $1{,}234$ \\" in text
    assert r"Zen & $-.200$ & -- \\" in text
    assert r"A note of 5 \%." in text and r"\toprule" in text


def test_every_form_has_the_notes_and_listings(exhibit):
    listed = replace(exhibit, listings=(Listing("Doubts", (("a", "One & all."),)),))
    for text in (listed.markdown(), listed.latex(), listed._repr_html_()):
        assert "A last word." in text and "Doubts" in text


@pytest.mark.parametrize(("pages", "drawn"), [(1, []), (2, ["whole"])])
def test_a_figure_that_fits_a_page_is_drawn_once(tmp_path, pages, drawn):
    asked = []

    def whole(width):
        asked.append("whole")
        return draw(width)

    drawing = Drawing("line", "A line.", pd.DataFrame({"x": [0]}), whole, lambda width: [draw(width)] * pages)
    drawing.write(tmp_path)
    assert asked == drawn


@pytest.mark.parametrize("width", [None, 6.8])
def test_figures_are_drawn_at_the_width_that_is_asked_for(exhibit, tmp_path, width):
    asked = []
    (drawing,) = exhibit.drawings
    watched = replace(drawing, draw=lambda inches: asked.append(inches) or draw(inches))
    replace(exhibit, drawings=(watched,)).write(tmp_path, width=width)
    assert asked == [width or ONE_COLUMN]
