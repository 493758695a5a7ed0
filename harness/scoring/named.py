"""Networks by name: ``torchvision:resnet18``, ``timm:mixer_b16_224``, ``model.py:build`` or ``module:build``."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from harness._utils.names import unknown_name
from harness._utils.signals import stops_noted
from harness.errors import HarnessError, UnknownNameError
from harness.registry.by_file import load_file
from harness.scoring.torchvision_operators import with_torchvision

SHAPE = (3, 224, 224)
"""The shape of an image for networks that do not say theirs."""


@dataclass(frozen=True)
class Named:
    """A network by its name.

    Attributes:
        build: builds it, newly initialised.
        shape: of one image that it takes; None if the network does not say.
    """

    build: Callable[[], nn.Module]
    shape: tuple[int, ...] | None = None


def network_named(
    name: str,
    classes: int | None = None,
    notice: Callable[[str], None] = warnings.warn,
    size: int | None = None,
) -> Named:
    """The network with this name.

    Where torchvision cannot be imported because its compiled operators do not load, it is made importable
    (:mod:`harness.scoring.torchvision_operators`).

    Args:
        name: ``torchvision:NAME``, ``timm:NAME``, ``transformers:CLASS`` (with its default configuration), or the place
            of a function, a class without arguments or a network: ``file.py:NAME`` or ``module:NAME``.
        classes: the number of classes of a network of one of the libraries; others have their own.
        notice: is told in one line if torchvision had to be made importable.
        size: height and width of the images, for those networks of the libraries that are built for one size, such as
            transformers; default: their own.

    Raises:
        HarnessError: if there is no such network, or the library is not installed.
    """
    where, _, what = name.rpartition(":")
    if not where or not what:
        raise HarnessError(
            f"invalid network '{name}'; write torchvision:NAME, timm:NAME, transformers:CLASS, file.py:NAME or "
            "module:NAME"
        )
    if where in LIBRARIES:
        return LIBRARIES[where](_library(where, what, notice), what, classes, size)
    return Named(with_torchvision(lambda: _factory(where, what), notice))


def _library(name: str, network: str, notice: Callable[[str], None]) -> ModuleType:
    def load() -> ModuleType:
        library = import_module(name)
        # Some libraries import what a network needs only when they are asked for it.
        getattr(library, network, None)
        return library

    with stops_noted() as stops:
        try:
            return with_torchvision(load, notice)
        except BaseException as error:
            if stops:
                raise
            # Without a name, it is the library's own report of something else.
            if isinstance(error, ModuleNotFoundError) and error.name:
                raise HarnessError(f"'{name}' is not installed ({error}); try: pip install {name}") from error
            reason = " ".join(str(error).split())
            raise HarnessError(
                f"'{name}' cannot be imported ({type(error).__name__}: {reason}); install the build that belongs to "
                f"torch {torch.__version__}"
            ) from error


_SIZE_IN_TORCHVISION = {"vision_transformer": "image_size", "maxvit": "input_size"}
"""What those networks of torchvision that are built for one size call it, by their module."""

_INITIALISED_IF_TOLD = ("googlenet", "inception")
"""Modules of torchvision whose networks warn unless they are told to draw their weights."""


def _of_torchvision(library: ModuleType, name: str, classes: int | None, size: int | None) -> Named:
    models = import_module(f"{library.__name__}.models")
    known = models.list_models()
    if name not in known:
        raise UnknownNameError(unknown_name("network of torchvision", name, known))
    more: dict[str, Any] = {} if classes is None else {"num_classes": classes}
    builder = models.get_model_builder(name)
    module = builder.__module__.rpartition(".")[2]
    if module in _INITIALISED_IF_TOLD or "init_weights" in inspect.signature(builder).parameters:
        more["init_weights"] = True
    sized = _SIZE_IN_TORCHVISION.get(module)
    if size is not None and sized is not None:
        more[sized] = size if sized == "image_size" else (size, size)
    return Named(lambda: models.get_model(name, weights=None, **more), SHAPE)


def _of_timm(library: Any, name: str, classes: int | None, size: int | None) -> Named:
    if not library.is_model(name):
        raise UnknownNameError(unknown_name("network of timm", name, library.list_models()))
    more = {} if classes is None else {"num_classes": classes}
    if size is not None:
        try:
            # Without memory for weights, to see whether it is built for one size.
            with torch.device("meta"):
                library.create_model(name, pretrained=False, img_size=size)
            more["img_size"] = size
        except TypeError:
            pass
    shape = (library.get_pretrained_cfg(name) or None) and library.get_pretrained_cfg(name).input_size
    return Named(lambda: library.create_model(name, pretrained=False, **more), tuple(shape) if shape else SHAPE)


def _of_transformers(library: Any, name: str, classes: int | None, size: int | None) -> Named:
    kind = getattr(library, name, None)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module) and hasattr(kind, "config_class")):
        raise HarnessError(f"transformers has no network '{name}'; give a class such as ViTForImageClassification")
    more = {} if classes is None else {"num_labels": classes}
    configuration = kind.config_class(**more)
    if size is not None and isinstance(getattr(configuration, "image_size", None), int):
        configuration = kind.config_class(**more, image_size=size)
    side, channels = (getattr(configuration, key, None) for key in ("image_size", "num_channels"))
    shape = (channels or 3, side, side) if isinstance(side, int) else SHAPE
    return Named(lambda: kind(configuration), shape)


def _factory(where: str, what: str) -> Callable[[], nn.Module]:
    """The function or class that builds the network, or one that returns it."""
    if where.endswith(".py"):
        module = load_file(Path(where))
    else:
        with stops_noted() as stops:
            try:
                module = import_module(where)
            except BaseException as error:
                if stops:
                    raise
                reason = " ".join(str(error).split())
                raise HarnessError(f"cannot import the module '{where}': {type(error).__name__}: {reason}") from error
    found = getattr(module, what, None)
    if isinstance(found, nn.Module):
        return lambda: found
    if not callable(found):
        offered = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise UnknownNameError(unknown_name(f"function of {where}", what, offered))
    needed = [
        parameter.name
        for parameter in _parameters(found)
        if parameter.default is parameter.empty and parameter.kind in (0, 1, 3)
    ]
    if needed:
        raise HarnessError(f"'{what}' of {where} needs {', '.join(needed)}; give a function that needs no argument")
    return found  # type: ignore[no-any-return]


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


LIBRARIES = {"torchvision": _of_torchvision, "timm": _of_timm, "transformers": _of_transformers}
"""The libraries whose networks have names."""
