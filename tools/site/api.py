"""The API reference: one source page per public module, from docstrings."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from textwrap import indent
from types import ModuleType

from harness.contracts.aggregate import Aggregate
from tools.make_docs import PUBLIC, exhibits

FOLDER = "api"


def write_api(folder: Path) -> None:
    """Write the pages of the API reference to the folder of source pages."""
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    modules = [importlib.import_module(name) for name in PUBLIC]
    homes = homes_of(modules)
    for module in modules:
        (target / f"{module.__name__}.rst").write_text(module_page(module, homes), encoding="utf-8")
    (target / "harness.exhibits.rst").write_text(exhibits_page(), encoding="utf-8")
    names = [*PUBLIC, "harness.exhibits"]
    (target / "index.rst").write_text(overview(names), encoding="utf-8")


def homes_of(modules: list[ModuleType]) -> dict[int, str]:
    """The module that documents each public object in full, by the object's identity.

    Many names can be imported from several modules. The top-level package is their home only if no other module has
    them.
    """
    homes: dict[int, str] = {}
    for module in [*modules[1:], modules[0]]:
        for name in public_names(module):
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isroutine(thing) or isinstance(thing, Aggregate):
                homes.setdefault(id(thing), module.__name__)
    return homes


def public_names(module: ModuleType) -> list[str]:
    """The public names of a module, in the order of ``docs/api.md``."""
    return [name for name in sorted(module.__all__) if name != "__version__"]


def module_page(module: ModuleType, homes: dict[int, str]) -> str:
    """The source page of a module."""
    title = module.__name__
    lines = [title, "=" * len(title), "", f".. py:module:: {title}", "", inspect.getdoc(module) or "", ""]
    for name in public_names(module):
        lines += _entry(module.__name__, name, getattr(module, name), homes)
    return "\n".join(lines)


def _entry(module: str, name: str, thing: object, homes: dict[int, str]) -> Iterator[str]:
    """The directive that documents one name."""
    home = homes.get(id(thing), module)
    if home != module:
        role = "class" if inspect.isclass(thing) else "func" if inspect.isroutine(thing) else "data"
        summary = (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")
        yield f".. py:{'class' if role == 'class' else 'function' if role == 'func' else 'data'}:: {name}"
        yield "   :no-index:"
        yield ""
        yield f"   {summary}" if role != "data" else ""
        yield ""
        yield f"   Documented as :py:{role}:`{home}.{name}`."
    elif isinstance(thing, Aggregate):
        yield f".. py:data:: {module}.{name}"
        yield "   :type: Aggregate"
        yield ""
        yield indent(inspect.getdoc(thing.combine) or "", "   ")
    elif inspect.isclass(thing):
        yield f".. autoclass:: {module}.{name}"
        yield "   :members:"
    elif inspect.isroutine(thing):
        yield f".. autofunction:: {module}.{name}"
    else:
        yield f".. py:data:: {module}.{name}"
        yield f"   :type: {type(thing).__name__}"
        yield ""
        yield indent(constant_words(sys.modules[module], name), "   ")
    yield ""


def constant_words(module: ModuleType, name: str) -> str:
    """The text below the assignment of a constant, in the module that defines it; empty if there is none."""
    body = ast.parse(inspect.getsource(module)).body
    for statement, following in pairwise([*body, ast.Pass()]):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            text = following.value if isinstance(following, ast.Expr) else None
            return str(text.value) if isinstance(text, ast.Constant) else ""
        if isinstance(statement, ast.ImportFrom) and any(
            (each.asname or each.name) == name for each in statement.names
        ):
            return constant_words(importlib.import_module(str(statement.module)), name)
    return ""


def exhibits_page() -> str:
    """The source page of the exhibits: each is a module with a function of the same name."""
    title = "harness.exhibits"
    lines = [
        title,
        "=" * len(title),
        "",
        "Each module has a function with the same name that turns an opened run into an exhibit, such as",
        "``harness.exhibits.top.top(run)``. ``harness.exhibits.catalogue.for_run(run)`` makes what a run allows, and",
        "says why others are missing.",
        "",
    ]
    for name, module in exhibits():
        lines += [name, "-" * len(name), "", inspect.getdoc(module) or "", ""]
        functions = [each for each in vars(module) if each == name or each.startswith(f"{name}_of_")]
        lines += [line for each in functions for line in (f".. autofunction:: {module.__name__}.{each}", "")]
    return "\n".join(lines)


def overview(names: list[str]) -> str:
    """The source page that lists the modules."""
    title = "API reference"
    lines = [
        title,
        "=" * len(title),
        "",
        "Everything that you can import, from the documentation in the code. :doc:`/docs/api` lists all names with one",
        "line each. These names keep their meaning within a minor version; everything else is private and may change.",
        "",
        ".. list-table::",
        "   :widths: auto",
        "",
    ]
    for name in names:
        summary = (inspect.getdoc(importlib.import_module(name)) or "").partition("\n\n")[0].replace("\n", " ")
        lines += [f"   * - :doc:`{name}`", f"     - {summary}"]
    lines += ["", ".. toctree::", "   :hidden:", "", *(f"   {name}" for name in names), ""]
    return "\n".join(lines)
