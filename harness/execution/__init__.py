"""From a plan to scores: units of work, the executors that compute them, and their limits."""
