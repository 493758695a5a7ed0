"""Which kind of file system a directory is on, since some share no memory between processes, and some know no locks."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")

_OVER_A_NETWORK = frozenset(
    ("9p", "afs", "beegfs", "ceph", "cifs", "gfs2", "gpfs", "lustre", "nfs", "nfs4", "orangefs", "panfs", "smb3")
)


def network_file_system(directory: Path) -> str | None:
    """The kind of file system that a directory is on, such as ``nfs4``, where it is one over a network.

    None for a file system of this machine, and where the system does not tell (anywhere but on Linux). What runs in
    user space, such as ``fuse.sshfs``, counts as one over a network.
    """
    if not _MOUNTS.exists():
        return None
    kind, longest = "", -1
    place = directory.resolve()
    for line in _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        mount, _, source = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), mount.split()[4]))
        # Of several mounts on one place the last is seen.
        if place.is_relative_to(point) and len(point.parts) >= longest:
            kind, longest = source.split()[0], len(point.parts)
    return kind if kind in _OVER_A_NETWORK or kind.startswith("fuse.") else None
