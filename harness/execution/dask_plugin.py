"""What a Dask worker is given when it starts; apart, because it needs Dask to be defined."""

from __future__ import annotations

from distributed import WorkerPlugin

from harness.execution.limits.memory import keep_freed_memory
from harness.images.batches import provide_batches


class BatchesPlugin(WorkerPlugin):  # type: ignore[misc]
    """Gives a worker the mini-batches of a run.

    Args:
        fingerprint: of the mini-batches.
        content: of the file that holds them.
    """

    def __init__(self, fingerprint: str, content: bytes) -> None:
        self.name = f"batches-{fingerprint}"
        self.fingerprint = fingerprint
        self.content = content

    def setup(self, worker: object) -> None:
        """Called by Dask on each worker."""
        keep_freed_memory()
        provide_batches(self.fingerprint, self.content)
