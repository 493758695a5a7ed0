"""The mini-batches of a run, stored beside its scores, so that every network in the run sees the same images."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness._utils.plain_arrays import read_npz
from harness.errors import DataError
from harness.images import Batch

BATCHES_FILE = "batches.npz"

_provided: dict[str, bytes] = {}
"""File contents by fingerprint, for a worker without access to the run's file system."""


def provide_batches(fingerprint: str, content: bytes) -> None:
    """Provide the mini-batches of a run to this process without its file."""
    _provided[fingerprint] = content


def fingerprint(batches: Sequence[Batch]) -> str:
    """A hash of the images and labels, the same for equal batches on every machine."""
    digest = hashlib.blake2b(digest_size=8)
    for batch in batches:
        for array in (batch.images.contiguous().numpy(), batch.labels.contiguous().numpy()):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def write_batches(path: Path, batches: Sequence[Batch]) -> None:
    """Write the batches to an ``.npz`` file atomically."""
    arrays: dict[str, NDArray[Any]] = {}
    for index, batch in enumerate(batches):
        arrays[f"images{index}"] = batch.images.contiguous().numpy()
        arrays[f"labels{index}"] = batch.labels.contiguous().numpy()
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    partial.replace(path)


def read_batches(path: Path, expected: str) -> list[Batch]:
    """Read a file written by :func:`write_batches`.

    Raises:
        DataError: if the file is missing or damaged, or does not match the fingerprint.
    """
    remedy = "repeat the run with the same --images, or use a new --out"
    try:
        arrays = read_npz(io.BytesIO(_provided[expected]) if expected in _provided else path).read
        batches = [
            Batch(torch.from_numpy(arrays[f"images{i}"]), torch.from_numpy(arrays[f"labels{i}"]))
            for i in range(len(arrays) // 2)
        ]
    except FileNotFoundError:
        raise DataError(f"the run's mini-batches are missing: {path}; {remedy}") from None
    # The exception of torch depends on the content of a damaged array.
    except Exception as error:
        raise DataError(f"cannot read the run's mini-batches in {path} ({error}); {remedy}") from error
    if fingerprint(batches) != expected:
        raise DataError(
            f"checksum mismatch: the mini-batches in {path} differ from those of this run's scores; {remedy}"
        )
    return batches
