"""Find benchmarks and proxies by name, from the entry points of every installed package.

A benchmark is a class in the group ``harness.benchmarks``. The groups ``harness.proxies`` and ``harness.aggregates``
name proxies and rank aggregates, or modules that define them. The harness registers its own in the same way as third
parties do. A proxy outside any package is named by its location: see :mod:`harness.registry.by_file`.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from harness._utils.arguments import shown
from harness._utils.names import resolved, unknown_name
from harness._utils.signals import stops_noted
from harness.contracts.aggregate import Aggregate
from harness.contracts.benchmark import Benchmark
from harness.contracts.proxy import Proxy, ProxyFacts
from harness.errors import HarnessError, UnknownNameError
from harness.registry.by_file import benchmark_made_by, load_file, load_named, load_own, reference_of
from harness.registry.declared import declared_facts

BENCHMARK_GROUP = "harness.benchmarks"
PROXY_GROUP = "harness.proxies"
AGGREGATE_GROUP = "harness.aggregates"

LIST_BENCHMARKS = "harness list benchmarks"
LIST_PROXIES = "harness list proxies"
"""The commands that list what is registered."""

T = TypeVar("T")

STANDARD = (
    "params",
    "flops",
    "l2_norm",
    "grad_norm",
    "plain",
    "snip",
    "grasp",
    "fisher",
    "synflow",
    "jacob_cov",
    "naswot",
    "zen",
    "epe_nas",
    "zico",
)
"""The default proxies of a run: those that the survey and its predecessors compare, at low cost."""


@functools.cache
def benchmark_classes() -> dict[str, type[Benchmark]]:
    """Every registered benchmark class by name.

    Raises:
        HarnessError: if two packages register the same name, or an entry point cannot be imported.
    """
    found: dict[str, type[Benchmark]] = {}
    for entry in entry_points(group=BENCHMARK_GROUP):
        loaded = _load(entry)
        if not (isinstance(loaded, type) and issubclass(loaded, Benchmark)):
            raise HarnessError(
                f"entry point '{entry.name}' of {BENCHMARK_GROUP} is not a Benchmark class: {entry.value}"
            )
        _register(found, loaded.name, loaded, "benchmark")
    return found


@functools.cache
def proxies() -> dict[str, Proxy]:
    """Every registered proxy by name, in the order of registration.

    Raises:
        HarnessError: if two packages register the same name, or an entry point cannot be imported.
    """
    found: dict[str, Proxy] = {}
    for entry in entry_points(group=PROXY_GROUP):
        for proxy in _offered(entry, Proxy, "proxy"):
            _register(found, proxy.name, proxy, "proxy")
    return found


@functools.cache
def proxy_facts() -> dict[str, ProxyFacts]:
    """The facts of every registered proxy by name, in the order of registration, without loading the harness's proxies.

    Raises:
        HarnessError: as :func:`proxies`.
    """
    found: dict[str, ProxyFacts] = {}
    for entry in entry_points(group=PROXY_GROUP):
        known = declared_facts().get(entry.value)
        for facts in known or _offered(entry, Proxy, "proxy"):
            if facts.name in found:
                # Loading them raises an error that names the two packages.
                proxies()
            found[facts.name] = facts
    return found


@functools.cache
def aggregates() -> dict[str, Aggregate]:
    """Every registered rank aggregate by name, in the order of registration.

    Raises:
        HarnessError: if a name is taken by another aggregate or a proxy, or an entry point cannot be imported.
    """
    found: dict[str, Aggregate] = {}
    for entry in entry_points(group=AGGREGATE_GROUP):
        for aggregate in _offered(entry, Aggregate, "aggregate"):
            if aggregate.name in proxy_facts():
                raise HarnessError(f"aggregate '{aggregate.name}' has the same name as a registered proxy; rename it")
            _register(found, aggregate.name, aggregate, "aggregate")
    return found


def load_benchmark(name: str) -> Benchmark:
    """The benchmark with this name, or at this location: ``path.py:name`` or ``module:name``.

    Raises:
        UnknownNameError: if there is none; the message suggests similar names.
        HarnessError: if the file or module of an unregistered one cannot be loaded, or has something else there.
    """
    classes, found = benchmark_classes(), benchmark_named(name)
    if found is None and ":" in name:
        own: Benchmark | type[Benchmark] = load_named(
            name,
            ("benchmark", "benchmarks"),
            _is_benchmark,
            "define a subclass of harness.Benchmark, or use harness.Benchmark.from_table",
            "make it a subclass of harness.Benchmark, or use harness.Benchmark.from_table",
        )
        return benchmark_made_by(own) if isinstance(own, type) else own
    if found is None:
        raise UnknownNameError(unknown_name("benchmark", name, classes, LIST_BENCHMARKS))
    return classes[found]()


def _is_benchmark(value: object) -> bool:
    """Whether an object is a benchmark or a class of complete ones."""
    if isinstance(value, type):
        return issubclass(value, Benchmark) and not inspect.isabstract(value)
    return isinstance(value, Benchmark)


def benchmark_named(name: str) -> str | None:
    """The registered name of the benchmark with this name or alias; None if there is none."""
    return resolved(name, {known: cls.aliases for known, cls in benchmark_classes().items()})


def proxy_names() -> dict[str, tuple[str, ...]]:
    """The name of every registered proxy, with its label and its aliases."""
    return {name: (proxy.label, *proxy.aliases) for name, proxy in proxy_facts().items()}


def aggregate_names() -> dict[str, tuple[str, ...]]:
    """The name of every registered rank aggregate, with its label and its aliases."""
    return {name: (aggregate.label, *aggregate.aliases) for name, aggregate in aggregates().items()}


def named_among(name: str, rows: Iterable[str]) -> str | None:
    """The row (a proxy or an aggregate) with this name or alias; None if there is none."""
    aliases = {**proxy_names(), **aggregate_names()}
    return resolved(name, {row: aliases.get(row, ()) for row in rows})


def select_proxies(names: str | Proxy | Iterable[str | Proxy] | None = "standard") -> list[Proxy]:
    """The named proxies, each once, in the given order.

    Args:
        names: proxy names or aliases, as any collection or one comma-separated string; None means ``standard``.
            ``standard`` selects those in ``STANDARD``, ``all`` every proxy that is not a variant of another one, and
            ``variants`` the variants. Give an unregistered proxy as an object, or by its location: ``path.py:name`` or
            ``module:name``.

    Raises:
        UnknownNameError: if a name is not registered; the message suggests similar names.
        HarnessError: if no proxy is named, or an unregistered one cannot be loaded or has the name of a registered one.
    """
    known = proxies()
    chosen: dict[str, Proxy] = {}
    for name in _wanted(names):
        if isinstance(name, Proxy):
            _choose_own(chosen, name)
        elif ":" in name:
            _choose_own(chosen, load_own(name.strip()))
        elif name.strip():
            chosen |= _registered(name.strip(), known)
    if not chosen:
        raise HarnessError("no proxy given; give names, or 'standard'")
    return list(chosen.values())


def _wanted(names: object) -> list[str | Proxy]:
    """The requested names and proxies, one by one."""
    if names is None or isinstance(names, str):
        return ["standard"] if names is None else [*names.split(",")]
    if isinstance(names, Proxy):
        return [names]
    if callable(names) or not isinstance(names, Iterable):
        raise HarnessError(_not_a_proxy(names))
    wanted = list(names)
    for name in wanted:
        if not isinstance(name, str | Proxy):
            raise HarnessError(_not_a_proxy(name))
    return wanted


def _not_a_proxy(value: object) -> str:
    if inspect.isfunction(value):
        return f"the function {value.__name__} is not a proxy yet; decorate it with @harness.proxy(...)"
    return f"proxies must be names or proxies, such as 'params,naswot' or ['params', my_proxy], not {shown(value)}"


def is_registered(proxy: Proxy) -> bool:
    """Whether an installed package registers exactly this proxy object."""
    return proxies().get(proxy.name) is proxy


def reference(target: type | Proxy) -> str:
    """Where another process can import a benchmark class or a proxy, as ``module:name`` or ``path.py:name``."""
    if isinstance(target, Proxy):
        return reference_of(target)
    return f"{target.__module__}:{target.__qualname__}"


def from_anywhere(target: str) -> str:
    """The same reference for a process with another main program: a script by its file, a module by its own name."""
    where, _, name = target.rpartition(":")
    main = sys.modules["__main__"]
    if where != main.__name__:
        return target
    specification = getattr(main, "__spec__", None)
    where = specification.name if specification is not None else str(Path(str(main.__file__)).resolve())
    return f"{where}:{name}"


def resolve(target: str) -> Any:
    """The object behind a reference made by :func:`reference`."""
    where, _, name = target.rpartition(":")
    module = load_file(Path(where)) if where.endswith(".py") else import_module(where)
    return functools.reduce(getattr, name.split("."), module)


def check_importable(target: type | Proxy, elsewhere: bool = False) -> None:
    """Refuse a benchmark or proxy that a worker could not import.

    Args:
        target: the benchmark class or the proxy.
        elsewhere: whether workers are separate processes, which do not share an interactive session.

    Raises:
        HarnessError: if the reference does not resolve to it.
    """
    place = reference(target)
    try:
        found = resolve(place)
    except (ImportError, AttributeError):
        found = None
    if found is not target:
        raise HarnessError(
            f"a worker process cannot import '{place}'; define it at the top level of a module, "
            "under the name of its function or class"
        )
    if elsewhere and place.startswith("__main__:") and not main_can_be_run_again():
        raise HarnessError(
            f"'{place}' is defined in an interactive session, which worker processes cannot import; put it in a file "
            "and give path.py:name, or use one worker"
        )


def main_can_be_run_again() -> bool:
    """Whether a new worker can run the main program again: a script or a module, not a notebook or standard input."""
    main = sys.modules["__main__"]
    if getattr(main, "__spec__", None) is not None:
        return True
    file: str | None = getattr(main, "__file__", None)
    return file is not None and Path(file).is_file()


def _registered(name: str, known: dict[str, Proxy]) -> dict[str, Proxy]:
    """The proxies that one name selects."""
    if name == "standard":
        return {standard: known[standard] for standard in STANDARD}
    if name == "all":
        return {p.name: p for p in known.values() if p.variant_of is None}
    if name == "variants":
        return {p.name: p for p in known.values() if p.variant_of is not None}
    found = resolved(name, proxy_names())
    if found is None:
        choices = [*known, "standard", "all", "variants"]
        raise UnknownNameError(unknown_name("proxy", name, choices, LIST_PROXIES))
    return {found: known[found]}


def _choose_own(chosen: dict[str, Proxy], proxy: Proxy) -> None:
    """Add a proxy object, unless its name is taken."""
    others: list[Proxy | Aggregate] = [*chosen.values(), *proxies().values(), *aggregates().values()]
    taken = next((other for other in others if other.name == proxy.name and other is not proxy), None)
    if taken is not None:
        what = "aggregate" if isinstance(taken, Aggregate) else reference(taken)
        raise HarnessError(
            f"the name '{proxy.name}' of the proxy {reference(proxy)} is already taken ({what}); rename your proxy"
        )
    chosen[proxy.name] = proxy


def _load(entry: EntryPoint) -> Any:
    with stops_noted() as stops:
        try:
            return entry.load()
        except BaseException as error:
            if stops:
                raise
            cause = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise HarnessError(
                f"entry point '{entry.name}' of {entry.group} ({entry.value}) cannot be imported: {cause}; "
                "reinstall or remove the package that defines it"
            ) from error


def _offered(entry: EntryPoint, kind: type[T], word: str) -> list[T]:
    """The objects that an entry point names: one, or those of a module."""
    loaded = _load(entry)
    members = vars(loaded).values() if isinstance(loaded, ModuleType) else [loaded]
    offered = [member for member in members if isinstance(member, kind)]
    if not offered:
        raise HarnessError(f"entry point '{entry.name}' of {entry.group} has no {word}: {entry.value}")
    return offered


def _register(found: dict[str, Any], name: str, target: Any, kind: str) -> None:
    if name in found and found[name] is not target:
        raise HarnessError(
            f"{kind} '{name}' is registered twice, by {reference(found[name])} and by {reference(target)}; rename one"
        )
    found[name] = target
