"""What all tests share."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

REPOSITORY = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--all`` also runs the nightly tests; with ``--part 2/3``, those in the second of three parts."""
    parser.addoption("--all", action="store_true", help="run the nightly tests too")
    parser.addoption("--part", default="1/1", help="with --all: K/N, only the K-th of N parts of the nightly tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip nightly tests, unless ``--all`` or files are given; of a part, those of other parts."""
    part, parts = map(int, config.getoption("--part").split("/"))
    wanted = config.getoption("--all") or any(".py" in argument for argument in config.args)

    def runs(item: pytest.Item) -> bool:
        if not item.get_closest_marker("nightly"):
            return True
        # By name, which is the same in every process and after other tests were added.
        return wanted and zlib.crc32(item.nodeid.encode()) % parts == part - 1

    config.hook.pytest_deselected(items=[item for item in items if not runs(item)])
    items[:] = [item for item in items if runs(item)]


def pytest_configure() -> None:
    """Hear Ctrl-C even where a shell started the tests in the background, with the signal ignored.

    Tests send it to processes of their own, which would inherit that. And let tests import matplotlib where a notebook
    has set a backend that is not installed.
    """
    import harness.reporting  # noqa: F401

    # What processes print is compared with text; tests/harness/cli/test_output_anywhere.py tries other encodings.
    os.environ["PYTHONIOENCODING"] = "utf-8"
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The directory with real ground truth and images; tests that need it are skipped if it is missing."""
    folder = Path(os.environ.get("HARNESS_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "nats-tss.csv.gz").is_file():
        pytest.skip(f"no real data: neither $HARNESS_TEST_DATA nor {folder.name} beside the repository holds them")
    return folder


@pytest.fixture(autouse=True, scope="session")
def single_thread() -> Iterator[None]:
    """Scores are the same to the bit for one thread, which is what units are computed with."""
    from harness._utils.process_settings import one_thread

    with one_thread():
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where local tables and downloads of this test are kept; not there yet."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


class Ended(NamedTuple):
    """What a command printed, and its exit code."""

    stdout: str
    stderr: str
    code: int


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Runs a command in this process."""
    from harness import cli

    def call(*arguments: object, encoding: str = "utf-8") -> Ended:
        output, errors = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict") for _ in range(2))
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        monkeypatch.setenv("MPLBACKEND", "agg")
        monkeypatch.setattr(cli.app, "rich_markup_mode", cli.app.rich_markup_mode)
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
            pytest.raises(SystemExit) as ended,
        ):
            cli.main()
        texts = []
        for stream in (output, errors):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode(encoding))
        return Ended(texts[0], texts[1], int(ended.value.code or 0))

    return call


@pytest.fixture(scope="session")
def digits_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs of the same 24 cells of the embedded benchmark, with other weights and batches."""
    import harness

    directories = tuple(tmp_path_factory.mktemp(f"seed{seed}") for seed in (0, 1))
    for seed, directory in enumerate(directories):
        harness.run(
            "digits",
            sample=24,
            seed=seed,
            sample_seed=0,
            batch_size=8,
            proxies="params,flops,naswot,synflow,snip,zen,zico,plain",
            out=directory,
        )
    return directories
