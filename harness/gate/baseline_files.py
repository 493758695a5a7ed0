"""The two files of a baseline, JSON and CSV; reading refuses files that were edited or damaged."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from harness._utils.arguments import accepts, path
from harness._utils.json_text import json_checksum, parse_json
from harness._utils.visible import csv_text, json_page, one_line, write_page
from harness.errors import DataError
from harness.gate.baseline import COLUMNS, Baseline, FrozenProxy, FrozenTruth
from harness.gate.costs import OwnCosts, Place

SCHEMA_VERSION = 2
READABLE = (1, 2)
"""Schemas that can be read. Costs in the first are of another kind and are ignored."""

DOCUMENT = "baseline.json"
SCORES = "scores.csv.gz"


@accepts(directory=path)
def write_baseline(baseline: Baseline, directory: Path | str) -> list[Path]:
    """Write a baseline into a directory, replacing an existing one; the same baseline gives the same bytes.

    Returns:
        The two files.
    """
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    scores = _packed(baseline.scores)
    document = {
        "schema": SCHEMA_VERSION,
        "setting": {**asdict(baseline.setting), "checksum": baseline.setting.checksum()},
        "sample": len(baseline.architectures),
        "truth": asdict(baseline.truth),
        "proxies": {name: facts._asdict() for name, facts in baseline.proxies.items()},
        "coefficients": baseline.coefficients,
        "costs": None if baseline.costs is None else _stated(baseline.costs),
        "facts": baseline.facts,
        "scores_sha256": hashlib.sha256(scores).hexdigest(),
    }
    (target / SCORES).write_bytes(scores)
    document = parse_json(json_page(document))  # null in place of NaN
    write_page(target / DOCUMENT, json_page({**document, "checksum": checksum_of(document)}))
    return [target / DOCUMENT, target / SCORES]


@accepts(directory=path)
def read_baseline(directory: Path | str) -> Baseline:
    """The baseline of a directory, including one that an older version wrote.

    Raises:
        DataError: if there is none, it was damaged or edited, or its schema cannot be read.
    """
    source = Path(directory)
    document, scores = _read_checked(source)
    schema = document.get("schema")
    if schema not in READABLE:
        raise DataError(
            f"the baseline {source} has schema {schema}; this version reads {READABLE[0]} to {READABLE[-1]}; use "
            "the harness version that made it, or freeze a new baseline"
        )
    from harness.store.records import Setting

    try:
        setting = {key: value for key, value in document["setting"].items() if key != "checksum"}
        return Baseline(
            setting=Setting(**setting),
            truth=FrozenTruth(**document["truth"]),
            proxies={name: FrozenProxy(**facts) for name, facts in document["proxies"].items()},
            coefficients={
                name: {key: _number(value) for key, value in row.items()}
                for name, row in document["coefficients"].items()
            },
            costs=None if schema == 1 or document["costs"] is None else _costs(document["costs"]),
            facts=document["facts"],
            scores=scores[list(COLUMNS)],
        )
    except (KeyError, TypeError) as error:
        raise DataError(f"the baseline {source} is incomplete ({error}); freeze a new one") from error


def checksum_of(document: dict[str, Any]) -> str:
    """SHA-256 of everything in the document except the checksum itself."""
    return json_checksum(document, "checksum")


def _read_checked(source: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """The content of both files, after comparing their checksums."""
    remedy = "restore it from version control, or freeze a run with 'harness baseline'"
    try:
        document = parse_json((source / DOCUMENT).read_text(encoding="utf-8"))
        packed = (source / SCORES).read_bytes()
    except FileNotFoundError as error:
        name = Path(str(error.filename)).name
        raise DataError(f"{source} has no baseline (no {name}); freeze a run with 'harness baseline'") from error
    except (OSError, ValueError) as error:
        raise DataError(f"the baseline {source} cannot be read ({one_line(str(error))}); {remedy}") from error
    if not isinstance(document, dict) or document.get("checksum") != checksum_of(document):
        raise DataError(f"{source / DOCUMENT} was edited or damaged; {remedy}")
    if hashlib.sha256(packed).hexdigest() != document.get("scores_sha256"):
        raise DataError(f"{source / SCORES} was edited or damaged; {remedy}")
    return document, _unpacked(packed)


def _stated(costs: OwnCosts) -> dict[str, Any]:
    """Costs with four significant digits; more would be noise."""
    return {
        "place": costs.place._asdict(),
        "networks": list(costs.passes.index),
        "calls": _rounded(costs.calls),
        "passes": {str(name): _rounded(costs.passes[name]) for name in costs.passes},
    }


def _costs(stated: dict[str, Any]) -> OwnCosts:
    networks = stated["networks"]
    passes = {name: list(map(_number, row)) for name, row in stated["passes"].items()}
    return OwnCosts(
        pd.DataFrame(passes, index=networks),
        pd.Series(list(map(_number, stated["calls"])), index=networks),
        Place(**stated["place"]),
    )


def _rounded(values: pd.Series[float]) -> list[float]:
    return [float(f"{value:.4g}") for value in values]


def _packed(scores: pd.DataFrame) -> bytes:
    """The scores as gzipped CSV with every float exact, and without a time stamp or name in the gzip header."""
    return gzip.compress(csv_text(scores).encode(), compresslevel=9, mtime=0)


def _unpacked(packed: bytes) -> pd.DataFrame:
    """The table from :func:`_packed`; Python parses every float exactly, which pandas may not."""
    table = pd.read_csv(io.BytesIO(gzip.decompress(packed)), dtype=str, keep_default_na=False)
    return table.assign(value=[float(text or "nan") for text in table["value"]])


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
