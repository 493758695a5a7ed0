"""A report as one HTML file that needs nothing else: no network, no fonts, no library."""

from harness.reporting.page.build import html_page

__all__ = ["html_page"]
