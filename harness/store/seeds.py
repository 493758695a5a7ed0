"""Where the runs of further seeds are kept: each in a directory of its own inside that of the first seed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from harness.errors import StoreError
from harness.store.records import Setting
from harness.store.sqlite import FILE_NAME

SCORES_FILE = "scores.csv.gz"
"""The scores of one seed in the directory of a report, with ``manifest.json`` beside it."""

_SEEDS = "seeds"


def seed_directory(directory: Path, seed: int) -> Path:
    """The directory of a further seed: a run of its own, which every command accepts.

    >>> seed_directory(Path("run"), 1).as_posix()
    'run/seeds/1'
    """
    return directory / _SEEDS / str(seed)


def further_seeds(directory: Path) -> dict[int, Path]:
    """The directories of the runs of further seeds that are stored in a run's directory, by their seed."""
    return _by_seed(directory, FILE_NAME)


def published_seeds(directory: Path) -> dict[int, Path]:
    """The directories of further seeds in the directory of a report, by their seed."""
    return _by_seed(directory, SCORES_FILE)


def check_seed(first: Setting, further: Setting, place: Path) -> None:
    """Refuse a run in the place of a further seed that is not the first run with the seed in its directory's name.

    Args:
        first: the setting of the first seed.
        further: the setting found in the place.
        place: the directory or the file of the further seed.

    Raises:
        StoreError: if they differ in more than the seed and what is drawn with it.
    """
    mine, wanted = asdict(further), asdict(first) | {"seed": int(place.name), "fingerprint": further.fingerprint}
    differing = [f"{name}: '{mine[name]}', not '{wanted[name]}'" for name in mine if mine[name] != wanted[name]]
    if differing:
        raise StoreError(
            f"{place} is not a further seed of the run that it lies in ({'; '.join(differing)}); move it elsewhere"
        )


def _by_seed(directory: Path, file: str) -> dict[int, Path]:
    seeds = sorted(int(path.name) for path in (directory / _SEEDS).glob("*") if path.name.isdecimal())
    places = {seed: seed_directory(directory, seed) for seed in seeds}
    return {seed: place for seed, place in places.items() if (place / file).is_file()}
