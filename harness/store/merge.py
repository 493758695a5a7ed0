"""Merging runs: the scores of several stores of one setting in one, none twice and none lost."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness._utils.arguments import accepts, path, paths
from harness.errors import DataError, StoreError
from harness.images.batches import BATCHES_FILE, read_batches
from harness.registry.by_file import OWN_PROXIES
from harness.store import Store
from harness.store.checksums import refuse_damaged
from harness.store.sqlite import explained, reading_address

_SAME_KEY = "mine.architecture = theirs.architecture AND mine.proxy = theirs.proxy"

# IS compares NULL with NULL as equal, which values that are no numbers need.
_CONFLICT = f"""
SELECT mine.architecture, mine.proxy, mine.status, mine.value, mine.version, theirs.status, theirs.value, theirs.version
FROM scores AS mine JOIN other.scores AS theirs ON {_SAME_KEY}
WHERE mine.version != theirs.version OR (
    mine.status != 'failed' AND theirs.status != 'failed'
    AND (mine.status != theirs.status OR mine.value IS NOT theirs.value)
) LIMIT 1
"""
_INCOMING = f"""
CREATE TEMP TABLE incoming AS SELECT theirs.* FROM other.scores AS theirs LEFT JOIN scores AS mine ON {_SAME_KEY}
WHERE mine.proxy IS NULL OR (mine.status = 'failed' AND theirs.status != 'failed')
"""
_MENDED = "SELECT COUNT(*) FROM scores JOIN temp.incoming USING (architecture, proxy)"


@dataclass(frozen=True)
class MergeSummary:
    """What a call of :func:`merge` did.

    Attributes:
        directory: where the merged scores are.
        networks: architectures with an outcome there now.
        outcomes: of these, one for each architecture and proxy.
        added: outcomes that were not there before.
        mended: outcomes that had failed and that a source had.
    """

    directory: Path
    networks: int
    outcomes: int
    added: int
    mended: int


@accepts(sources=paths, target=path)
def merge(sources: Sequence[Path | str], target: Path | str) -> MergeSummary:
    """Bring the scores of several runs together, such as the shards of one run.

    Merging again changes nothing. An outcome that failed in one run gives way to what another run has. Sources are
    only read, and may be merged while they are still being written.

    Args:
        sources: the ``out`` directories of runs of one setting.
        target: where the merged run goes: a new directory, or a run of the same setting, which grows. It can be
            reported on and continued like any other.

    Raises:
        StoreError: if a run is damaged, or the runs have other settings, other versions or other code of a proxy, or
            hold different scores of one network and proxy. What was merged before that source stays.
    """
    directories = [Path(source) for source in sources]
    if not directories:
        raise StoreError("no run was given to merge; give the --out directories of runs")
    destination = Path(target)
    for directory in directories:
        _check_source(directory, destination)
    added = mended = 0
    with Store.read(directories[0]) as model, Store.create_or_open_like(destination, model) as store:
        refuse_damaged(destination, store.damaged_units())
        if not (destination / BATCHES_FILE).exists():
            shutil.copyfile(directories[0] / BATCHES_FILE, destination / BATCHES_FILE)
        for directory in directories:
            _check_mergeable(store, directory)
            more, better = _absorb(store, directory)
            added, mended = added + more, mended + better
        query = "SELECT COUNT(DISTINCT architecture), COUNT(*) FROM scores"
        networks, outcomes = store.connection.execute(query).fetchone()
    return MergeSummary(destination, networks, outcomes, added, mended)


def _check_source(directory: Path, destination: Path) -> None:
    """Refuse a run whose scores are damaged, or whose batches are, so that it could not be continued once merged."""
    if directory.resolve() == destination.resolve():
        raise StoreError(f"{directory} cannot be merged into itself; leave it out of the runs to merge")
    with Store.read(directory) as store:
        fingerprint = store.setting.fingerprint
        refuse_damaged(directory, store.damaged_units())
    try:
        read_batches(directory / BATCHES_FILE, fingerprint)
    except DataError as error:
        raise StoreError(f"{directory} cannot be merged: {error}") from error


def _check_mergeable(store: Store, directory: Path) -> None:
    with Store.read(directory) as source:
        ours, theirs = asdict(store.setting), asdict(source.setting)
        mine, other = (run.manifest().get(OWN_PROXIES, {}) for run in (store, source))
    differing = [name for name in ours if ours[name] != theirs[name]]
    if differing:
        parts = "; ".join(f"{name}: there '{ours[name]}', here '{theirs[name]}'" for name in differing)
        raise StoreError(
            f"{directory} is a run of another setting than {store.directory} ({parts}); merge runs of one setting"
        )
    for name in mine.keys() & other.keys():
        if mine[name]["sha256"] != other[name]["sha256"]:
            raise StoreError(
                f"'{name}' was scored by other code in {directory} than in {store.directory}; merge runs of one code"
            )
    if other:
        store.note(OWN_PROXIES, other | mine)


def _absorb(store: Store, directory: Path) -> tuple[int, int]:
    """Take what is new or better in the scores of another run; returns how many outcomes were added and mended."""
    connection = store.connection
    with explained(store.directory):
        connection.execute("ATTACH ? AS other", (reading_address(directory),))
        try:
            with store.transaction():
                conflict = connection.execute(_CONFLICT).fetchone()
                if conflict is not None:
                    raise StoreError(_conflict(conflict, store.directory, directory))
                connection.execute(_INCOMING)
                (mended,) = connection.execute(_MENDED).fetchone()
                added = store.outcomes.add_incoming() - mended
        finally:
            connection.execute("DETACH other")
    return added, mended


def _conflict(row: tuple[str, str, str, float, int, str, float, int], mine: Path, theirs: Path) -> str:
    architecture, proxy, status, value, version, other_status, other_value, other_version = row
    if version != other_version:
        return (
            f"{proxy} was scored by its version {version} in {mine} and by its version {other_version} in {theirs}; "
            "merge runs of one version"
        )
    first, second = (str(v) if s == "ok" else s for s, v in ((status, value), (other_status, other_value)))
    return (
        f"{proxy} of '{architecture}' is {first} in {mine} and {second} in {theirs}; one of them was made by another "
        "machine or code. Nothing of the second was taken; compare them with 'harness agree'"
    )
