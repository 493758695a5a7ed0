"""How well scores rank networks: rank correlations with intervals, paired comparisons, tables of them."""

from harness.analysis.agreement import rank_agreement
from harness.analysis.comparison import compare
from harness.analysis.correlation import kendall, spearman
from harness.analysis.cost import cost_table
from harness.analysis.table import correlation_table

__all__ = ["compare", "correlation_table", "cost_table", "kendall", "rank_agreement", "spearman"]
