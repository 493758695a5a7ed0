"""What the gate says of costs on an unchanged tree and on a slowed one: ``python tests/mutations/noise.py [PAIRS]``.

Each pair is a check of the committed baseline, as ``harness check`` makes it, with the proxies as they are, and one
with every proxy 30 % slower. Each proxy is timed by itself, so that one at a time gives the same. Scores do not depend
on time: one run of the baseline's plan serves all checks. Written to ``results/baselines/noise.csv``, one row for each
check and proxy; started again, it goes on after the last pair, or anew if the baseline is another.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

import pandas as pd
from planting import BASELINES

from harness.gate import compare_with_costs, read_baseline
from harness.gate.baseline_files import DOCUMENT
from harness.gate.measure_costs import in_processes, job_of
from harness.gate.rerun import rerun
from harness.registry import proxies, reference

RECORD = BASELINES / "noise.csv"
SLOWED = Path(__file__).with_name("slow.py")


def known_pairs(checksum: str) -> list[dict[str, object]]:
    """The rows of all whole pairs that were recorded of this baseline."""
    if not RECORD.exists():
        return []
    known = pd.read_csv(RECORD, dtype={"baseline": str})
    whole = known.groupby("check")["tree"].transform("nunique") == 2
    return known[whole & (known["baseline"] == checksum)].to_dict("records")


def main() -> None:
    pairs = int([*sys.argv[1:], "20"][0])
    baseline = read_baseline(BASELINES / "digits")
    checksum = json.loads((BASELINES / "digits" / DOCUMENT).read_text())["checksum"][:8]
    records = known_pairs(checksum)
    with tempfile.TemporaryDirectory() as directory:
        run = rerun(baseline, Path(directory) / "run")
        places = {
            "unchanged": [reference(proxies()[name]) for name in baseline.proxies],
            "slowed": [f"{SLOWED}:{name}" for name in baseline.proxies],
        }
        for pair in range(len({row["check"] for row in records}), pairs):
            for tree, of_tree in places.items():
                measure = partial(in_processes, job_of(run, of_tree), baseline.measured_networks)
                outcome = compare_with_costs(baseline, run, measure)
                for row in outcome.rows:
                    records.append(
                        {
                            "baseline": checksum,
                            "check": pair,
                            "tree": tree,
                            "load": round(os.getloadavg()[0], 1),
                            "proxy": row.proxy,
                            "verdict": row.verdict,
                            "own_cost_then": float(f"{row.cost.then:.3g}"),
                            "own_cost_now": float(f"{row.cost.now:.3g}"),
                            "ratio": round(row.cost.ratio, 3),
                            "low": round(row.cost.low, 3),
                            "high": round(row.cost.high, 3),
                        }
                    )
                slower = [row.proxy for row in outcome.rows if row.verdict == "slower"]
                sys.stdout.write(f"{pair} {tree}: {len(slower)} slower: {' '.join(slower)}\n")
                sys.stdout.flush()
                pd.DataFrame(records).to_csv(RECORD, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
