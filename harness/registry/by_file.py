"""Unregistered proxies and benchmarks, named by their location: ``path.py:name`` or ``module:name``.

They need no package. Each computing process runs the file once. The file's directory is appended to
``sys.path``, so that it can import its neighbours. A run stores the hash of the source and refuses changed code.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
import weakref
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from harness._utils.names import unknown_name
from harness._utils.signals import stops_noted
from harness.contracts.benchmark import Benchmark
from harness.contracts.proxy import Proxy
from harness.errors import HarnessError, UnguardedScriptError, UnknownNameError

OWN_PROXIES = "own_proxies"
"""The entry of a run's manifest with the facts of unregistered proxies."""

_PREFIX = "harness_own_"
_DIGEST = "__harness_sha256__"


_made: weakref.WeakSet[Benchmark] = weakref.WeakSet()
_being_loaded: list[Path] = []


def benchmark_made_by(cls: type[Benchmark]) -> Benchmark:
    """An object of a benchmark's class without arguments, which another process can make too."""
    benchmark = cls()
    _made.add(benchmark)
    return benchmark


def was_made_by_class(benchmark: Benchmark) -> bool:
    """Whether :func:`benchmark_made_by` made the benchmark, or its class takes no arguments."""
    return benchmark in _made or not inspect.signature(type(benchmark)).parameters


def refuse_while_loaded() -> None:
    """Stop a run that a file starts while it is only being loaded for the proxies or benchmarks in it.

    Raises:
        UnguardedScriptError: if that is the case.
    """
    if _being_loaded:
        raise UnguardedScriptError(
            f"{_being_loaded[-1].name} is being loaded for what it defines, so put its call of harness.run under "
            'if __name__ == "__main__":'
        )


def load_own(reference: str) -> Proxy:
    """Load the proxy at ``path.py:name`` or ``module:name``.

    Raises:
        HarnessError: if the file or module is missing or cannot be imported, or the object is not a proxy.
        UnknownNameError: if it has no such name; the message lists its proxies.
    """
    found = load_named(
        reference,
        ("proxy", "proxies"),
        lambda value: isinstance(value, Proxy),
        "define one with @harness.proxy",
        "decorate it with @harness.proxy",
    )
    assert isinstance(found, Proxy)
    return found


def load_named(reference: str, kind: tuple[str, str], fits: Callable[[Any], bool], define: str, otherwise: str) -> Any:
    """The object of one kind at ``path.py:name`` or ``module:name``.

    Args:
        reference: its location.
        kind: the kind in words, in the singular and the plural.
        fits: whether an object is of this kind.
        define: how to define one, for a file without any.
        otherwise: what to do with an object of another kind.

    Raises:
        HarnessError: if the file or module is missing or cannot be imported, or the object is of another kind.
        UnknownNameError: if it has no such name; the message lists what it has of this kind.
    """
    one, several = kind
    where, _, name = reference.rpartition(":")
    if not where or not name:
        raise HarnessError(f"invalid {one} '{reference}'; write path.py:name or module:name")
    module = _load(where)
    offered = [attribute for attribute, value in vars(module).items() if fits(value)]
    if not hasattr(module, name):
        if not offered:
            raise HarnessError(f"{where} has no '{name}' and no {several}; {define}")
        raise UnknownNameError(unknown_name(f"{one} of {where}", name, offered))
    found = getattr(module, name)
    if not fits(found):
        instead = f"; its {several}: {', '.join(offered)}" if offered else ""
        raise HarnessError(f"'{name}' of {where} is a {type(found).__name__}, not a {one}: {otherwise}{instead}")
    return found


def load_file(path: Path) -> ModuleType:
    """Load a Python file as a module; load it again if the file has changed.

    Raises:
        HarnessError: if the file does not exist, running it fails, or another file with the same name is loaded.
    """
    path = path.expanduser().resolve()
    try:
        source = path.read_bytes()
    except OSError as error:
        raise HarnessError(f"cannot read the file {path} ({error.strerror})") from error
    name, digest = _PREFIX + path.stem, hashlib.sha256(source).hexdigest()
    known = sys.modules.get(name)
    if known is not None and known.__file__ != str(path):
        raise HarnessError(f"two files have the same name {path.name}: {known.__file__} and {path}; rename one")
    if known is not None and getattr(known, _DIGEST) == digest:
        return known
    module = ModuleType(name)
    module.__file__ = str(path)
    setattr(module, _DIGEST, digest)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[name] = module
    _being_loaded.append(path)
    with stops_noted() as stops:
        try:
            # The user asked to run this file; compiling it here avoids stale bytecode.
            exec(compile(source, str(path), "exec"), vars(module))  # noqa: S102
        except BaseException as error:
            del sys.modules[name]
            if stops:
                raise
            raise HarnessError(f"{path} cannot be imported: {_cause(error, path)}") from error
        finally:
            _being_loaded.remove(path)
    return module


def digest_of_module(module: ModuleType | None) -> str | None:
    """The SHA-256 of a module's file, as it was when it was loaded if that is known; None without a file."""
    loaded: str | None = getattr(module, _DIGEST, None)
    if loaded is not None:
        return loaded
    try:
        return hashlib.sha256(Path(str(getattr(module, "__file__", None))).read_bytes()).hexdigest()
    except OSError:
        return None


def is_loaded_file(module: ModuleType) -> bool:
    """Whether :func:`load_file` made the module."""
    return hasattr(module, _DIGEST)


def loaded_files() -> list[ModuleType]:
    """The modules that :func:`load_file` made."""
    return [module for name, module in list(sys.modules.items()) if name.startswith(_PREFIX)]


def reference_of(proxy: Proxy) -> str:
    """Where another process finds the proxy, by any name it has in its module; the module may be a file."""
    function = proxy.function.__name__
    module = sys.modules.get(proxy.function.__module__)
    names = [function, *vars(module)] if module is not None else [function]
    name = next((name for name in names if getattr(module, name, None) is proxy), function)
    where = getattr(module, "__file__", None) if hasattr(module, _DIGEST) else None
    return f"{where or proxy.function.__module__}:{name}"


def source_digest(proxy: Proxy) -> str | None:
    """The SHA-256 of the file that defines the proxy, or of its source if there is no file; None without either."""
    loaded: str | None = getattr(sys.modules.get(proxy.function.__module__), _DIGEST, None)
    if loaded is not None:
        return loaded
    try:
        file = inspect.getsourcefile(proxy.function)
        source = (
            Path(file).read_bytes() if file and Path(file).is_file() else inspect.getsource(proxy.function).encode()
        )
    except (OSError, TypeError):
        return None
    return hashlib.sha256(source).hexdigest()


def facts_of(proxy: Proxy) -> dict[str, Any]:
    """The manifest entry of an unregistered proxy: everything that a report needs, and its source."""
    where, _, name = reference_of(proxy).rpartition(":")
    return {
        "reference": f"{Path(where).name if where.endswith('.py') else where}:{name}",
        "sha256": source_digest(proxy),
        "version": proxy.version,
        "label": proxy.label,
        "better": proxy.better,
        "data": proxy.data,
        "batches": proxy.batches,
        "cite": proxy.cite,
        "source": proxy.source,
        "supervised": proxy.supervised,
    }


def _load(where: str) -> ModuleType:
    if where.endswith(".py"):
        return load_file(Path(where))
    with stops_noted() as stops:
        try:
            return import_module(where)
        except BaseException as error:
            if stops:
                raise
            raise HarnessError(f"cannot import the module '{where}': {_cause(error)}") from error


def _cause(error: BaseException, path: Path | None = None) -> str:
    """The error in one line, with the line number in the user's file."""
    message = " ".join(str(error).split())
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    if isinstance(error, SyntaxError) or path is None:
        return text
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{text} (line {lines[-1]})" if lines else text
