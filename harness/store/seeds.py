"""Where the runs of further seeds are kept: each in a directory of its own inside that of the first seed."""

from __future__ import annotations

from pathlib import Path

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


def _by_seed(directory: Path, file: str) -> dict[int, Path]:
    found = (path for path in (directory / _SEEDS).glob("*") if path.name.isdecimal() and (path / file).is_file())
    return dict(sorted((int(path.name), path) for path in found))
