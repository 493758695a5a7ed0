"""Tables as text, as spreadsheets and programs of any country write them: encoding, separator, decimal comma."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harness._utils.visible import one_line
from harness.data.columns import column_key, one_of_each
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

UNNAMED = "(unnamed)"
"""The name of a first column that the header does not name, which is an index."""

_UNREADABLE = (ValueError, OverflowError, MemoryError, OSError)
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SEPARATORS = ("\t", ";", ",")
_LOOKED_AT = 50
_BEFORE, _AFTER = r'(?:(?<=[;\t])|^)"?', r'(?="?\s*(?:[;\t]|$))'
_WITH_COMMA = re.compile(_BEFORE + r" *([+-]?\d*,\d+(?:[eE][+-]?\d+)?)" + _AFTER, re.MULTILINE)
_WITH_POINT = re.compile(_BEFORE + r" *([+-]?\d*\.\d+(?:[eE][+-]?\d+)?)" + _AFTER, re.MULTILINE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_CODE = re.compile(r"0\d+")
_MAY_BE_CODE = re.compile(r"(?<![\w.+-])0\d")
"""Digits with a leading zero, which is a name and not a number."""
_EXCEL_LINE = re.compile(r"\s*\"?sep=(.)\"?\r?\n", re.IGNORECASE)


def decoded(content: bytes, name: str, notes: list[str]) -> str:
    """The text of a file in UTF-8, UTF-16 or, as spreadsheets in Western Europe write it, Windows-1252.

    Raises:
        DataError: if it is not text.
    """
    mark = next((each for start, each in _BYTE_ORDER_MARKS.items() if content.startswith(start)), None)
    encoding = mark or _unmarked(content)
    try:
        text = content.decode(encoding)
    except UnicodeError:
        words = "it is not text in UTF-8 or Windows-1252" if mark is None else "its text is damaged"
        raise _not_a_table(name, words) from None
    if "\0" in text or (encoding == "cp1252" and re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text)):
        raise _not_a_table(name, "it has control characters")
    if encoding.startswith("utf-16"):
        notes.append("UTF-16")
    if encoding == "cp1252":
        notes.append("Windows-1252")
    return text


def _unmarked(content: bytes) -> str:
    start = content[:1000]
    if len(start) > 3:
        for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
            if zeros.count(0) > 0.8 * len(zeros):
                return encoding
    try:
        content.decode("utf-8")
    except UnicodeError:
        return "cp1252"
    return "utf-8"


def read_text(text: str, name: str, as_text: Sequence[str] = (), notes: list[str] | None = None) -> pd.DataFrame:
    """Read a table whose fields are separated by commas, semicolons or tabs.

    Blanks around column names are dropped. If rows have one field more than the header, as in tables written by R, the
    first field is an unnamed column. Decimal commas are read where semicolons or tabs separate fields. The columns
    ``as_text`` are read as text even if they look like numbers, and so are columns of digits with leading zeros.

    Raises:
        DataError: if it is truncated or not such a table, its separator or its decimal comma is ambiguous, or two
            columns with the same name disagree.
    """
    import pandas as pd

    told: list[str] = [] if notes is None else notes
    first = _EXCEL_LINE.match(text)
    text = text[first.end() :] if first else text
    separator = first[1] if first else _separator(text, name)
    decimal = _decimal_mark(text, name) if separator in ";\t" else "."
    if separator != ",":
        told.append("separated by tabs" if separator == "\t" else f"separated by '{separator}'")
    if decimal == ",":
        told.append("decimal commas")

    def read(**options: Any) -> pd.DataFrame:
        frame: pd.DataFrame = pd.read_csv(io.StringIO(text), sep=separator, decimal=decimal, **options)
        return frame

    try:
        # pandas renames the second of two equal names, so the names are also read as a row of text.
        written = read(header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0].str.strip().to_list()
        unique = read(nrows=0).columns
        names = [column or made for column, made in zip(written, unique, strict=True)]
        texts = {made: "str" for column, made in zip(names, unique, strict=True) if column_key(column) in as_text}
        frame = read(low_memory=False, dtype=texts)
        if _MAY_BE_CODE.search(text):
            frame = _with_codes(frame, read)
    except _UNREADABLE as error:
        raise _not_a_table(name, error) from None
    if frame.index.nlevels > 1:
        raise DataError(f"{name} has rows with {frame.index.nlevels} fields more than its header")
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.rename_axis(UNNAMED).reset_index()
        names = [UNNAMED, *names]
    elif names and not written[0]:
        names[0] = UNNAMED
    if decimal == ",":
        frame = frame.apply(_with_points)
    return one_of_each(frame, names, name)


def _with_codes(frame: pd.DataFrame, read: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """The table with those columns of integers as text that have leading zeros."""
    integers = [column for column in frame.columns if frame[column].dtype.kind in "iu"]
    texts = read(low_memory=False, dtype=dict.fromkeys(integers, "str"))
    codes = [column for column in integers if texts[column].str.strip().str.fullmatch(_CODE).any()]
    return frame.assign(**{column: texts[column].str.strip() for column in codes})


def names_of(text: str) -> list[str]:
    """The column names in the first line of a table."""
    first = _EXCEL_LINE.match(text)
    line = (text[first.end() :] if first else text).partition("\n")[0]
    separator = max(_SEPARATORS, key=line.count)
    return [field.strip().strip('"').strip() for field in line.split(separator)]


def _separator(text: str, name: str) -> str:
    """The separator that splits the header into fields, and every row into as many, or one more.

    Raises:
        DataError: if two separators do.
    """
    lines = text[: 1 << 20].splitlines(keepends=True)[:_LOOKED_AT]
    fitting = [separator for separator in _SEPARATORS if _fits(lines, separator)]
    if len(fitting) > 1:
        raise DataError(
            f"{name} can be read with {fitting[0]!r} and with {fitting[1]!r} between its fields; put quotes around "
            "fields that contain one of them"
        )
    header = lines[0] if lines else ""
    return fitting[0] if fitting else max(reversed(_SEPARATORS), key=header.count)


def _fits(lines: Sequence[str], separator: str) -> bool:
    try:
        rows = [row for row in itertools.islice(csv.reader(lines, delimiter=separator), _LOOKED_AT) if row]
    except csv.Error:
        return False
    # The last of the lines may be cut inside a quoted field.
    counts = {len(row) for row in rows[1:-1] or rows[1:]}
    return bool(rows) and len(rows[0]) > 1 and counts <= {len(rows[0]), len(rows[0]) + 1}


def _decimal_mark(text: str, name: str) -> str:
    """The decimal mark of a table that is separated by semicolons or tabs.

    Raises:
        DataError: if it has both, or commas that may separate thousands.
    """
    body = text.partition("\n")[2]
    commas = _WITH_COMMA.finditer(body)
    first = next(commas, None)
    if first is None:
        return "."
    point = _WITH_POINT.search(body)
    if point is not None:
        raise DataError(
            f"{name} has numbers with a decimal comma, such as '{first[1]}', and with a point, such as '{point[1]}'; "
            "use one of them"
        )
    if all(_THOUSANDS.fullmatch(each[1]) for each in itertools.chain([first], commas)):
        number = first[1]
        raise DataError(
            f"{name}: '{number}' may be {number.replace(',', '.')} or {number.replace(',', '')}, and no other number "
            "shows which; write plain numbers such as 93.512"
        )
    return ","


def _with_points(values: pd.Series[Any]) -> pd.Series[Any]:
    """The numbers of a column that also has other text, which pandas therefore leaves as they are written."""
    if values.dtype.kind in "biufc":
        return values
    texts = values.astype("str").str.strip()
    numbers = texts.str.fullmatch(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
    return values.mask(numbers, texts.str.replace(",", ".")) if 2 * numbers.sum() > values.notna().sum() else values


def _not_a_table(name: str, cause: object) -> DataError:
    return DataError(f"{name} is truncated, or not a CSV or Parquet table ({one_line(str(cause))})")
