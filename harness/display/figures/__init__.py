"""Figures with their data, in the style of a paper."""

from harness.display.figures.style import ignore_missing_backend

# Before any module of the harness imports matplotlib.
ignore_missing_backend()
