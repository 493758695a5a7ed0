"""The benchmark under test: an instance whose ground truth is imported into a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from harness.contracts.benchmark import Benchmark
from harness.data import Importable, import_table
from harness.errors import DataError, HarnessError
from harness.tasks import Task
from harness.testing.benchmark.tables import made_up_table, write_made

_HOMES: dict[tuple[type[Benchmark], str], Path] = {}


class Contract:
    """Shared by all parts of the contract; ``BenchmarkContract`` documents the attributes."""

    benchmark: ClassVar[type[Benchmark]]
    table: ClassVar[str | Path | None] = None
    built: ClassVar[Sequence[str]] = ()
    batch: ClassVar[int] = 4
    resolution: ClassVar[int | None] = None

    @pytest.fixture
    def table_file(self) -> Path | None:
        """The file of ground truth; override it if the file is only known when tests run."""
        return None if self.table is None else Path(self.table)

    @pytest.fixture
    def subject(
        self, table_file: Path | None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> Benchmark:
        """A new instance with its table, which is imported once for all tests."""
        key = (self.benchmark, str(table_file))
        if key not in _HOMES:
            home = tmp_path_factory.mktemp("home")
            monkeypatch.setenv("HARNESS_DATA", str(home))
            _import(self.benchmark(), table_file, tmp_path_factory.mktemp("made"))
            _HOMES[key] = home
        monkeypatch.setenv("HARNESS_DATA", str(_HOMES[key]))
        return self.benchmark()

    def task_of(self, subject: Benchmark, dataset: str) -> Task:
        """The task at the resolution that networks are tested at."""
        return subject.task(dataset).at_resolution(self.resolution)

    def architectures_of(self, subject: Benchmark) -> list[str]:
        """Every identifier; skips the test if they come from a table and there is none."""
        try:
            return list(subject.architectures())
        except DataError as reason:
            if isinstance(subject, Importable) and subject.table_format().listing is not None:
                pytest.skip(f"its architectures come from its table, and 'table' is not set: {reason}")
            raise AssertionError(
                f"architectures() needs missing data ({reason}); list them without it, or declare a Listing"
            ) from reason

    def chosen(self, subject: Benchmark) -> list[str]:
        """The architectures to build."""
        architectures = self.architectures_of(subject)
        if self.built:
            return list(self.built)
        drawn = subject.sample(min(2, len(architectures)), seed=0)
        return list(dict.fromkeys([architectures[0], architectures[-1], *drawn]))


def refusal(call: Callable[[], object], promise: str, kind: type[HarnessError] = HarnessError) -> str:
    """The message of the error that the call must raise: one line; ``promise`` begins the sentence of a failure."""
    try:
        call()
    except kind as error:
        message = str(error)
    except Exception as error:
        raise AssertionError(
            f"{promise}, by raising {kind.__name__}; it raised {type(error).__name__}: {error}"
        ) from error
    else:
        raise AssertionError(f"{promise}, by raising {kind.__name__}; it was accepted")
    assert message and "\n" not in message, f"{promise}, with a message of one line; it says {message!r}"
    return message


def _import(benchmark: Benchmark, table_file: Path | None, folder: Path) -> None:
    """Import the given table or a generated one; do nothing if the benchmark includes its ground truth."""
    if not isinstance(benchmark, Importable):
        return
    if table_file is not None:
        import_table(benchmark, table_file, allow_partial=True)
    elif benchmark.table_format().listing is None:
        import_table(benchmark, write_made(made_up_table(benchmark), folder / "made-up.parquet"))
