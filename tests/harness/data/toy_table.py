"""A toy benchmark whose ground truth is imported from a table."""

import numpy as np
import pytest

from harness.contracts.benchmark import Benchmark
from harness.data import TableFormat, Truth, import_table
from harness.errors import DataError

ARCHITECTURES = [f"arch-{number}" for number in range(5)]
FORMAT = TableFormat(
    architectures=lambda: ARCHITECTURES,
    truths={"mnist/test/9": Truth("accuracy (%) on the test images"), "mnist/val/9": Truth("accuracy (%) on others")},
    essential=("mnist/test/9",),
    seeds="mean over two seeds",
    parameters=lambda architectures, dataset: np.array([int(name[-1]) * 10 for name in architectures]),
    datasets=("mnist",),
    obtain="FILE is the toy table",
)


class Toy(Benchmark):
    name = "toy"
    title = "a toy"
    citation = "none"
    datasets = ("mnist",)
    truths = (("test", 9), ("val", 9))

    def __init__(self, table_format=FORMAT):
        self._format = table_format

    def architectures(self):
        return ARCHITECTURES

    def task(self, dataset):
        raise NotImplementedError

    def build(self, architecture, dataset):
        raise NotImplementedError

    def ground_truth(self, dataset, split=None, epochs=None):
        raise NotImplementedError

    def table_format(self):
        return self._format


def refusal(file, benchmark=None, **options):
    """The message of a refused import: one line."""
    with pytest.raises(DataError) as caught:
        import_table(benchmark or Toy(), file, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)
