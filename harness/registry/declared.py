"""The facts of the harness's own proxies as a file, so that reading scores needs neither their modules nor torch.

``nox -s docs`` checks the file against the declarations; ``python -m tools.make_docs`` writes it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path

from harness.contracts.proxy import ProxyFacts

FILE = Path(__file__).with_name("declared.json")


@functools.cache
def declared_facts() -> Mapping[str, tuple[ProxyFacts, ...]]:
    """The facts of the proxies of each module of :mod:`harness.proxies`, in the order in which it defines them."""
    if not FILE.is_file():
        # The file is generated from the modules; without it, they are loaded.
        return {}
    modules = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        module: tuple(
            ProxyFacts(**{**facts, "aliases": tuple(facts["aliases"]), "axes": tuple(facts.get("axes", ()))})
            for facts in proxies
        )
        for module, proxies in modules.items()
    }


def declared_text(modules: Mapping[str, Iterable[ProxyFacts]]) -> str:
    """The file's content for these facts."""
    names = [each.name for each in fields(ProxyFacts)]
    stated = {
        module: [{name: getattr(facts, name) for name in names} for facts in proxies]
        for module, proxies in modules.items()
    }
    return json.dumps(stated, indent=1, ensure_ascii=False) + "\n"
