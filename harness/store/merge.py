"""Merge runs with the same setting into one store, without duplicates or losses."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from harness._utils.arguments import accepts, path, paths
from harness.errors import DataError, StoreError
from harness.images.batches import BATCHES_FILE, read_batches
from harness.registry.by_file import OWN_PROXIES
from harness.registry.own_benchmarks import OWN_BENCHMARK, changes
from harness.store import Store
from harness.store.checksums import refuse_damaged
from harness.store.seeds import further_seeds, seed_directory
from harness.store.sqlite import explained, reading_address

_SAME_KEY = "mine.architecture = theirs.architecture AND mine.proxy = theirs.proxy"

# IS treats NULL and NULL as equal, as needed for missing values.
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
    """The result of :func:`merge`.

    Attributes:
        directory: the directory of the merged run.
        networks: number of architectures with an outcome.
        outcomes: number of outcomes, one for each architecture, proxy and seed.
        added: number of new outcomes.
        mended: number of failed outcomes replaced by those of a source.
    """

    directory: Path
    networks: int
    outcomes: int
    added: int
    mended: int


@accepts(sources=paths, target=path)
def merge(sources: Sequence[Path | str], target: Path | str) -> MergeSummary:
    """Merge the scores of several runs, such as the shards of one run, and those of their further seeds.

    Merging again changes nothing. A failed outcome is replaced if another run has a better one. Sources are only read,
    and may be merged while they are still being written.

    Args:
        sources: the ``out`` directories of runs with the same setting.
        target: the directory of the merged run: new, or an existing run with the same setting. It can be reported on
            and resumed like any other run.

    Raises:
        StoreError: if a run is damaged, or the runs have different settings, different versions or code of a proxy, or
            different scores of one network and proxy. Sources merged before the error stay merged.
    """
    directories = [Path(source) for source in sources]
    if not directories:
        raise StoreError("no runs to merge; give the --out directories of runs")
    destination = Path(target)
    summary = _merge(directories, destination)
    for seed in sorted({seed for directory in directories for seed in further_seeds(directory)}):
        places = [further[seed] for further in map(further_seeds, directories) if seed in further]
        more = _merge(places, seed_directory(destination, seed))
        added, mended = summary.added + more.added, summary.mended + more.mended
        summary = replace(summary, outcomes=summary.outcomes + more.outcomes, added=added, mended=mended)
    return summary


def _merge(directories: Sequence[Path], destination: Path) -> MergeSummary:
    """Merge runs of one seed."""
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
    """Refuse a run with damaged scores or mini-batches, since the merged run could not be resumed."""
    if directory.resolve() == destination.resolve():
        raise StoreError(f"cannot merge {directory} into itself; omit it from the runs to merge")
    with Store.read(directory) as store:
        fingerprint = store.setting.fingerprint
        refuse_damaged(directory, store.damaged_units())
    try:
        read_batches(directory / BATCHES_FILE, fingerprint)
    except DataError as error:
        raise StoreError(f"cannot merge {directory}: {error}") from error


def _check_mergeable(store: Store, directory: Path) -> None:
    with Store.read(directory) as source:
        ours, theirs = asdict(store.setting), asdict(source.setting)
        mine, other = (run.manifest().get(OWN_PROXIES, {}) for run in (store, source))
        own, foreign = (run.manifest().get(OWN_BENCHMARK) for run in (store, source))
    differing = [name for name in ours if ours[name] != theirs[name]]
    if differing:
        parts = "; ".join(f"{name}: '{theirs[name]}', not '{ours[name]}'" for name in differing)
        raise StoreError(
            f"{directory} has other settings than {store.directory} ({parts}); only merge runs with the same settings"
        )
    for name in mine.keys() & other.keys():
        if mine[name]["sha256"] != other[name]["sha256"]:
            raise StoreError(
                f"'{name}' was scored by other code in {directory} than in {store.directory}; only merge runs of the "
                "same code"
            )
    if own and foreign and (changed := changes(own, foreign)):
        raise StoreError(
            f"the benchmark of {directory} differs from that of {store.directory} in {changed}; only merge runs of the "
            "same benchmark"
        )
    if other:
        store.note(OWN_PROXIES, other | mine)


def _absorb(store: Store, directory: Path) -> tuple[int, int]:
    """Take new or better outcomes from another run; returns the numbers of added and repaired outcomes."""
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
            f"{proxy} was scored by version {version} in {mine} and by version {other_version} in {theirs}; only merge "
            "runs of the same version"
        )
    first, second = (str(v) if s == "ok" else s for s, v in ((status, value), (other_status, other_value)))
    return (
        f"{proxy} of '{architecture}' is {first} in {mine} and {second} in {theirs}, so they differ in machine or "
        "code. Nothing was merged from the second; compare the runs with 'harness agree'"
    )
