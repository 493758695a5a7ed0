"""Figures and their data, in the style of a paper."""

from harness.display.figures.style import ignore_missing_backend

# This must run before any module of the harness imports matplotlib.
ignore_missing_backend()
