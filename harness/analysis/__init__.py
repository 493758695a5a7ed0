"""How well scores rank networks: rank correlations with intervals, paired comparisons, tables of them.

The names below are loaded at first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from harness.analysis.agreement import rank_agreement
    from harness.analysis.beyond_size import beyond_table
    from harness.analysis.bias import bias_table
    from harness.analysis.budgets import budgets_table
    from harness.analysis.correlations import correlation_table
    from harness.analysis.joined import Joined
    from harness.analysis.pareto import pareto_table
    from harness.analysis.redundancy import agreement_matrix, redundancy_table
    from harness.analysis.scores import ProxyScores
    from harness.analysis.search import SIZES, curve_sizes, search_table, simulated_search
    from harness.analysis.seeds import seed_table
    from harness.analysis.selection import ranking_table, selection_table
    from harness.analysis.statistics.comparison import compare
    from harness.analysis.statistics.correlation import kendall, spearman
    from harness.analysis.statistics.jackknife import jackknife
    from harness.analysis.statistics.ranks import rank
    from harness.analysis.timings import cost_table
    from harness.analysis.top import top_table

__all__ = [
    "SIZES",
    "Joined",
    "ProxyScores",
    "agreement_matrix",
    "beyond_table",
    "bias_table",
    "budgets_table",
    "compare",
    "correlation_table",
    "cost_table",
    "curve_sizes",
    "jackknife",
    "kendall",
    "pareto_table",
    "rank",
    "rank_agreement",
    "ranking_table",
    "redundancy_table",
    "search_table",
    "seed_table",
    "selection_table",
    "simulated_search",
    "spearman",
    "top_table",
]

__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "agreement": ["rank_agreement"],
        "beyond_size": ["beyond_table"],
        "bias": ["bias_table"],
        "budgets": ["budgets_table"],
        "correlations": ["correlation_table"],
        "joined": ["Joined"],
        "pareto": ["pareto_table"],
        "redundancy": ["agreement_matrix", "redundancy_table"],
        "scores": ["ProxyScores"],
        "search": ["SIZES", "curve_sizes", "search_table", "simulated_search"],
        "seeds": ["seed_table"],
        "selection": ["ranking_table", "selection_table"],
        "statistics.comparison": ["compare"],
        "statistics.correlation": ["kendall", "spearman"],
        "statistics.jackknife": ["jackknife"],
        "statistics.ranks": ["rank"],
        "timings": ["cost_table"],
        "top": ["top_table"],
    },
)
