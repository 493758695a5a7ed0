"""Benchmarks outside any package: a class or an object in a file, in a script or in a notebook.

A run notes where its benchmark is defined, and the hashes of its code and its data. It refuses to resume with other
ones, and a report finds the benchmark again and says if it has changed.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from harness._utils.arguments import shown
from harness.contracts.benchmark import Benchmark
from harness.errors import HarnessError
from harness.registry import benchmark_classes, load_benchmark, main_can_be_run_again
from harness.registry.by_file import (
    benchmark_made_by,
    digest_of_module,
    is_loaded_file,
    loaded_files,
    was_made_by_class,
)

OWN_BENCHMARK = "own_benchmark"
"""The entry of a run's manifest with the location and the hashes of an unregistered benchmark."""

_MAIN = "__main__"
_seen: dict[tuple[str, str | None], Benchmark] = {}
"""Benchmarks that this process has computed with, by name and data, for those without a file."""


class Place(NamedTuple):
    """Where a benchmark is defined.

    Attributes:
        module: the module that has it.
        name: its name there, or that of its class.
    """

    module: ModuleType
    name: str

    @property
    def file(self) -> Path | None:
        """Its file, unless another process would import it as a module."""
        path = getattr(self.module, "__file__", None)
        if path is None or not (is_loaded_file(self.module) or self.module.__name__ == _MAIN):
            return None
        return Path(path).resolve() if Path(path).is_file() else None


def is_registered_benchmark(benchmark: Benchmark) -> bool:
    """Whether an installed package registers the benchmark's class."""
    return type(benchmark) in benchmark_classes().values()


def as_benchmark(given: object) -> Benchmark:
    """The benchmark for a name, a location (``path.py:name`` or ``module:name``), an object or a class.

    Raises:
        HarnessError: if it is none of these, or an unregistered benchmark has the name of a registered one.
        UnknownNameError: if there is no such name.
    """
    if isinstance(given, str):
        benchmark = load_benchmark(given)
    elif isinstance(given, type) and issubclass(given, Benchmark):
        benchmark = benchmark_made_by(given)
    elif isinstance(given, Benchmark):
        benchmark = given
    else:
        raise HarnessError(f"benchmark must be the name of a benchmark, or a harness.Benchmark, not {shown(given)}")
    registered = benchmark_classes().get(benchmark.name)
    if registered is not None and not isinstance(benchmark, registered):
        raise HarnessError(f"the name '{benchmark.name}' of your benchmark is already taken; rename yours")
    return benchmark


def place_of(benchmark: Benchmark) -> Place | None:
    """Where the benchmark or its class is found again; None if neither has a name at the top level of a module."""
    cls = type(benchmark)
    own, theirs = sys.modules.get(cls.__module__), sys.modules.get(benchmark.defined_by.__module__)
    if is_registered_benchmark(benchmark) and own is not None:
        return Place(own, cls.__qualname__)
    likely = [module for module in (own, theirs, sys.modules[_MAIN], *loaded_files()) if module is not None]
    for module in (*likely, *list(sys.modules.values())):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is benchmark:
                return Place(module, name)
    found: Any = own
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    if own is None or found is not cls or not was_made_by_class(benchmark):
        return None
    return Place(own, cls.__qualname__)


def reference_for_workers(benchmark: Benchmark) -> str:
    """Where a worker process finds the benchmark, as ``module:name`` or ``path.py:name``.

    Raises:
        HarnessError: if it could not.
    """
    place = place_of(benchmark)
    if place is None:
        raise HarnessError(
            f"worker processes cannot find the benchmark '{benchmark.name}'; give it a name at the top level of a file "
            "and run path.py:name, or use one worker"
        )
    if place.module.__name__ == _MAIN and not main_can_be_run_again():
        raise HarnessError(
            f"the benchmark '{benchmark.name}' is defined in an interactive session, which worker processes cannot "
            "import; put it in a file and give path.py:name, or use one worker"
        )
    file = place.file if is_loaded_file(place.module) else None
    return f"{file or place.module.__name__}:{place.name}"


def benchmark_facts(benchmark: Benchmark) -> dict[str, Any] | None:
    """The manifest entry of an unregistered benchmark; None for a registered one."""
    if is_registered_benchmark(benchmark):
        return None
    _seen[benchmark.name, benchmark.contents] = benchmark
    place = place_of(benchmark)
    file = place.file if place else None
    where = (file.name if file else place.module.__name__) if place else ""
    return {
        "reference": f"{where}:{place.name}" if place else None,
        "file": str(file) if file else None,
        "sha256": code_digest(benchmark),
        "contents": benchmark.contents,
    }


def code_digest(benchmark: Benchmark) -> str | None:
    """The SHA-256 of the code that defines the benchmark; None if there is no source."""
    place = place_of(benchmark)
    module = place.module if place else sys.modules.get(benchmark.defined_by.__module__)
    if module is not None and (digest := digest_of_module(module)) is not None:
        return digest
    # A session keeps the source of functions, but not of classes.
    defined = benchmark.defined_by
    parts: list[Any] = (
        [part for part in vars(defined).values() if inspect.isfunction(part)] if isinstance(defined, type) else []
    )
    try:
        source = "".join(inspect.getsource(part) for part in parts or [defined])
    except (OSError, TypeError):
        return None
    return hashlib.sha256(source.encode()).hexdigest()


def changes(noted: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What differs between the noted facts of a benchmark and the present ones, in words; empty if nothing does."""
    parts = [
        words
        for key, words in (("sha256", "its code"), ("contents", "its data"))
        if noted.get(key) is not None and noted[key] != now.get(key)
    ]
    return " and ".join(parts)


def benchmark_of_run(
    name: str, manifest: Mapping[str, Any], given: Benchmark | type[Benchmark] | str | None = None
) -> tuple[Benchmark, tuple[str, ...]]:
    """The benchmark of a run, with a sentence if it has changed since.

    Args:
        name: the benchmark's name, from the setting of the run.
        manifest: the manifest of the run.
        given: the benchmark, if the user gives it.

    Raises:
        HarnessError: if it cannot be found, or another one is given.
        UnknownNameError: if it is not registered any more.
    """
    noted = manifest.get(OWN_BENCHMARK)
    if given is not None:
        benchmark = as_benchmark(given)
        if benchmark.name != name:
            raise HarnessError(f"the run is of the benchmark '{name}', not of '{benchmark.name}'; give that one")
    elif noted is None:
        return load_benchmark(name), ()
    else:
        benchmark = _found_again(name, noted)
    now = benchmark_facts(benchmark)
    changed = changes(noted, now) if noted and now else ""
    if not changed:
        return benchmark, ()
    where = noted["reference"] if noted else name
    return benchmark, (f"The benchmark has changed since these networks were scored: {changed} ({where})",)


def _found_again(name: str, noted: Mapping[str, Any]) -> Benchmark:
    reference, file = str(noted.get("reference") or ""), noted.get("file")
    here = _seen.get((name, noted.get("contents")))
    try:
        if file is not None:
            places = [path for path in (Path(file), Path.cwd() / Path(file).name) if path.is_file()]
            if places:
                return load_benchmark(f"{places[0]}:{reference.rpartition(':')[2]}")
        elif reference and not reference.startswith(f"{_MAIN}:"):
            return load_benchmark(reference)
    except HarnessError as error:
        if here is None:
            raise HarnessError(f"the benchmark '{name}' of this run cannot be loaded any more: {error}") from error
    if here is not None:
        return here
    if file is not None:
        raise HarnessError(
            f"the file of the benchmark '{name}' of this run is gone: {file}; put it back, or a copy into this "
            "directory, or give benchmark= in Python"
        )
    raise HarnessError(
        f"the benchmark '{name}' of this run was defined in an interactive session, or has no name at the top level of "
        "its file; give it in Python, as in harness.report(directory, benchmark=...)"
    )
