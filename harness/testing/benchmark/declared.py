"""How the contract reads a benchmark's declarations; the only module that knows their structure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from harness.contracts.benchmark import Benchmark
from harness.tasks import Task

if TYPE_CHECKING:
    from harness.data import TableFormat

Truth = tuple[str, int | str]
"""Split, and number of epochs or name of an epoch."""


def truths_of(benchmark: Benchmark, dataset: str) -> list[Truth]:
    """The declared ground truths of a data set, the default first."""
    benchmark.check_dataset(dataset)
    return list(benchmark.truths_of(dataset))


def every_truth(benchmark: Benchmark) -> Iterator[tuple[str, Truth]]:
    """Each data set with each of its ground truths."""
    for dataset in benchmark.datasets:
        for truth in truths_of(benchmark, dataset):
            yield dataset, truth


def column_of(dataset: str, truth: Truth) -> str:
    """The column of a table that holds a ground truth."""
    return "/".join([dataset, *map(str, truth)])


def limits_of(table_format: TableFormat, column: str) -> tuple[float, float]:
    """The smallest and the largest possible value of a column."""
    return table_format.truths[column].limits


def decimals_of(table_format: TableFormat, column: str) -> int:
    """The number of decimals that a column is rounded to."""
    return table_format.truths[column].decimals


def description_of(table_format: TableFormat, column: str) -> str:
    """The description of a column."""
    return table_format.truths[column].description


def random_images(task: Task, count: int) -> Tensor:
    """Gaussian noise in the shape of the task's images, the same in every call."""
    return torch.randn(count, *task.image_shape, generator=torch.Generator().manual_seed(0))


def output_shape(task: Task, count: int) -> tuple[int, ...]:
    """The shape of a network's outputs for ``count`` images."""
    match task.objective.target:
        case "class" | "distribution" | "vector":
            return count, task.classes
        case "pixel_class" | "image" | "input":
            return count, task.classes, *task.image_shape[-2:]


def is_feature_map(features: object, count: int) -> bool:
    """Whether it is a tensor (images, channels, height, width) with ``count`` images."""
    return isinstance(features, Tensor) and features.dim() == 4 and len(features) == count
