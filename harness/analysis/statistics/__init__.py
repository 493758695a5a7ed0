"""Rank statistics of arrays: correlations, their jackknife intervals, paired comparisons, corrections."""
