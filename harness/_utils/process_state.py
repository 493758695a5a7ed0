"""The state of a process that scores depend on: reading it, and putting it back where a proxy has changed it.

Two kinds. :data:`SETTINGS` are cheap to read (some ten microseconds in all), so they are compared after every proxy.
:data:`SURROUNDINGS` are compared only after proxies that are not the project's own: what the process sees of its
system, and the functions of torch, NumPy and this package that others call.

Global random states are in neither: a proxy draws from seeds of its own, see :meth:`harness.probe.Probe.random_state`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as module_hooks
from torch.overrides import _get_current_function_mode_stack
from torch.utils import _python_dispatch as dispatch
from torch.utils._device import DeviceContext

_C: Any = torch._C


@dataclass(frozen=True)
class Part:
    """One piece of the process's state.

    Attributes:
        words: what it is called in a message.
        read: its present value, which compares by ``==``.
        put_back: gives it a value that was read before.
        told: whether a message shows the values.
    """

    words: str
    read: Callable[[], Any]
    put_back: Callable[[Any], object]
    told: bool = True


class Snapshot:
    """The values of some parts at one moment.

    Args:
        parts: which to read.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = parts
        self._values = _values(parts)

    def without(self, left_out: Part) -> Snapshot:
        """The same values, save that of one part."""
        kept = [(part, value) for part, value in zip(self.parts, self._values, strict=True) if part is not left_out]
        fewer = Snapshot(())
        fewer.parts, fewer._values = [part for part, _ in kept], [value for _, value in kept]
        return fewer

    def is_current(self) -> bool:
        """Whether every part has the value that it had."""
        return self._values == _values(self.parts)

    def put_back(self) -> list[str]:
        """Give every part its value back; returns those that had another one, in words.

        >>> before = Snapshot(SETTINGS)
        >>> torch.set_default_dtype(torch.float64)
        >>> before.put_back()
        ["torch's default number format (torch.float32 -> torch.float64)"]
        >>> torch.get_default_dtype()
        torch.float32
        """
        found = _values(self.parts)
        if found == self._values:
            return []
        changed = [
            f"{part.words} ({before} -> {after})" if part.told else part.words
            for part, before, after in zip(self.parts, self._values, found, strict=True)
            if before != after
        ]
        for part, before in zip(self.parts, self._values, strict=True):
            # One may follow from another that has been put back already.
            if part.read() != before:
                part.put_back(before)
        return changed


def glance() -> tuple[Any, ...]:
    """The settings that code changes most often; to read all takes longer than the least of proxies."""
    return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()


@contextlib.contextmanager
def settings_as_before(at_a_glance: bool = False) -> Iterator[Snapshot]:
    """A block after which all settings are what they were; yields what they were.

    Args:
        at_a_glance: look at all of them only where the block fails or a glance shows a change; for code that is known.
    """
    before, seen = Snapshot(SETTINGS), glance()
    try:
        yield before
    except BaseException:
        before.put_back()
        raise
    if not at_a_glance or glance() != seen:
        before.put_back()


@contextlib.contextmanager
def with_settings(snapshot: Snapshot) -> Iterator[None]:
    """A block that is computed with the settings of a snapshot, whatever they are around it.

    Hooks on saved tensors stay: they are there to measure a computation, not to change it.
    """
    snapshot = snapshot.without(_SAVED_TENSOR_HOOKS)
    if snapshot.is_current():
        yield
        return
    around = Snapshot(snapshot.parts)
    snapshot.put_back()
    try:
        yield
    finally:
        around.put_back()


def _values(parts: Sequence[Part]) -> list[Any]:
    return [part.read() for part in parts]


_HOOKS: tuple[dict[Any, Any], ...] = tuple(
    value for name, value in vars(module_hooks).items() if name.startswith("_global_") and isinstance(value, dict)
)
"""Hooks that torch calls for every module."""

_FLAGS = (
    "deterministic_fill_uninitialized_memory",
    "mkldnn_enabled",
    "mkldnn_deterministic",
    "nnpack_enabled",
    "cudnn_enabled",
    "cudnn_benchmark",
    "cudnn_deterministic",
    "linalg_preferred_backend",
    "float32_matmul_precision",
    "cublas_allow_tf32",
    "cudnn_allow_tf32",
)
"""Flags of torch's backends, by the ends of the names of the functions that get and set them."""

_PRECISIONS = (
    ("generic", "all"),
    *((backend, part) for backend in ("cuda", "mkldnn") for part in ("all", "matmul", "conv", "rnn")),
)

_never_left: list[Any] = []
_SMALLEST_NORMAL = sys.float_info.min


def _set_inference_mode(enabled: bool) -> None:
    # Torch offers no way to leave a mode that somebody else has entered, but another may be entered for good.
    mode = torch.inference_mode(enabled)
    mode.__enter__()
    _never_left.append(mode)


def _read_device() -> Any:
    context = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    return None if context is None else context.device


def _function_modes() -> list[Any]:
    return list(_get_current_function_mode_stack())  # type: ignore[no-untyped-call]


def _read_function_modes() -> tuple[Any, ...]:
    if not _C._len_torch_function_stack():
        return ()
    # The default device is such a mode too, and a part of its own.
    return tuple(mode for mode in _function_modes() if not isinstance(mode, DeviceContext))


def _put_back_function_modes(modes: tuple[Any, ...]) -> None:
    kept = [mode for mode in _function_modes() if isinstance(mode, DeviceContext)]
    while _C._len_torch_function_stack():
        _C._pop_torch_function_stack()
    for mode in (*kept, *modes):
        _C._push_on_torch_function_stack(mode)


def _read_dispatch_modes() -> tuple[Any, ...]:
    return tuple(dispatch._get_current_dispatch_mode_stack()) if _C._len_torch_dispatch_stack() else ()


def _put_back_dispatch_modes(modes: tuple[Any, ...]) -> None:
    while _C._len_torch_dispatch_stack():
        dispatch._pop_mode()
    for mode in modes:
        dispatch._push_mode(mode)


def _read_saved_tensor_hooks() -> Any:
    return _C._autograd._top_saved_tensors_default_hooks(True)


def _put_back_saved_tensor_hooks(hooks: Any) -> None:
    while _read_saved_tensor_hooks() not in (hooks, None):
        _C._autograd._pop_saved_tensors_default_hooks()


def _read_hooks() -> list[tuple[Any, ...]]:
    return [tuple(hooks.items()) if hooks else () for hooks in _HOOKS]


def _put_back_hooks(before: list[tuple[Any, ...]]) -> None:
    for hooks, items in zip(_HOOKS, before, strict=True):
        hooks.clear()
        hooks.update(items)


def _set_interop_threads(number: int) -> None:
    with contextlib.suppress(RuntimeError):  # torch lets it be set once
        torch.set_num_interop_threads(number)


def _readable(read: Callable[[], Any]) -> Callable[[], Any]:
    """Torch refuses to tell some flags where newer ones for the same thing are in use."""

    def read_it() -> Any:
        try:
            return read()
        except RuntimeError:
            return None

    return read_it


def _backend_flags() -> Iterator[Part]:
    for name in _FLAGS:
        get, put = getattr(_C, f"_get_{name}", None), getattr(_C, f"_set_{name}", None)
        if get is not None and put is not None:
            uncertain = "tf32" in name or "precision" in name
            yield Part(f"torch's flag {name}", _readable(get) if uncertain else get, put)
    for name in ("flash", "math", "mem_efficient", "cudnn"):
        get, put = getattr(_C, f"_get_{name}_sdp_enabled", None), getattr(_C, f"_set_sdp_use_{name}", None)
        if get is not None and put is not None:
            yield Part(f"torch's flag {name}_sdp", get, put)
    if hasattr(_C, "_get_fp32_precision_getter"):
        for backend, operation in _PRECISIONS:
            yield Part(
                f"torch's fp32_precision of {backend} {operation}",
                functools.partial(_C._get_fp32_precision_getter, backend, operation),
                functools.partial(_C._set_fp32_precision_setter, backend, operation),
            )


def _autocast() -> Iterator[Part]:
    for device in ("cpu", "cuda"):
        yield Part(
            f"autocast on {device}",
            functools.partial(torch.is_autocast_enabled, device),
            functools.partial(torch.set_autocast_enabled, device),
        )
        yield Part(
            f"autocast's number format on {device}",
            functools.partial(torch.get_autocast_dtype, device),
            functools.partial(torch.set_autocast_dtype, device),
        )
    yield Part("autocast's cache", torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled)


def _function_state() -> Iterator[Part]:
    if hasattr(_C, "_get_torch_function_state"):
        yield Part("torch's function overrides", _C._get_torch_function_state, _C._set_torch_function_state)


_SAVED_TENSOR_HOOKS = Part(
    "torch's hooks on saved tensors", _read_saved_tensor_hooks, _put_back_saved_tensor_hooks, told=False
)

SETTINGS: tuple[Part, ...] = (
    Part("torch's default device", _read_device, torch.set_default_device),
    Part("torch's function modes", _read_function_modes, _put_back_function_modes, told=False),
    Part("torch's dispatch modes", _read_dispatch_modes, _put_back_dispatch_modes, told=False),
    *_function_state(),
    # Entering a mode of inference sets the mode of gradients, so that comes later.
    Part("torch's inference mode", torch.is_inference_mode_enabled, _set_inference_mode),
    Part("torch's gradient mode", torch.is_grad_enabled, _C._set_grad_enabled),
    Part("torch's forward-mode gradients", _C._is_fwd_grad_enabled, _C._set_fwd_grad_enabled),
    _SAVED_TENSOR_HOOKS,
    Part("torch's anomaly detection", torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    Part("torch's default number format", torch.get_default_dtype, torch.set_default_dtype),
    Part("torch's number of threads", torch.get_num_threads, torch.set_num_threads),
    Part("torch's number of interop threads", torch.get_num_interop_threads, _set_interop_threads),
    Part("torch's deterministic algorithms", torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    *_backend_flags(),
    *_autocast(),
    Part("torch's hooks on every module", _read_hooks, _put_back_hooks, told=False),
    Part(
        "the processor's treatment of tiny numbers",
        lambda: _SMALLEST_NORMAL * 0.5 == 0.0,
        torch.set_flush_denormal,
        told=False,
    ),
    Part("NumPy's treatment of errors", np.geterr, lambda before: np.seterr(**before)),
    Part("Python's recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    Part("Python's garbage collector", gc.isenabled, lambda before: gc.enable() if before else gc.disable()),
)
"""In an order in which they can be put back one after the other."""


class Surroundings:
    """What the process sees of its system, and the functions that others call, at one moment.

    A library that is imported for the first time, maybe in a proxy, may add variables, filters and places to import
    from. These stay, and count as no change.

    Args:
        classes: of the network's modules, whose methods are looked at too.
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
        """Put everything back; returns what was changed, in words."""
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
        # The same folder once more, or others added by an import, change nothing that others find.
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
        # Which filter applies is remembered until this is called.
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
            yield "the signals that are blocked"
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
"""Names that Python itself sets in modules and classes while they are used."""


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # somebody has removed it
        return None


def _name(space: ModuleType | type) -> str:
    return space.__name__ if isinstance(space, ModuleType) else f"{space.__module__}.{space.__qualname__}"


def _hides(space: ModuleType | type, name: str) -> bool:
    """Whether a new name in a class hides the one that it inherits; in a module it hides nothing."""
    inherited = space.__mro__[1:] if isinstance(space, type) else ()
    return name not in _BOOKKEEPING and any(name in vars(base) for base in inherited)


def _is_of_compiler(value: object) -> bool:
    """Whether torch's compiler has put a function in the place of another, as it does when it is first used."""
    return getattr(getattr(value, "__code__", None), "co_filename", "").startswith(_COMPILER)


def _namespaces() -> list[ModuleType | type]:
    """Modules and classes whose functions proxies and the harness itself call."""
    ours = [module for name, module in list(sys.modules.items()) if name == "harness" or name.startswith("harness.")]
    classes = [value for module in ours for value in vars(module).values() if _is_class_of(module, value)]
    return [*_library_namespaces(), *ours, *classes]


def _is_class_of(module: ModuleType, value: object) -> bool:
    return isinstance(value, type) and value.__module__ == module.__name__


@functools.cache
def _library_namespaces() -> list[ModuleType | type]:
    modules = [torch, nn, nn.functional, nn.init, torch.autograd, torch.autograd.graph, torch.linalg, torch.random]
    layers = [value for value in vars(nn).values() if isinstance(value, type)]
    others = [np, np.linalg, np.random, random, time]
    return [*modules, *others, torch.Tensor, _C._TensorBase, *layers]
