"""A torchvision whose compiled operators do not load, beside a torch of another build."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import TypeVar

import torch

T = TypeVar("T")

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
OPERATORS = ("nms", "qnms")
"""The operators that ``import torchvision`` describes even if their library did not load."""

_FAULT = re.compile(rf"operator torchvision::({'|'.join(OPERATORS)}) does not exist")
# A library takes its definitions with it when it is collected.
_declared: list[torch.library.Library] = []


def with_torchvision(load: Callable[[], T], notice: Callable[[str], None] = warnings.warn) -> T:
    """What ``load`` returns, also where ``import torchvision`` fails because its compiled operators do not load.

    A torchvision built for CUDA beside a torch without it fails with ``operator torchvision::nms does not exist``. Its
    classifiers use no such operator. On exactly this failure, ``nms`` and ``qnms`` are declared without code and
    ``load`` is called once more: then networks can be built, and detectors fail where they would call the operators.

    Args:
        load: imports torchvision, or something that does.
        notice: is told in one line what was done.
    """
    try:
        return load()
    except Exception as error:
        if _declared or not any(_FAULT.search(str(cause)) for cause in _causes(error)):
            raise
    _declare()
    import_module("torchvision")
    notice(
        f"torchvision's compiled operators do not load with torch {torch.__version__}: declared "
        f"{' and '.join(OPERATORS)} without code, so that networks other than detectors can be built; the build of "
        "torchvision that belongs to this torch does not need this"
    )
    return load()


def import_torchvision(notice: Callable[[str], None] = warnings.warn) -> ModuleType:
    """Import torchvision, also where its compiled operators do not load; afterwards ``import torchvision`` works.

    Args:
        notice: is told in one line if the operators had to be declared.

    Raises:
        ImportError: if it is not installed; or whatever else its import raises.
    """
    return with_torchvision(lambda: import_module("torchvision"), notice)


def _declare() -> None:
    # Where the operators do load, torch would refuse a second declaration; so this is only done after the fault.
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in OPERATORS:
        library.define(f"{name}{SCHEMA}")  # type: ignore[no-untyped-call]
    _declared.append(library)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
