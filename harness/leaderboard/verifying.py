"""Verify entries: their files, what they claim, and a drawn part of their scores, computed again."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness._utils.finding import Finding
from harness.errors import DataError, HarnessError
from harness.execution.runner import run
from harness.gate.rerun import plan_again
from harness.leaderboard.collection import entry_files
from harness.leaderboard.comparing import compared, outcome_in_words
from harness.leaderboard.entry import Entry, read_entry
from harness.registry import proxies as registered_proxies
from harness.registry import select_proxies
from harness.registry.own_benchmarks import as_benchmark
from harness.seeds import derive_seed
from harness.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from harness.contracts.proxy import Proxy
    from harness.execution.plan import Plan
    from harness.execution.runner import Progress

SHARE = 0.01
"""The share of an entry's networks that is computed again, one at least."""


@dataclass(frozen=True)
class Again:
    """How scores are computed again.

    Attributes:
        share: of the networks, one at least; 0 computes none.
        images: the image files of each data set; real images cannot be part of an entry.
        own: proxies that are not registered, as ``path.py:name``.
        seed: for the draw of the networks.
        workers: number of worker processes.
        progress: told the number of networks done and of all.
    """

    share: float = SHARE
    images: Mapping[str, str] | None = None
    own: Sequence[str] = ()
    seed: int = 0
    workers: int = 1
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise HarnessError(f"the share {self.share:g} of networks is not valid; use 0 to 1, such as {SHARE}")


def verify(root: Path, within: str = "", again: Again | None = None) -> list[Finding]:
    """Check the entries of a collection, or below one of its folders; one finding per entry.

    Entries of one setting are computed again together, on the same drawn networks. A score agrees if it has the same
    bits, or differs by no more than the gate's tolerance for rounding, and the finding says which.

    Raises:
        HarnessError: if there is no such folder.
    """
    again = again or Again()
    found: dict[Path, Finding] = {}
    sound: list[Entry] = []
    known: dict[str, frozenset[str] | None] = {}
    for file in entry_files(root, within):
        name = file.relative_to(root).with_suffix("").as_posix()
        try:
            entry = read_entry(file, root)
            unknown = _check_networks(entry, known)
        except HarnessError as error:
            found[file] = Finding(name, False, str(error))
        else:
            sound.append(entry)
            found[file] = Finding(name, True, f"{_as_added(entry)}{unknown}")
    groups: dict[str, list[Entry]] = {}
    for entry in sound if again.share else ():
        groups.setdefault(f"{entry.benchmark}/{entry.dataset}/{entry.setting_id}", []).append(entry)
    for entries in groups.values():
        for entry, finding in _computed_again(entries, again):
            assert entry.file is not None
            found[entry.file] = finding
    return list(found.values())


def _as_added(entry: Entry) -> str:
    return f"{entry.networks:,} outcomes, as they were added"


def _check_networks(entry: Entry, known: dict[str, frozenset[str] | None]) -> str:
    """Refuse an entry with networks that the benchmark does not have; a note if that cannot be checked here.

    Args:
        entry: the entry.
        known: the architectures of each benchmark, None if they are in a table that this machine lacks; extended.
    """
    scored = set(entry.scores()["architecture"])
    name = entry.benchmark
    if name not in known:
        try:
            known[name] = frozenset(as_benchmark(name).architectures())
        except DataError:
            known[name] = None
    architectures = known[name]
    if architectures is None:
        return f"; whether {name} has these networks is not checked ('harness data get {name}')"
    if strangers := scored - architectures:
        raise HarnessError(
            f"{len(strangers):,} of {len(scored):,} networks do not belong to {name}, such as '{min(strangers)}'"
        )
    return ""


def _computed_again(entries: Sequence[Entry], again: Again) -> Iterable[tuple[Entry, Finding]]:
    known = registered_proxies()
    own = {proxy.name: proxy for proxy in select_proxies(list(again.own))} if again.own else {}
    able: list[Entry] = []
    for entry in entries:
        why = _why_not(entry, known | own)
        if why:
            yield entry, Finding(entry.name, True, f"{_as_added(entry)}; {why}")
        else:
            able.append(entry)
    if not able:
        return
    setting = able[0].setting
    tables = {entry.proxy: entry.scores().set_index("architecture") for entry in able}
    drawn = drawn_networks(tables, again)
    images = (again.images or {}).get(setting.dataset)
    try:
        plan = plan_again(setting, drawn, [own.get(entry.proxy, entry.proxy) for entry in able], images)
        _check_images(plan, able[0])
    except HarnessError as error:
        for entry in able:
            yield entry, Finding(entry.name, True, f"{_as_added(entry)}; not computed again: {error}")
        return
    now = _scores_of(plan, again)
    for entry in able:
        yield entry, _finding(entry, tables[entry.proxy], now[now["proxy"] == entry.proxy].set_index("architecture"))


def _why_not(entry: Entry, known: Mapping[str, Proxy]) -> str:
    """Why an entry cannot be computed again here; empty if it can."""
    if entry.setting.origin is not None:
        return f"not computed again: the scores were {entry.setting.origin}"
    if entry.proxy not in known:
        return f"not computed again: '{entry.proxy}' is not registered; add --proxy path.py:{entry.proxy}"
    if known[entry.proxy].version != entry.version:
        return f"not computed again: this harness has version {known[entry.proxy].version} of {entry.proxy}"
    return ""


def drawn_networks(tables: Mapping[str, pd.DataFrame], again: Again) -> list[str]:
    """The networks to compute again: the same for all proxies of a setting, drawn among those that all of them have."""
    first, *others = tables.values()
    common = sorted(set(first.index).intersection(*(table.index for table in others))) or sorted(first.index)
    number = max(1, math.ceil(again.share * len(common)))
    generator = np.random.default_rng(derive_seed("verify", again.seed, len(common)))
    return [common[place] for place in sorted(generator.choice(len(common), size=number, replace=False))]


def _check_images(plan: Plan, entry: Entry) -> None:
    if plan.setting.fingerprint != entry.setting.fingerprint:
        raise HarnessError(
            f"the images are others than those of the entry ({entry.setting.images}); give the same with --images "
            f"{entry.dataset}=FILES"
        )


def _scores_of(plan: Plan, again: Again) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        if run(plan, Path(folder), workers=again.workers, progress=again.progress).interrupted:
            raise KeyboardInterrupt
        with Store.read(Path(folder)) as store:
            return store.scores()


def _finding(entry: Entry, then: pd.DataFrame, now: pd.DataFrame) -> Finding:
    """Whether scores that were computed again are those of an entry; both tables are by architecture."""
    found = compared(entry.proxy, then, now)
    number = f"{len(now):,} of {len(then):,} networks computed again"
    if found.differing:
        odd = found.differing[0]
        words = (
            f"{number}, and {len(found.differing):,} of them are others: '{odd}' has "
            f"{outcome_in_words(then, odd)} in the entry and {outcome_in_words(now, odd)} now"
        )
        return Finding(entry.name, False, words)
    exactly = "equal to the last bit" if found.same else f"equal within rounding (by {found.largest:.1g} at most)"
    return Finding(entry.name, True, f"{number}, {exactly}")
