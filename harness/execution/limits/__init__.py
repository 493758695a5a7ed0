"""Limits on the time and memory of a unit."""
