"""What a run may be told besides its benchmark and where its scores go, each option declared once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, Self

from harness._utils.arguments import (
    device,
    function,
    memory,
    one_of,
    optional,
    seconds,
    shard,
    text,
    whole,
    yes_or_no,
)

if TYPE_CHECKING:
    from harness.contracts.proxy import Proxy
    from harness.execution.runner import Progress


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The options of a run, converted; a wrong value is refused in one line that names the option.

    They are the keywords of :func:`harness.run`, which describes them to users.

    Attributes:
        dataset: of the benchmark; its first unless given.
        sample: how many architectures, drawn uniformly; every architecture of the set unless given.
        subset: the set that is drawn from.
        seed: of the weights, the batches and what proxies draw.
        sample_seed: of the sample; ``seed`` unless given.
        proxies: what to compute, as :func:`~harness.registry.select_proxies` takes it.
        images: where mini-batches are drawn from, as :func:`~harness.images.given.images_given` takes it; the
            benchmark's own unless given.
        labels: ``random`` puts random labels in place of those of image files and arrays.
        batch_size: images in a mini-batch.
        resolution: height and width of the images, in pixels; the benchmark's own unless given.
        workers: worker processes; 1 computes in this process.
        shard: (k, n) keeps the k-th of n parts of the sample, every n-th architecture from the k-th on. Everything
            else is as without it, so that the parts can be merged. A part that holds none is a run like any other,
            so that one of more machines than networks has nothing to do and does not fail.
        once_per_class: of networks with one canonical form, score one for all; see
            :mod:`harness.execution.equivalence`.
        device: ``cpu`` or ``cuda``, perhaps with a number.
        executor: makes the executor to use in place of the workers; its networks are then computed elsewhere.
        time_limit: seconds for one network; None for no limit.
        memory_limit: bytes that each process that computes may use; None for no limit.
        retry_failed: compute failed outcomes again.
        progress: called with the numbers of networks done and of all networks.
    """

    dataset: str | None = field(default=None, metadata={"converter": optional(text)})
    sample: int | None = field(default=None, metadata={"converter": optional(whole())})
    subset: str = field(default="all", metadata={"converter": text})
    seed: int = field(default=0, metadata={"converter": whole()})
    sample_seed: int | None = field(default=None, metadata={"converter": optional(whole())})
    proxies: str | Proxy | Iterable[str | Proxy] | None = "standard"
    images: object = None
    labels: Literal["file", "random"] = field(default="file", metadata={"converter": one_of("file", "random")})
    batch_size: int = field(default=64, metadata={"converter": whole()})
    resolution: int | None = field(default=None, metadata={"converter": optional(whole())})
    workers: int = field(default=1, metadata={"converter": whole()})
    shard: tuple[int, int] = field(default=(1, 1), metadata={"converter": shard})
    once_per_class: bool = field(default=False, metadata={"converter": yes_or_no})
    device: str = field(default="cpu", metadata={"converter": device})
    executor: Callable[[], Executor] | None = field(default=None, metadata={"converter": optional(function)})
    time_limit: float | None = field(default=None, metadata={"converter": optional(seconds)})
    memory_limit: int | None = field(default=None, metadata={"converter": optional(memory)})
    retry_failed: bool = field(default=False, metadata={"converter": yes_or_no})
    progress: Progress | None = field(default=None, metadata={"converter": optional(function)})

    def __post_init__(self) -> None:
        for each in fields(self):
            if "converter" in each.metadata:
                converted = each.metadata["converter"](getattr(self, each.name), each.name)
                object.__setattr__(self, each.name, converted)

    @classmethod
    def among(cls, values: dict[str, Any]) -> Self:
        """The options that are among a function's arguments, in the forms that its callers may give them in."""
        return cls(**{each.name: values[each.name] for each in fields(cls) if each.name in values})
