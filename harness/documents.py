"""Pages that are made from declared facts, so that they cannot disagree with the code.

``python -m harness.documents`` writes them, with ``--check`` it only tells whether they are up to date.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

from harness.citations import citation
from harness.proxies.base import Proxy
from harness.registry import proxies

DOCUMENTS = Path(__file__).parents[1] / "docs"


def proxies_page() -> str:
    """``docs/proxies.md``: every proxy of the harness with its facts and its formula."""
    own = [proxy for proxy in proxies().values() if proxy.function.__module__.startswith("harness.")]
    own.sort(key=lambda proxy: (proxy.variant_of or proxy.name, proxy.name))
    rows = [
        f"| [`{p.name}`](#{p.name}) | {_cell(p.label)} | {p.better} | {_looks_at(p)} | {_cell(p.summary)} |"
        for p in own
    ]
    return "\n".join(
        [
            "# Proxies",
            "",
            "Made from the declared facts by `python -m harness.documents`; do not edit.",
            "",
            "| name | label | better | looks at | what it computes |",
            "|---|---|---|---|---|",
            *rows,
            "",
            *(line for proxy in own for line in _section(proxy)),
        ]
    )


def _section(proxy: Proxy) -> list[str]:
    """One proxy: name, facts, then its documentation as it stands in the code."""
    documentation = (inspect.getdoc(proxy.function) or "").partition("\n\nRaises:")[0]
    body = re.sub(r":math:`([^`]*)`", r"$\1$", documentation).replace("``", "`")
    facts = [
        f"better: {proxy.better}",
        f"looks at: {_looks_at(proxy)}",
        f"version {proxy.version}",
        f"follows: {proxy.source}",
    ]
    if proxy.supervised:
        facts.append(f"supervised: {proxy.supervised}")
    if proxy.variant_of:
        facts.insert(0, f"variant of `{proxy.variant_of}`")
    return [f"## {proxy.name}", "", body, "", f"*{'; '.join(facts)}.* {citation(proxy.cite)}.", ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _looks_at(proxy: Proxy) -> str:
    return proxy.data + (f", {proxy.batches} mini-batches" if proxy.batches > 1 else "")


def main() -> None:
    """Write the pages, or with ``--check`` end with exit code 1 where one is not up to date."""
    path, text = DOCUMENTS / "proxies.md", proxies_page()
    if "--check" not in sys.argv[1:]:
        path.write_text(text, encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text:
        sys.exit(f"{path.name} is not up to date; run: python -m harness.documents")


if __name__ == "__main__":
    main()
