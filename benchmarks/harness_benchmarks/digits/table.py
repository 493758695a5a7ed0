"""The committed accuracies and the recipe they come from."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness._utils.json_text import parse_json
from harness.data.table_files import read_frame
from harness_benchmarks.digits.recipe import RECIPE

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).parent
ACCURACIES = "accuracies.csv.gz"
DESCRIPTION = "recipe.json"


def read_accuracies(folder: Path = FOLDER) -> pd.DataFrame:
    """Test accuracy in percent: one row per architecture string, one column per seed index."""
    import pandas as pd

    table = read_frame(folder / ACCURACIES).set_index("architecture")
    table.columns = pd.RangeIndex(len(table.columns), name="seed")
    return table


def read_description(folder: Path = FOLDER) -> dict[str, object]:
    """The recipe, package versions and cost of the committed accuracies."""
    description: dict[str, object] = parse_json((folder / DESCRIPTION).read_text(encoding="utf-8"))
    return description


def write_accuracies(folder: Path, cells: Sequence[str], accuracies: NDArray[np.float64], seconds: float) -> None:
    """Write both files: accuracies in percent, (cells, seeds), and the CPU time of all training runs together."""
    seeds = range(accuracies.shape[1])
    lines = [",".join(["architecture", *(f"seed{seed}" for seed in seeds)])]
    lines += [",".join([cell, *(f"{value:.4f}" for value in row)]) for cell, row in zip(cells, accuracies, strict=True)]
    buffer = io.BytesIO()
    # Without a time stamp and a name in the header, the same accuracies give the same bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(("\n".join(lines) + "\n").encode())
    (folder / ACCURACIES).write_bytes(buffer.getvalue())
    description = {
        "recipe": dataclasses.asdict(RECIPE),
        "cells": len(cells),
        "seeds": len(seeds),
        "core_minutes": round(seconds / 60, 1),
        "seconds_per_training": round(seconds / accuracies.size, 3),
        "versions": _versions(),
        "processor": platform.machine(),
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def _versions() -> dict[str, str]:
    import sklearn
    import torch

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
    }
