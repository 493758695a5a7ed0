"""Unchanged and slowed runs in turn: ``python tests/mutations/noise.py [PAIRS NETWORKS]``.

Each pair is a check of the committed baseline on an unchanged tree, then one with every proxy 30 % slower: it waits
for .3 of the time that it took itself. As ``harness check`` does, a check that finds something slower is made a second
time. Written to ``results/baselines/noise.csv``, one row for each check and proxy.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack

import pandas as pd
from planting import BASELINES, checked, only, planted, slowed

from harness.gate import read_baseline
from harness.gate.check import confirm_slower

SHARE = 0.3


def check_twice_if_slower(baseline):
    outcome = checked(baseline)
    if any(row.verdict == "slower" for row in outcome.rows):
        outcome = confirm_slower(outcome, checked(baseline))
    return outcome


def main() -> None:
    pairs, networks = (int(text) for text in [*sys.argv[1:], "20", "80"][:2])
    baseline, records = read_baseline(BASELINES / "digits"), []
    baseline = only(baseline, list(baseline.proxies), networks)
    for pair in range(pairs):
        for tree in ("unchanged", "slowed"):
            with ExitStack() as stack:
                for name in baseline.proxies if tree == "slowed" else ():
                    stack.enter_context(planted(name, slowed(name, SHARE)))
                outcome = check_twice_if_slower(baseline)
            for row in outcome.rows:
                records.append(
                    {
                        "run": pair,
                        "tree": tree,
                        "proxy": row.proxy,
                        "verdict": row.verdict,
                        "own_cost_then": round(row.cost.then, 4),
                        "own_cost_now": round(row.cost.now, 4),
                        "ratio": round(row.cost.ratio, 4),
                        "low": round(row.cost.low, 4),
                        "high": round(row.cost.high, 4),
                    }
                )
            verdicts = {row.proxy: row.verdict for row in outcome.rows if row.verdict != "same"}
            sys.stdout.write(f"{pair} {tree}: {verdicts or 'all the same'}\n")
            sys.stdout.flush()
            pd.DataFrame(records).to_csv(BASELINES / "noise.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
