"""Performance measurements as ratios within one run: ``python -m tools.perf``.

Absolute times do not transfer between machines. So proxies are measured in plain forward-backward passes, published
code and a second worker as ratios, and the analysis divided by n log₂ n.
"""
