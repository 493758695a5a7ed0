"""The benchmark under test: an instance with its ground truth imported into a folder of the tests' own."""

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
    """What the parts of the contract share; the attributes are described at ``BenchmarkContract``."""

    benchmark: ClassVar[type[Benchmark]]
    table: ClassVar[str | Path | None] = None
    built: ClassVar[Sequence[str]] = ()
    batch: ClassVar[int] = 4
    resolution: ClassVar[int | None] = None

    @pytest.fixture
    def table_file(self) -> Path | None:
        """The file of ground truth; to be overridden where it is not known before the tests run."""
        return None if self.table is None else Path(self.table)

    @pytest.fixture
    def subject(
        self, table_file: Path | None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> Benchmark:
        """A fresh instance that finds its table, which is imported once for all tests."""
        key = (self.benchmark, str(table_file))
        if key not in _HOMES:
            home = tmp_path_factory.mktemp("home")
            monkeypatch.setenv("HARNESS_DATA", str(home))
            _import(self.benchmark(), table_file, tmp_path_factory.mktemp("made"))
            _HOMES[key] = home
        monkeypatch.setenv("HARNESS_DATA", str(_HOMES[key]))
        return self.benchmark()

    def task_of(self, subject: Benchmark, dataset: str) -> Task:
        """The task at the resolution that networks are tried at."""
        return subject.task(dataset).at_resolution(self.resolution)

    def architectures_of(self, subject: Benchmark) -> list[str]:
        """Every identifier; the test is skipped where they come with a table and there is none."""
        try:
            return list(subject.architectures())
        except DataError as reason:
            if isinstance(subject, Importable) and subject.table_format().listing is not None:
                pytest.skip(f"its architectures come with its table, and none was given as 'table': {reason}")
            raise AssertionError(
                f"architectures() needs data that is not there ({reason}); list them without, or declare a Listing"
            ) from reason

    def chosen(self, subject: Benchmark) -> list[str]:
        """The architectures that networks are built of."""
        architectures = self.architectures_of(subject)
        if self.built:
            return list(self.built)
        drawn = subject.sample(min(2, len(architectures)), seed=0)
        return list(dict.fromkeys([architectures[0], architectures[-1], *drawn]))


def refusal(call: Callable[[], object], promise: str, kind: type[HarnessError] = HarnessError) -> str:
    """The message of the refusal that is promised: one line, of the right kind of error.

    Args:
        call: what must be refused.
        promise: what the benchmark's author promised, as the beginning of a sentence.
        kind: the class of the error.
    """
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
    assert message and "\n" not in message, f"{promise}, in a message of one line; it says {message!r}"
    return message


def _import(benchmark: Benchmark, table_file: Path | None, folder: Path) -> None:
    """The given table, or a made-up one; nothing for a benchmark that brings its ground truth along."""
    if not isinstance(benchmark, Importable):
        return
    if table_file is not None:
        import_table(benchmark, table_file, allow_partial=True)
    elif benchmark.table_format().listing is None:
        import_table(benchmark, write_made(made_up_table(benchmark).frame, folder / "made-up.parquet"))
