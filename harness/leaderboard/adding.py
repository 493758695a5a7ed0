"""Add the scores of a run to a collection, one entry per proxy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._utils.names import unknown_name
from harness.errors import HarnessError
from harness.images import RANDOM_LABELS
from harness.leaderboard.comparing import compared, outcome_in_words
from harness.leaderboard.entry import COLUMNS, Entry, read_entry, write_entry
from harness.networks.initialisation import DEFAULT, name_of
from harness.registry import benchmark_named, proxy_facts
from harness.registry.by_file import OWN_PROXIES
from harness.store import Store
from harness.store.records import GIVEN_TRUTHS, SEARCH, Setting
from harness.store.restore import restore
from harness.store.seeds import further_seeds
from harness.store.sqlite import FILE_NAME

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Added:
    """What adding a run did, by the names of the entries.

    Attributes:
        new: entries that the collection did not have.
        extended: entries that had some of the run's networks, and now have all.
        unchanged: entries that had them all.
    """

    new: tuple[str, ...] = ()
    extended: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


def add(source: Path, root: Path, *, by: str, proxies: Iterable[str] | None = None) -> Added:
    """Add the scores of a run and of its further seeds; entries that exist get the networks that they lack.

    Args:
        source: the directory of a run, or of a report with its scores.
        root: the collection.
        by: who computed the scores, or contributed them.
        proxies: the proxies to add; default: all of the run.

    Raises:
        HarnessError: if the run is a search or a table with accuracies of its own, its benchmark is not registered, it
            lacks a proxy, or an entry has another score of the same network.
    """
    if not by.strip():
        raise HarnessError("say who computed the scores, such as --by 'Jane Doe, University of X'")
    with tempfile.TemporaryDirectory() as folder:
        place = source
        if not (source / FILE_NAME).is_file():
            place = Path(folder) / "run"
            restore(source, place)
        runs = [place, *further_seeds(place).values()]
        wanted = None if proxies is None else tuple(proxies)
        # All are checked before the first is written.
        prepared = [each for number, run in enumerate(runs) for each in _entries(run, by, wanted, first=number == 0)]
        joined = [_joined(root, entry, scores) for entry, scores in prepared]
    outcome: dict[str, list[str]] = {"new": [], "extended": [], "unchanged": []}
    for what, entry, scores in joined:
        if what != "unchanged":
            write_entry(root, entry, scores)
        outcome[what].append(entry.name)
    return Added(**{what: tuple(names) for what, names in outcome.items()})


def _entries(run: Path, by: str, wanted: tuple[str, ...] | None, *, first: bool) -> list[tuple[Entry, pd.DataFrame]]:
    with Store.read(run) as store:
        setting, manifest, scores = store.setting, store.manifest(), store.scores()
    _refuse_unfit(run, setting, manifest)
    there = sorted(scores["proxy"].unique())
    for name in wanted or () if first else ():
        if name not in there:
            raise HarnessError(unknown_name("proxy", name, there))
    names = there if wanted is None else [name for name in there if name in wanted]
    if not names:
        return []
    return [_entry(setting, manifest, name, scores[scores["proxy"] == name], by) for name in names]


def _refuse_unfit(run: Path, setting: Setting, manifest: Mapping[str, Any]) -> None:
    if SEARCH in manifest:
        raise HarnessError(
            f"the networks of {run} were chosen by a search and are no sample; add a run of 'harness run'"
        )
    if GIVEN_TRUTHS in manifest:
        raise HarnessError(
            f"{run} is a table with accuracies of its own, which nobody could check; rank its scores on a benchmark "
            "with 'harness rank TABLE --benchmark NAME --out RUN', and add that run"
        )
    if benchmark_named(setting.benchmark) != setting.benchmark:
        raise HarnessError(
            f"the benchmark '{setting.benchmark}' of {run} is not registered, so that others could not find its "
            "networks; see docs/benchmarks.md on how to register it"
        )


def _entry(
    setting: Setting, manifest: Mapping[str, Any], proxy: str, scores: pd.DataFrame, by: str
) -> tuple[Entry, pd.DataFrame]:
    known, own = proxy_facts().get(proxy), manifest.get(OWN_PROXIES, {}).get(proxy)
    data, supervised = (
        (own["data"], own["supervised"]) if own else (known.data, known.supervised) if known else ("", "")
    )
    tags = [
        "noise" if setting.noise and data in ("images", "labels") else data or "nothing",
        "supervised" if supervised else "",
        "elsewhere" if setting.origin is not None else "",
    ]
    table = scores[list(COLUMNS)]
    entry = Entry(
        setting=setting,
        proxy=proxy,
        version=int(scores["version"].iloc[0]),
        networks=len(table),
        counts=_counts(table),
        samples=((setting.subset, setting.sample_seed),),
        tags=tuple(filter(None, tags)),
        by=by.strip(),
        command=command_of(setting, len(table), proxy, own["reference"] if own else None),
        packages=manifest.get("packages", {}),
        python=manifest.get("python", ""),
        machine=manifest.get("machine", ""),
        facts=own,
    )
    return entry, table


def command_of(setting: Setting, networks: int, proxy: str, place: str | None = None) -> str:
    """The command that computes the scores again, given the images; of a table, how it was read.

    Args:
        setting: of the scores.
        networks: the number of networks.
        proxy: its name.
        place: where it is, if it is not registered, such as ``my_proxy.py:steepest_layer``.
    """
    if setting.origin is not None:
        return f"harness rank TABLE --benchmark {setting.benchmark} --dataset {setting.dataset}"
    options = {
        "--dataset": setting.dataset,
        "--set": setting.subset if setting.subset != "all" else None,
        "--sample": networks,
        "--seed": setting.seed,
        "--sample-seed": setting.sample_seed if setting.sample_seed != setting.seed else None,
        "--images": "noise" if setting.noise else "IMAGES",
        "--batch-size": setting.batch_size,
        "--resolution": setting.resolution,
        "--init": _init(setting),
        "--device": setting.device if setting.device != "cpu" else None,
        "--proxies": "params" if place else proxy,
        "--proxy": place,
    }
    typed = [f"{name} {value}" for name, value in options.items() if value is not None]
    flags = {
        "--random-labels": setting.images.endswith(RANDOM_LABELS) and not setting.noise,
        "--once-per-class": bool(setting.once_per_class),
    }
    typed += [flag for flag, is_set in flags.items() if is_set]
    return " ".join(["harness run", setting.benchmark, *typed, "--out RUN"])


def _init(setting: Setting) -> str | None:
    name = name_of(setting.initialisation)
    return None if name == DEFAULT else name


def _counts(table: pd.DataFrame) -> dict[str, int]:
    return {str(status): int(number) for status, number in sorted(table["status"].value_counts().items())}


def _joined(root: Path, entry: Entry, scores: pd.DataFrame) -> tuple[str, Entry, pd.DataFrame]:
    """What becomes of an entry, the entry to write, and its scores."""
    import pandas as pd

    file = root / f"{entry.name}.json"
    if not file.is_file():
        return "new", entry, scores
    before = read_entry(file, root)
    _refuse_other_code(before, entry)
    table = before.scores()
    _refuse_other_scores(before, table, scores)
    lacking = scores[~scores["architecture"].isin(table["architecture"])]
    samples = tuple(dict.fromkeys((*before.samples, *entry.samples)))
    if lacking.empty:
        return "unchanged", before, table
    whole = pd.concat([table, lacking], ignore_index=True)
    people = before.by if entry.by in before.by.split("; ") else f"{before.by}; {entry.by}"
    commands = dict.fromkeys((*before.command.split("\n"), entry.command))
    again = replace(
        entry, networks=len(whole), counts=_counts(whole), samples=samples, by=people, command="\n".join(commands)
    )
    return "extended", again, whole


def _refuse_other_code(before: Entry, now: Entry) -> None:
    mine, theirs = (facts["sha256"] if facts else None for facts in (before.facts, now.facts))
    if mine != theirs:
        raise HarnessError(
            f"{before.name} has scores of other code of '{now.proxy}', which is not registered; raise its version"
        )


def _refuse_other_scores(before: Entry, stored: pd.DataFrame, scores: pd.DataFrame) -> None:
    """Refuse a run with other scores than an entry. Where they differ by rounding, those of the entry stay."""
    then, now = stored.set_index("architecture"), scores.set_index("architecture")
    both = now[now.index.isin(then.index)]
    differing = compared(before.proxy, then, both).differing
    if differing:
        odd = differing[0]
        raise HarnessError(
            f"{before.name} has another score of '{odd}': {outcome_in_words(then, odd)} there, "
            f"{outcome_in_words(now, odd)} in the run ({len(differing):,} of {len(both):,} networks differ); "
            f"'harness results verify {before.name}' computes some again"
        )
