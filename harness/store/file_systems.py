"""The file system of a directory: some have no memory shared between processes, and some have no locks."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")

_OVER_A_NETWORK = frozenset(
    ("9p", "afs", "beegfs", "ceph", "cifs", "gfs2", "gpfs", "lustre", "nfs", "nfs4", "orangefs", "panfs", "smb3")
)


def network_file_system(directory: Path) -> str | None:
    """The type of the directory's file system, such as ``nfs4``, if it is a network file system.

    None for a local file system, and if the type is unknown (except on Linux). A file system in user space, such as
    ``fuse.sshfs``, counts as a network file system.
    """
    if not _MOUNTS.exists():
        return None
    kind, longest = "", -1
    place = directory.resolve()
    for line in _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        mount, _, source = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), mount.split()[4]))
        # If several file systems are mounted on one path, the last is visible.
        if place.is_relative_to(point) and len(point.parts) >= longest:
            kind, longest = source.split()[0], len(point.parts)
    return kind if kind in _OVER_A_NETWORK or kind.startswith("fuse.") else None
