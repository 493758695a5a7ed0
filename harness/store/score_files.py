"""Tables of scores as files, with a manifest beside them that has checksums of both.

The files are plain, and a user may edit them; the checksums reveal edits and damage. A manifest without checksums, from
an earlier version or because they were removed, is accepted.
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
    """Write the manifest of an existing table of scores."""
    stated = {**manifest, SCORES_CHECKSUM: _sha256(scores)}
    # The checksum must be that of the values as read back from JSON.
    stated = json.loads(json_page(stated))
    stated[MANIFEST_CHECKSUM] = json_checksum(stated, MANIFEST_CHECKSUM)
    write_page(file, json_page(stated))


def read_manifest(file: Path, scores: Path) -> dict[str, Any]:
    """Read the manifest of a table of scores, without the checksums, after checking both files against them.

    Raises:
        HarnessError: if a checksum does not match, or the manifest cannot be read.
    """
    try:
        manifest = parse_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(f"'{file}' is not the manifest of a run ({error})") from error
    if not isinstance(manifest, dict):
        raise HarnessError(f"'{file}' is not the manifest of a run: it is not a JSON object")
    remedy = (
        f"restore it, or, if you edited it on purpose, remove '{SCORES_CHECKSUM}' and '{MANIFEST_CHECKSUM}' "
        f"from {file.name}"
    )
    checksums = [name for name in (SCORES_CHECKSUM, MANIFEST_CHECKSUM) if name in manifest]
    if len(checksums) == 1 or (checksums and manifest[MANIFEST_CHECKSUM] != json_checksum(manifest, MANIFEST_CHECKSUM)):
        raise HarnessError(f"checksum mismatch: '{file}' is damaged or was edited; {remedy}")
    if checksums and manifest[SCORES_CHECKSUM] != _sha256(scores):
        raise HarnessError(f"checksum mismatch: '{scores}' is damaged or was edited; {remedy}")
    return {key: value for key, value in manifest.items() if key not in (SCORES_CHECKSUM, MANIFEST_CHECKSUM)}


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
