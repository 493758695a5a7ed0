"""Read protocols from TOML files, and check every key."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness._utils.names import unknown_name
from harness.analysis.published import COEFFICIENTS
from harness.errors import DataError, UnknownNameError
from harness.reproduction.protocol import DATASET_IMAGES, KINDS, NOISE_IMAGES, Part, Protocol

PROTOCOLS = Path(__file__).with_name("protocols")
FIGURES = ("beside_published", "kendall_by_proxy", "accuracy_by_score")


class _Kind(NamedTuple):
    """The expected value of a key, in words and as a test."""

    words: str
    fits: Callable[[Any], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


_TEXT = _Kind("a text", _is_text)
_COUNT = _Kind("a whole number above 0", _is_count)
_TEXTS = _Kind("a list of texts", lambda value: isinstance(value, list) and all(map(_is_text, value)))
_COUNTS = _Kind("a list of whole numbers above 0", lambda value: isinstance(value, list) and all(map(_is_count, value)))
_REMARKS = _Kind("a table of texts", lambda value: isinstance(value, dict) and all(map(_is_text, value.values())))

_TOP = {"title": _TEXT, "citation": _TEXT, "summary": _TEXT, "mismatches": _TEXTS, "figures": _TEXTS}
_PART = {
    "name": _TEXT,
    "kind": _TEXT,
    "benchmark": _TEXT,
    "dataset": _TEXT,
    "subset": _TEXT,
    "truth": _TEXT,
    "paper_truth": _TEXT,
    "truth_dataset": _TEXT,
    "proxies": _TEXTS,
    "batch_size": _COUNT,
    "architectures": _COUNT,
    "images": _TEXT,
    "initialisation": _TEXT,
    "seeds": _COUNT,
    "coefficients": _TEXTS,
    "sizes": _COUNTS,
    "algorithm": _TEXT,
    "budgets": _TEXTS,
    "evaluations": _COUNT,
    "searches": _COUNT,
    "population": _COUNT,
    "published": _TEXTS,
    "mismatches": _TEXTS,
    "remarks": _REMARKS,
    "run_of": _TEXT,
    "reason": _TEXT,
}
_NEEDED = {
    "correlation": ("benchmark", "dataset", "truth", "proxies"),
    "search": ("benchmark", "dataset", "truth", "proxies", "sizes", "published"),
    "architecture-search": ("benchmark", "dataset", "proxies", "evaluations"),
    "unavailable": ("reason",),
}
_CHOICES = {
    "kind": KINDS,
    "images": (DATASET_IMAGES, NOISE_IMAGES),
    "coefficients": COEFFICIENTS,
    "figures": FIGURES,
}


def protocol_names() -> list[str]:
    """The names of the built-in protocols."""
    return sorted(path.stem for path in PROTOCOLS.glob("*.toml"))


def load_protocol(name: str) -> Protocol:
    """The protocol with this name, or in this file.

    Args:
        name: one of :func:`protocol_names`, or the path of your own TOML file.

    Raises:
        UnknownNameError: if there is none; the message suggests similar names.
        DataError: if the file cannot be read or is not a valid protocol; the message names file, part and key.

    >>> load_protocol("zico").part("tss-cifar10").batch_size
    128
    """
    if name.endswith(".toml"):
        return _read(Path(name).expanduser())
    if name not in protocol_names():
        raise UnknownNameError(unknown_name("protocol", name, protocol_names(), "harness list protocols"))
    return _read(PROTOCOLS / f"{name}.toml")


def _read(path: Path) -> Protocol:
    try:
        stated = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"the protocol {path} cannot be read ({error}); it must be a TOML file") from error
    defaults, parts = stated.pop("defaults", {}), stated.pop("part", [])
    _check(str(path), stated, _TOP)
    _require(str(path), stated, ("title", "citation", "summary"))
    if not (isinstance(parts, list) and parts):
        raise DataError(f"{path} has no [[part]]; it needs one for each ranking of the paper")
    _check(f"{path}, defaults", defaults, _PART)
    protocol = Protocol(
        name=path.stem,
        title=stated["title"],
        citation=stated["citation"],
        summary=stated["summary"],
        mismatches=tuple(stated.get("mismatches", ())),
        figures=tuple(stated.get("figures", ())),
        parts=tuple(_part(path, number, {**defaults, **part}) for number, part in enumerate(parts, start=1)),
        file=path,
    )
    _check_relations(protocol)
    return protocol


def _part(path: Path, number: int, stated: Mapping[str, Any]) -> Part:
    where = f"{path}, part {stated.get('name', number)}"
    _check(where, stated, _PART)
    _require(where, stated, ("name", *_NEEDED[stated.get("kind", "correlation")]))
    facts: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in stated.items()}
    return Part(**facts)


def _check(where: str, stated: Mapping[str, Any], kinds: Mapping[str, _Kind]) -> None:
    """Check that every key is known and has a valid value."""
    for key, value in stated.items():
        if key not in kinds:
            raise DataError(f"{where}: {unknown_name('key', key, kinds)}")
        if not kinds[key].fits(value):
            raise DataError(f"{where}: '{key}' must be {kinds[key].words}, but is {value!r}")
        allowed = _CHOICES.get(key)
        for choice in value if isinstance(value, list) else [value]:
            if allowed is not None and choice not in allowed:
                raise DataError(f"{where}: {unknown_name(key, str(choice), allowed)}")


def _require(where: str, stated: Mapping[str, Any], keys: Iterable[str]) -> None:
    for key in keys:
        if key not in stated:
            raise DataError(f"{where} lacks '{key}'")


def _check_relations(protocol: Protocol) -> None:
    """Check that part names are unique, and that ``run_of`` names a part with its own run."""
    names = [part.name for part in protocol.parts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{protocol.file} has two parts called '{twice}'; rename one")
    for part in protocol.parts:
        if not part.run_of:
            continue
        other = next((other for other in protocol.parts if other.name == part.run_of), None)
        where = f"{protocol.file}, part {part.name}: 'run_of'"
        if other is None:
            raise DataError(f"{where}: {unknown_name('part', part.run_of, names)}")
        if other.run_of or (other.benchmark, other.dataset) != (part.benchmark, part.dataset):
            raise DataError(f"{where} must name a part with its own run on {part.benchmark} {part.dataset}")
