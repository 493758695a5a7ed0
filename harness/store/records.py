"""The records of a store: the setting of a run, its units of work, and their outcomes."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Literal

NOTES = "notes"
"""The entry of a manifest with sentences on how scores were read from a table."""

SEARCH = "search"
"""The entry of a manifest with the options of the search that chose the networks."""

GIVEN_TRUTHS = "given_truths"
"""The entry of a manifest with the columns of accuracies that a ranked table brought: whether higher is better."""

TRUTH_ROW = "truth:"
"""What the names of their rows start with, among the scores."""

Status = Literal["ok", "failed", "non_finite", "skipped"]


@dataclass(frozen=True)
class Setting:
    """Everything that determines a score besides the architecture and the proxy. Two settings never share a store.

    Attributes:
        benchmark: the benchmark's name.
        dataset: the data set that networks are built for.
        subset: the set of architectures that the sample is drawn from.
        sample_seed: the seed for the sample.
        seed: the seed for the weights, the mini-batches and the random numbers of proxies.
        batch_size: images per mini-batch.
        images: a description of the images.
        noise: whether the images are noise.
        fingerprint: the fingerprint of the mini-batches.
        initialisation: how weights are drawn.
        dtype: the number format that networks are computed in.
        device: the kind of device that networks are computed on.
        torch: the version of torch; another version rounds differently.
        resolution: height and width of the images if they differ from the benchmark's, else None.
        once_per_class: True if one network of each canonical form was scored for all, else None.
        origin: the table that the scores were read from, if they were computed elsewhere, else None.
    """

    benchmark: str
    dataset: str
    subset: str
    sample_seed: int
    seed: int
    batch_size: int
    images: str
    noise: bool
    fingerprint: str
    initialisation: str
    dtype: str
    device: str
    torch: str
    resolution: int | None = None
    once_per_class: bool | None = None
    origin: str | None = None

    def checksum(self) -> str:
        """A hash of all fields."""
        # An unused field that was added later does not change the checksums of older stores.
        stated = {name: value for name, value in asdict(self).items() if value is not None}
        return hashlib.blake2b(json.dumps(stated, sort_keys=True).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Unit:
    """One architecture and the names of the proxies to compute for it."""

    architecture: str
    proxies: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """The outcome of one proxy on one network.

    Attributes:
        proxy: its name.
        version: its version.
        status: ok, failed (it raised an error), non_finite (NaN or ±∞), or skipped (not defined for this network).
        value: the score; None unless the status is ok.
        error: why there is no score.
        own_seconds: the time saved if this unit had omitted the proxy.
        standalone_seconds: the time that the proxy alone would have taken.
    """

    proxy: str
    version: int
    status: Status
    value: float | None
    error: str | None
    own_seconds: float
    standalone_seconds: float


@dataclass(frozen=True)
class UnitResult:
    """The scores of one network.

    Attributes:
        architecture: the architecture of the network.
        scores: one for each proxy.
        forward_backward_seconds: time of the shared forward and backward pass; NaN if none was needed.
        scoring_seconds: time of all proxies including what they share; the rest of a unit is building the network.
    """

    architecture: str
    scores: tuple[Score, ...]
    forward_backward_seconds: float
    scoring_seconds: float = math.nan
