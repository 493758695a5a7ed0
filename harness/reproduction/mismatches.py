"""What was done differently from the paper: as declared by the protocol, and as detected from a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from harness.display.tables.numbers import counted
from harness.registry import proxy_facts
from harness.reproduction.parts import scored
from harness.reproduction.protocol import DATASET_IMAGES, NOISE_IMAGES, Part, Protocol

if TYPE_CHECKING:
    from harness.store.records import Setting


def differences(protocol: Protocol, part: Part, setting: Setting, truth: str, networks: int) -> tuple[str, ...]:
    """All sentences that apply to a whole part: the protocol's, the part's, and those of :func:`detected`."""
    return (*protocol.mismatches, *part.mismatches, *detected(part, setting, truth, networks))


def detected(part: Part, setting: Setting, truth: str, networks: int) -> list[str]:
    """A sentence for every difference between a run and the part of the protocol.

    Args:
        part: the part of the protocol.
        setting: the setting of the run.
        truth: the ground truth that the run is ranked against, as ``SPLIT/EPOCHS``.
        networks: the number of ranked networks.
    """
    return [*_of_networks(part, setting, networks), *_of_truth(part, truth), *of_scores(part, setting)]


def of_scores(part: Part, setting: Setting) -> list[str]:
    """A sentence for every difference in what the proxies see: images, and weights."""
    return [*_of_images(part, setting), *_of_weights(part, setting)]


def _of_networks(part: Part, setting: Setting, networks: int) -> Iterable[str]:
    if part.architectures is None:
        yield f"{counted(networks, 'network')}, drawn uniformly; the paper does not say how many it ranked"
    elif networks < part.architectures:
        yield f"{counted(networks, 'network')}, drawn uniformly; the paper ranks {part.architectures:,}"
    elif networks > part.architectures:
        yield f"{counted(networks, 'network')}; the paper ranks {part.architectures:,} of them"
    if setting.subset not in ("all", part.subset):
        yield f"networks drawn from the set '{setting.subset}'; the paper's set is '{part.subset}'"


def _of_truth(part: Part, truth: str) -> Iterable[str]:
    wanted = part.paper_truth or part.truth
    if truth != wanted:
        yield f"ranked against {truth} (split/epochs); the paper names {wanted}"
    if part.truth_dataset:
        yield f"ranked against the accuracies on {part.truth_dataset}; the paper names {part.dataset}"


def _of_images(part: Part, setting: Setting) -> Iterable[str]:
    seen = {proxy_facts()[name].data for name in scored(part)}
    if seen <= {"nothing"}:
        return
    if setting.batch_size != part.batch_size:
        yield f"mini-batches of {setting.batch_size:,}; the paper's have {part.batch_size:,}"
    if seen & {"images", "labels"}:
        if setting.noise and part.images == DATASET_IMAGES:
            yield "noise with random labels; the paper's mini-batches hold images"
        if not setting.noise and part.images == NOISE_IMAGES:
            yield "images of the data set; the paper's mini-batches hold noise"
    if setting.resolution is not None:
        yield f"inputs of {setting.resolution} × {setting.resolution} pixels, which is not the benchmark's own size"


def _of_weights(part: Part, setting: Setting) -> Iterable[str]:
    if setting.initialisation != part.initialisation:
        yield f"weights initialised as {setting.initialisation}; the paper's as {part.initialisation}"
    if part.seeds > 1:
        yield f"one seed of weights and mini-batch; the paper averages over {part.seeds}"
