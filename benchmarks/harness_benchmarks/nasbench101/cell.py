"""One cell of NAS-Bench-101: a labelled graph, and its canonical form, the module hash.

A cell is a directed acyclic graph with at most seven vertices and nine edges. The first vertex is the input, the last
is the output, and each one in between has one of three operations (Ying et al., "NAS-Bench-101", ICML 2019, section
2.1).
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
MOST_VERTICES = 7
MOST_EDGES = 9


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell.

    Attributes:
        vertices: number of vertices, including input and output.
        adjacency: one bit per edge; the edge x→y, x < y, is bit x + y (y - 1) / 2.
        operations: one digit per vertex between input and output: its index in ``OPERATIONS``.
    """

    vertices: int
    adjacency: int
    operations: str

    def matrix(self) -> NDArray[np.int8]:
        """The adjacency matrix, upper triangular, int8, (vertices, vertices)."""
        matrix = np.zeros((self.vertices, self.vertices), dtype=np.int8)
        for source, target in self.edges():
            matrix[source, target] = 1
        return matrix

    def edges(self) -> list[tuple[int, int]]:
        """The edges (source, target), by target and then by source, as the bits are."""
        places = [(source, target) for target in range(1, self.vertices) for source in range(target)]
        return [place for bit, place in enumerate(places) if self.adjacency >> bit & 1]

    def operation_names(self) -> list[str]:
        """The official name of each vertex, ``input`` and ``output`` included."""
        return ["input", *(OPERATIONS[int(digit)] for digit in self.operations), "output"]


def module_hash(cell: Cell) -> str:
    """The official identifier of a cell: equal for isomorphic cells, different for all others of the benchmark.

    It is the benchmark's graph hash, as computed by ``nasbench_pytorch``. Every vertex of an official cell is on a path
    from input to output, so nothing has to be removed first.

    >>> module_hash(Cell(vertices=4, adjacency=0b110111, operations="10"))
    '5529e1779433733d1145e20de5d8604e'
    """
    from nasbench_pytorch.model.graph_util import hash_module

    result: str = hash_module(cell.matrix(), [-1, *map(int, cell.operations), -2])
    return result


def parse_cell(adjacency: str, operations: str) -> Cell:
    """The cell of an official record.

    Args:
        adjacency: the adjacency matrix, row by row, as zeros and ones.
        operations: the vertices' operations, separated by commas, from ``input`` to ``output``.

    Raises:
        ValueError: if this is not a cell of the benchmark; the message says why.
    """
    names = operations.split(",")
    vertices = len(names)
    if len(adjacency) != vertices * vertices or not set(adjacency) <= {"0", "1"}:
        raise ValueError(f"its adjacency is not a matrix of zeros and ones for {vertices} vertices")
    if not 2 <= vertices <= MOST_VERTICES:
        raise ValueError(f"its cell has {vertices} vertices; expected: 2 to {MOST_VERTICES}")
    if names[0] != "input" or names[-1] != "output":
        raise ValueError(f"its operations run from '{names[0]}' to '{names[-1]}'; expected: from input to output")
    unknown = [name for name in names[1:-1] if name not in OPERATIONS]
    if unknown:
        raise ValueError(f"unknown operation '{unknown[0]}'; known: {', '.join(OPERATIONS)}")
    bits = 0
    for source, row in enumerate(adjacency[start : start + vertices] for start in range(0, vertices**2, vertices)):
        for target, entry in enumerate(row):
            if entry == "1":
                if target <= source:
                    raise ValueError("its adjacency matrix is not upper triangular")
                bits |= 1 << (source + target * (target - 1) // 2)
    cell = Cell(vertices, bits, "".join(str(OPERATIONS.index(name)) for name in names[1:-1]))
    _check_graph(cell)
    return cell


def _check_graph(cell: Cell) -> None:
    """Check that there are at most nine edges, and that every vertex is on a path from input to output."""
    if cell.adjacency.bit_count() > MOST_EDGES:
        raise ValueError(f"its cell has {cell.adjacency.bit_count()} edges; expected: at most {MOST_EDGES}")
    edges = cell.edges()
    sources, targets = {source for source, _ in edges}, {target for _, target in edges}
    for vertex in range(cell.vertices):
        if (vertex > 0 and vertex not in targets) or (vertex < cell.vertices - 1 and vertex not in sources):
            raise ValueError(f"vertex {vertex} of its cell is not on a path from input to output")


def neighbours(cell: Cell) -> list[Cell]:
    """The cells with one operation or one edge changed, or one vertex more, without vertices that are then on no path.

    A new vertex has one incoming and one outgoing edge. Isomorphic cells may be among them. Cells without a path from
    input to output, or with too many vertices or edges, are not.
    """
    found = [
        Cell(cell.vertices, cell.adjacency, cell.operations[:place] + digit + cell.operations[place + 1 :])
        for place, known in enumerate(cell.operations)
        for digit in map(str, range(len(OPERATIONS)))
        if digit != known
    ]
    matrix = cell.matrix().astype(bool)
    graphs = []
    for source, target in itertools.combinations(range(cell.vertices), 2):
        flipped = matrix.copy()
        flipped[source, target] ^= True
        graphs.append((flipped, cell.operations))
    if cell.vertices < MOST_VERTICES:
        for place in range(1, cell.vertices):
            wider = np.insert(np.insert(matrix, place, False, axis=0), place, False, axis=1)
            for above, below in itertools.product(range(place), range(place + 1, cell.vertices + 1)):
                grown = wider.copy()
                grown[above, place] = grown[place, below] = True
                operations = cell.operations[: place - 1], cell.operations[place - 1 :]
                graphs += [(grown, digit.join(operations)) for digit in map(str, range(len(OPERATIONS)))]
    pruned = (_pruned(graph, operations) for graph, operations in graphs)
    return [*found, *(near for near in pruned if near is not None)]


def _pruned(matrix: NDArray[np.bool_], operations: str) -> Cell | None:
    """The cell of the vertices that are on a path from input to output; None if there is none, or too many edges."""
    count = len(matrix)
    reach = np.eye(count, dtype=bool) | matrix
    for _ in range(count):
        reach |= reach @ reach
    used = np.flatnonzero(reach[0] & reach[:, -1])
    if not reach[0, -1]:
        return None
    kept = matrix[np.ix_(used, used)]
    if kept.sum() > MOST_EDGES:
        return None
    bits = sum(1 << (int(source) + int(target) * (int(target) - 1) // 2) for source, target in np.argwhere(kept))
    return Cell(len(used), bits, "".join(operations[vertex - 1] for vertex in used[1:-1]))


def cell_features(cell: Cell) -> dict[str, float]:
    """Numbers of each operation, of operations and edges, the depth, and the number of paths.

    ``depth`` is the largest number of operations on a path from input to output, ``paths`` the number of paths.

    >>> cell_features(Cell(vertices=4, adjacency=0b110111, operations="10"))  # doctest: +NORMALIZE_WHITESPACE
    {'3×3 convolutions': 1, '1×1 convolutions': 1, 'max poolings': 0, 'operations': 2, 'edges': 5,
     'depth': 2, 'paths': 3}
    """
    depth, paths = _depth_and_paths(Cell(cell.vertices, cell.adjacency, operations=""))
    counts: dict[str, float] = {
        words: cell.operations.count(str(digit))
        for digit, words in enumerate(("3×3 convolutions", "1×1 convolutions", "max poolings"))
    }
    return counts | {
        "operations": cell.vertices - 2,
        "edges": cell.adjacency.bit_count(),
        "depth": depth,
        "paths": paths,
    }


@functools.cache
def _depth_and_paths(graph: Cell) -> tuple[int, int]:
    """Inner vertices on the longest path, and number of paths; cached, because many cells share a graph."""
    longest, ways = [0] * graph.vertices, [1] + [0] * (graph.vertices - 1)
    for source, target in graph.edges():
        longest[target] = max(longest[target], longest[source] + 1)
        ways[target] += ways[source]
    return max(longest[-1] - 1, 0), ways[-1]
