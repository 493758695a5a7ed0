"""What things cost, as ratios measured side by side in one run: ``python -m tools.perf``.

Seconds of one machine mean little on another. Proxies are told as multiples of one plain forward and backward pass,
published code and a second worker as ratios, the analysis divided by n log₂ n.
"""
