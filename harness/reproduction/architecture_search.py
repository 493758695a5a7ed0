"""A paper's architecture search made again: does it reach the score of the network that was published?

Each proxy of the part is maximised by searches of its own, with the paper's algorithm and budgets. The networks of the
part's set that keep to the budgets are scored with the same weights and mini-batches; the best of them, by each proxy,
is what a search has to reach. Nothing is trained, so accuracies are not compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness._utils.names import listed
from harness.analysis import kendall
from harness.errors import DataError, HarnessError, UnknownNameError
from harness.registry import proxy_facts
from harness.reproduction.mismatches import of_scores
from harness.reproduction.parts import (
    NotRunError,
    Outcome,
    ReproductionOptions,
    images_for,
    refuse_another_benchmark,
)
from harness.reproduction.protocol import Part, Protocol

if TYPE_CHECKING:
    from harness.execution.runner import Progress
    from harness.searching import SearchResult
    from harness.searching.loop import Search
    from harness.searching.run import Watch

SIZES = ("params", "flops", "layers")
"""Proxies that are scored beside the one that is maximised: the sizes of what is found."""

FOUND_COLUMNS = (
    "part", "benchmark", "dataset", "proxy", "search", "evaluations", "best", "listed_best", "reached_after", "listed",
    "params", "flops", "layers", "listed_params", "listed_flops", "listed_layers", "tau_layers", "tau_params",
    "architecture", "mismatches",
)  # fmt: skip

LISTED = "listed"
"""The directory of the run of the listed networks, within that of the part."""


def outcome(
    protocol: Protocol, part: Part, out: Path, options: ReproductionOptions, progress: Progress | None = None
) -> Outcome:
    """Make or find the searches of a part.

    Raises:
        HarnessError: for invalid requests, as for other parts.
    """
    directory = options.runs.get(part.name) or out / part.name
    try:
        if part.name not in options.runs and options.compute:
            _make(part, directory, options, progress)
        return Outcome(part, found=compared(protocol, part, directory), directory=directory)
    except (DataError, UnknownNameError, NotRunError) as error:
        return Outcome(part, why_not=str(error))


def _make(part: Part, directory: Path, options: ReproductionOptions, progress: Progress | None) -> None:
    """Score the listed networks, then search with each proxy and seed."""
    import harness

    common: dict[str, Any] = {
        "dataset": part.dataset,
        "images": images_for(part, options, harness.load(part.benchmark)),
        "seed": options.seed,
        "batch_size": options.batch_size or part.batch_size,
        "resolution": options.resolution,
        "workers": options.workers,
    }
    proxies = [*part.proxies, *(name for name in SIZES if name not in part.proxies)]
    harness.run(
        part.benchmark,
        out=directory / LISTED,
        subset=part.subset,
        proxies=proxies,
        progress=progress,
        **common,
    )
    evaluations = min(part.evaluations, options.sample) if options.sample else part.evaluations
    for name in part.proxies:
        for seed in range(part.searches):
            harness.search(
                part.benchmark,
                out=directory / f"{name}-{seed}",
                proxy=name,
                also=[size for size in SIZES if size != name],
                algorithm=part.algorithm,
                budget=part.budgets,
                evaluations=evaluations,
                population=part.population,
                search_seed=seed,
                watch=_watch(progress, evaluations),
                **common,
            )


def _watch(progress: Progress | None, evaluations: int) -> Watch | None:
    """The progress of a run, told what a search tells."""
    if progress is None:
        return None

    def told(search: Search) -> None:
        progress(min(len(search.entered), evaluations), evaluations)

    return told


def compared(protocol: Protocol, part: Part, directory: Path) -> pd.DataFrame:
    """What each search of a part found, one row per proxy and seed.

    The columns of the result:

    * ``proxy``, ``search``: what was maximised, and the number of the search. ``evaluations``: networks scored.
    * ``best``: the best score, as the proxy gives it. ``listed_best``: that of the listed networks within the budgets.
    * ``reached_after``: networks scored until a search had at least ``listed_best``; NaN if it never had.
    * ``listed``: the number of listed networks within the budgets.
    * ``params``, ``flops``, ``layers``: of the best network found; with ``listed_``, of the best listed one.
    * ``tau_layers``, ``tau_params``: Kendall's τ of the score with the size, among all networks scored.
    * ``architecture``: the best network found. ``mismatches``: what was done differently from the paper, a tuple.

    Raises:
        HarnessError: if there is no search in the directory, or one of another space or with other images.
    """
    from harness.searching import open_search
    from harness.store.sqlite import FILE_NAME

    places = [(name, seed, directory / f"{name}-{seed}") for name in part.proxies for seed in range(part.searches)]
    there = [place for place in places if (place[2] / FILE_NAME).is_file()]
    if not there or not (directory / LISTED / FILE_NAME).is_file():
        raise NotRunError(f"there are no searches in {directory}, and making runs is turned off")
    rows: list[dict[str, object]] = []
    for name, seed, place in there:
        search = open_search(place)
        refuse_another_benchmark(part, search.setting, place)
        rows.append(_row(protocol, part, name, seed, search, directory))
    return pd.DataFrame(rows, columns=list(FOUND_COLUMNS))


def _row(
    protocol: Protocol, part: Part, name: str, seed: int, search: SearchResult, directory: Path
) -> dict[str, object]:
    sign = 1.0 if proxy_facts()[name].better == "higher" else -1.0
    networks = search.best(len(search.networks))
    if networks.empty:
        raise HarnessError(f"the search in {directory / f'{name}-{seed}'} scored no network")
    within = _listed_within_budgets(directory, search)
    goal = (sign * within[name]).max() if len(within) else np.nan
    trace = search.trace[search.trace["outcome"] == "scored"]
    reached = trace.loc[trace["best"] >= goal, "evaluations"]
    best = networks.iloc[0]
    aim = within.iloc[int(np.argmax(sign * within[name]))] if len(within) else None
    return {
        "part": part.name,
        "benchmark": part.benchmark,
        "dataset": part.dataset,
        "proxy": name,
        "search": seed,
        "evaluations": search.search.evaluations,
        "best": sign * best["score"],
        "listed_best": sign * goal,
        "reached_after": float(reached.iloc[0]) if len(reached) else np.nan,
        "listed": len(within),
        **{size: float(best[size]) for size in SIZES},
        **{f"listed_{size}": np.nan if aim is None else float(aim[size]) for size in SIZES},
        **{f"tau_{size}": kendall(networks["score"], networks[size]).value for size in ("layers", "params")},
        "architecture": best["architecture"],
        "mismatches": _mismatches(protocol, part, search),
    }


def _listed_within_budgets(directory: Path, search: SearchResult) -> pd.DataFrame:
    """The scores of the listed networks that keep to the budgets, one row each.

    Raises:
        HarnessError: if they were scored with other weights or images than the search.
    """
    from harness.analysis.scores import wide_scores
    from harness.store import Store

    with Store.read(directory / LISTED) as store:
        scores, setting = wide_scores(store.scores()), store.setting
    ours, theirs = asdict(setting), asdict(search.setting)
    differing = [name for name in ours if ours[name] != theirs[name] and name not in ("subset", "sample_seed")]
    if differing:
        raise HarnessError(
            f"{directory / LISTED} and {search.directory} differ in {listed(differing)}; score the listed networks as "
            "the search"
        )
    kept = [not search.search.budgets.check(str(name))[0] for name in scores.index]
    return scores[np.array(kept, dtype=bool)].dropna()


def _mismatches(protocol: Protocol, part: Part, search: SearchResult) -> tuple[str, ...]:
    scored = search.search.evaluations
    fewer = [f"{scored:,} networks scored; the part asks for {part.evaluations:,}"] if scored < part.evaluations else []
    return (*protocol.mismatches, *part.mismatches, *fewer, *of_scores(part, search.setting))


def per_proxy(found: pd.DataFrame) -> pd.DataFrame:
    """The searches of each part and proxy together, one row each: means, and how far the searches differ.

    Columns: ``part``, ``proxy``, ``searches``; ``evaluations``, the fewest; ``best`` and ``listed_best``; ``reached``,
    the number of searches that reached it; ``reached_after``, their median; for each size, ``_low`` and ``_high`` over
    searches, and ``listed_``; ``tau_layers`` and ``tau_params``, means; ``mismatches``.
    """
    rows: list[Mapping[str, object]] = []
    for (part, proxy), group in found.groupby(["part", "proxy"], sort=False):
        sign = 1.0 if proxy_facts()[str(proxy)].better == "higher" else -1.0
        rows.append(
            {
                "part": part,
                "benchmark": group["benchmark"].iloc[0],
                "dataset": group["dataset"].iloc[0],
                "proxy": proxy,
                "searches": len(group),
                "evaluations": int(group["evaluations"].min()),
                "best": sign * (sign * group["best"]).max(),
                "listed_best": group["listed_best"].iloc[0],
                "reached": int(group["reached_after"].notna().sum()),
                "reached_after": group["reached_after"].median(),
                **_ranges(group, SIZES),
                "tau_layers": group["tau_layers"].mean(),
                "tau_params": group["tau_params"].mean(),
                "mismatches": tuple(dict.fromkeys(each for row in group["mismatches"] for each in row)),
            }
        )
    return pd.DataFrame(rows)


def _ranges(group: pd.DataFrame, sizes: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for size in sizes:
        found |= {
            f"{size}_low": group[size].min(),
            f"{size}_high": group[size].max(),
            f"listed_{size}": group[f"listed_{size}"].iloc[0],
        }
    return found
