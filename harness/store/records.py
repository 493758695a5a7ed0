"""What a store holds: the setting of a run, its units of work, and their outcomes."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Literal

Status = Literal["ok", "failed", "non_finite", "skipped"]


@dataclass(frozen=True)
class Setting:
    """Everything that fixes a score besides the architecture and the proxy. Two settings never share a store.

    Attributes:
        benchmark: the benchmark's name.
        dataset: the data set that networks are built for.
        subset: the set of architectures that the sample is drawn from.
        sample_seed: of the sample.
        seed: of the weights, the batches and what proxies draw.
        batch_size: images in a mini-batch.
        images: what the images are, in words.
        noise: whether the images are noise.
        fingerprint: of the mini-batches.
        initialisation: how weights are drawn.
        dtype: the number format that networks are computed in.
        device: the kind of device that networks are computed on.
        torch: the version of torch; another version rounds differently.
        resolution: height and width of the images where they are not the benchmark's own, else None.
        once_per_class: True where one network of each canonical form was scored for all, else None.
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

    def checksum(self) -> str:
        """A hash of all fields."""
        # A field that came later and is not used leaves the checksums of older stores as they are.
        stated = {name: value for name, value in asdict(self).items() if value is not None}
        return hashlib.blake2b(json.dumps(stated, sort_keys=True).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Unit:
    """One architecture and the names of the proxies still wanted for it."""

    architecture: str
    proxies: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """The outcome of one proxy on one network.

    Attributes:
        proxy: its name.
        version: its version.
        status: ok, failed (it raised), non_finite (it gave NaN or ±∞), or skipped (not defined for this network).
        value: the score; None unless the status is ok.
        error: why there is no score.
        own_seconds: what leaving the proxy out of this unit would have saved.
        standalone_seconds: what the proxy alone would have taken.
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
        architecture: the network's.
        scores: one for each proxy.
        forward_backward_seconds: of the shared forward and backward pass; NaN where none was needed.
        scoring_seconds: of all proxies together with what they share; the rest of a unit is building the network.
    """

    architecture: str
    scores: tuple[Score, ...]
    forward_backward_seconds: float
    scoring_seconds: float = math.nan
