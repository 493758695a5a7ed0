"""Names to benchmarks and proxies, from the entry points of every installed package.

A benchmark is a class in the group ``harness.benchmarks``; the group ``harness.proxies`` names proxies, or modules that
define them. The harness's own come in the same way as a third party's.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from harness.benchmark import Benchmark
from harness.errors import HarnessError, UnknownNameError
from harness.names import unknown_name
from harness.proxies.base import Proxy

BENCHMARK_GROUP = "harness.benchmarks"
PROXY_GROUP = "harness.proxies"


@functools.cache
def benchmark_classes() -> dict[str, type[Benchmark]]:
    """Every registered benchmark class by name.

    Raises:
        HarnessError: if two packages register the same name, or an entry point cannot be imported.
    """
    found: dict[str, type[Benchmark]] = {}
    for entry in _entries(BENCHMARK_GROUP):
        loaded = _load(entry)
        if not (isinstance(loaded, type) and issubclass(loaded, Benchmark)):
            raise HarnessError(f"entry point '{entry.name}' of {BENCHMARK_GROUP} is no Benchmark class: {entry.value}")
        _register(found, loaded.name, loaded, "benchmark")
    return found


@functools.cache
def proxies() -> dict[str, Proxy]:
    """Every registered proxy by name, in the order of registration.

    Raises:
        HarnessError: if two packages register the same name, or an entry point cannot be imported.
    """
    found: dict[str, Proxy] = {}
    for entry in _entries(PROXY_GROUP):
        loaded = _load(entry)
        members = vars(loaded).values() if isinstance(loaded, ModuleType) else [loaded]
        offered = [member for member in members if isinstance(member, Proxy)]
        if not offered:
            raise HarnessError(f"entry point '{entry.name}' of {PROXY_GROUP} offers no proxy: {entry.value}")
        for proxy in offered:
            _register(found, proxy.name, proxy, "proxy")
    return found


def load_benchmark(name: str) -> Benchmark:
    """An instance of the named benchmark.

    Raises:
        UnknownNameError: if there is none; the message suggests near names.
    """
    classes = benchmark_classes()
    if name not in classes:
        raise UnknownNameError(unknown_name("benchmark", name, classes))
    return classes[name]()


def select_proxies(names: str | Iterable[str] = "all") -> list[Proxy]:
    """The named proxies, each once, in the order asked for.

    Args:
        names: proxy names, also as one comma-separated string. ``all`` stands for every proxy that is not a variant of
            another one, ``variants`` for the variants.

    Raises:
        UnknownNameError: if a name is not registered; the message suggests near names.
    """
    wanted = [part.strip() for part in names.split(",")] if isinstance(names, str) else list(names)
    known = proxies()
    chosen: dict[str, Proxy] = {}
    for name in filter(None, wanted):
        if name == "all":
            chosen |= {p.name: p for p in known.values() if p.variant_of is None}
        elif name == "variants":
            chosen |= {p.name: p for p in known.values() if p.variant_of is not None}
        elif name in known:
            chosen[name] = known[name]
        else:
            raise UnknownNameError(unknown_name("proxy", name, [*known, "all", "variants"]))
    if not chosen:
        raise HarnessError("no proxy was named; name some, or 'all'")
    return list(chosen.values())


def reference(target: type | Proxy) -> str:
    """Where another process imports a benchmark class or a proxy from, as ``module:name``."""
    if isinstance(target, Proxy):
        return target.reference
    return f"{target.__module__}:{target.__qualname__}"


def resolve(target: str) -> Any:
    """The object behind a reference made by :func:`reference`."""
    module, _, name = target.partition(":")
    return functools.reduce(getattr, name.split("."), import_module(module))


def check_importable(target: type | Proxy) -> None:
    """Refuse a benchmark or proxy that a worker could not import.

    Raises:
        HarnessError: if the reference leads nowhere or elsewhere.
    """
    try:
        found = resolve(reference(target))
    except (ImportError, AttributeError):
        found = None
    if found is not target:
        raise HarnessError(
            f"'{reference(target)}' cannot be imported by a worker process; define it at the top of a module, "
            "under the name of its function or class"
        )


def _entries(group: str) -> Sequence[EntryPoint]:
    return list(entry_points(group=group))


def _load(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:
        cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise HarnessError(
            f"entry point '{entry.name}' of {entry.group} ({entry.value}) cannot be imported: {cause}; "
            "reinstall or remove the package that offers it"
        ) from error


def _register(found: dict[str, Any], name: str, target: Any, kind: str) -> None:
    if name in found and found[name] is not target:
        raise HarnessError(
            f"{kind} '{name}' is registered twice: by {reference(found[name])} and {reference(target)}; rename one"
        )
    found[name] = target
