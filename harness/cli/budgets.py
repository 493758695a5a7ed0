"""``harness analyse budgets``."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli.lists import numbers
from harness.cli.shared import Out, RunDirectory, Subset, Truth, Width, opened, present

CostNames = Annotated[
    list[str] | None,
    typer.Option(
        "--cost",
        help="params, flops, or a device cost such as edgegpu_latency; may be repeated. Default: the sizes that the "
        "run scored.",
    ),
]


def budgets(
    run: RunDirectory,
    truth: Truth = None,
    cost: CostNames = None,
    quantiles: Annotated[
        str, typer.Option(help="Budgets, each given as the percentage of networks that fit in it.")
    ] = "10,25,50,75,100",
    subset: Subset = "all",
    out: Out = None,
    width: Width = "1",
) -> None:
    """Accuracy of each proxy's best network under budgets of #Params, #FLOPs, latency or energy."""
    from harness.exhibits.budgets import budgets as exhibit

    shares = [percentage / 100 for percentage in numbers(quantiles, "--quantiles", float)]
    present(exhibit(opened(run, truth), costs=cost or [], quantiles=shares, subset=subset), out, width)
