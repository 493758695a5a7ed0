"""What a third party implements: a benchmark, a proxy, a rank aggregate."""
