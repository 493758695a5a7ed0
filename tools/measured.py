"""Numbers, verdicts and tables in documents, made from the committed tables of ``results/reference``.

A document marks such a text by two comments, and ``python -m tools.make_docs`` writes what stands between them:

    ZiCo's lead is <!-- made by: difference zico nats-tss-cifar10-all -->+.026 [−.002, +.055]<!-- end -->.

The first word is one of :data:`MAKERS`, the others are its arguments. A text of several lines has its comments on
lines of their own. Neither ground truth nor a run is needed. A new run that counts among the comparisons needs one line
in :data:`COMPARISONS`. A coefficient that is in no committed table says where it comes from, and stays as typed:

    The 9,445 cells give <!-- typed: the code above -->.581<!-- end -->.
"""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from harness.analysis.seeds import TRUSTED_AGREEMENT
from harness.display.tables.numbers import coefficient, estimate, p_value
from harness.proxies._measured_dependence import SAME_ORDER, Cause, dependent_on, measured_dependences
from harness.registry import proxy_facts
from tools import measured_beside, measured_scores, measured_search, reference_tables, vit_bench
from tools.reference_tables import (
    Row,
    chosen,
    correlations,
    estimated,
    grid,
    in_words,
    label,
    listed,
    minus,
    row,
    table,
    with_numbers,
)
from tools.zen_sizes import rows as printed_rows

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
_MOST_NAMED = 5
_LEVEL = 0.05
_MARKED = re.compile(r"<!-- made by: (.+?) -->(.*?)<!-- end -->", flags=re.DOTALL)
_TYPED = re.compile(r"<!-- typed: (.+?) -->(.*?)<!-- end -->", flags=re.DOTALL)
_MARKER_IN_LINE = re.compile(r"^[ \t]*<!-- (?:(?:made by|typed): .+? -->.|end -->[^\n])", flags=re.MULTILINE)
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", flags=re.DOTALL | re.MULTILINE)
_COEFFICIENT = re.compile(r"(?<![\w.])[+−-]?(?:\.\d{2,}|1\.000)(?![\d%])")


def filled(text: str, name: str) -> str:
    """A document with every marked text made anew.

    Args:
        text: the document.
        name: the document's name, for the messages.

    Raises:
        ValueError: if a maker or what it asks for does not exist, a comment lacks its partner, or a comment begins a
            line of prose, which Markdown would then show as it stands.
    """
    made, typed = len(_MARKED.findall(text)), len(_TYPED.findall(text))
    found = tuple(map(text.count, ("<!-- made by:", "<!-- typed:", "<!-- end -->")))
    if found != (made, typed, made + typed):
        raise ValueError(f"{name}: a '<!-- made by: … -->' or '<!-- typed: … -->' lacks its '<!-- end -->'")
    if wrong := _MARKER_IN_LINE.search(text):
        raise ValueError(f"{name}: '{wrong[0]}' begins a line of prose; put a word before it")

    def replacement(match: re.Match[str]) -> str:
        maker, *arguments = shlex.split(match[1])
        try:
            words = MAKERS[maker](*arguments)
        except (LookupError, OSError, TypeError) as error:
            raise ValueError(f"{name}: '{match[1]}' cannot be made ({type(error).__name__}: {error})") from error
        inside = f"\n\n{words}\n\n" if match[2].startswith("\n") else words
        return f"<!-- made by: {match[1]} -->{inside}<!-- end -->"

    return _MARKED.sub(replacement, text)


def unmarked(text: str) -> list[str]:
    """The coefficients of a document that no comment says the origin of, outside code: there should be none.

    >>> unmarked("τ .554 [.494, .608], and <!-- typed: printed -->.33<!-- end -->; a threshold of .8")
    ['.554', '.494', '.608']
    """
    for known in (_MARKED, _TYPED, _CODE):
        text = known.sub("", text)
    return _COEFFICIENT.findall(text)


def tau(proxy: str, run: str, subset: str = "all") -> str:
    """Kendall's τ with its interval."""
    return estimated(row(run, proxy, subset), "kendall")


def value(proxy: str, run: str, subset: str = "all") -> str:
    """Kendall's τ alone."""
    return minus(coefficient(row(run, proxy, subset)["kendall"]))


def rho(proxy: str, run: str, subset: str = "all") -> str:
    """Spearman's ρ with its interval."""
    return estimated(row(run, proxy, subset), "spearman")


def rho_value(proxy: str, run: str, subset: str = "all") -> str:
    """Spearman's ρ alone."""
    return minus(coefficient(row(run, proxy, subset)["spearman"]))


def ranked(proxy: str, run: str, subset: str = "all") -> str:
    """The number of networks with a finite score."""
    return f"{row(run, proxy, subset)['used']:,}"


def difference(proxy: str, run: str, subset: str = "all") -> str:
    """The difference in τ to #Params with its interval."""
    return estimated(row(run, proxy, subset), "difference", sign=True)


def verdict(proxy: str, run: str, subset: str = "all") -> str:
    """Whether the proxy is better than #Params, no different, or worse."""
    return VERDICTS[str(row(run, proxy, subset)["verdict"])]


def agreement(proxy: str, run: str) -> str:
    """Kendall's τ between two seeds, the mean over the pairs."""
    return minus(coefficient(chosen(f"{run}/seeds.csv", proxy=proxy)["agreement"]))


def agreement_table() -> str:
    """Kendall's τ between two seeds, the mean over the pairs, of every proxy in every run with seeds, lowest first."""
    runs = [path.parent.name for path in sorted(reference_tables.REFERENCE.glob("*/seeds.csv"))]
    tables = {run: table(f"{run}/seeds.csv").set_index("proxy") for run in runs}
    found = {run: each.loc[each["kind"] != "truth", "agreement"] for run, each in tables.items()}
    lowest = pd.DataFrame(found).min(axis=1).sort_values(kind="stable")
    rows = [
        [label(proxy), *(minus(coefficient(found[run][proxy])) if proxy in found[run] else "" for run in runs)]
        for proxy in lowest.index
    ]
    short = {
        "nats-tss-cifar10": "NATS-TSS CIFAR-10 (fourteen)",
        "transnas-macro-class_scene-256": "macro scenes, 256 × 256",
        "transnas-micro-class_scene-256": "micro scenes, 256 × 256",
        "zen-mobile-plain": "Zen-NAS's and ZiCo's networks",
    } | COMPARISONS
    return grid(["proxy", *(short.get(run, run) for run in runs)], rows)


def seeds_apart(run: str) -> str:
    """The proxies whose seeds do not agree, each with τ between two seeds, the lowest first."""
    found = table(f"{run}/seeds.csv").sort_values("agreement")
    found = found[found["agreement"] < TRUSTED_AGREEMENT]
    return with_numbers(zip(found["proxy"], found["agreement"], strict=True))


def dependent(cause: Cause) -> str:
    """The proxies that depend on the images or on the resolution, each with the lowest τ between two rankings."""
    return with_numbers((proxy, each.kendall) for proxy, each in dependent_on(cause, proxy_facts()).items())


def dependent_in(benchmark: str, cause: Cause) -> str:
    """Those that do so on one benchmark, such as ``"transnas-micro class_scene"``."""
    found = [each for each in measured_dependences() if (each.benchmark, each.cause) == (benchmark, cause)]
    if not found:
        raise KeyError(f"no measurement of {cause} on {benchmark}")
    below = sorted((each for each in found if each.kendall < SAME_ORDER), key=lambda each: each.kendall)
    return with_numbers((each.proxy, each.kendall) for each in below)


def over_size(proxy: str, run: str) -> str:
    """The difference in τ to Σ log n with its interval, and the number of networks."""
    pair = chosen(f"reproduction/size/{run}/pairs.csv", first=proxy)
    found = estimate(pair["kendall_difference"], pair["kendall_low"], pair["kendall_high"], sign=True)
    return f"{minus(found)}, {pair['networks']:,} networks"


def among_top(proxy: str, percent: str) -> str:
    """Kendall's τ among the best p % of the networks of NATS-TSS, by true accuracy."""
    return estimated(_at_the_top(proxy, percent), "kendall")


def verdict_among_top(proxy: str, percent: str) -> str:
    """Whether the proxy is better than #Params, no different, or worse among the best p %."""
    return VERDICTS[str(_at_the_top(proxy, percent)["verdict"])]


def comparisons() -> str:
    """The number of comparisons."""
    return in_words(len(COMPARISONS))


def in_every_comparison() -> str:
    """The number of proxies, #Params excepted, that every comparison scored."""
    return in_words(len(_common()))


def most(word: str) -> str:
    """In how many comparisons a proxy that all of them scored is ``better``, ``worse``, … at most."""
    return in_words(max(len(_where(word, proxy)) for proxy in _common()))


def most_named(word: str) -> str:
    """The proxies of which :func:`most` speaks."""
    counts = {proxy: len(_where(word, proxy)) for proxy in _common()}
    return listed(sorted(label(proxy) for proxy, found in counts.items() if found == max(counts.values())))


def consistently() -> str:
    """Whether a proxy that is better in some comparison is worse in none."""
    sound = [p for p in _common() if _where("better", p) and not _where("worse", p)]
    if not sound:
        return "each proxy that is better in some comparison is significantly worse in another"
    return f"{listed(map(label, sound))} {'are' if len(sound) > 1 else 'is'} better in some and worse in none"


def mostly_better(at_least: str) -> str:
    """The proxies of at least so many comparisons that are better in more than half of them, and worse in none."""
    counts = {
        proxy: (len(_where("better", proxy)), len(found))
        for proxy, found in _verdicts().items()
        if len(found) >= int(at_least) and not _where("worse", proxy)
    }
    best = sorted(((-better, label(proxy), of) for proxy, (better, of) in counts.items() if 2 * better > of))
    return listed(f"{name} ({-better} of {of})" for better, name, of in best)


def verdict_table() -> str:
    """Every proxy that all comparisons scored: where it is better than #Params, no different, and worse."""
    words = [word for word in VERDICTS.values() if any(_where(word, proxy) for proxy in _common())]
    order = sorted(_common(), key=lambda p: (-len(_where("better", p)), len(_where("worse", p)), p))
    rows = [
        [label(proxy), *(_counted(_where(word, proxy), named=word in ("better", "worse")) for word in words)]
        for proxy in order
    ]
    return grid(["proxy", *(word.replace("different", "difference") for word in words)], rows)


def set_table(run: str, *proxies: str) -> str:
    """The differences in τ to #Params within each set of cells, with the verdict."""
    subsets = list(dict.fromkeys(correlations(run)["set"]))
    rows = [
        [label(p), *(f"{difference(p, run, subset)} {verdict(p, run, subset)}" for subset in subsets)] for p in proxies
    ]
    networks = [int(row(run, "params", subset)["networks"]) for subset in subsets]
    return grid(["", *(f"{subset}, {n}" for subset, n in zip(subsets, networks, strict=True))], rows)


def sets_with(word: str, run: str) -> str:
    """The proxies that are ``better`` or ``worse`` than #Params before Holm's correction, for each set of cells."""
    found = correlations(run)
    named = len(set(found["set"])) > 1
    by_set = found[_words(found) == word].groupby("set", sort=False)["proxy"]
    return "; ".join(listed(map(label, group)) + f" ({subset})" * named for subset, group in by_set) or "none"


def after_holm(word: str, run: str, subset: str = "all") -> str:
    """The proxies that are ``better`` or ``worse`` than #Params after Holm's correction."""
    return listed(map(label, _corrected(word, run, subset)["proxy"]))


def after_holm_everywhere(word: str, *runs: str) -> str:
    """Those that are so in each of several folders, over all networks."""
    first, *others = (_corrected(word, run, "all")["proxy"] for run in runs)
    return listed(label(proxy) for proxy in first if all(proxy in set(other) for other in others))


def number_after_holm(word: str, run: str, subset: str = "all") -> str:
    """Their number."""
    return str(len(_corrected(word, run, subset)))


def after_holm_with_tau(word: str, run: str, subset: str = "all") -> str:
    """The same, each with Kendall's τ."""
    found = _corrected(word, run, subset)
    return with_numbers(zip(found["proxy"], found["kendall"], strict=True))


def before_holm_alone(word: str, run: str, subset: str = "all") -> str:
    """Those that are ``better`` or ``worse`` by their own intervals, but not after correction, each with τ."""
    found = correlations(run, subset)
    found = found[(_words(found) == word) & ~(found["p_holm"] < _LEVEL)]
    return with_numbers(zip(found["proxy"], found["kendall"], strict=True))


def corrected_for(run: str) -> str:
    """The number of comparisons that Holm's correction is for."""
    found = table(f"{run}/correlations.csv")
    return str(int(found.loc[found["set"] == "all", "p_holm"].notna().sum()))


def corrected_p(proxy: str, run: str, subset: str = "all") -> str:
    """The p-value of the difference in τ to #Params after Holm's correction."""
    return p_value(row(run, proxy, subset)["p_holm"])


def wrong_way(run: str, subset: str = "all") -> str:
    """The proxies whose interval of τ is below zero, each with τ, the lowest first."""
    found = correlations(run, subset)
    found = found[found["kendall_high"] < 0].sort_values("kendall")
    return with_numbers(zip(found["proxy"], found["kendall"], strict=True))


def ahead_of(name: str, run: str, subset: str = "all") -> str:
    """How many proxies have a higher Kendall's τ than a proxy or a ground truth that was ranked beside them."""
    return in_words((correlations(run, subset)["kendall"] > row(run, name, subset)["kendall"]).sum())


def size_table(proxy: str) -> str:
    """The difference in τ of a proxy to Σ log n in every comparison that has both."""
    rows = []
    for run, name in COMPARISONS.items():
        sizes = f"reproduction/size/{run}/pairs.csv"
        if (reference_tables.REFERENCE / sizes).is_file():
            pair = chosen(sizes, first=proxy)
            low, high = pair["kendall_low"], pair["kendall_high"]
            found = "ahead" if low > 0 else "behind" if high < 0 else "no different"
            shown = minus(estimate(pair["kendall_difference"], low, high, sign=True))
            rows.append([name, f"{pair['networks']:,}", shown, found])
    return grid(["comparison", "networks", f"{label(proxy)} less Σ log n, τ", f"{label(proxy)} is"], rows)


def searches_that_find(verdict: str, unit: str) -> str:
    """With which proxies a random search finds better or worse networks than with #Params, on each published run.

    Args:
        verdict: ``better`` or ``worse``.
        unit: ``networks`` scored or ``passes``.
    """
    sign = {"better": 1, "worse": -1}[verdict]
    rows = []
    for folder in sorted((reference_tables.REFERENCE / "searches").iterdir()):
        if not folder.is_dir():
            continue
        found = table(f"searches/{folder.name}/searches_random_{unit}.csv")
        last = found[(found["length"] == found["length"].max()) & (found["kind"] != "optimum")]
        significant = last[(last["p_holm"] < _LEVEL) & (sign * last["difference"] > 0)]
        ordered = significant.sort_values("difference", ascending=sign < 0)
        pairs = zip(ordered["row"], ordered["difference"], strict=True)
        names = {"(random)": "a random score"}
        numbers = (f"{names.get(row) or label(row)} ({minus(f'{difference:+.2f}')})" for row, difference in pairs)
        rows.append([folder.name, f"{int(last['length'].max()):,}", listed(numbers)])
    return grid(["run", f"{unit}", f"{verdict} than with #Params"], rows)


def printed_sizes() -> str:
    """The sizes that Zen-NAS and ZiCo printed beside those of each convention of counting."""
    head, *rows = printed_rows()
    return grid(head, rows)


_OWN: tuple[Callable[..., str], ...] = (
    tau, value, rho, rho_value, ranked, difference, verdict, over_size, among_top, verdict_among_top, comparisons,
    most, in_every_comparison, most_named, consistently, mostly_better, verdict_table, set_table, sets_with,
    after_holm, after_holm_everywhere, number_after_holm, after_holm_with_tau, before_holm_alone, corrected_for,
    corrected_p, wrong_way, ahead_of, size_table, agreement, agreement_table, seeds_apart, dependent, dependent_in,
    printed_sizes, searches_that_find,
)  # fmt: skip

MAKERS: Mapping[str, Callable[..., str]] = {
    maker.__name__: maker for maker in (*_OWN, *measured_beside.MAKERS, *measured_search.MAKERS, *vit_bench.MAKERS)
} | measured_scores.MAKERS
"""What may stand after ``made by:``."""


def _words(found: pd.DataFrame) -> pd.Series[str]:
    return found["verdict"].replace(VERDICTS)


def _corrected(word: str, run: str, subset: str) -> pd.DataFrame:
    found = correlations(run, subset)
    return found[(_words(found) == word) & (found["p_holm"] < _LEVEL)]


def _at_the_top(proxy: str, percent: str) -> Row:
    return chosen("reproduction/top/top.csv", proxy=proxy, by="truth", percent=float(percent))


@functools.cache
def _verdicts() -> dict[str, dict[str, str]]:
    """The verdict of each proxy over all networks, in words, by the short name of the comparison."""
    found: dict[str, dict[str, str]] = {}
    for run, name in COMPARISONS.items():
        for each in correlations(run, "all").to_dict("records"):
            found.setdefault(each["proxy"], {})[name] = VERDICTS.get(each["verdict"], "")
    return found


def _common() -> list[str]:
    """The proxies, #Params excepted, that every comparison scored."""
    return [proxy for proxy, found in _verdicts().items() if len(found) == len(COMPARISONS) and proxy != "params"]


def _where(word: str, proxy: str) -> list[str]:
    """The short names of the comparisons with this verdict."""
    return [name for name, found in _verdicts()[proxy].items() if found == word]


def _counted(names: Sequence[str], *, named: bool) -> str:
    return f"{len(names)} ({', '.join(names)})" if named and 0 < len(names) <= _MOST_NAMED else str(len(names))
