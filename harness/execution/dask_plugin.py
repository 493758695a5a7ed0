"""The plugin that sets up a Dask worker; a separate module, since its definition needs Dask."""

from __future__ import annotations

from distributed import WorkerPlugin

from harness.execution.limits.memory import keep_freed_memory
from harness.images.batches import provide_batches


class BatchesPlugin(WorkerPlugin):  # type: ignore[misc]
    """Provides the mini-batches of a run to a worker, from their fingerprint and the content of their file."""

    def __init__(self, fingerprint: str, content: bytes) -> None:
        self.name = f"batches-{fingerprint}"
        self.fingerprint = fingerprint
        self.content = content

    def setup(self, worker: object) -> None:
        """Called by Dask on each worker."""
        keep_freed_memory()
        provide_batches(self.fingerprint, self.content)
