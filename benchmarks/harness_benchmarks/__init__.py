"""Adapters of NAS benchmarks: their architectures, their networks and their ground truth."""
