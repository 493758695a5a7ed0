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
from harness.images import Images
from harness.images.arrays import times
from harness.images.files import list_files, read_file
from harness.seeds import derive_seed
from harness.tasks import Task
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


def puzzle(
    picture: Image.Image, permutations: NDArray[np.int64], tile: int, *key: str | int
) -> tuple[NDArray[np.float32], int]:
    """The tiles of a picture in a drawn permutation, float32, (9, 3, tile, tile) in 0..1, and its class.

    Args:
        picture: an RGB picture of any size.
        permutations: the permutation of each class.
        tile: the side of a tile.
        key: what the random choices depend on: the seed and the picture, so that no puzzle depends on another.
    """
    rng = np.random.default_rng(derive_seed("jigsaw", *key))
    target = int(rng.integers(CLASSES))
    tiles = cut_tiles(picture, permutations[target], tile, rng)
    return np.moveaxis(tiles, -1, -3).astype(np.float32) / np.float32(255), target


def puzzles_of_pictures(source: Path, task: Task, seed: int, limit: int) -> Images | None:
    """Puzzles cut from the colour pictures of any data set of bytes, such as CIFAR-10; None for anything else.

    The class is the permutation, so the pictures' own labels are not used. Pixels are in 0..1, as in the benchmark.

    Args:
        source: a file or directory of images; see :func:`harness.images.load_images`.
        task: the jigsaw, at the resolution of a tile.
        seed: for drawing pictures, permutations and the places of tiles.
        limit: the maximum number of pictures.

    Raises:
        DataError: if the pictures were normalised before, so that their colours are not known.
    """
    whole = Task(task.dataset, task.image_shape[1:], task.classes)
    tile = task.image_shape[-1]
    files = list_files(source)
    try:
        parts = [read_file(path, whole, any_size=True) for path in files]
    except DataError:
        return None
    if any(part.normalised for part in parts):
        raise DataError(
            f"{files[0].name} has normalised pictures; give bytes, or floats from 0 to 1, to cut tiles from"
        )
    pictures = [picture for part in parts for picture in part.pixels]
    drawn = np.sort(np.random.default_rng(derive_seed("jigsaw pictures", seed)).permutation(len(pictures))[:limit])
    permutations = own_permutations()
    pixels = np.empty((len(drawn), TILES, *whole.image_shape), dtype=np.float32)
    targets = np.empty(len(drawn), dtype=np.int64)
    for place, index in enumerate(drawn):
        picture = Image.fromarray(np.moveaxis(pictures[index], 0, -1).astype(np.uint8))
        pixels[place], targets[place] = puzzle(picture, permutations, tile, seed, int(index))
    description = (
        f"{len(drawn):,} of {len(pictures):,} images of {source.resolve().name}, cut into nine tiles of "
        f"{times((tile, tile))} in {CLASSES:,} permutations drawn here, in 0 to 1, no augmentation"
    )
    return Images(pixels, targets, description)
