"""Process settings that scores depend on: read them, and restore those that a proxy has changed.

Reading them is cheap, about ten microseconds in total; slower checks are in :mod:`harness._utils.surroundings`. Global
random states are in neither, since each proxy has its own seeds, see :meth:`harness.probe.Probe.random_state`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.modules import module as module_hooks
from torch.overrides import _get_current_function_mode_stack
from torch.utils import _python_dispatch as dispatch
from torch.utils._device import DeviceContext

_C: Any = torch._C


@dataclass(frozen=True)
class ProcessSetting:
    """One setting of the process.

    Attributes:
        words: its name in messages.
        read: returns its current value, which supports ``==``.
        put_back: sets it to a value that was read before.
        told: whether messages show its values.
    """

    words: str
    read: Callable[[], Any]
    put_back: Callable[[Any], object]
    told: bool = True


class Snapshot:
    """The values of some settings at one moment, by default now."""

    def __init__(self, settings: Sequence[ProcessSetting], values: Sequence[Any] | None = None) -> None:
        self.settings = settings
        self._values = _values(settings) if values is None else list(values)

    def without(self, left_out: ProcessSetting) -> Snapshot:
        """A copy without one setting."""
        kept = [pair for pair in zip(self.settings, self._values, strict=True) if pair[0] is not left_out]
        return Snapshot([setting for setting, _ in kept], [value for _, value in kept])

    def is_current(self) -> bool:
        """Whether every setting still has its value."""
        return self._values == _values(self.settings)

    def put_back(self) -> list[str]:
        """Restore every setting; returns descriptions of those that had changed.

        >>> before = Snapshot(SETTINGS)
        >>> torch.set_default_dtype(torch.float64)
        >>> before.put_back()
        ["torch's default dtype (torch.float32 -> torch.float64)"]
        >>> torch.get_default_dtype()
        torch.float32
        """
        found = _values(self.settings)
        if found == self._values:
            return []
        changed = [
            f"{setting.words} ({before} -> {after})" if setting.told else setting.words
            for setting, before, after in zip(self.settings, self._values, found, strict=True)
            if before != after
        ]
        for setting, before in zip(self.settings, self._values, strict=True):
            # It may have been restored together with another setting.
            if setting.read() != before:
                setting.put_back(before)
        return changed


def glance() -> tuple[Any, ...]:
    """The settings that code changes most often; reading all of them takes longer than the cheapest proxy."""
    return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()


@contextlib.contextmanager
def settings_as_before(at_a_glance: bool = False) -> Iterator[Snapshot]:
    """Restore all settings after the block; yields the settings before it.

    For trusted code, check all of them only if the block fails or a glance shows a change.
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
    """Use the settings of a snapshot in the block.

    Hooks on saved tensors stay active, since they measure a computation and do not change it.
    """
    snapshot = snapshot.without(_SAVED_TENSOR_HOOKS)
    if snapshot.is_current():
        yield
        return
    around = Snapshot(snapshot.settings)
    snapshot.put_back()
    try:
        yield
    finally:
        around.put_back()


def one_thread() -> contextlib.AbstractContextManager[None]:
    """Let torch compute with a single thread, so that sums are made in one order everywhere."""
    return threads(1)


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch compute with this number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _values(settings: Sequence[ProcessSetting]) -> list[Any]:
    return [setting.read() for setting in settings]


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
"""Flags of torch's backends, by the suffix of their getter and setter functions."""

_PRECISIONS = (
    ("generic", "all"),
    *((backend, setting) for backend in ("cuda", "mkldnn") for setting in ("all", "matmul", "conv", "rnn")),
)

_never_left: list[Any] = []
_SMALLEST_NORMAL = sys.float_info.min


def _set_inference_mode(enabled: bool) -> None:
    # Torch cannot leave a mode that other code has entered, but it can permanently enter another one.
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
    # The default device is also such a mode, but a separate setting.
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


# Versions of torch that lack it do not say which hooks are set, and these are not checked.
_top_hooks = getattr(_C._autograd, "_top_saved_tensors_default_hooks", None)


def _read_saved_tensor_hooks() -> Any:
    return _top_hooks(True) if _top_hooks else None


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
    with contextlib.suppress(RuntimeError):  # torch allows setting it only once
        torch.set_num_interop_threads(number)


def _readable(read: Callable[[], Any]) -> Callable[[], Any]:
    """Return None for flags that torch refuses to read because newer flags for the same setting are in use."""

    def read_it() -> Any:
        try:
            return read()
        except RuntimeError:
            return None

    return read_it


def _backend_flags() -> Iterator[ProcessSetting]:
    for name in _FLAGS:
        get, put = getattr(_C, f"_get_{name}", None), getattr(_C, f"_set_{name}", None)
        if get is not None and put is not None:
            uncertain = "tf32" in name or "precision" in name
            yield ProcessSetting(f"torch's flag {name}", _readable(get) if uncertain else get, put)
    for name in ("flash", "math", "mem_efficient", "cudnn"):
        get, put = getattr(_C, f"_get_{name}_sdp_enabled", None), getattr(_C, f"_set_sdp_use_{name}", None)
        if get is not None and put is not None:
            yield ProcessSetting(f"torch's flag {name}_sdp", get, put)
    if hasattr(_C, "_get_fp32_precision_getter"):
        for backend, operation in _PRECISIONS:
            yield ProcessSetting(
                f"torch's fp32_precision of {backend} {operation}",
                functools.partial(_C._get_fp32_precision_getter, backend, operation),
                functools.partial(_C._set_fp32_precision_setter, backend, operation),
            )


def _autocast() -> Iterator[ProcessSetting]:
    for device in ("cpu", "cuda"):
        yield ProcessSetting(
            f"autocast on {device}",
            functools.partial(torch.is_autocast_enabled, device),
            functools.partial(torch.set_autocast_enabled, device),
        )
        yield ProcessSetting(
            f"autocast's dtype on {device}",
            functools.partial(torch.get_autocast_dtype, device),
            functools.partial(torch.set_autocast_dtype, device),
        )
    yield ProcessSetting("autocast's cache", torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled)


def _function_state() -> Iterator[ProcessSetting]:
    if hasattr(_C, "_get_torch_function_state"):
        yield ProcessSetting("torch's function overrides", _C._get_torch_function_state, _C._set_torch_function_state)


_SAVED_TENSOR_HOOKS = ProcessSetting(
    "torch's hooks on saved tensors", _read_saved_tensor_hooks, _put_back_saved_tensor_hooks, told=False
)

SETTINGS: tuple[ProcessSetting, ...] = (
    ProcessSetting("torch's default device", _read_device, torch.set_default_device),
    ProcessSetting("torch's function modes", _read_function_modes, _put_back_function_modes, told=False),
    ProcessSetting("torch's dispatch modes", _read_dispatch_modes, _put_back_dispatch_modes, told=False),
    *_function_state(),
    # Entering inference mode sets the gradient mode, so the latter comes second.
    ProcessSetting("torch's inference mode", torch.is_inference_mode_enabled, _set_inference_mode),
    ProcessSetting("torch's gradient mode", torch.is_grad_enabled, _C._set_grad_enabled),
    ProcessSetting("torch's forward-mode gradients", _C._is_fwd_grad_enabled, _C._set_fwd_grad_enabled),
    _SAVED_TENSOR_HOOKS,
    ProcessSetting("torch's anomaly detection", torch.is_anomaly_enabled, torch.set_anomaly_enabled),
    ProcessSetting("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype),
    ProcessSetting("torch's number of threads", torch.get_num_threads, torch.set_num_threads),
    ProcessSetting("torch's number of interop threads", torch.get_num_interop_threads, _set_interop_threads),
    ProcessSetting(
        "torch's deterministic algorithms", torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode
    ),
    *_backend_flags(),
    *_autocast(),
    ProcessSetting("torch's hooks on every module", _read_hooks, _put_back_hooks, told=False),
    ProcessSetting(
        "the processor's treatment of denormal numbers",
        lambda: _SMALLEST_NORMAL * 0.5 == 0.0,
        torch.set_flush_denormal,
        told=False,
    ),
    ProcessSetting("NumPy's error handling", np.geterr, lambda before: np.seterr(**before)),
    ProcessSetting("Python's recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    ProcessSetting("Python's garbage collector", gc.isenabled, lambda before: gc.enable() if before else gc.disable()),
)
"""In an order in which they can be restored one after the other."""
