"""The entries of a collection: found, grouped by setting, and put together as a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._utils.names import listed
from harness.errors import HarnessError
from harness.leaderboard.entry import WHICH_NETWORKS, Entry, read_entry
from harness.registry import proxy_facts
from harness.registry.by_file import OWN_PROXIES
from harness.store.columns import COLUMNS
from harness.store.records import NOTES, Setting

if TYPE_CHECKING:
    import pandas as pd


def entry_files(root: Path, within: str = "") -> list[Path]:
    """The descriptions of all entries in a collection, or of a part, such as ``nats-tss/cifar10``, or of one entry.

    Raises:
        HarnessError: if there is no such part.
    """
    place = root / within
    alone = place.with_name(f"{place.name}.json")
    if within and alone.is_file():
        return [alone]
    if not place.is_dir():
        folder = next(parent for parent in (place, *place.parents) if parent.is_dir())
        there = listed(sorted(path.name for path in folder.glob("*/"))) or "nothing"
        raise HarnessError(f"there are no scores in '{place}'; '{folder}' has {there}")
    return sorted(file for file in place.rglob("*.json") if "@" in file.parent.name)


def entries_in(root: Path, within: str = "", proxies: Iterable[str] | None = None) -> list[Entry]:
    """The entries of a collection, or below one of its folders, in the order of their names.

    Raises:
        HarnessError: if there is no such folder, or an entry is damaged.
    """
    wanted = None if proxies is None else set(proxies)
    files = [file for file in entry_files(root, within) if wanted is None or _proxy_of(file) in wanted]
    return [read_entry(file, root) for file in files]


def _proxy_of(file: Path) -> str:
    return file.parent.name.partition("@")[0]


def by_setting(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The entries of one benchmark and data set by their setting, those of most proxies and networks first.

    Of a proxy with several versions, only the newest counts. The runs of further seeds, which repeat a setting on some
    of its networks, follow directly after it.
    """
    newest: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        key = entry.setting_id, entry.proxy
        if key not in newest or newest[key].version < entry.version:
            newest[key] = entry
    groups: dict[str, list[Entry]] = {}
    for (name, _), entry in newest.items():
        groups.setdefault(name, []).append(entry)
    return dict(sorted(groups.items(), key=lambda item: (*_weight(item[1]), item[0])))


def _weight(entries: Sequence[Entry]) -> tuple[int, int]:
    return -max(entry.networks for entry in entries), -len(entries)


def first_seeds(groups: Mapping[str, Sequence[Entry]]) -> dict[str, Sequence[Entry]]:
    """The groups without those that repeat another one's setting with a further seed."""
    first: dict[tuple[Any, ...], str] = {}
    for name, entries in groups.items():
        key = _but_seed(entries[0].setting)
        if key not in first or _order(entries) < _order(groups[first[key]]):
            first[key] = name
    kept = set(first.values())
    return {name: entries for name, entries in groups.items() if name in kept}


def further_seeds_of(name: str, groups: Mapping[str, Sequence[Entry]]) -> dict[int, Sequence[Entry]]:
    """The groups that repeat the setting of a group with a further seed, by their seed."""
    key = _but_seed(groups[name][0].setting)
    others = [entries for other, entries in groups.items() if other != name]
    return {entries[0].setting.seed: entries for entries in others if _but_seed(entries[0].setting) == key}


def _order(entries: Sequence[Entry]) -> tuple[int, int]:
    return -max(entry.networks for entry in entries), entries[0].setting.seed


def _but_seed(setting: Setting) -> tuple[Any, ...]:
    drawn = {*WHICH_NETWORKS, "seed", "fingerprint"}
    return tuple(value for name, value in asdict(setting).items() if name not in drawn)


def as_run(entries: Sequence[Entry]) -> tuple[Setting, dict[str, Any], pd.DataFrame]:
    """The setting, the manifest and the scores of entries of one setting, as those of one run.

    Raises:
        HarnessError: if there is no entry, their settings differ, or a table is damaged.
    """
    import pandas as pd

    names = {entry.setting_id for entry in entries}
    if len(names) != 1:
        raise HarnessError(f"a run has one setting, these entries have {listed(sorted(names)) if names else 'none'}")
    samples = sorted({sample for entry in entries for sample in entry.samples})
    subset, seed = samples[0] if len(samples) == 1 else ("all", samples[0][1])
    first = entries[0]
    setting = replace(first.setting, subset=subset, sample_seed=seed)
    tables = [entry.scores().assign(proxy=entry.proxy, version=entry.version) for entry in entries]
    scores = pd.concat(tables, ignore_index=True)[list(COLUMNS)]
    scores = scores.sort_values(["architecture", "proxy"], ignore_index=True)
    scores.insert(COLUMNS.index("status"), "seed", setting.seed)
    manifest: dict[str, Any] = {
        "packages": dict(first.packages), "python": first.python, "machine": first.machine,
    }  # fmt: skip
    own = {entry.proxy: dict(entry.facts) for entry in entries if entry.facts and entry.proxy not in proxy_facts()}
    manifest |= {OWN_PROXIES: own} if own else {}
    if len(samples) > 1:
        drawn = listed([f"'{subset}' with seed {seed}" for subset, seed in samples])
        manifest[NOTES] = [f"Networks of several samples: of the set {drawn}"]
    return setting, manifest, scores
