"""Tables of scores as files, with a manifest beside them that holds the checksums of both.

The files are plain, and a user may change them: the checksums say that somebody did, or that they were damaged. A
manifest without the checksums, as one of an earlier version is, is read all the same, and so is one from which they
were removed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness._utils.json_text import json_checksum, parse_json
from harness._utils.visible import json_page, write_page
from harness.errors import HarnessError

SCORES_CHECKSUM = "scores_sha256"
MANIFEST_CHECKSUM = "manifest_sha256"


def write_manifest(file: Path, manifest: Mapping[str, Any], scores: Path) -> None:
    """Write the manifest of a table of scores that is written already."""
    stated = {**manifest, SCORES_CHECKSUM: _sha256(scores)}
    # What JSON makes of it is what will be read.
    stated = json.loads(json_page(stated))
    stated[MANIFEST_CHECKSUM] = json_checksum(stated, MANIFEST_CHECKSUM)
    write_page(file, json_page(stated))


def read_manifest(file: Path, scores: Path) -> dict[str, Any]:
    """The manifest beside a table of scores, without the checksums, if neither it nor the table was changed.

    Raises:
        HarnessError: if one of them was, or the manifest cannot be read.
    """
    try:
        manifest = parse_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(f"'{file}' is not the manifest of a run ({error})") from error
    if not isinstance(manifest, dict):
        raise HarnessError(f"'{file}' is not the manifest of a run: it holds no JSON object")
    remedy = (
        f"restore it, or, if it was changed on purpose, remove '{SCORES_CHECKSUM}' and '{MANIFEST_CHECKSUM}' "
        f"from {file.name}"
    )
    checksums = [name for name in (SCORES_CHECKSUM, MANIFEST_CHECKSUM) if name in manifest]
    if len(checksums) == 1 or (checksums and manifest[MANIFEST_CHECKSUM] != json_checksum(manifest, MANIFEST_CHECKSUM)):
        raise HarnessError(f"'{file}' was damaged or changed by hand; {remedy}")
    if checksums and manifest[SCORES_CHECKSUM] != _sha256(scores):
        raise HarnessError(f"'{scores}' was damaged or changed by hand; {remedy}")
    return {key: value for key, value in manifest.items() if key not in (SCORES_CHECKSUM, MANIFEST_CHECKSUM)}


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
