"""Numbers, verdicts and tables in documents, made from the committed tables of ``results/reference``.

A document marks such a text by two comments, and ``python -m tools.make_docs`` writes what stands between them:

    ZiCo's lead is <!-- made by: difference zico nats-tss-cifar10-all -->+.026 [−.002, +.055]<!-- end -->.

The first word is one of :data:`MAKERS`, the others are its arguments. A text of several lines has its comments on
lines of their own. Neither ground truth nor a run is needed. A new run that counts among the comparisons needs one line
in :data:`COMPARISONS`.
"""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.analysis.seeds import TRUSTED_AGREEMENT
from harness.display.tables.numbers import coefficient, estimate
from harness.proxies._measured_dependence import Cause, dependent_on
from harness.registry import aggregates, proxy_facts
from tools.zen_sizes import rows as printed_rows

REFERENCE = Path(__file__).parents[1] / "results" / "reference"

COMPARISONS = {
    "nats-tss-cifar10-all": "NATS-TSS CIFAR-10",
    "nats-tss-cifar100": "NATS-TSS CIFAR-100",
    "nats-tss-ImageNet16-120-all": "NATS-TSS ImageNet16-120",
    "nats-sss-cifar10": "NATS-SSS",
    "nasbench101-cifar10": "NAS-Bench-101",
    "transnas-micro-class_scene": "micro scenes",
    "transnas-micro-jigsaw": "micro jigsaw",
    "transnas-micro-autoencoder": "micro autoencoding",
    "transnas-macro-class_scene": "macro scenes",
    "digits": "digits",
}
"""The folders whose comparisons with #Params are counted, each with its short name."""

VERDICTS = {"win": "better", "tie": "no different", "loss": "worse", "undefined": "undefined"}
_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MOST_NAMED = 5
_MARKED = re.compile(r"<!-- made by: (.+?) -->(.*?)<!-- end -->", flags=re.DOTALL)
_MARKER_IN_LINE = re.compile(r"^[ \t]*<!-- (?:made by: .+? -->.|end -->[^\n])", flags=re.MULTILINE)


def filled(text: str, name: str) -> str:
    """A document with every marked text made anew.

    Args:
        text: the document.
        name: the document's name, for the messages.

    Raises:
        ValueError: if a maker or what it asks for does not exist, a comment lacks its partner, or a comment begins a
            line of prose, which Markdown would then show as it stands.
    """
    pairs = len(_MARKED.findall(text))
    if (text.count("<!-- made by:"), text.count("<!-- end -->")) != (pairs, pairs):
        raise ValueError(f"{name}: a '<!-- made by: … -->' lacks its '<!-- end -->'")
    if wrong := _MARKER_IN_LINE.search(text):
        raise ValueError(f"{name}: '{wrong[0]}' begins a line of prose; put a word before it")

    def replacement(match: re.Match[str]) -> str:
        maker, *arguments = shlex.split(match[1])
        try:
            made = MAKERS[maker](*arguments)
        except (LookupError, OSError, TypeError) as error:
            raise ValueError(f"{name}: '{match[1]}' cannot be made ({type(error).__name__}: {error})") from error
        inside = f"\n\n{made}\n\n" if match[2].startswith("\n") else made
        return f"<!-- made by: {match[1]} -->{inside}<!-- end -->"

    return _MARKED.sub(replacement, text)


def tau(proxy: str, run: str, subset: str = "all") -> str:
    """Kendall's τ with its interval."""
    return _estimate(_row(run, proxy, subset), "kendall")


def value(proxy: str, run: str, subset: str = "all") -> str:
    """Kendall's τ alone."""
    return _minus(coefficient(_row(run, proxy, subset)["kendall"]))


def difference(proxy: str, run: str, subset: str = "all") -> str:
    """The difference in τ to #Params with its interval."""
    return _estimate(_row(run, proxy, subset), "difference", sign=True)


def verdict(proxy: str, run: str, subset: str = "all") -> str:
    """Whether the proxy is better than #Params, no different, or worse."""
    return VERDICTS[str(_row(run, proxy, subset)["verdict"])]


def agreement(proxy: str, run: str) -> str:
    """Kendall's τ between two seeds, the mean over the pairs."""
    return _minus(coefficient(_chosen(f"{run}/seeds.csv", proxy=proxy)["agreement"]))


def seeds_apart(run: str) -> str:
    """The proxies whose seeds do not agree, each with τ between two seeds, the lowest first."""
    table = _table(f"{run}/seeds.csv").sort_values("agreement")
    found = table[table["agreement"] < TRUSTED_AGREEMENT]
    return _with_numbers(zip(found["proxy"], found["agreement"], strict=True))


def dependent(cause: Cause) -> str:
    """The proxies that depend on the images or on the resolution, each with the lowest τ between two rankings."""
    return _with_numbers((proxy, each.kendall) for proxy, each in dependent_on(cause, proxy_facts()).items())


def over_size(proxy: str, run: str) -> str:
    """The difference in τ to Σ log n with its interval, and the number of networks."""
    row = _chosen(f"reproduction/size/{run}.csv", first=proxy)
    found = estimate(row["kendall_difference"], row["kendall_low"], row["kendall_high"], sign=True)
    return f"{_minus(found)}, {row['networks']:,} networks"


def among_top(proxy: str, percent: str) -> str:
    """Kendall's τ among the best p % of the networks of NATS-TSS, by true accuracy."""
    return _estimate(_chosen("reproduction/top/top.csv", proxy=proxy, by="truth", percent=float(percent)), "kendall")


def within(part: str) -> str:
    """How many of the values that ZiCo prints for a part of its protocol are within our intervals."""
    row = _printed(part)
    return f"{row['within']} of {row['compared']}"


def within_undoubted(part: str) -> str:
    """The same for the values that are not in doubt."""
    row = _printed(part)
    sound = row["compared"] - row["doubted"]
    return f"{row['undoubted_within']} of {sound}" if sound else "all are in doubt"


def comparisons() -> str:
    """The number of comparisons."""
    return _NUMBERS[len(COMPARISONS)]


def most(word: str) -> str:
    """In how many comparisons a proxy that all of them scored is ``better``, ``worse``, … at most."""
    return _NUMBERS[max(len(_where(word, proxy)) for proxy in _common())]


def most_named(word: str) -> str:
    """The proxies of which :func:`most` speaks."""
    counts = {proxy: len(_where(word, proxy)) for proxy in _common()}
    return _listed(sorted(_label(proxy) for proxy, found in counts.items() if found == max(counts.values())))


def consistently() -> str:
    """Whether a proxy that is better in some comparison is worse in none."""
    sound = [p for p in _common() if _where("better", p) and not _where("worse", p)]
    if not sound:
        return "each proxy that is better in some comparison is significantly worse in another"
    return f"{_listed(map(_label, sound))} {'are' if len(sound) > 1 else 'is'} better in some and worse in none"


def mostly_better(at_least: str) -> str:
    """The proxies of at least so many comparisons that are better in more than half of them, and worse in none."""
    counts = {
        proxy: (len(_where("better", proxy)), len(found))
        for proxy, found in _verdicts().items()
        if len(found) >= int(at_least) and not _where("worse", proxy)
    }
    best = sorted(((-better, _label(proxy), of) for proxy, (better, of) in counts.items() if 2 * better > of))
    return _listed(f"{label} ({-better} of {of})" for better, label, of in best) if best else "none"


def verdict_table() -> str:
    """Every proxy that all comparisons scored: where it is better than #Params, no different, and worse."""
    words = [word for word in VERDICTS.values() if any(_where(word, proxy) for proxy in _common())]
    order = sorted(_common(), key=lambda p: (-len(_where("better", p)), len(_where("worse", p)), p))
    rows = [
        [_label(proxy), *(_counted(_where(word, proxy), named=word in ("better", "worse")) for word in words)]
        for proxy in order
    ]
    return _grid(["proxy", *(word.replace("different", "difference") for word in words)], rows)


def set_table(run: str, *proxies: str) -> str:
    """The differences in τ to #Params within each set of cells, with the verdict."""
    subsets = list(dict.fromkeys(_correlations(run)["set"]))
    rows = [
        [_label(p), *(f"{difference(p, run, subset)} {verdict(p, run, subset)}" for subset in subsets)] for p in proxies
    ]
    networks = [int(_row(run, "params", subset)["networks"]) for subset in subsets]
    return _grid(["", *(f"{subset}, {n}" for subset, n in zip(subsets, networks, strict=True))], rows)


def sets_with(word: str, run: str) -> str:
    """For each set of cells, the proxies that are ``better`` or ``worse`` than #Params, before Holm's correction."""
    table = _correlations(run)
    found = table[_words(table) == word].groupby("set", sort=False)["proxy"]
    return "; ".join(f"{_listed(map(_label, group))} ({subset})" for subset, group in found) or "none"


def after_holm(word: str, run: str, subset: str = "all") -> str:
    """The proxies that are ``better`` or ``worse`` than #Params after Holm's correction."""
    table = _correlations(run)
    found = table[(table["set"] == subset) & (_words(table) == word) & (table["p_holm"] < 0.05)]
    return _listed(map(_label, found["proxy"])) if len(found) else "none"


def size_table(proxy: str) -> str:
    """The difference in τ of a proxy to Σ log n in every comparison that has both."""
    rows = []
    for run, name in COMPARISONS.items():
        table = f"reproduction/size/{run}.csv"
        if (REFERENCE / table).is_file():
            row = _chosen(table, first=proxy)
            low, high = row["kendall_low"], row["kendall_high"]
            found = "ahead" if low > 0 else "behind" if high < 0 else "no different"
            shown = _minus(estimate(row["kendall_difference"], low, high, sign=True))
            rows.append([name, f"{row['networks']:,}", shown, found])
    return _grid(["comparison", "networks", f"{_label(proxy)} less Σ log n, τ", f"{_label(proxy)} is"], rows)


def printed_sizes() -> str:
    """The sizes that Zen-NAS and ZiCo printed beside those of each convention of counting."""
    head, *rows = printed_rows()
    return _grid(head, rows)


MAKERS: Mapping[str, Callable[..., str]] = {
    maker.__name__: maker
    for maker in (
        tau, value, difference, verdict, over_size, among_top, within, within_undoubted, comparisons, most, most_named,
        consistently, mostly_better, verdict_table, set_table, sets_with, after_holm, size_table, agreement,
        seeds_apart, dependent, printed_sizes,
    )
}  # fmt: skip
"""What may stand after ``made by:``."""


@functools.cache
def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / name)


def _correlations(run: str) -> pd.DataFrame:
    return _table(f"{run}/correlations.csv")


def _words(table: pd.DataFrame) -> pd.Series[str]:
    return table["verdict"].replace(VERDICTS)


def _row(run: str, proxy: str, subset: str) -> dict[Hashable, Any]:
    return _chosen(f"{run}/correlations.csv", set=subset, proxy=proxy)


def _printed(part: str) -> dict[Hashable, Any]:
    """The summary of a part of ZiCo's protocol, compared with ZiCo's own numbers, which come first."""
    table = _table("reproduction/zico/summary.csv")
    return table[table["part"] == part].to_dict("records")[0]


def _chosen(name: str, **wanted: object) -> dict[Hashable, Any]:
    """The only row of a table with these values; raises KeyError if there is none or another one."""
    table = _table(name)
    for column, wish in wanted.items():
        table = table[table[column] == wish]
    if len(table) != 1:
        raise KeyError(f"{len(table)} rows of {name} with {wanted}")
    return table.to_dict("records")[0]


@functools.cache
def _verdicts() -> dict[str, dict[str, str]]:
    """The verdict of each proxy over all networks, in words, by the short name of the comparison."""
    found: dict[str, dict[str, str]] = {}
    for run, name in COMPARISONS.items():
        table = _correlations(run)
        for row in table[table["set"] == "all"].to_dict("records"):
            found.setdefault(row["proxy"], {})[name] = VERDICTS.get(row["verdict"], "")
    return found


def _common() -> list[str]:
    """The proxies, #Params excepted, that every comparison scored."""
    return [proxy for proxy, found in _verdicts().items() if len(found) == len(COMPARISONS) and proxy != "params"]


def _where(word: str, proxy: str) -> list[str]:
    """The short names of the comparisons with this verdict."""
    return [name for name, found in _verdicts()[proxy].items() if found == word]


def _counted(names: Sequence[str], *, named: bool) -> str:
    return f"{len(names)} ({', '.join(names)})" if named and 0 < len(names) <= _MOST_NAMED else str(len(names))


def _label(proxy: str) -> str:
    facts = proxy_facts().get(proxy) or aggregates().get(proxy)
    return facts.label if facts else proxy


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _with_numbers(pairs: Iterable[tuple[str, float]]) -> str:
    shown = [f"{_label(proxy)} ({_minus(coefficient(number))})" for proxy, number in pairs]
    return _listed(shown) if shown else "none"


def _estimate(row: Mapping[Hashable, Any], name: str, *, sign: bool = False) -> str:
    return _minus(estimate(row[name], row[f"{name}_low"], row[f"{name}_high"], sign=sign))


def _minus(text: str) -> str:
    """Numbers with a minus sign, as in all documents."""
    return text.replace("-", "−")


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
