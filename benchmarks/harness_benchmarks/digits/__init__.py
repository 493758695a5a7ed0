"""The embedded default benchmark: cells of NAS-Bench-201 trained here on scikit-learn's handwritten digits.

It needs no download, and no torch for listing. This folder's README says what it is suitable for.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.contracts.ground_truth import GroundTruth
from harness.seeds import derive_seed
from harness.tasks import Task
from harness_benchmarks.digits.data import CLASSES, IMAGE_SHAPE, split_digits
from harness_benchmarks.digits.recipe import RECIPE, Recipe
from harness_benchmarks.digits.table import read_accuracies
from harness_benchmarks.nb201.benchmark import CellBenchmark

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from harness.images import Images

__all__ = ["RECIPE", "Digits", "Recipe"]


class Digits(CellBenchmark):
    """A uniform sample of the cells, each trained with several seeds by ``tools/digits/train.py``."""

    name = "digits"
    title = "NAS-Bench-201 cells at small width, trained here"
    citation = "alpaydin1998digits"
    datasets = ("digits",)
    truths = (("test", RECIPE.epochs),)

    def architectures(self) -> Sequence[str]:
        """The official strings of the trained cells, in the order they were drawn."""
        return _architectures()

    def task(self, dataset: str) -> Task:
        """Images of 1×8×8 in 10 classes."""
        self.check_dataset(dataset)
        return Task(dataset, IMAGE_SHAPE, CLASSES)

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The network of a cell at the recipe's width; any of the 15,625 cells, trained or not.

        Raises:
            HarnessError: if the architecture is not an official string of a cell.
        """
        from harness_benchmarks.digits.training import build_network

        self.check_dataset(dataset)
        return build_network(architecture, RECIPE)

    def ground_truth(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> GroundTruth:
        """Mean accuracy over the seeds on the noisy test images."""
        self.check_dataset(dataset)
        split, epochs = self.choose_truth(dataset, split, epochs)
        accuracies = self.per_seed_accuracies()
        return GroundTruth(
            benchmark=self.name,
            dataset=dataset,
            split=split,
            epochs=epochs,
            seeds=f"mean over {accuracies.shape[1]} seeds",
            metric="top-1 accuracy (%)",
            higher_is_better=True,
            source="trained by tools/digits/train.py",
            accuracy=accuracies.mean(axis=1).rename("accuracy"),
        )

    def trainings(self, dataset: str, split: str | None = None, epochs: int | str | None = None) -> pd.DataFrame:
        """The accuracies of :meth:`per_seed_accuracies`."""
        self.choose_truth(dataset, split, epochs)
        return self.per_seed_accuracies()

    def per_seed_accuracies(self) -> pd.DataFrame:
        """Test accuracy in percent of every training run: one row per architecture, one column per seed."""
        return read_accuracies()

    def images(self, dataset: str) -> Images:
        """The training images as one epoch sees them: normalised, with one fixed draw of the recipe's noise."""
        from harness.images import Images

        self.check_dataset(dataset)
        training, _ = split_digits(RECIPE.training_images)
        noisy = training.with_noise(RECIPE.noise, np.random.default_rng(derive_seed("digits", "images")))
        description = (
            f"{RECIPE.training_images:,} training images of scikit-learn's digits, normalised, "
            f"with Gaussian noise of standard deviation {RECIPE.noise}"
        )
        return Images(pixels=noisy.pixels, labels=noisy.labels, description=description)


@functools.cache
def _architectures() -> tuple[str, ...]:
    return tuple(read_accuracies().index)
