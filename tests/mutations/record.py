"""Plants every bug, one at a time, and records what the gate says: ``python tests/mutations/record.py [NETWORKS]``.

Each check computes the proxy with the bug and two without, on the networks of the committed baseline. Written to
``results/baselines/mutations.csv``.
"""

from __future__ import annotations

import sys

import pandas as pd
from mutants import MUTANTS
from planting import BASELINES, checked, only, planted

from harness.gate import read_baseline

CONTROLS = ("params", "snip", "l2_norm")


def main() -> None:
    networks = int(sys.argv[1]) if len(sys.argv) > 1 else None
    baseline, records = read_baseline(BASELINES / "digits"), []
    for (proxy, bug), formula in MUTANTS.items():
        controls = [name for name in CONTROLS if name != proxy][:2]
        with planted(proxy, formula):
            outcome = checked(only(baseline, [proxy, *controls], networks))
        rows = {row.proxy: row for row in outcome.rows}
        row, alarms = rows[proxy], sorted(row.proxy for row in outcome.alarms)
        records.append(
            {
                "proxy": proxy,
                "bug": bug,
                "networks": len(baseline.architectures[:networks]),
                "verdict": row.verdict,
                "named": " ".join(name for name in rows if rows[name].verdict != "same"),
                "only_the_right_one": [name for name in rows if rows[name].verdict != "same"] == [proxy],
                "alarm": alarms == [proxy],
                "kendall_then": round(row.then, 4),
                "kendall_now": round(row.now, 4),
                "scores_changed": row.scores.changed,
                "median_change": f"{row.scores.median:.2g}",
                "largest_change": f"{row.scores.largest:.2g}",
                "rank_agreement": round(row.scores.agreement, 4),
            }
        )
        sys.stdout.write(f"{proxy}: {bug}: {row.verdict}, named {records[-1]['named']}\n")
        sys.stdout.flush()
        table = pd.DataFrame(records)
        table.to_csv(BASELINES / "mutations.csv", index=False, lineterminator="\n")
    sys.stdout.write(f"{table['only_the_right_one'].sum()} of {len(table)} named the right proxy alone\n")


if __name__ == "__main__":
    main()
