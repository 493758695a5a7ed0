"""Our numbers beside those that papers print, that others computed, and that official code gives."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

import pandas as pd

from harness.analysis.published import digits
from harness.display.tables.numbers import coefficient, count, estimate, interval, p_value, points
from harness.display.tables.numbers import printed as as_printed
from harness.exhibits.anywhere import verdict as somewhere
from harness.exhibits.combine import verdict
from tools import reference_tables
from tools.reference_tables import Row, estimated, grid, in_words, label, listed, minus, row, table

SYMBOLS = {"kendall": "τ", "spearman": "ρ"}


def within(part: str) -> str:
    """How many of the values that ZiCo prints for a part of its protocol are within our intervals."""
    found = _summary("zico", part)
    return f"{found['within']} of {found['compared']}"


def within_undoubted(part: str) -> str:
    """The same for the values that are not in doubt."""
    found = _summary("zico", part)
    sound = found["compared"] - found["doubted"]
    return f"{found['undoubted_within']} of {sound}" if sound else "all are in doubt"


def within_protocol(protocol: str) -> str:
    """How many of all published values of a protocol are within our intervals."""
    found = table(f"reproduction/{protocol}/summary.csv")
    return f"{found['within'].sum()} of {found['compared'].sum()}"


def outside(part: str) -> str:
    """The values that ZiCo prints for a part of its protocol outside our intervals, beside ours."""
    found = table("reproduction/zico/reproduction.csv")
    first = found.loc[found["part"] == part, "source"].iloc[0]
    return _outside(found[(found["part"] == part) & (found["source"] == first)])


def within_table(run: str) -> str:
    """How many of the published values that a report compares are within our intervals."""
    found = table(f"{run}/published.csv").dropna(subset=["ours"])
    return f"{int((~found['outside']).sum())} of {len(found)}"


def outside_table(run: str) -> str:
    """Those that are not, beside ours."""
    return _outside(table(f"{run}/published.csv"))


def farthest(run: str, number: str) -> str:
    """The published values of a report that are farthest from ours, so many, beside ours."""
    found = table(f"{run}/published.csv")
    return _beside(found, found.reindex(found["difference"].abs().sort_values(ascending=False).index)[: int(number)])


def off_by(run: str) -> str:
    """The smallest and the largest difference of the published values that are outside our intervals."""
    found = table(f"{run}/published.csv")
    sizes = found.loc[found["outside"], "difference"].abs()
    return f"{coefficient(sizes.min())} to {coefficient(sizes.max())}"


def reproduced(part: str, proxy: str, name: str = "kendall", protocol: str = "zico") -> str:
    """Our coefficient in a part of a protocol, with its interval."""
    found = table(f"reproduction/{protocol}/reproduction.csv")
    for column, wanted in (("part", part), ("proxy", proxy), ("coefficient", name)):
        found = found[found[column] == wanted]
    each = found.to_dict("records")[0]
    return minus(estimate(each["ours"], each["low"], each["high"]))


def printed(source: str, proxy: str, run: str, name: str = "kendall") -> str:
    """A coefficient as a file of ``results/published`` has it, for the benchmark and data set of a folder."""
    return _printed(source, proxy, run, name)[0]


def beside_table(run: str, *specifications: str) -> str:
    """Printed coefficients beside ours.

    Args:
        run: the folder.
        specifications: each ``SOURCE/PROXY/SET``, or with ``/spearman`` after it.
    """
    rows = []
    for specification in specifications:
        source, proxy, subset, *rest = specification.split("/")
        name = rest[0] if rest else "kendall"
        value, networks, paper = _printed(source, proxy, run, name)
        found = row(run, proxy, subset)
        ours = f"{found['used']:,} {subset}" if subset != "all" else f"{found['used']:,}"
        rows.append([label(proxy), SYMBOLS[name], value, paper, networks, estimated(found, name), ours])
    return grid(["proxy", "", "printed", "in", "over", "ours", "over"], rows)


def independent_table(*benchmarks: str) -> str:
    """Rank agreement with the scores that others computed for the same networks, for each proxy and source."""
    found = table("fidelity/agreement.csv")
    found = found[found["benchmark"].isin(benchmarks)]
    rows = []
    for each in found.to_dict("records"):
        task = f"{each['benchmark']}, {each['dataset']}"
        where = [task] if len(benchmarks) > 1 else []
        source = str(each["source"]).partition(" (")[0]
        numbers = [minus(coefficient(each[name])) for name in ("spearman", "kendall")]
        rows.append([*where, label(each["proxy"]), source, *numbers, f"{each['networks']:,}"])
    head = ["benchmark"] if len(benchmarks) > 1 else []
    return grid([*head, "proxy", "source", "ρ", "τ", "networks"], rows)


def independent_beside_seeds(run: str) -> str:
    """Spearman's ρ with independent scores, and between two seeds of our own."""
    theirs, seeds = table(f"{run}/fidelity.csv"), table(f"{run}/two-runs.csv").set_index("proxy")["spearman"]
    rows = [
        [label(proxy), minus(coefficient(value)), minus(coefficient(seeds[proxy]))]
        for proxy, value in zip(theirs["proxy"], theirs["spearman"], strict=True)
    ]
    return grid(["proxy", "ours and theirs", "ours, two seeds"], rows)


def agrees(proxy: str, source: str, benchmark: str, name: str = "spearman") -> str:
    """A rank agreement with the scores of a source, which is given by its beginning."""
    found = table("fidelity/agreement.csv")
    found = found[(found["proxy"] == proxy) & (found["benchmark"] == benchmark)]
    (value,) = found.loc[found["source"].str.startswith(source), name]
    return minus(coefficient(value))


def official_table() -> str:
    """Largest relative differences to official code, in both precisions, and Spearman's ρ."""
    keys = ["proxy", "repository", "official", "same"]
    rows = []
    for (proxy, repository, function, same), group in table("fidelity/official.csv").groupby(keys, sort=False):
        by_precision = {each["precision"]: each for each in group.to_dict("records")}
        double, single = by_precision["float64"], by_precision["float32"]
        ranks = dict.fromkeys(minus(coefficient(each["spearman"])) for each in (double, single))
        differences = [_size(each["difference"]) for each in (double, single)]
        quantity = str(function) if same else f"{function}: another quantity"
        name = str(repository).rpartition("/")[2]
        networks = str(double["networks"])
        rows.append([label(str(proxy)), f"{name}, {quantity}", networks, *differences, "; ".join(ranks)])
    head = ["proxy", "official code", "networks", "largest relative difference, float64", "float32", "ρ"]
    return grid(head, rows)


def chosen_accuracies(part: str, proxy: str) -> str:
    """The expected accuracies of EPE-NAS's search, for each number of networks, with a proxy."""
    return listed(points(value) for value in _searches(part, proxy)["ours"])


def printed_accuracies(part: str) -> str:
    """The mean accuracies that EPE-NAS's README prints for its search."""
    return listed(points(value) for value in _searches(part, "epe_nas")["published"])


def searches_outside(*parts: str) -> str:
    """How many of the printed means of searches are outside the range that is expected for them."""
    found = [each for part in parts for each in _searches(part, "epe_nas")["outside"]]
    return f"{in_words(sum(map(_true, found)))} of {in_words(len(found))}"


def search_table(part: str, metric: str = "published") -> str:
    """Searches as EPE-NAS's README prints them beside ours, another proxy's, a random network and the best one."""
    own = _searches(part, "epe_nas")
    others = ("params", "a random one", "the best of the draw")
    rows = []
    for index, (networks, each) in enumerate(zip(own["networks"], own.to_dict("records"), strict=True)):
        expected = f"{points(each['low'])} to {points(each['high'])}"
        means = [_mean(_searches(part, other).iloc[index]) for other in others]
        published = f"{points(each[metric])} ± {points(each['published_deviation'])}"
        rows.append([f"{networks:,}", published, _mean(each), expected, *means])
    head = ["N", "EPE-NAS, published", "EPE-NAS, ours", "expected range of a mean of three", "#Params"]
    return grid([*head, "a random network", "the best of the draw"], rows)


def combination_means(folder: str) -> str:
    """How combinations do beside the baselines on the spaces that they were not chosen on, averaged over spaces."""
    rows = [
        [
            f"{each['size']}", f"{each['combinations']:,}", label(each["baseline"]), f"{each['spaces']}",
            minus(estimate(each["difference"], each["low"], each["high"], sign=True)), p_value(each["p_holm"]),
            f"{each['better']}", f"{each['worse']}",
        ]
        for each in table(f"combinations/{folder}/combination_means.csv").to_dict("records")
    ]  # fmt: skip
    return grid(["proxies", "compared", "beside", "spaces", "mean Δτ", "p", "better", "worse"], rows)


def combination_choices(folder: str, size: str) -> str:
    """The combination of so many proxies that is chosen without each run's space, and what it does there."""
    found = table(f"combinations/{folder}/combinations_{size}.csv")
    rows = [
        [
            each["run"], _members(each["combination"]), coefficient(each["kendall"]), coefficient(each["reference"]),
            minus(
                estimate(each["difference"], each["difference_low"], each["difference_high"], sign=True)
            ),
            _members(each["best_here"]), coefficient(each["kendall_best_here"]),
        ]
        for each in found.to_dict("records")
    ]  # fmt: skip
    head = ["left out", "chosen on the others", "τ", "τ of #Params", "Δτ", "best here", "τ"]
    return grid(head, rows)


def combination_verdict(folder: str) -> str:
    """Whether a combination beats #Params on spaces that it was not chosen on."""
    return minus(verdict(table(f"combinations/{folder}/combination_means.csv")))


def anywhere_verdict(folder: str) -> str:
    """Which proxies beat #Params in at least one run, and whether one does in all."""
    comparisons, proxies = (table(f"anywhere/{folder}/{name}.csv") for name in ("comparisons", "anywhere"))
    labels = {name: label(name) for name in proxies["proxy"]}
    return somewhere(proxies, comparisons["run"].nunique(), "params", labels)


def anywhere_table(folder: str) -> str:
    """In how many runs each proxy is better and worse than #Params, those better somewhere and worse nowhere first."""
    found = table(f"anywhere/{folder}/anywhere.csv")
    found = found[(found["proxy"] != "params") & (found["better"] > 0)]
    order = ["worse", "spaces_better", "better", "mean_difference"]
    found = found.sort_values(order, ascending=[True, False, False, False], kind="stable")
    rows = [
        [
            label(row["proxy"]),
            *(str(row[name]) for name in ("better", "no different", "worse")),
            f"{row['spaces_better']} of {row['spaces']}",
        ]
        for row in found.to_dict("records")
    ]
    return grid(["proxy", "better", "no different", "worse", "spaces where it is better"], rows)


MAKERS: tuple[Callable[..., str], ...] = (
    within, within_undoubted, within_protocol, outside, within_table, outside_table, farthest, off_by, reproduced,
    printed, beside_table, independent_table, independent_beside_seeds, agrees, official_table, chosen_accuracies,
    printed_accuracies, searches_outside, search_table, combination_means, combination_choices,
    combination_verdict, anywhere_verdict, anywhere_table,
)  # fmt: skip
"""What may stand after ``made by:``."""


def _summary(protocol: str, part: str) -> Row:
    """The summary of a part of a protocol, compared with the paper's own numbers, which come first."""
    found = table(f"reproduction/{protocol}/summary.csv")
    return found[found["part"] == part].to_dict("records")[0]


def _outside(found: pd.DataFrame) -> str:
    return _beside(found, found[found["outside"].map(_true)])


def _beside(found: pd.DataFrame, wanted: pd.DataFrame) -> str:
    """Some of the published values beside ours."""
    decimals = digits(found["published"].dropna())
    return listed(
        f"{label(each['proxy'])} ({SYMBOLS[each['coefficient']]} {minus(coefficient(each['ours']))} "
        f"{minus(interval(each['low'], each['high']))}, printed {minus(as_printed(each['published'], decimals))})"
        for each in wanted.to_dict("records")
    )


def _true(value: object) -> bool:
    """Tables with empty cells hold the words ``True`` and ``False``."""
    return str(value) == "True"


@functools.cache
def _published(source: str) -> pd.DataFrame:
    return pd.read_csv(reference_tables.PUBLISHED / f"{source}.csv")


def _printed(source: str, proxy: str, run: str, name: str) -> tuple[str, str, str]:
    """The printed coefficient, the number of networks, and the paper."""
    setting = json.loads((reference_tables.REFERENCE / run / "manifest.json").read_text(encoding="utf-8"))["setting"]
    found = _published(source)
    decimals = digits(found["value"])
    for column, wanted in (("proxy", proxy), ("coefficient", name)):
        found = found[found[column] == wanted]
    found = found[(found["benchmark"] == setting["benchmark"]) & (found["dataset"] == setting["dataset"])]
    if len(found) != 1:
        raise KeyError(f"{len(found)} rows of {source} for {proxy}, {name}")
    (each,) = found.to_dict("records")
    paper = str(each["source"]).partition(",")[0]
    return minus(as_printed(each["value"], decimals)), count(each["architectures"]), paper


def _searches(part: str, proxy: str) -> pd.DataFrame:
    found = table("reproduction/epe-nas/searches.csv")
    return found[(found["part"] == part) & (found["proxy"] == proxy)]


def _members(names: str) -> str:
    return " + ".join(label(name) for name in names.split(" + "))


def _mean(each: Row | pd.Series) -> str:
    return f"{points(each['ours'])} ± {points(each['deviation'])}"


def _size(difference: float) -> str:
    return f"{difference:.0e}".replace("e-0", "e-").replace("e+0", "e+") if difference else "0"
