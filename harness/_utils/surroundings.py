"""The environment of a process and the functions that other code calls: read and restore them.

They are only compared after proxies that are not the project's own: functions of torch, NumPy and this package,
environment variables, the working directory, the module search path, warnings, streams and signals.
"""

from __future__ import annotations

import functools
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn

_C: Any = torch._C


class Surroundings:
    """The environment of the process, and the functions that other code calls, at one moment.

    A library that is imported for the first time, for example in a proxy, may add environment variables, warning
    filters and search paths. These are kept and do not count as changes. The methods of the given classes, those of the
    network's modules, are compared too.
    """

    def __init__(self, classes: Collection[type] = ()) -> None:
        self._namespaces = [(space, dict(vars(space))) for space in (*_namespaces(), *sorted(classes, key=repr))]
        self._modules = len(sys.modules)
        self._environment = dict(os.environ)
        self._folder = _folder()
        self._path = list(sys.path)
        self._filters = list(warnings.filters)
        self._streams = sys.stdout, sys.stderr
        self._handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, []) if _HAS_MASK else None

    def put_back(self) -> list[str]:
        """Restore everything; returns descriptions of what was changed."""
        return [
            *self._functions(),
            *self._environment_variables(),
            *self._working_directory(),
            *self._module_path(),
            *self._warnings(),
            *self._standard_streams(),
            *self._signals(),
        ]

    def _imported(self) -> bool:
        return len(sys.modules) > self._modules

    def _functions(self) -> Iterator[str]:
        for space, before in self._namespaces:
            now = vars(space)
            for name, value in before.items():
                found = now.get(name, _MISSING)
                if found is not value and name not in _BOOKKEEPING and not _is_of_compiler(found):
                    setattr(space, name, value)
                    yield f"the function {_name(space)}.{name}" if callable(value) else f"{_name(space)}.{name}"
            for name in [name for name in now if name not in before and _hides(space, name)]:
                delattr(space, name)
                yield f"the class {_name(space)} ({name})"

    def _environment_variables(self) -> Iterator[str]:
        now = dict(os.environ)
        if now == self._environment:
            return
        changed = sorted(name for name in {*now, *self._environment} if now.get(name) != self._environment.get(name))
        if self._imported():
            changed = [name for name in changed if name in self._environment]
        for name in changed:
            if name in self._environment:
                os.environ[name] = self._environment[name]
            else:
                del os.environ[name]
            yield f"the environment variable {name}"

    def _working_directory(self) -> Iterator[str]:
        if self._folder is not None and _folder() != self._folder:
            os.chdir(self._folder)
            yield "the working directory"

    def _module_path(self) -> Iterator[str]:
        now = list(sys.path)
        if now == self._path:
            return
        # Duplicates, or directories added by an import, do not change what other code finds.
        added_alone = [entry for entry in now if entry in self._path] == self._path
        if list(dict.fromkeys(now)) == list(dict.fromkeys(self._path)) or (self._imported() and added_alone):
            return
        sys.path[:] = self._path
        yield "sys.path"

    def _warnings(self) -> Iterator[str]:
        if list(warnings.filters) == self._filters:
            return
        kept = [entry for entry in warnings.filters if entry in self._filters]
        if self._imported() and kept == self._filters:
            return
        warnings.filters[:] = self._filters  # type: ignore[index]
        # Clears Python's cache of which filter applies.
        getattr(warnings, "_filters_mutated", lambda: None)()
        yield "the warning filters"

    def _standard_streams(self) -> Iterator[str]:
        if (sys.stdout, sys.stderr) != self._streams:
            sys.stdout, sys.stderr = self._streams
            yield "sys.stdout or sys.stderr"

    def _signals(self) -> Iterator[str]:
        if _HAS_MASK and signal.pthread_sigmask(signal.SIG_BLOCK, []) != self._mask:
            assert self._mask is not None
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            yield "the signal mask"
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is not handler and signal.getsignal(number) != handler:
                if threading.current_thread() is threading.main_thread() and handler is not None:
                    signal.signal(number, handler)
                yield f"the handler of {number.name}"


_MISSING = object()
_COMPILER = tuple(str(Path(torch.__file__).parent / name) for name in ("_dynamo", "_compile.py"))
_HAS_MASK = hasattr(signal, "pthread_sigmask")
_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE", "SIGFPE")
    if hasattr(signal, name)
]
_BOOKKEEPING = frozenset(
    {"__annotations__", "__annotations_cache__", "__doc__", "__abstractmethods__", "_abc_impl", "__warningregistry__"}
)
"""Names that Python itself sets in modules and classes during use."""


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # the directory was removed
        return None


def _name(space: ModuleType | type) -> str:
    return space.__name__ if isinstance(space, ModuleType) else f"{space.__module__}.{space.__qualname__}"


def _hides(space: ModuleType | type, name: str) -> bool:
    """Whether a new name in a class overrides an inherited one; in a module, it never does."""
    inherited = space.__mro__[1:] if isinstance(space, type) else ()
    return name not in _BOOKKEEPING and any(name in vars(base) for base in inherited)


def _is_of_compiler(value: object) -> bool:
    """Whether torch's compiler replaced a function, as it does on first use."""
    return getattr(getattr(value, "__code__", None), "co_filename", "").startswith(_COMPILER)


def _namespaces() -> list[ModuleType | type]:
    """Modules and classes with functions that proxies and the harness call."""
    ours = [module for name, module in list(sys.modules.items()) if name == "harness" or name.startswith("harness.")]
    classes = [
        value
        for module in ours
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    return [*_library_namespaces(), *ours, *classes]


@functools.cache
def _library_namespaces() -> list[ModuleType | type]:
    modules = [torch, nn, nn.functional, nn.init, torch.autograd, torch.autograd.graph, torch.linalg, torch.random]
    layers = [value for value in vars(nn).values() if isinstance(value, type)]
    others = [np, np.linalg, np.random, random, time]
    return [*modules, *others, torch.Tensor, _C._TensorBase, *layers]
