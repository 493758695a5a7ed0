"""How well scores rank networks: rank correlations with intervals, paired comparisons, tables of them."""

from harness.analysis.agreement import rank_agreement
from harness.analysis.correlations import correlation_table
from harness.analysis.statistics.comparison import compare
from harness.analysis.statistics.correlation import kendall, spearman
from harness.analysis.timings import cost_table

__all__ = ["compare", "correlation_table", "cost_table", "kendall", "rank_agreement", "spearman"]
