"""How numbers look: tables and figures, below every analysis that shows some."""
