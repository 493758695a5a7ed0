"""NAS-Bench-201 cells: as networks of any width, as graphs, and as features."""
