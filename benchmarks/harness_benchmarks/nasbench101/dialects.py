"""How other projects write cells of NAS-Bench-101: a matrix and its operations, together or in two columns."""

from __future__ import annotations

import math
import re

from harness.contracts.dialect import Dialect
from harness_benchmarks.nasbench101.cell import OPERATIONS, Cell, module_hash, parse_cell

_NASLIB = ("input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")
"""NASLib's numbers of the operations."""

_NAME = re.compile("|".join(("input", "output", *OPERATIONS)))
_DIGITS = re.compile(r"[\d\s,()\[\]]+")


def of_tuple(text: str) -> str | None:
    """The module hash of NASLib's tuple: the matrix row by row, then the number of each vertex's operation.

    >>> of_tuple("(0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 4, 1)")
    'b49ac8c578b4561d79ac7087988f1c61'
    """
    if not _DIGITS.fullmatch(text):
        return None
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    size = (math.isqrt(1 + 4 * len(numbers)) - 1) // 2
    if size * size + size != len(numbers) or not size or max(numbers[-size:]) >= len(_NASLIB):
        return None
    return _hash("".join(map(str, numbers[:-size])), [_NASLIB[number] for number in numbers[-size:]])


def of_matrix_and_names(text: str) -> str | None:
    """The module hash of a matrix of zeros and ones, followed by the names of the operations."""
    first = _NAME.search(text)
    if first is None:
        return None
    return _hash("".join(re.findall("[01]", text[: first.start()])), _NAME.findall(text))


def _hash(entries: str, names: list[str]) -> str | None:
    """The hash of a cell, without the vertices that are on no path from input to output."""
    size = len(names)
    if len(entries) != size * size or not set(entries) <= {"0", "1"}:
        return None
    edges = {(row, column) for row in range(size) for column in range(size) if entries[row * size + column] == "1"}
    from_input, to_output = {0}, {size - 1}
    for _ in names:
        from_input |= {target for source, target in edges if source in from_input}
        to_output |= {source for source, target in edges if target in to_output}
    kept = [vertex for vertex in range(size) if vertex in from_input & to_output]
    matrix = "".join("1" if (row, column) in edges else "0" for row in kept for column in kept)
    try:
        cell: Cell = parse_cell(matrix, ",".join(names[vertex] for vertex in kept))
    except ValueError:
        return None
    return module_hash(cell)


TUPLE = Dialect("tuples of NASLib (matrix, then operations)", of_tuple, "(0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 4, 0)")
TOGETHER = Dialect("matrices with operations", of_matrix_and_names, "[[0, 1], [0, 0]] ['input', 'output']")
IN_TWO_COLUMNS = Dialect(
    "matrices and operations in two columns",
    of_matrix_and_names,
    "[[0, 1], [0, 0]] ['input', 'output']",
    columns=(("matrix", "moduleadjacency", "adjacency", "adjacencymatrix"), ("ops", "operations", "moduleoperations")),
)
