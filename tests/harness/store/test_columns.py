"""The columns of the table of scores are declared once."""

from __future__ import annotations

import hashlib

import pytest

from harness.store.columns import COLUMNS, TABLE, as_stored, rows_of
from harness.store.records import Score, UnitResult


def test_the_table_is_to_the_letter_that_of_every_store_so_far():
    assert hashlib.blake2b(TABLE.encode(), digest_size=8).hexdigest() == "5f6cbede62603d92"


def test_a_unit_gives_a_row_for_each_proxy_in_the_order_of_the_columns():
    scores = (
        Score("params", 2, "ok", 7, None, 1, 2),
        Score("snip", 1, "failed", None, "RuntimeError", 0.5, 1.5),
    )
    rows = rows_of(UnitResult("cell", scores, 3))
    assert [dict(zip(COLUMNS, row, strict=True)) for row in rows][1] == {
        "architecture": "cell", "proxy": "snip", "version": 1, "status": "failed", "value": None,
        "error": "RuntimeError", "own_seconds": 0.5, "standalone_seconds": 1.5, "forward_backward_seconds": 3.0,
    }  # fmt: skip
    assert isinstance(rows[0][COLUMNS.index("value")], float) and isinstance(rows[0][COLUMNS.index("version")], int)


@pytest.mark.parametrize(("column", "lacks"), [("version", True), ("own_seconds", True), ("error", False)])
def test_only_what_may_be_missing_may_be_missing(column, lacks):
    row = ["cell", "params", "1", "ok", "7.0", "", "1", "2", "3"]
    row[COLUMNS.index(column)] = None
    if lacks:
        with pytest.raises(TypeError, match=f"an outcome without {column}"):
            as_stored(row)
    else:
        assert as_stored(row) == ("cell", "params", 1, "ok", 7.0, None, 1.0, 2.0, 3.0)
