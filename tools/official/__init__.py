"""Official scores beside ours, on the same networks, weights and mini-batches: ``python -m tools.official``.

The official functions are imported from the user's own checkouts; none of their code is part of this project.
"""
