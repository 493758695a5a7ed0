"""Cells of the page: what they show, and by what they are sorted."""

import math

import pandas as pd

from harness.display.tables.columns import Column, verdict_column, words
from harness.display.tables.grids import Grid
from harness.display.tables.numbers import coefficient, count, p_value
from harness.reporting.page.tables import LARGEST_DOWNLOAD, csv_link, page_table


def shown(*columns):
    return page_table(Grid("t", "T", columns, None))


def cells(column):
    return [row.cells[0] for row in shown(column).rows]


def test_a_number_its_interval_and_its_mark_are_told_apart():
    (cell,) = cells(Column("tau", "τ", [-0.117], coefficient, bounds=["[-.157, -.076]"], verdicts=["loss"]))
    assert (cell.value, cell.bounds, cell.mark) == ("−.117", "[−.157, −.076]", "▼")
    assert (cell.key, cell.verdict) == ("-0.117", "loss")


def test_numbers_are_sorted_by_their_values_however_they_are_written():
    assert [cell.key for cell in cells(Column("p", "p", [1e-9, 0.41, 0.4099], p_value))] == ["1e-09", "0.41", "0.4099"]
    assert [cell.key for cell in cells(Column("n", "n", [988, 1000000], count))] == ["988", "1000000"]


def test_words_are_sorted_as_words():
    column = words("name", "Name", ("3x3", "Zen", "–"))
    assert not shown(column).heads[0].numeric
    assert [cell.key for cell in cells(column)] == ["3x3", "zen", None]


def test_what_is_missing_is_sorted_by_nothing():
    assert [cell.key for cell in cells(Column("p", "p", [0.001, math.nan], p_value))] == ["0.001", None]


def test_a_column_without_a_head_is_called_by_its_name():
    assert shown(Column("rank", "", [1], count)).heads[0].text == "Rank"


def test_hyphens_in_words_and_dates_stay():
    assert cells(words("x", "x", ["EPE-NAS 2-3"]))[0].value == "EPE-NAS 2-3"


def test_a_name_with_a_mark_has_no_verdict():
    names = words("name", "Name", ("Diamond ◆", "Zen"))
    assert [(row.cells[0].verdict, row.reference) for row in shown(names).rows] == [("", False), ("", False)]


def test_only_the_baseline_s_row_is_the_reference():
    verdicts = verdict_column(["baseline", "win", "undefined"])
    assert [row.reference for row in shown(words("a", "A", "xyz"), verdicts).rows] == [True, False, False]


def test_large_tables_are_no_download():
    assert csv_link(pd.DataFrame({"x": [1, 2]})).startswith("data:text/csv;base64,")
    assert csv_link(pd.DataFrame({"x": range(LARGEST_DOWNLOAD)})) == ""
