"""Cells of the page: what they show, and by what they are sorted."""

import pandas as pd
import pytest

from harness.display.tables.columns import Column
from harness.reporting.page.tables import LARGEST_DOWNLOAD, csv_link, page_table, sort_number


def cells(column):
    return [row.cells[0] for row in page_table("t", "T", (column,), None).rows]


def test_a_number_its_interval_and_its_mark_are_told_apart():
    (cell,) = cells(Column("tau", "τ", ("-.117 [-.157, -.076] ▼",)))
    assert (cell.value, cell.bounds, cell.rest) == ("−.117", "[−.157, −.076]", "▼")
    assert (cell.key, cell.verdict) == (-0.117, "loss")


@pytest.mark.parametrize(
    ("text", "number"),
    [("988/1,000", 988), ("<0.01", 0.01), ("+.034", 0.034), ("1.5e-3 s", 0.0015), ("12,345", 12345), ("0", 0)],
)
def test_numbers_are_read_as_they_are_written(text, number):
    assert sort_number(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["–", "", "▲ win", "NASWOT", "[.1, .2]", "-"])
def test_what_begins_with_no_number_has_none(text):
    assert sort_number(text) is None


def test_one_word_makes_a_column_of_words():
    column = Column("name", "Name", ("3x3", "Zen", "–"), "left")
    table = page_table("t", "T", (column,), None)
    assert not table.heads[0].numeric
    assert [cell.key for cell in cells(column)] == ["3x3", "zen", None]


def test_what_is_missing_is_sorted_by_nothing():
    assert [cell.key for cell in cells(Column("p", "p", ("<.001", "–", "")))] == [0.001, None, None]


def test_a_column_without_a_head_is_called_by_its_name():
    assert page_table("t", "T", (Column("rank", "", ("1",)),), None).heads[0].text == "Rank"


def test_hyphens_in_words_and_dates_stay():
    assert cells(Column("x", "x", ("EPE-NAS 2-3",), "left"))[0].value == "EPE-NAS 2-3"


def test_only_the_baseline_s_row_is_the_reference():
    columns = (Column("a", "A", ("x", "y", "z")), Column("v", "V", ("◆", "▲ win", "–")))
    assert [row.reference for row in page_table("t", "T", columns, None).rows] == [True, False, False]


def test_large_tables_are_no_download():
    assert csv_link(pd.DataFrame({"x": [1, 2]})).startswith("data:text/csv;base64,")
    assert csv_link(pd.DataFrame({"x": range(LARGEST_DOWNLOAD)})) == ""
