"""The options of a run: type, default and converter of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields, replace
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
from harness.errors import HarnessError
from harness.networks.initialisation import DEFAULT, IN_WORDS

if TYPE_CHECKING:
    from harness.contracts.proxy import Proxy
    from harness.execution.runner import Progress


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The options of a run, converted; an invalid value is refused with a one-line message that names the option.

    They are the keywords of :func:`harness.run`, which describes them to users.

    Attributes:
        dataset: the data set; default: the benchmark's first.
        sample: the number of architectures, drawn uniformly; default: every architecture of the set.
        subset: the architecture set to draw from.
        seed: the seed for the weights, the mini-batches and the random numbers of proxies.
        sample_seed: the seed for the sample; default: ``seed``.
        seeds: the number of seeds: ``seed`` and those after it, with the same sample.
        seeds_on: the number of networks for every seed after the first, the start of the sample; default: all.
        proxies: the proxies to compute; see :func:`~harness.registry.select_proxies`.
        images: the images to draw mini-batches from; see :func:`~harness.images.given.images_given`. Default: the
            benchmark's own.
        labels: ``random`` replaces the labels of the images by random ones.
        batch_size: images per mini-batch.
        resolution: height and width of the images, in pixels; default: the benchmark's own.
        init: how weights are drawn, one of :data:`harness.networks.initialisation.IN_WORDS`.
        workers: the number of worker processes; 1 computes in this process.
        shard: (k, n) keeps the k-th of n parts of the sample, every n-th architecture from the k-th on. Everything
            else is unchanged, so that the parts can be merged. An empty part is a valid plan, so that a run with more
            machines than networks does not fail.
        once_per_class: score networks with the same canonical form once; see :mod:`harness.execution.equivalence`.
        device: ``cpu`` or ``cuda``, optionally with a number.
        executor: creates the executor to use instead of local workers; its networks are then computed elsewhere.
        time_limit: seconds for one network; None for no limit.
        memory_limit: bytes that each computing process may use; None for no limit.
        retry_failed: compute failed outcomes again.
        progress: called with the number of networks done and of all networks.
    """

    dataset: str | None = field(default=None, metadata={"converter": optional(text)})
    sample: int | None = field(default=None, metadata={"converter": optional(whole())})
    subset: str = field(default="all", metadata={"converter": text})
    seed: int = field(default=0, metadata={"converter": whole()})
    sample_seed: int | None = field(default=None, metadata={"converter": optional(whole())})
    seeds: int = field(default=1, metadata={"converter": whole()})
    seeds_on: int | None = field(default=None, metadata={"converter": optional(whole())})
    proxies: str | Proxy | Iterable[str | Proxy] | None = "standard"
    images: object = None
    labels: Literal["file", "random"] = field(default="file", metadata={"converter": one_of("file", "random")})
    batch_size: int = field(default=64, metadata={"converter": whole()})
    resolution: int | None = field(default=None, metadata={"converter": optional(whole())})
    init: str = field(default=DEFAULT, metadata={"converter": one_of(*IN_WORDS)})
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
        if self.seeds < 1:
            raise HarnessError(f"invalid number of seeds {self.seeds}; use 1 or more")
        if self.seeds_on is not None and self.seeds == 1:
            raise HarnessError("seeds_on is for the seeds after the first; ask for more with seeds, such as 3")
        if self.seeds_on is not None and not 1 <= self.seeds_on <= (self.sample or self.seeds_on):
            most = "or more" if self.sample is None else f"to {self.sample}, the size of the sample"
            raise HarnessError(f"invalid seeds_on {self.seeds_on}; use 1 {most}")

    def each_seed(self) -> Iterator[Self]:
        """The options of the run of each seed, the first one's first."""
        sample_seed = self.seed if self.sample_seed is None else self.sample_seed
        one = replace(self, seeds=1, seeds_on=None)
        yield one
        for seed in range(self.seed + 1, self.seed + self.seeds):
            yield replace(one, seed=seed, sample_seed=sample_seed, sample=self.seeds_on or self.sample)

    @classmethod
    def among(cls, values: dict[str, Any]) -> Self:
        """The options among the arguments of a function, before conversion."""
        return cls(**{each.name: values[each.name] for each in fields(cls) if each.name in values})
