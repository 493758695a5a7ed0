"""Tables in JSON: the layouts of pandas, nested mappings, JSON lines, and NAS-Bench-Suite-Zero's score files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from harness._utils.json_text import RepeatedKeyError, parse_json
from harness._utils.names import listed
from harness._utils.visible import one_line
from harness.data.columns import column_key
from harness.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_SCORE, _TIME = "score", "time"


def looks_like_json(text: str) -> bool:
    """Whether a text starts like a JSON object or array."""
    return text[:100].lstrip()[:1] in ("{", "[")


def read_json(
    text: str, name: str, columns: Collection[str], section: str | None = None, stem: str = "value"
) -> pd.DataFrame:
    """Read a JSON table; a mapping's keys that name its rows become the index.

    These layouts are known: a list of records; JSON lines; ``split``, ``columns``, ``index`` and ``table`` of pandas;
    a mapping from rows to values or from columns to values; and a mapping of any of them by data set, as in
    ``zc_nasbench201.json``, whose scores are mappings with ``score`` and ``time``.

    Args:
        text: the content.
        name: the file's name, for messages.
        columns: keys that are known to name columns, as by :func:`~harness.data.columns.column_key`.
        section: the data set to read, where the file has several.
        stem: the name of the column if a file only maps rows to numbers.

    Raises:
        DataError: if it is not JSON, names a row or a column twice, or is of another layout.
    """
    import pandas as pd

    document = _parsed(text, name)
    if isinstance(document, list):
        if document and all(isinstance(row, Mapping) for row in document):
            return pd.DataFrame.from_records([_flat(row) for row in document])
        raise DataError(f"{name} is a JSON list of something else than records; expected: [{{'arch': …}}, …]")
    if not isinstance(document, Mapping) or not document:
        raise DataError(f"{name} is not a JSON table; expected: records, or a mapping by architecture or by column")
    if isinstance(document.get("data"), list):
        if isinstance(document.get("columns"), list):
            try:
                return pd.DataFrame(document["data"], document.get("index"), document["columns"])
            except ValueError as error:
                raise DataError(f"{name} is not a JSON table ({one_line(str(error))})") from None
        schema = document.get("schema")
        keys = schema.get("primaryKey") if isinstance(schema, Mapping) else None
        rows = pd.DataFrame.from_records([_flat(row) for row in document["data"]])
        return rows.set_index(keys).rename_axis(None if keys == ["index"] else keys) if keys else rows
    if all(isinstance(values, list) for values in document.values()):
        lengths = {len(values) for values in document.values()}
        if len(lengths) > 1:
            raise DataError(f"{name} has columns of different lengths: {listed(sorted(lengths))}")
        return pd.DataFrame(document)
    if not any(isinstance(value, Mapping) for value in document.values()):
        return pd.DataFrame({stem: document})
    return _nested(document, name, columns, section)


def _parsed(text: str, name: str) -> Any:
    try:
        return parse_json(text, unique=True)
    except RepeatedKeyError as error:
        raise DataError(f"{name} names '{one_line(error.key)}' more than once in one JSON object") from None
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            return [parse_json(line) for line in lines] if len(lines) > 1 else _refuse(name, error)
        except ValueError:
            return _refuse(name, error)


def _refuse(name: str, error: ValueError) -> Any:
    raise DataError(f"{name} is truncated, or not JSON ({one_line(str(error))})") from None


def _nested(document: Mapping[str, Any], name: str, columns: Collection[str], section: str | None) -> pd.DataFrame:
    import pandas as pd

    if not all(isinstance(value, Mapping) for value in document.values()):
        plain = next(key for key, value in document.items() if not isinstance(value, Mapping))
        raise DataError(f"{name} mixes tables and single values, such as '{plain}'")
    if _is_of_sections(document):
        document = document[_section(document, name, section)]
        if not isinstance(document, Mapping) or not all(isinstance(value, Mapping) for value in document.values()):
            raise DataError(f"{name} has no rows in this section")
    with_times = any(_is_score(value) for row in document.values() for value in row.values())
    rows = {key: _flat(value) for key, value in document.items()}
    inner = {key for row in rows.values() for key in row}
    by_column = any(column_key(key) in columns for key in rows)
    by_row = with_times or any(column_key(key) in columns for key in inner)
    if by_column == by_row:
        if len(rows) == len(inner):
            raise DataError(
                f"{name} does not show whether '{next(iter(rows))}' is an architecture or a column; write records: "
                "[{'arch': …, 'score': …}, …]"
            )
        by_column = len(rows) < len(inner)
    return pd.DataFrame(rows) if by_column else pd.DataFrame.from_dict(rows, orient="index")


def _is_of_sections(document: Mapping[str, Any]) -> bool:
    """Whether a mapping holds whole tables: three levels of mappings, not counting those of a score and its time."""
    values = [row for table in document.values() for row in table.values()]
    return bool(values) and all(isinstance(row, Mapping) and not _is_score(row) for row in values)


def _section(document: Mapping[str, Any], name: str, section: str | None) -> str:
    if section is None:
        if len(document) == 1:
            return next(iter(document))
        raise DataError(f"{name} has several data sets; choose one of {listed(document)} with --dataset")
    found = [key for key in document if column_key(key) == column_key(section)]
    if not found:
        raise DataError(f"{name} has no data set '{section}'; it has {listed(document)}")
    return found[0]


def _is_score(value: object) -> bool:
    return isinstance(value, Mapping) and _SCORE in value and set(value) <= {_SCORE, _TIME}


def _flat(row: object) -> dict[str, Any]:
    """A record without the times of its scores; lists become text."""
    if not isinstance(row, Mapping):
        return {"value": row}
    flat = {key: value[_SCORE] if _is_score(value) else value for key, value in row.items()}
    return {key: str(value) if isinstance(value, list | Mapping) else value for key, value in flat.items()}
