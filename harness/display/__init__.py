"""Tables and figures, for every analysis."""
