"""What #Params ranks in ViT-Bench-101: ``python -m tools.vit_bench`` makes the tables of ``results/reference``.

It needs both local tables (``harness data get vit-bench-101-autoformer`` and ``…-pit``). Their accuracies are not in
the tables that it writes. The other functions write what documents show of these.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pandas as pd

import harness
from harness._utils.console import say
from harness.analysis.statistics.correlation import kendall
from harness.display.tables.numbers import coefficient
from tools import reference_tables
from tools.reference_tables import Row, chosen, estimated, grid, minus, table

FOLDER = "vit-bench-101"
PARAMS, AGREEMENT = f"{FOLDER}/params.csv", f"{FOLDER}/agreement.csv"

FAMILIES = {"autoformer": ("scratch", "all"), "pit": ("all",)}
"""The sets of each family."""

WAYS = {"test-base": "from scratch", "test-kd": "distilled", "val-supernet": "weights of a supernet"}


def main() -> None:
    """Write the tables."""
    found = {PARAMS: params_rows(), AGREEMENT: agreement_rows()}
    (reference_tables.REFERENCE / FOLDER).mkdir(exist_ok=True)
    for name, rows in found.items():
        frame = pd.DataFrame(rows)
        frame.to_csv(reference_tables.REFERENCE / name, index=False, float_format="%.6g", lineterminator="\n")
        say(f"{name}: {len(frame)} rows")


def params_rows() -> Iterator[dict[str, object]]:
    """For each family, data set, way of training and set: the spread of accuracies, and Kendall's τ of #Params."""
    for family, sets in FAMILIES.items():
        benchmark = harness.load(f"vit-bench-101-{family}")
        for dataset in benchmark.datasets:
            for split, epochs in benchmark.truths_of(dataset):
                every = benchmark.ground_truth(dataset, split, epochs).accuracy
                for subset in sets:
                    accuracy = every.reindex(benchmark.subset(subset))
                    if accuracy.isna().any():
                        continue
                    counted = pd.Series(
                        [benchmark.parameters(each, dataset) for each in accuracy.index],  # type: ignore[attr-defined]
                        index=accuracy.index,
                    )
                    width = accuracy.index.str.partition("-").get_level_values(0)
                    narrow, wide = min(width), max(width)
                    estimate = kendall(counted, accuracy)
                    yield {
                        "family": family,
                        "dataset": dataset,
                        "truth": split,
                        "set": subset,
                        "networks": len(accuracy),
                        "lowest": accuracy.min(),
                        "highest": accuracy.max(),
                        "deviation": accuracy.std(),
                        "narrowest_mean": accuracy[width == narrow].mean(),
                        "widest_mean": accuracy[width == wide].mean(),
                        "kendall": estimate.value,
                        "kendall_low": estimate.low,
                        "kendall_high": estimate.high,
                        "kendall_narrowest": kendall(counted[width == narrow], accuracy[width == narrow]).value,
                        "kendall_widest": kendall(counted[width == wide], accuracy[width == wide]).value,
                    }


def agreement_rows() -> Iterator[dict[str, object]]:
    """Kendall's τ between the accuracies of the same networks, trained the same way on two data sets."""
    for family, (subset, *_) in FAMILIES.items():
        benchmark = harness.load(f"vit-bench-101-{family}")
        members = benchmark.subset(subset)
        for split in ("test-base", "test-kd"):
            for first, second in itertools.combinations(benchmark.datasets[:3], 2):
                one, other = (benchmark.ground_truth(dataset, split).accuracy[members] for dataset in (first, second))
                estimate = kendall(one, other)
                yield {
                    "family": family,
                    "truth": split,
                    "first": first,
                    "second": second,
                    "networks": len(members),
                    "kendall": estimate.value,
                    "kendall_low": estimate.low,
                    "kendall_high": estimate.high,
                }


def vit_bench_params(family: str) -> str:
    """The table of one family: each data set and way of training, over the networks that were trained both ways."""
    found = table(PARAMS)
    rows = found[(found["family"] == family) & (found["set"] == FAMILIES[family][0])].to_dict("records")
    return grid(
        ["data set", "training", "networks", "accuracies (%)", "deviation", "τ of #Params [95 %]"],
        [
            [
                row["dataset"],
                WAYS[row["truth"]],
                str(row["networks"]),
                f"{row['lowest']:.2f} to {row['highest']:.2f}",
                f"{row['deviation']:.2f}",
                estimated(row, "kendall"),
            ]
            for row in rows
        ],
    )


def vit_bench_agreement() -> str:
    """Kendall's τ between data sets, of both families and ways of training."""
    found = table(AGREEMENT)
    pairs = list(dict.fromkeys(zip(found["first"], found["second"], strict=True)))
    ways = list(dict.fromkeys(zip(found["family"], found["truth"], strict=True)))
    rows = []
    for family, truth in ways:
        cells = [
            estimated(chosen(AGREEMENT, family=family, truth=truth, first=first, second=second), "kendall")
            for first, second in pairs
        ]
        rows.append([f"{_FAMILY[family]}, {WAYS[truth]}", *cells])
    return grid(["", *(f"{first}, {second}" for first, second in pairs)], rows)


def vit_bench(family: str, dataset: str, truth: str, column: str, subset: str = "") -> str:
    """One number: ``tau`` with its interval, or any column of the table, as documents have them."""
    row = _row(family, dataset, truth, subset or FAMILIES[family][0])
    if column == "tau":
        return estimated(row, "kendall")
    if column == "span":
        return f"{row['highest'] - row['lowest']:.1f}"
    value = row[column]
    return minus(coefficient(value) if column.startswith("kendall") else f"{value:.2f}")


_FAMILY = {"autoformer": "AutoFormers", "pit": "PiTs"}

MAKERS: tuple[Callable[..., str], ...] = (vit_bench, vit_bench_params, vit_bench_agreement)
"""What documents may ask for."""


def _row(family: str, dataset: str, truth: str, subset: str) -> Row:
    return chosen(PARAMS, family=family, dataset=dataset, truth=truth, set=subset)


if __name__ == "__main__":
    main()
