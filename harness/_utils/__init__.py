"""Private utilities that every room may use."""
