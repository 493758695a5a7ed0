"""Older baselines, one step at a time: each function makes the next schema version of what it is given."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from harness.errors import DataError

SCHEMA_VERSION = 2

Document = dict[str, Any]
Migration = Callable[[Document, pd.DataFrame], tuple[Document, pd.DataFrame]]


def _costs_of_runs(document: Document, scores: pd.DataFrame) -> tuple[Document, pd.DataFrame]:
    """Version 0 froze scores without costs, version 1 with those of runs, in which everything is computed once."""
    return document, scores.assign(own_cost=math.nan)


def _costs_of_repetitions(document: Document, scores: pd.DataFrame) -> tuple[Document, pd.DataFrame]:
    """Costs of runs cannot be compared with those of repetitions; such a baseline judges everything but slowness."""
    return {**document, "costs": None}, scores.drop(columns="own_cost")


MIGRATIONS: dict[int, Migration] = {0: _costs_of_runs, 1: _costs_of_repetitions}
"""By the version that each starts from."""


def migrated(document: Document, scores: pd.DataFrame, directory: Path) -> tuple[Document, pd.DataFrame]:
    """A baseline's document and scores in the present schema.

    Raises:
        DataError: if its schema is newer than this harness, or none that ever was.
    """
    version = document.get("schema")
    if not isinstance(version, int) or not 0 <= version <= SCHEMA_VERSION:
        raise DataError(
            f"the baseline {directory} has schema {version}, this harness reads 0 to {SCHEMA_VERSION}; use the harness "
            "version that made it, or freeze it anew"
        )
    for step in range(version, SCHEMA_VERSION):
        document, scores = MIGRATIONS[step](document, scores)
    return {**document, "schema": SCHEMA_VERSION}, scores
