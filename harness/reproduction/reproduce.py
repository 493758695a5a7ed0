"""Reproduce a protocol in one call, from its runs to its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness._utils.arguments import accepts, path, texts, yes_or_no
from harness._utils.visible import json_page, write_page
from harness.errors import HarnessError
from harness.registry import aggregates, proxy_facts
from harness.reproduction.parts import Outcome, ReproductionOptions, outcome
from harness.reproduction.protocol import Part, Protocol
from harness.reproduction.reading import load_protocol

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from harness.display.exhibit import Exhibit
    from harness.execution.runner import Progress


@dataclass(frozen=True)
class Reproduction:
    """Our numbers next to a paper's.

    Attributes:
        protocol: what the paper did.
        rows: every coefficient, see :func:`harness.reproduction.comparison.compare_part`.
        summary: a summary of them, see :func:`harness.reproduction.comparison.summarise`.
        searches: choices among randomly drawn networks, see :func:`harness.reproduction.search.compare_search`.
        found: what architecture searches found, see :func:`harness.reproduction.architecture_search.compared`.
        outcomes: the run of each part, or the reason why there is none.
        labels: display names of proxies.
    """

    protocol: Protocol
    rows: pd.DataFrame
    summary: pd.DataFrame
    searches: pd.DataFrame
    found: pd.DataFrame
    outcomes: tuple[Outcome, ...] = field(repr=False)
    labels: dict[str, str] = field(repr=False)

    def __repr__(self) -> str:
        """The paper, the number of parts with a run, and the number of coefficients."""
        made = sum(not found.why_not for found in self.outcomes)
        return (
            f"<reproduction of {self.protocol.title}: {made} of {len(self.outcomes)} parts, {len(self.rows)} "
            "coefficients; .show() prints them>"
        )

    def exhibit(self) -> Exhibit:
        """Its tables with the notes that they refer to, and its figure."""
        from harness.reproduction.exhibit import exhibit_of

        headings = {found.part.name: found.report.heading for found in self.outcomes if found.report is not None}
        not_run = {found.part.name: found.why_not for found in self.outcomes if found.why_not}
        tables = (self.rows, self.summary, self.searches, self.found)
        return exhibit_of(self.protocol, *tables, headings, not_run, self.labels)

    def show(self, console: Console | None = None) -> None:
        """Print everything in the terminal."""
        self.exhibit().show(console)

    @accepts(directory=path, figures=yes_or_no)
    def write(self, directory: Path | str, *, figures: bool = True) -> list[Path]:
        """Write everything; returns the files.

        ``reproduction.csv``, ``summary.csv``, ``searches.csv`` and ``found.csv`` have full precision;
        ``reproduction.md`` and ``reproduction.tex`` have rounded numbers and notes; ``protocol.json`` has the protocol
        and the settings of the runs. The protocol's figures are in the same directory, those of one part in its own
        subdirectory.
        """
        target = Path(directory)
        files = self.exhibit().write(target, figures=figures)
        facts = target / "protocol.json"
        write_page(facts, json_page(self._facts()))
        files.append(facts)
        if figures and {"kendall_by_proxy", "accuracy_by_score"} & set(self.protocol.figures):
            for found in self.outcomes:
                if found.report is not None and not found.part.run_of:
                    files += found.report.write(target / found.part.name / "report")
        return files

    def _facts(self) -> dict[str, object]:
        parts = {
            found.part.name: asdict(found.setting) if found.setting is not None else f"not run: {found.why_not}"
            for found in self.outcomes
        }
        return {"protocol": self.protocol.name, "title": self.protocol.title, "parts": parts}


@accepts(out=path, parts=texts)
def reproduce(
    protocol: Protocol | str,
    out: Path | str,
    options: ReproductionOptions | None = None,
    *,
    parts: Iterable[str] = (),
    progress: Callable[[], AbstractContextManager[Progress | None]] = nullcontext,
) -> Reproduction:
    """Make or find the runs of a protocol, and compare our numbers with the paper's.

    Args:
        protocol: a protocol, its name, or its TOML file.
        out: the directory of the runs, with one subdirectory per part; stored scores are not computed again.
        options: how to make the runs.
        parts: the names of the parts; default: all.
        progress: a factory of context managers, each with the progress callback of one run.

    Raises:
        HarnessError: for every error that the user can fix; the message says how. No error is raised for a part that
            cannot be run because images, ground truth or the benchmark are missing; its outcome states the reason.
    """
    from harness.reproduction import architecture_search
    from harness.reproduction.comparison import compare_part, summarise
    from harness.reproduction.search import compare_search

    declared = load_protocol(protocol) if isinstance(protocol, str) else protocol
    options = options or ReproductionOptions()
    for name in options.runs:
        declared.part(name)
    outcomes = []
    for part in _chosen(declared, parts):
        with progress() as callback:
            made = architecture_search.outcome if part.kind == "architecture-search" else outcome
            outcomes.append(made(declared, part, Path(out), options, callback))
    done = [found for found in outcomes if found.report is not None]
    rows = _stacked([compare_part(declared, found) for found in done if found.part.kind == "correlation"])
    return Reproduction(
        protocol=declared,
        rows=rows,
        summary=summarise(rows),
        searches=_stacked([compare_search(declared, found) for found in done if found.part.kind == "search"]),
        found=_stacked([found.found for found in outcomes if found.found is not None]),
        outcomes=tuple(outcomes),
        labels={name: facts.label for name, facts in proxy_facts().items()}
        | {name: aggregate.label for name, aggregate in aggregates().items()},
    )


def _chosen(protocol: Protocol, names: Iterable[str]) -> list[Part]:
    wanted = [name.strip() for name in names if name.strip()]
    if not wanted:
        return list(protocol.parts)
    if len(set(wanted)) < len(wanted):
        raise HarnessError(f"a part is given twice in {', '.join(wanted)}; give each once")
    return [protocol.part(name) for name in wanted]


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    from harness.reproduction.comparison import COLUMNS

    kept = [table for table in tables if len(table)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=list(COLUMNS))
