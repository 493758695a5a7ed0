"""Make or find the run of each part of a protocol, or give the reason why it is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DataError, HarnessError, UnknownNameError
from harness.registry import LIST_PROXIES, aggregates, proxy_facts
from harness.reproduction.protocol import NOISE_IMAGES, Part, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from harness.contracts.benchmark import Benchmark
    from harness.execution.runner import Progress
    from harness.reporting.report import Report
    from harness.store.records import Setting


@dataclass(frozen=True)
class ReproductionOptions:
    """How to make the runs of a protocol.

    Attributes:
        sample: the maximum number of networks per part; None: as many as in the paper.
        images: the images of each data set: a path, or ``noise``.
        runs: the directory of a finished run for each part that has one.
        batch_size: images per mini-batch; None: as in the paper.
        resolution: height and width of the inputs; None: the benchmark's.
        seed: the seed for the sample, the weights and the mini-batches.
        workers: number of worker processes.
        compute: whether to make runs; if false, only existing runs are used.
    """

    sample: int | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, Path] = field(default_factory=dict)
    batch_size: int | None = None
    resolution: int | None = None
    seed: int = 0
    workers: int = 1
    compute: bool = True


@dataclass(frozen=True)
class Outcome:
    """The run of one part, or the reason why there is none.

    Attributes:
        part: the part.
        report: the report of its run; None without a run.
        setting: the setting of its run; None without a run.
        directory: the directory of its run; None without a run.
        found: for an architecture search, what each search found; see
            :func:`harness.reproduction.architecture_search.compared`.
        why_not: why there is no run; empty if there is one.
    """

    part: Part
    report: Report | None = None
    setting: Setting | None = None
    directory: Path | None = None
    why_not: str = ""
    found: pd.DataFrame | None = None


def outcome(
    protocol: Protocol, part: Part, out: Path, options: ReproductionOptions, progress: Progress | None = None
) -> Outcome:
    """Make or find the run of a part, and report it.

    A part that cannot be run because images, ground truth or the benchmark are missing has no run; the outcome states
    the reason.

    Raises:
        HarnessError: for invalid requests: a given run of another benchmark, a sample or a batch that the benchmark
            does not allow, or a run directory that belongs to another setting.
    """
    if part.kind == "unavailable":
        return Outcome(part, why_not=part.reason)
    from harness.store.sqlite import FILE_NAME

    source = protocol.part(part.run_of) if part.run_of else part
    given = options.runs.get(part.name) or options.runs.get(source.name)
    directory = given or out / source.name
    try:
        if given is None and options.compute:
            _make(source, directory, options, progress)
        if given is None and not (directory / FILE_NAME).is_file():
            raise NotRunError(f"there is no run in {directory}, and making runs is turned off")
        return _reported(part, directory)
    except (DataError, UnknownNameError, NotRunError) as error:
        return Outcome(part, why_not=str(error))


class NotRunError(HarnessError):
    """A part cannot be run because something is missing that the user may not have."""


def _make(part: Part, directory: Path, options: ReproductionOptions, progress: Progress | None) -> None:
    from harness import api

    benchmark = api.load(part.benchmark)
    # Check the ground truth before spending hours on scores.
    benchmark.ground_truth(part.truth_dataset or part.dataset, *_truth_of(part))
    images = images_for(part, options, benchmark)
    counts = [count for count in (options.sample, part.architectures) if count is not None]
    api.run(
        benchmark,
        out=directory,
        dataset=part.dataset,
        sample=min(counts) if counts else None,
        subset=part.subset,
        seed=options.seed,
        proxies=scored(part),
        images=images,
        batch_size=options.batch_size or part.batch_size,
        resolution=options.resolution,
        workers=options.workers,
        progress=progress,
    )


def images_for(part: Part, options: ReproductionOptions, benchmark: Benchmark) -> str | None:
    """The images of a part's runs: those given, else noise if the paper has noise; None for the benchmark's own.

    Raises:
        NotRunError: if there are none.
    """
    images = options.images.get(part.dataset, NOISE_IMAGES if part.images == NOISE_IMAGES else None)
    if images is None and benchmark.images(part.dataset) is None:
        raise NotRunError(f"no images of {part.dataset}: give --images {part.dataset}=PATH, or {part.dataset}=noise")
    return images


def scored(part: Part) -> list[str]:
    """The proxies that a run of the part computes: the parts of aggregates, and always #Params.

    Raises:
        UnknownNameError: if a proxy or aggregate does not exist; the message suggests similar names.
    """
    from harness._utils.names import unknown_name

    names = ["params"]
    for name in part.proxies:
        if name not in {*proxy_facts(), *aggregates()}:
            raise UnknownNameError(unknown_name("proxy", name, [*proxy_facts(), *aggregates()], LIST_PROXIES))
        names += aggregates()[name].parts if name in aggregates() else [name]
    return list(dict.fromkeys(names))


def _reported(part: Part, directory: Path) -> Outcome:
    from harness import api
    from harness.store import Store

    with Store.read(directory) as store:
        setting = store.setting
    refuse_another_benchmark(part, setting, directory)
    split, epochs = _truth_of(part)
    report = api.report(directory, split=split, epochs=epochs, truth_dataset=part.truth_dataset or None)
    return Outcome(part, report, setting, directory)


def refuse_another_benchmark(part: Part, setting: Setting, directory: Path) -> None:
    """Raise HarnessError if a run is of another benchmark or data set than the part."""
    if (setting.benchmark, setting.dataset) != (part.benchmark, part.dataset):
        raise HarnessError(
            f"the run in {directory} is of {setting.benchmark} {setting.dataset}, but the part '{part.name}' is about "
            f"{part.benchmark} {part.dataset}; give another run"
        )


def _truth_of(part: Part) -> tuple[str | None, int | str | None]:
    from harness.results import parse_truth

    return parse_truth(part.truth)
