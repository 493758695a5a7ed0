"""The images of the digits benchmark: scikit-learn's 1,797 handwritten digits, split and made noisy.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998;
``sklearn.datasets.load_digits`` ships the 1,797 images of its test set.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.seeds import derive_seed

IMAGE_SHAPE = (1, 8, 8)
CLASSES = 10


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with their classes.

    Attributes:
        pixels: float32, (N, 1, 8, 8), normalised.
        labels: int64, (N,).
    """

    pixels: NDArray[np.float32]
    labels: NDArray[np.int64]

    def with_noise(self, deviation: float, rng: np.random.Generator) -> LabelledImages:
        """The same images with Gaussian noise of this standard deviation on every pixel."""
        noise = rng.standard_normal(self.pixels.shape, dtype=np.float32)
        return LabelledImages(self.pixels + np.float32(deviation) * noise, self.labels)


@functools.cache
def split_digits(training_images: int) -> tuple[LabelledImages, LabelledImages]:
    """Training and test images without noise, split at random with a fixed seed.

    Pixels have mean 0 and standard deviation 1 over all training pixels.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = digits.images.astype(np.float32)[:, np.newaxis]
    order = np.random.default_rng(derive_seed("digits", "split")).permutation(len(pixels))
    training, test = order[:training_images], order[training_images:]
    normalised = (pixels - pixels[training].mean()) / pixels[training].std()
    labels = digits.target.astype(np.int64)
    return LabelledImages(normalised[training], labels[training]), LabelledImages(normalised[test], labels[test])


@functools.cache
def noisy_test_images(training_images: int, noise: float, draws: int) -> LabelledImages:
    """Several noisy copies of each test image, the same in every call and process."""
    _, test = split_digits(training_images)
    repeated = LabelledImages(np.tile(test.pixels, (draws, 1, 1, 1)), np.tile(test.labels, draws))
    return repeated.with_noise(noise, np.random.default_rng(derive_seed("digits", "test noise")))
