"""A proxy of one's own, named by where it is: ``path.py:name`` or ``module:name``.

It needs no package. A file is run once in each process that computes; its folder is put at the end of ``sys.path``, so
that it can import what lies beside it. A run keeps the hash of the source and refuses another one.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from harness._utils.names import unknown_name
from harness._utils.signals import stops_noted
from harness.contracts.proxy import Proxy
from harness.errors import HarnessError, UnknownNameError

OWN_PROXIES = "own_proxies"
"""The entry of a run's manifest that holds the facts of such proxies."""

_PREFIX = "harness_own_"
_DIGEST = "__harness_sha256__"


def load_own(reference: str) -> Proxy:
    """The proxy that ``path.py:name`` or ``module:name`` leads to.

    Raises:
        HarnessError: if the file or module is missing or cannot be imported, or what it names is no proxy.
        UnknownNameError: if it has no such name; the message lists its proxies.
    """
    where, _, name = reference.rpartition(":")
    if not where or not name:
        raise HarnessError(f"'{reference}' names no proxy; write path.py:name or module:name")
    module = _load(where)
    offered = [attribute for attribute, value in vars(module).items() if isinstance(value, Proxy)]
    if not hasattr(module, name):
        if not offered:
            raise HarnessError(f"{where} has no '{name}', and no proxy at all; define one with @harness.proxy")
        raise UnknownNameError(unknown_name(f"proxy of {where}", name, offered))
    found = getattr(module, name)
    if not isinstance(found, Proxy):
        instead = f"; its proxies: {', '.join(offered)}" if offered else ""
        raise HarnessError(
            f"'{name}' of {where} is a {type(found).__name__}, no proxy: decorate it with @harness.proxy{instead}"
        )
    return found


def load_file(path: Path) -> ModuleType:
    """The module made of a Python file; made again where the file has changed since.

    Raises:
        HarnessError: if there is no such file, if running it fails, or if another file of that name is in use.
    """
    path = path.expanduser().resolve()
    try:
        source = path.read_bytes()
    except OSError as error:
        raise HarnessError(f"the file of a proxy cannot be read: {path} ({error.strerror})") from error
    name, digest = _PREFIX + path.stem, hashlib.sha256(source).hexdigest()
    known = sys.modules.get(name)
    if known is not None and known.__file__ != str(path):
        raise HarnessError(f"two files of proxies are called {path.name}: {known.__file__} and {path}; rename one")
    if known is not None and getattr(known, _DIGEST) == digest:
        return known
    module = ModuleType(name)
    module.__file__ = str(path)
    setattr(module, _DIGEST, digest)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    sys.modules[name] = module
    with stops_noted() as stops:
        try:
            # The user has named this file to be run; compiling it here keeps stale bytecode out.
            exec(compile(source, str(path), "exec"), vars(module))  # noqa: S102
        except BaseException as error:
            del sys.modules[name]
            if stops:
                raise
            raise HarnessError(f"{path} cannot be imported: {_cause(error, path)}") from error
    return module


def reference_of(proxy: Proxy) -> str:
    """Where another process finds the proxy, whatever name it has there; the module may be a file."""
    function = proxy.function.__name__
    module = sys.modules.get(proxy.function.__module__)
    names = [function, *vars(module)] if module is not None else [function]
    name = next((name for name in names if getattr(module, name, None) is proxy), function)
    where = getattr(module, "__file__", None) if hasattr(module, _DIGEST) else None
    return f"{where or proxy.function.__module__}:{name}"


def source_digest(proxy: Proxy) -> str | None:
    """The SHA-256 of the file that defines the proxy, or of its code where there is no file; None where neither is."""
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
    """What a run's manifest says of a proxy that is not registered: all that a report needs of it, and its source."""
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
            raise HarnessError(f"the module '{where}' of a proxy cannot be imported: {_cause(error)}") from error


def _cause(error: BaseException, path: Path | None = None) -> str:
    """The error in one line, with the line of the user's file that raised it."""
    message = " ".join(str(error).split())
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    if isinstance(error, SyntaxError) or path is None:
        return text
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{text} (line {lines[-1]})" if lines else text
