"""Quantities: functions of a probe whose results are computed once and shared."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeAlias, TypeVar, overload

if TYPE_CHECKING:
    from harness.probe import Probe

P = ParamSpec("P")
R = TypeVar("R")

_Quantity: TypeAlias = "Callable[Concatenate[Probe, P], R]"


@overload
def quantity(name: str, /) -> Callable[[_Quantity[P, R]], _Quantity[P, R]]: ...
@overload
def quantity(function: _Quantity[P, R], /) -> _Quantity[P, R]: ...
def quantity(what: Any, /) -> Any:
    """A function of a probe whose result is computed once per probe, timed, and shared by all proxies.

    It has its own random state, seeded with the quantity's name, so its result does not depend on earlier requests.
    Give a name, ``@quantity("my_lab:kernel")``, and never change it: then the function may move to another file without
    changing any score. Without a name, ``@quantity``, the name is the module and the function's name.

    The first call raises a :class:`~harness.errors.HarnessError` if another function has the name.
    """
    if callable(what):
        return _shared(what, functools.partial(_place, what), None)
    parts = tuple(what.split(":"))
    return lambda function: _shared(function, lambda: parts, what)


def key_of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Hashable, ...]:
    """The cache key of a quantity with these arguments: its name and all arguments, including defaults."""
    key: tuple[Hashable, ...] = function.key(*args, **kwargs)  # type: ignore[attr-defined]
    return key


def _shared(
    function: Callable[..., Any], name: Callable[[], tuple[str, ...]], declared: str | None
) -> Callable[..., Any]:
    signature = inspect.signature(inspect.unwrap(function))

    def key(*args: Any, **kwargs: Any) -> tuple[Hashable, ...]:
        bound = signature.bind(None, *args, **kwargs)
        bound.apply_defaults()
        return *name(), *bound.args[1:], *sorted(bound.kwargs.items())

    @functools.wraps(function)
    def shared(probe: Probe, *args: Any, **kwargs: Any) -> Any:
        if declared is not None:
            probe.check_name(declared, function)
        return probe.once(key(*args, **kwargs), lambda: function(probe, *args, **kwargs))

    shared.key = key  # type: ignore[attr-defined]
    return shared


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    """The default name of a quantity: its module and its function's name."""
    original = inspect.unwrap(function)
    # In worker processes the user's script has another name, but must draw the same numbers.
    module = "__main__" if original.__module__ == "__mp_main__" else original.__module__
    return module, original.__qualname__
