"""The jigsaw task: nine tiles of an image in a permuted order; the class is the permutation.

Noroozi & Favaro, "Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles", ECCV 2016, as
TransNAS-Bench-101 built it (yawen-d/TransNASBench, ``lib/data/load_ops.py``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.errors import DataError
from harness.seeds import derive_seed
from harness_benchmarks.transnas101.taskonomy_files import load_array

CLASSES = 1000
TILES = 9
PERMUTATION_FILE = "permutations_hamming_max_1000.npy"
"""The benchmark's own permutations, from ``lib/data`` of its repository; read if it is in the image directory."""

_CELL_BY_TILE = 85 / 64
_CENTRAL_SHARE = 0.9


def read_permutations(folder: Path) -> tuple[NDArray[np.int64], str]:
    """The permutation of each class, (1000, 9), and a description of them.

    Without the benchmark's file they are drawn at random with a fixed seed. They are similar to those in the file: two
    of its permutations differ at 8.01 of the nine places on average, two random ones at 8. But class k is a different
    permutation, so labels cannot be compared with those of a trained network.

    Raises:
        DataError: if the file contains anything else.
    """
    path = folder / PERMUTATION_FILE
    if not path.is_file():
        return own_permutations(), f"{CLASSES:,} permutations drawn here, which are not the benchmark's"
    stored = load_array(path)
    whole = stored.shape == (CLASSES, TILES) and stored.dtype.kind in "iu"
    if not whole or (np.sort(stored, axis=1) != np.arange(TILES)).any():
        raise DataError(f"{path.name} does not hold {CLASSES:,} permutations of 0..{TILES - 1}, one a row")
    return stored.astype(np.int64), f"the permutations of {path.name}"


def own_permutations() -> NDArray[np.int64]:
    """1,000 distinct permutations of nine tiles, always the same."""
    rng = np.random.default_rng(derive_seed("jigsaw permutations"))
    drawn = rng.permuted(np.tile(np.arange(TILES), (2 * CLASSES, 1)), axis=1)
    _, first = np.unique(drawn, axis=0, return_index=True)
    return drawn[np.sort(first)[:CLASSES]]


def cut_tiles(picture: Image.Image, order: NDArray[np.int64], tile: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The nine tiles of a picture in the given order.

    The picture is resized to 255 by 255 pixels, its central 90 % are enlarged to that size again, and a tile of 64
    pixels is cut at a random place from each of the nine cells of 85 pixels, so that edges do not reveal the order. For
    another tile size, everything is scaled.

    Args:
        picture: an RGB picture of any size.
        order: the cell of each tile, counted by rows.
        tile: the side of a tile.
        rng: the random state for the places.

    Returns:
        uint8, (9, tile, tile, 3).
    """
    cell = round(_CELL_BY_TILE * tile)
    side = 3 * cell
    start = round((1 - _CENTRAL_SHARE) / 2 * side)
    end = round(start + _CENTRAL_SHARE * side)
    whole = picture.resize((side, side), Image.Resampling.BILINEAR).crop((start, start, end, end))
    pixels = np.asarray(whole.resize((side, side), Image.Resampling.BILINEAR))
    tops, lefts = rng.integers(cell - tile + 1, size=(2, TILES))
    rows, columns = order // 3 * cell + tops, order % 3 * cell + lefts
    return np.stack(
        [pixels[row : row + tile, column : column + tile] for row, column in zip(rows, columns, strict=True)]
    )
