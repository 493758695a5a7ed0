"""Score one network, or a few: ``harness.score``."""

from harness.scoring.scores import SCORE_COLUMNS, Network, score

__all__ = ["SCORE_COLUMNS", "Network", "score"]
