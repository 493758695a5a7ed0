"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real ground truth and images; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("HARNESS_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "nats-tss.csv.gz").is_file():
        pytest.skip(f"no real data: neither $HARNESS_TEST_DATA nor {folder.name} beside the repository holds them")
    return folder
