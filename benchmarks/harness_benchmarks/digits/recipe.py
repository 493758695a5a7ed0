"""What one training of the digits benchmark consists of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the accuracies, except the cell and the seed.

    Attributes:
        widths: the channels of each stage; a reduction block lies between two stages.
        cells_per_stage: how many equal cells each stage has.
        training_images: how many of the 1,797 images are trained on; the others are tested on.
        noise: standard deviation of the Gaussian noise added to the normalised pixels, drawn anew in every epoch.
        test_draws: how many noisy copies of each test image the accuracy is measured on; the same for every network.
        epochs: passes over the training images.
        batch_size: images per step.
        learning_rate: the first step's; it falls to zero along half a cosine.
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
        """Optimiser steps of one training; images that do not fill a batch are left out of their epoch."""
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
