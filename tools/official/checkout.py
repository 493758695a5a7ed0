"""A user's checkout of official code: import its files, with stand-ins for missing modules, and without a GPU."""

from __future__ import annotations

import functools
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from harness.errors import HarnessError


@dataclass(frozen=True)
class Repository:
    """An official repository.

    Attributes:
        name: its name on the command line.
        address: where it is.
        file: a file by which its checkout is recognised.
        commit: the commit to check out, if the newest lacks the file.
    """

    name: str
    address: str
    file: str
    commit: str = ""

    def found(self, folder: Path) -> Checkout | None:
        """Its checkout: the folder itself, or one of the folders in it."""
        places = [folder, *sorted(folder.iterdir())] if folder.is_dir() else []
        return next((Checkout(self, place.resolve()) for place in places if (place / self.file).is_file()), None)

    @property
    def wanted(self) -> str:
        """What to check out."""
        return f"https://{self.address}" + (f", commit {self.commit}" if self.commit else "")


REPOSITORIES = {
    repository.name: repository
    for repository in (
        Repository("zico", "github.com/SLDGroup/ZiCo", "ZeroShotProxy/compute_zico.py"),
        Repository("tenas", "github.com/VITA-Group/TENAS", "lib/procedures/ntk.py"),
        Repository("gradsign", "github.com/cmu-catalyst/GradSign", "zero-cost-nas-code/gradsign.py"),
        Repository("zero-cost-nas", "github.com/SamsungLabs/zero-cost-nas", "foresight/pruners/predictive.py"),
        Repository("knas", "github.com/Jingjing-NLP/KNAS", "exps/NAS-Bench-201/functions.py"),
        # Later commits have only the closed form.
        Repository(
            "maedet",
            "github.com/alibaba/lightweight-neural-architecture-search",
            "nas/scores/compute_entropy.py",
            "d87b14176f5a9d3c8a3316c3a058e176926ecbbd",
        ),
    )
}


class EndOfImportError(Exception):
    """Raised by a stand-in where a script has defined its functions and would begin its work."""


def stop(*_: Any, **__: Any) -> None:
    """End the import of a script here."""
    raise EndOfImportError


def stand_in(name: str, **contents: Any) -> ModuleType:
    """A module that takes the place of one that the official code imports but the comparison does not need."""
    module = ModuleType(name)
    vars(module).update(contents)
    return module


@dataclass(frozen=True)
class Checkout:
    """A checkout of an official repository.

    Attributes:
        repository: which.
        folder: its absolute path.
    """

    repository: Repository
    folder: Path

    def module(self, file: str, stand_ins: Sequence[ModuleType] = (), root: str | None = None) -> Any:
        """Import one file. This runs the file, as every import does.

        Args:
            file: its path in the checkout.
            stand_ins: modules that take the place of the ones with their names.
            root: the folder from which the file's package is imported; default: the file is not in a package.

        Raises:
            HarnessError: if the file is missing or cannot be imported.
        """
        path = self.folder / file
        if not path.is_file():
            raise HarnessError(f"{self.folder} has no file {file}; check out {self.repository.wanted}")
        base = self.folder / (root or "")
        parts = path.relative_to(base).with_suffix("").parts
        name = f"official_{self.repository.name}_{path.stem}" if root is None else ".".join(parts)
        with _importing(base, path, stand_ins):
            try:
                if root is not None:
                    return importlib.import_module(name)
                return _run(name, path)
            except Exception as error:
                raise HarnessError(f"cannot import {path}: {type(error).__name__}: {error}") from error

    @property
    def commit(self) -> str:
        """Its commit, with a plus sign if files were changed; empty if it is not a git repository."""
        if not (self.folder / ".git").exists():
            return ""
        changed = self._git("status", "--porcelain", "--untracked-files=no")
        return self._git("rev-parse", "HEAD") + ("+" if changed else "")

    def _git(self, *words: str) -> str:
        done = subprocess.run(["git", "-C", str(self.folder), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()


def _run(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with suppress(EndOfImportError):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _importing(base: Path, path: Path, stand_ins: Sequence[ModuleType]) -> Iterator[None]:
    """Import from a folder; afterwards everything that scripts change at their top is as before."""
    modules, environment = dict(sys.modules), dict(os.environ)
    deterministic, benchmark = torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark
    with (
        patch.object(sys, "path", [str(base), *sys.path]),
        patch.object(sys, "argv", [str(path)]),
        patch.object(sys, "dont_write_bytecode", True),
        torch.random.fork_rng(devices=[]),
    ):
        sys.modules.update({module.__name__: module for module in stand_ins})
        try:
            yield
        finally:
            # Found before any is removed, since the path of a folder without __init__.py depends on its parent.
            added = {name: module for name, module in sys.modules.items() if name not in modules}
            for name in [name for name, module in added.items() if _is_below(module, base) or module in stand_ins]:
                del sys.modules[name]
            sys.modules.update({name: modules[name] for name in {each.__name__ for each in stand_ins} & modules.keys()})
            os.environ.clear()
            os.environ.update(environment)
            torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = deterministic, benchmark


def _is_below(module: ModuleType, base: Path) -> bool:
    file = getattr(module, "__file__", None)
    places = [file] if file else list(getattr(module, "__path__", ()))
    return any(Path(place).is_relative_to(base) for place in places)


@contextmanager
def as_then() -> Iterator[None]:
    """Torch as the official code expects it: a GPU that does nothing, and functions that later versions removed."""
    with ExitStack() as changes:
        for owner, name, value in _THEN:
            changes.enter_context(patch.object(owner, name, value, create=True))
        yield


def _itself(value: Any, *_: Any, **__: Any) -> Any:
    return value


def _symmetric_eigenvalues(matrix: Tensor) -> tuple[Tensor, None]:
    return torch.linalg.eigvalsh(matrix, UPLO="U"), None


_THEN: tuple[tuple[Any, str, Any], ...] = (
    (Tensor, "cuda", _itself),
    (nn.Module, "cuda", _itself),
    # From a GPU this is a copy, which later passes do not overwrite.
    (Tensor, "cpu", lambda tensor: tensor.clone()),
    # Adding a matrix's transpose to it in place is an error today.
    (Tensor, "__iadd__", lambda tensor, other: tensor.add_(other.clone() if isinstance(other, Tensor) else other)),
    (torch.cuda, "current_device", lambda: torch.device("cpu")),
    (torch.cuda, "empty_cache", lambda: None),
    (torch, "symeig", _symmetric_eigenvalues),
    (nn.Module, "zero_grad", functools.partialmethod(nn.Module.zero_grad, set_to_none=False)),
)
