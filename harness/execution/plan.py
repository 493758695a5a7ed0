"""The plan of a run: the networks, the proxies, and everything else that determines a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from harness.contracts.benchmark import Benchmark
from harness.contracts.proxy import Proxy
from harness.errors import HarnessError
from harness.execution.options import RunOptions
from harness.images import Batch, Images
from harness.images.batches import fingerprint
from harness.images.given import images_given
from harness.networks.initialisation import IN_WORDS
from harness.registry import select_proxies
from harness.registry.own_benchmarks import as_benchmark
from harness.store.records import Setting
from harness.tasks import Task

BATCHES = 2
"""The minimum number of mini-batches that a run stores, so that proxies that need two can be added later."""


@dataclass(frozen=True)
class Plan:
    """A setting, the sampled architectures, the proxies, and the mini-batches that all networks see.

    If networks are scored once per class, ``representatives`` has the representative of each architecture; otherwise
    it is empty. ``notice`` is a message to show before the run; it is usually empty.
    """

    setting: Setting
    benchmark: Benchmark
    architectures: Sequence[str]
    proxies: Sequence[Proxy]
    batches: Sequence[Batch]
    representatives: Mapping[str, str] = field(default_factory=dict)
    notice: str = ""

    def __repr__(self) -> str:
        """What the plan computes, and with which images."""
        setting, names = self.setting, ", ".join(proxy.name for proxy in self.proxies)
        return (
            f"<plan of {setting.benchmark}, {setting.dataset}: {len(self.architectures):,} architectures of the set "
            f"'{setting.subset}', seed {setting.seed}, {len(self.proxies)} proxies ({names}), {len(self.batches)} "
            f"mini-batches of {setting.batch_size} from {setting.images}>"
        )


def make_plan(benchmark: Benchmark | str, options: RunOptions) -> Plan:
    """Look up names, read the images, and draw the sample and the mini-batches.

    Raises:
        HarnessError: if a name does not exist, the data set, the set, the sample size, the images or the device do not
            fit, or networks are to be scored once per class and no two architectures of the benchmark are equivalent.
    """
    # Report mistakes that are cheap to find first, before reading images.
    proxies = select_proxies(options.proxies)
    benchmark = as_benchmark(benchmark)
    dataset = options.dataset or benchmark.datasets[0]
    benchmark.check_dataset(dataset)
    task = benchmark.task(dataset)
    _check_device(options.device, elsewhere=options.executor is not None)
    if options.batch_size < 2:
        raise HarnessError(f"a batch size of {options.batch_size} is too small for batch norm; use 2 or more")
    images = _images(benchmark, task, options)
    sample_seed = options.seed if options.sample_seed is None else options.sample_seed
    subset = options.subset
    size = len(benchmark.subset(subset)) if options.sample is None else options.sample
    if not size and options.sample is None:
        raise HarnessError(f"{benchmark.name} has no architectures in the set '{subset}'; choose another set")
    # Also where all are scored, so that those of an unfinished run are a uniform sample.
    members = benchmark.sample(size, sample_seed, subset)
    _check_images(images, task.at_resolution(options.resolution))
    batches = images.batches(options.batch_size, max(BATCHES, *(proxy.batches for proxy in proxies)), options.seed)
    setting = Setting(
        benchmark=benchmark.name,
        dataset=dataset,
        subset=subset,
        sample_seed=sample_seed,
        seed=options.seed,
        batch_size=options.batch_size,
        images=images.description,
        noise=images.noise,
        fingerprint=fingerprint(batches),
        initialisation=IN_WORDS[options.init],
        dtype="float32",
        device=options.device,
        torch=torch.__version__,
        resolution=None if task.at_resolution(options.resolution) == task else options.resolution,
        once_per_class=options.once_per_class or None,
    )
    part, parts = options.shard
    kept = members[part - 1 :: parts]
    standing = benchmark.representatives(kept) if options.once_per_class and kept else {}
    notice = ""
    if not kept:
        only = f"only {len(members)} network{'s' if len(members) > 1 else ''}"
        notice = f"shard {part}/{parts} is empty: the sample has {only}, all in earlier shards"
    return Plan(setting, benchmark, kept, proxies, batches, standing, notice)


def _images(benchmark: Benchmark, task: Task, options: RunOptions) -> Images:
    """The given images; default: the benchmark's."""
    images = benchmark.images(task.dataset) if options.images is None else options.images
    if images is None:
        raise HarnessError(
            f"{benchmark.name} has no images of its own: give --images with the files of {task.dataset}, or --images "
            "noise for Gaussian noise with random labels"
        )
    return images_given(images, task, options.seed, options.labels, options.resolution, benchmark.read_images)


def _check_images(images: Images, task: Task) -> None:
    """Check that images and targets have the shapes that the networks need."""
    expected = task.image_shape, task.objective.target_shape(task.image_shape, task.classes)
    found = images.pixels.shape[1:], images.labels.shape[1:]
    if found != expected:
        raise HarnessError(
            f"images of shape {found[0]} with targets of shape {found[1]} do not fit {task.dataset}, "
            f"which needs {expected[0]} and {expected[1]}"
        )


def _check_device(device: str, elsewhere: bool) -> None:
    if device == "cpu":
        return
    if device.partition(":")[0] != "cuda":
        raise HarnessError(f"unknown device '{device}'; use 'cpu' or 'cuda'")
    if not elsewhere and not torch.cuda.is_available():
        raise HarnessError(
            f"device '{device}' is not available: torch {torch.__version__} finds no GPU; use --device cpu"
        )
