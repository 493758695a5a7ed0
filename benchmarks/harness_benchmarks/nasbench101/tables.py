"""Many cells at once, as columns of a table: whether they are cells of the benchmark, and their parameter counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.data.plausibility import numbers_of
from harness.errors import DataError
from harness_benchmarks.nasbench101.cell import MOST_EDGES, MOST_VERTICES, OPERATIONS, Cell, module_hash
from harness_benchmarks.nasbench101.trainings import EPOCHS, REPEATS

if TYPE_CHECKING:
    import pandas as pd

WIDTHS = (128, 256, 512)
CELLS_PER_STAGE = 3
CLASSES = 10

CELL_COLUMNS = {
    "vertices": "vertices of the cell, input and output included",
    "adjacency_bits": "edges of the cell: that of x→y, x < y, is bit x + y (y - 1) / 2",
    "ops": "operation of each vertex between input and output: "
    + ", ".join(f"{digit} {name}" for digit, name in enumerate(OPERATIONS)),
}
REPEAT_COLUMNS = {
    f"cifar10/{split}/{epochs}/repeat-{repeat}": f"{split} accuracy (%) of training {repeat} of {epochs} epochs"
    for epochs in EPOCHS
    for split in ("test", "val")
    for repeat in range(1, REPEATS + 1)
}
SECONDS_COLUMNS = {
    f"cifar10/seconds/{epochs}": f"training time (s) of {epochs} epochs, mean over {REPEATS} trainings"
    for epochs in EPOCHS
}
_HASHES_COMPUTED = 1000
_ROUNDING = 0.02
"""Points by which a stored mean may differ from the mean of the training runs: two of 9,984 images."""


def describe_cells(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The columns that describe cells and their single training runs, checked and in compact types.

    Every row of the table, indexed by module hash, must be a cell of the benchmark. For 1,000 evenly spaced rows, the
    hash is computed and compared.

    Raises:
        DataError: if a column is missing, a row is not a cell, or its hash is wrong.
    """
    missing = [column for column in CELL_COLUMNS if column not in frame.columns]
    if missing:
        raise DataError(
            f"{name} has no column '{missing[0]}'; a table of NAS-Bench-101 has hash, {', '.join(CELL_COLUMNS)}"
        )
    described = frame[[]].copy()
    for column, kind in (("vertices", np.uint8), ("adjacency_bits", np.uint32)):
        values = frame[column]
        if values.dtype.kind not in "iu" or (len(values) and not 0 <= values.min() <= values.max() < 1 << 31):
            raise DataError(f"{name}: column '{column}' has a value that is not an integer from 0 to 2,147,483,647")
        described[column] = values.clip(upper=np.iinfo(kind).max).astype(kind)
    described["ops"] = frame["ops"].astype("str")
    _check_graphs(described, name)
    _check_hashes(described, name)
    for column in (*REPEAT_COLUMNS, *SECONDS_COLUMNS):
        if column in frame.columns:
            described[column] = numbers_of(frame[column], name).astype(np.float32)
    _check_trainings(frame, described, name)
    return described


def parameter_counts(described: pd.DataFrame, classes: int = CLASSES) -> NDArray[np.int64]:
    r"""The number of trainable parameters of each cell's network, int64, (len(described),).

    A vertex with :math:`c` channels contributes :math:`9 c^2 + 2 c` for a 3×3 and :math:`c^2 + 2 c` for a 1×1
    convolution with its batch norm; an edge from the input to it, :math:`I c + 2 c` for the projection from the cell's
    :math:`I` input channels. The vertices that lead to the output share its channels (with a remainder, the first ones
    get one more); any other vertex has as many as the widest vertex that it leads to (Ying et al., ICML 2019, appendix
    S1). The stem adds :math:`27 · 128 + 256`, the classifier :math:`512 K + K`.
    """
    counts = np.zeros(len(described), dtype=np.int64)
    vertices = described["vertices"].to_numpy()
    for size in range(2, MOST_VERTICES + 1):
        rows = np.flatnonzero(vertices == size)
        if len(rows):
            edges = _edges(described["adjacency_bits"].to_numpy()[rows], size)
            digits = _digits(described["ops"].iloc[rows], size - 2)
            counts[rows] = _network_parameters(edges, digits, classes)
    return counts


def _network_parameters(edges: NDArray[np.bool_], digits: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Parameter counts, (cells,), of edges (cells, vertices, vertices) and operations (cells, vertices - 2)."""
    fixed = 27 * WIDTHS[0] + 2 * WIDTHS[0] + (WIDTHS[-1] + 1) * classes
    total = np.full(len(edges), fixed, dtype=np.int64)
    before = WIDTHS[0]
    for width in WIDTHS:
        channels = _vertex_channels(edges, width)
        inner = channels[:, 1:-1]
        kernel = np.array([9, 1, 0])[digits]
        operations = (kernel * inner * inner + 2 * inner * (kernel > 0)).sum(axis=1)
        projected = (channels[:, 1:] * edges[:, 0, 1:]).sum(axis=1)
        for inputs in (before, *(width,) * (CELLS_PER_STAGE - 1)):
            total += operations + (inputs + 2) * projected
        before = width
    return total


def _vertex_channels(edges: NDArray[np.bool_], width: int) -> NDArray[np.int64]:
    """The output channels of each vertex in a cell of the given width, (cells, vertices); 0 for the input."""
    cells, size, _ = edges.shape
    channels = np.zeros((cells, size), dtype=np.int64)
    channels[:, -1] = width
    to_output = edges[:, 1:-1, -1]
    sharing = np.maximum(to_output.sum(axis=1), 1)
    share, rest = width // sharing, width % sharing
    one_more = np.cumsum(to_output, axis=1) <= rest[:, None]
    channels[:, 1:-1] = to_output * (share[:, None] + one_more)
    for vertex in range(size - 3, 0, -1):
        widest = (channels[:, vertex + 1 : -1] * edges[:, vertex, vertex + 1 : -1]).max(axis=1)
        channels[:, vertex] = np.where(to_output[:, vertex - 1], channels[:, vertex], widest)
    return channels


def _check_graphs(described: pd.DataFrame, name: str) -> None:
    bits, vertices = described["adjacency_bits"].to_numpy(), described["vertices"].to_numpy().astype(np.int64)
    lengths = described["ops"].str.len().to_numpy()
    known = ~described["ops"].str.contains(f"[^0-{len(OPERATIONS) - 1}]").to_numpy(dtype=bool)
    on_paths = np.zeros(len(described), dtype=bool)
    for size in range(2, MOST_VERTICES + 1):
        rows = np.flatnonzero(vertices == size)
        edges = _edges(bits[rows], size)
        ways_out, ways_in = edges.sum(axis=2), edges.sum(axis=1)
        on_paths[rows] = np.all((ways_out[:, :-1] > 0) & (ways_in[:, 1:] > 0), axis=1)
    for wrong, reason in (
        ((vertices < 2) | (vertices > MOST_VERTICES), f"has not 2 to {MOST_VERTICES} vertices"),
        (bits >> np.minimum(vertices * (vertices - 1) // 2, 31) != 0, "has edges to vertices that do not exist"),
        (np.bitwise_count(bits) > MOST_EDGES, f"has more than {MOST_EDGES} edges"),
        (~known, f"has an unknown operation; known are the digits 0 to {len(OPERATIONS) - 1}"),
        (lengths != vertices - 2, "has a different number of operations than vertices between input and output"),
        (~on_paths, "has a vertex that is not on a path from input to output"),
    ):
        rows = np.flatnonzero(wrong)
        if len(rows):
            raise DataError(f"{name}: the cell of '{described.index[rows[0]]}' {reason} ({len(rows):,} such rows)")


def _check_trainings(frame: pd.DataFrame, described: pd.DataFrame, name: str) -> None:
    """Check that stored means equal the means of the single training runs, in the same unit."""
    for epochs in EPOCHS:
        for split in ("test", "val"):
            mean = f"cifar10/{split}/{epochs}"
            single = [f"{mean}/repeat-{repeat}" for repeat in range(1, REPEATS + 1)]
            if mean not in frame.columns or not set(single) <= set(described.columns):
                continue
            averaged = described[single].to_numpy(dtype=np.float64).mean(axis=1)
            rows = np.flatnonzero(np.abs(averaged - numbers_of(frame[mean], name)) > _ROUNDING)
            if len(rows):
                row = rows[0]
                raise DataError(
                    f"{name}: column '{mean}' is {frame[mean].iloc[row]:g} for '{frame.index[row]}', but the "
                    f"{REPEATS} single trainings have {averaged[row]:g} on average ({len(rows):,} such rows)"
                )


def _check_hashes(described: pd.DataFrame, name: str) -> None:
    chosen = np.unique(np.linspace(0, max(len(described) - 1, 0), _HASHES_COMPUTED).astype(int))
    rows = described.iloc[chosen[: len(described)]]
    columns = (rows[column].to_list() for column in CELL_COLUMNS)
    for stated, *cell in zip(rows.index, *columns, strict=True):
        computed = module_hash(Cell(*cell))
        if computed != stated:
            raise DataError(f"{name}: the cell of '{stated}' has the hash '{computed}'")


def _edges(bits: NDArray[np.uint32], size: int) -> NDArray[np.bool_]:
    """Adjacency matrices, bool, (len(bits), size, size)."""
    edges = np.zeros((len(bits), size, size), dtype=bool)
    for target in range(1, size):
        for source in range(target):
            edges[:, source, target] = bits >> np.uint32(source + target * (target - 1) // 2) & 1
    return edges


def _digits(operations: pd.Series[str], count: int) -> NDArray[np.int64]:
    """The operations' digits as numbers, (len(operations), count)."""
    text = "".join(operations)
    return (np.frombuffer(text.encode(), dtype=np.uint8) - ord("0")).astype(np.int64).reshape(len(operations), count)
