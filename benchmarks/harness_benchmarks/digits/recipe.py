"""The training recipe of the digits benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Everything that determines the accuracies, except the cell and the seed.

    Attributes:
        widths: the channels of each stage; a reduction block lies between two stages.
        cells_per_stage: number of equal cells per stage.
        training_images: number of the 1,797 images used for training; the others are for testing.
        noise: standard deviation of the Gaussian noise added to the normalised pixels, drawn in every epoch.
        test_draws: number of noisy copies of each test image for measuring accuracy; the same for every network.
        epochs: passes over the training images.
        batch_size: images per step.
        learning_rate: of the first step; it decays to zero by a half cosine.
        momentum: Nesterov momentum of the stochastic gradient descent.
        weight_decay: on every parameter.
    """

    widths: tuple[int, ...]
    cells_per_stage: int
    training_images: int
    noise: float
    test_draws: int
    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float

    @property
    def steps(self) -> int:
        """Optimiser steps of one training run; images that do not fill a batch are left out of their epoch."""
        return self.epochs * (self.training_images // self.batch_size)


RECIPE = Recipe(
    widths=(8,),
    cells_per_stage=2,
    training_images=1024,
    noise=0.5,
    test_draws=2,
    epochs=6,
    batch_size=128,
    learning_rate=0.4,
    momentum=0.9,
    weight_decay=5e-4,
)
"""The recipe of the committed accuracies."""
