"""Make a run of entries, which every analysis opens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from harness._utils.names import listed, unknown_name
from harness.errors import HarnessError
from harness.leaderboard.collection import as_run, by_setting, entries_in, further_seeds_of
from harness.leaderboard.entry import TIMES, Entry
from harness.store import Store
from harness.store.columns import COLUMNS, as_stored
from harness.store.seeds import seed_directory
from harness.store.sqlite import explained


def get(
    root: Path, within: str, out: Path, *, setting: str | None = None, proxies: Iterable[str] | None = None
) -> tuple[str, int]:
    """Write the entries of one setting as a run; returns the name of the setting and the number of outcomes.

    Further seeds become further seeds of the run.

    Args:
        root: the collection.
        within: the benchmark and the data set, such as ``nats-tss/cifar10``.
        out: the directory of the run; it must not contain one.
        setting: the name of the setting, or its beginning; default: that with the most networks and proxies.
        proxies: the proxies to take; default: all.

    Raises:
        HarnessError: if there is no such entry, or more than one setting begins like this.
    """
    groups = by_setting(entries_in(root, within))
    if not groups or len({(entry.benchmark, entry.dataset) for group in groups.values() for entry in group}) > 1:
        raise HarnessError(f"'{within}' is not the scores of one benchmark and data set; use BENCHMARK/DATASET")
    name = _named(setting, list(groups))
    wanted = None if proxies is None else set(proxies)
    entries = [entry for entry in groups[name] if wanted is None or entry.proxy in wanted]
    if lacking := (wanted or set()) - {entry.proxy for entry in entries}:
        raise HarnessError(unknown_name("proxy", min(lacking), [entry.proxy for entry in groups[name]]))
    rows = _write(out, entries)
    for seed, further in further_seeds_of(name, groups).items():
        kept = [entry for entry in further if wanted is None or entry.proxy in wanted]
        if kept and seed > entries[0].setting.seed:
            _write(seed_directory(out, seed), kept, like=entries)
    return name, rows


def _named(setting: str | None, names: list[str]) -> str:
    if setting is None:
        return names[0]
    matching = [name for name in names if name.startswith(setting)]
    if len(matching) != 1:
        words = f"no setting is called '{setting}'" if not matching else f"'{setting}' begins {listed(matching)}"
        raise HarnessError(f"{words}; the settings are {listed(names)}")
    return matching[0]


def _write(out: Path, entries: Sequence[Entry], like: Sequence[Entry] = ()) -> int:
    setting, facts, scores = as_run(entries)
    if like:
        # The sample of a further seed is a part of the first one's.
        first = as_run(like)[0]
        setting = replace(setting, subset=first.subset, sample_seed=first.sample_seed)
    if setting.origin is not None:
        scores[list(TIMES[:2])] = 0.0
    table = scores[list(COLUMNS)].astype(object)
    table = table.where(table.notna(), None)
    with Store.create_anew(out, setting, facts) as store, explained(out), store.transaction():
        store.outcomes.add(list(map(as_stored, table.itertuples(index=False, name=None))))
    return len(table)
