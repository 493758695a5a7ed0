"""Images and targets keep their content when they are resized."""

import numpy as np
import pytest

from harness.images.resizing import resize_images, resize_targets
from harness.tasks import CLASSES, IMAGE, PIXEL_CLASSES, VECTOR


def test_halving_a_constant_image_keeps_it():
    assert np.allclose(resize_images(np.full((2, 3, 8, 8), 1.5, dtype=np.float32), 4), 1.5)


@pytest.mark.parametrize("resolution", [4, 16])
def test_a_slope_stays_a_slope(resolution):
    slope = np.broadcast_to(np.arange(8, dtype=np.float32) + 0.5, (1, 3, 8, 8)) / 8
    middle = slice(resolution // 4, resolution - resolution // 4)
    expected = (np.arange(resolution) + 0.5) / resolution
    assert np.allclose(resize_images(slope, resolution)[0, 0, 0, middle], expected[middle], atol=1e-6)


def test_what_is_made_small_is_averaged_over_all_that_it_stands_for():
    stripes = np.tile(np.array([0, 1, 1, 0], dtype=np.float32), (1, 1, 16, 4))
    assert np.allclose(resize_images(stripes, 2), 0.5, atol=0.05)


def test_tiles_are_resized_one_by_one():
    tiles = np.random.default_rng(0).standard_normal((2, 9, 3, 8, 8), dtype=np.float32)
    resized = resize_images(tiles, 4)
    assert resized.shape == (2, 9, 3, 4, 4)
    assert np.array_equal(resized[1, 5], resize_images(tiles[1, 5:6], 4)[0])


def test_classes_of_pixels_are_never_mixed():
    classes = np.array([[[0, 0, 9, 9], [0, 0, 9, 9], [5, 5, 2, 2], [5, 5, 2, 2]]])
    assert resize_targets(classes, PIXEL_CLASSES, 2).tolist() == [[[0, 9], [5, 2]]]
    assert set(np.unique(resize_targets(classes, PIXEL_CLASSES, 7))) == {0, 2, 5, 9}


def test_a_class_is_that_of_the_pixel_in_the_middle():
    columns = np.tile(np.arange(9), (1, 9, 1))
    assert resize_targets(columns, PIXEL_CLASSES, 3).tolist() == [[[1, 4, 7]] * 3]


def test_images_to_be_painted_are_resized_as_images():
    targets = np.random.default_rng(0).random((2, 3, 8, 8), dtype=np.float32)
    assert np.array_equal(resize_targets(targets, IMAGE, 4), resize_images(targets, 4))


@pytest.mark.parametrize("objective", [CLASSES, VECTOR])
def test_other_targets_stay(objective):
    targets = np.arange(6.0)
    assert resize_targets(targets, objective, 4) is targets
