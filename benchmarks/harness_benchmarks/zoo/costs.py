"""pycls' times of its networks, from ``dev/model_timing.json`` of facebookresearch/pycls @ 5719de6 (MIT).

The file has seconds per mini-batch, and the mini-batches differ between networks. As pycls' own table does
(``dev/model_zoo_tables.py``), they are converted: the time to infer 64 images on one GPU, in milliseconds, and the time
to train 100 epochs on eight, in hours. EfficientNets see the larger images that they are trained on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.data import TableFormat, Truth
from harness.data.further_tables import no_parameters
from harness.errors import DataError
from harness_benchmarks.zoo.published import TIMING, number_of, pycls_networks, read_json

if TYPE_CHECKING:
    import pandas as pd

COSTS = {
    "infer_ms": "V100 inference of 64 images (ms)",
    "train_hours": "training of 100 epochs on eight V100 (h)",
}

_GPUS = 8
_IMAGES = 1_281_167
_EPOCHS = 100
_INFERRED = 64
_TEST_TO_TRAIN = {1024: 800, 512: 400, 256: 200, 128: 104, 64: 48}
"""The mini-batch of inference by that of training, over all GPUs, in the configurations of pycls."""

_BATCHES = {
    1024: ("200MF", "400MF", "600MF", "800MF", "1.6GF"),
    512: ("X-3.2GF", "Y-3.2GF", "4.0GF", "6.4GF", "8.0GF", "12GF", "X-16GF"),
    128: ("EfficientNet-B4",),
    64: ("EfficientNet-B5",),
}
"""The mini-batch of training by the end of the network's name; 256 for the others."""


def table_format() -> TableFormat:
    """The format of the table of costs."""
    return TableFormat(
        architectures=lambda: list(pycls_networks().values()),
        truths={name: Truth(words, (1e-6, 1e9), 6, higher_is_better=False) for name, words in COSTS.items()},
        essential=tuple(COSTS),
        seeds="one measurement of each network",
        parameters=no_parameters,
        datasets=(),
        obtain=(
            f"FILE is pycls' {TIMING}, which 'harness data get imagenet-zoo' downloads, or a table with a column "
            "'architecture' and those times; see docs/imagenet-zoo.md"
        ),
        readers=(TimingReader(),),
        kind="costs",
    )


class TimingReader:
    """Reads pycls' file of times."""

    def accepts(self, source: Path) -> bool:
        """Whether it is a JSON file that names a network of pycls."""
        if source.suffix != ".json" or not source.is_file():
            return False
        try:
            return "RegNetX-200MF" in read_json(source)
        except DataError:
            return False

    def describe(self, source: Path) -> str:
        """The file's name."""
        return source.name

    def read(self, source: Path, trust_pickle: bool) -> pd.DataFrame:
        """The two times of each network, indexed by architecture.

        Raises:
            DataError: if a network or one of its times is missing.
        """
        import pandas as pd

        content = read_json(source)
        rows = {}
        for name, architecture in pycls_networks().items():
            batch = batch_of(name)
            infer, train = (
                number_of(content, (name, key), source.name) for key in ("test_fw_time", "train_fw_bw_time")
            )
            rows[architecture] = (
                infer * _INFERRED * _GPUS / _TEST_TO_TRAIN[batch] * 1000,
                train * _IMAGES / batch * _EPOCHS / 3600,
            )
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(COSTS))


def batch_of(name: str) -> int:
    """The mini-batch that a network of pycls was trained with, over eight GPUs.

    >>> batch_of("RegNetX-16GF"), batch_of("RegNetY-16GF"), batch_of("ResNet-50")
    (512, 256, 256)
    """
    return next((batch for batch, ends in _BATCHES.items() if name.endswith(ends)), 256)
