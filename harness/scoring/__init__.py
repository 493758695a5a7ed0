"""Score one network, or a few: ``harness.score``."""

from harness.scoring.scores import SCORE_COLUMNS, Network, score
from harness.scoring.torchvision_operators import import_torchvision

__all__ = ["SCORE_COLUMNS", "Network", "import_torchvision", "score"]
