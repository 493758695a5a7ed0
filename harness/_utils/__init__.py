"""Private utilities that every package may use."""
