"""What is to be done: the networks, the proxies, and everything else that fixes a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from harness.contracts.benchmark import Benchmark
from harness.contracts.proxy import Proxy
from harness.errors import HarnessError
from harness.images import Batch, Images
from harness.images.batches import fingerprint
from harness.registry import reference
from harness.store.records import Setting
from harness.tasks import Task

BATCHES = 2
"""A run keeps at least so many mini-batches, so that proxies that need two can be added to it later."""


@dataclass(frozen=True)
class Plan:
    """A setting, the sampled architectures, the proxies, and the mini-batches that all networks see.

    Where networks are scored once per class, ``representatives`` tells which one stands for each architecture; else it
    is empty. ``notice`` is what the user should be told before it is computed, mostly nothing.
    """

    setting: Setting
    benchmark: Benchmark
    architectures: Sequence[str]
    proxies: Sequence[Proxy]
    batches: Sequence[Batch]
    representatives: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""

    def __repr__(self) -> str:
        """What is to be computed, and with which images."""
        setting, names = self.setting, ", ".join(proxy.name for proxy in self.proxies)
        return (
            f"<plan of {setting.benchmark}, {setting.dataset}: {len(self.architectures):,} architectures of the set "
            f"'{setting.subset}', seed {setting.seed}, {len(self.proxies)} proxies ({names}), {len(self.batches)} "
            f"mini-batches of {setting.batch_size} from {setting.images}>"
        )

    @property
    def benchmark_reference(self) -> str:
        """Where workers import the benchmark from."""
        return reference(type(self.benchmark))


def make_plan(
    benchmark: Benchmark,
    proxies: Sequence[Proxy],
    images: Images,
    *,
    dataset: str | None = None,
    sample: int | None = None,
    subset: str = "all",
    seed: int = 0,
    sample_seed: int | None = None,
    batch_size: int = 64,
    resolution: int | None = None,
    shard: tuple[int, int] = (1, 1),
    once_per_class: bool = False,
    device: str = "cpu",
    elsewhere: bool = False,
) -> Plan:
    """Draw the sample and the mini-batches.

    Args:
        benchmark: where architectures come from.
        proxies: what to compute.
        images: where mini-batches are drawn from, the same for every network.
        dataset: the benchmark's first data set unless given.
        sample: how many architectures, drawn uniformly; every architecture of the set unless given.
        subset: the set that is drawn from.
        seed: of the weights, the batches and what proxies draw.
        sample_seed: of the sample; ``seed`` unless given.
        batch_size: images in a mini-batch.
        resolution: height and width that the images have, where it is not the benchmark's own.
        shard: (k, n) keeps the k-th of n parts of the sample, every n-th architecture from the k-th on. Everything
            else is as without it, so that the parts can be merged. A part that holds none is a plan like any other,
            so that one of more machines than networks has nothing to do and does not fail; its notice says so.
        once_per_class: of networks with one canonical form, score one for all; see
            :mod:`harness.execution.equivalence`.
        device: ``cpu`` or ``cuda``.
        elsewhere: networks are computed on other machines, so this one needs no such device.

    Raises:
        HarnessError: if the data set, the set, the sample size, the images or the device do not fit, or no two
            architectures of the benchmark are one network where one is to be scored for all.
    """
    dataset = dataset or benchmark.datasets[0]
    benchmark.check_dataset(dataset)
    _check_device(device, elsewhere)
    if batch_size < 2:
        raise HarnessError(f"a mini-batch of {batch_size} is too small for batch norm; ask for 2 or more")
    sample_seed = seed if sample_seed is None else sample_seed
    members = benchmark.subset(subset) if sample is None else benchmark.sample(sample, sample_seed, subset)
    if not members:
        raise HarnessError(f"{benchmark.name} has no architecture in the set '{subset}'; choose another")
    task = benchmark.task(dataset)
    _check_images(images, task.at_resolution(resolution))
    batches = images.batches(batch_size, max(BATCHES, *(proxy.batches for proxy in proxies)), seed)
    setting = Setting(
        benchmark=benchmark.name,
        dataset=dataset,
        subset=subset,
        sample_seed=sample_seed,
        seed=seed,
        batch_size=batch_size,
        images=images.description,
        noise=images.noise,
        fingerprint=fingerprint(batches),
        initialisation="PyTorch default",
        dtype="float32",
        device=device,
        torch=torch.__version__,
        resolution=None if task.at_resolution(resolution) == task else resolution,
        once_per_class=once_per_class or None,
    )
    part, parts = shard
    kept = members[part - 1 :: parts]
    standing = benchmark.representatives(kept) if once_per_class and kept else {}
    notice = ""
    if not kept:
        only = f"only {len(members)} network{'s' if len(members) > 1 else ''}"
        notice = f"shard {part}/{parts} is empty: the sample has {only}, which the shards before it hold"
    return Plan(setting, benchmark, kept, proxies, batches, standing, notice)


def _check_images(images: Images, task: Task) -> None:
    """The images and targets must be what the networks take."""
    expected = task.image_shape, task.objective.target_shape(task.image_shape, task.classes)
    found = images.pixels.shape[1:], images.labels.shape[1:]
    if found != expected:
        raise HarnessError(
            f"images of shape {found[0]} with targets of shape {found[1]} do not fit {task.dataset}, "
            f"which has {expected[0]} and {expected[1]}"
        )


def _check_device(device: str, elsewhere: bool) -> None:
    if device == "cpu":
        return
    if device.partition(":")[0] != "cuda":
        raise HarnessError(f"unknown device '{device}'; use 'cpu' or 'cuda'")
    if not elsewhere and not torch.cuda.is_available():
        raise HarnessError(
            f"device '{device}' was asked for, but torch {torch.__version__} sees no GPU; use --device cpu"
        )
