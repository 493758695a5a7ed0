"""A report as a single HTML file that needs no network, fonts or libraries."""
