"""NAS-Bench-201 cells: as networks of any width, as graphs, as features, and as the architectures of a benchmark."""
