"""An objective knows its loss, the shape of its targets, and how to draw targets that mean nothing."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.tasks import (
    CLASSES,
    DISTRIBUTION,
    IMAGE,
    PIXEL_CLASSES,
    RECONSTRUCTION,
    SOFT_EPSILON,
    VECTOR,
)

PIXELS = np.random.default_rng(0).standard_normal((5, 3, 4, 6), dtype=np.float32)
ALL = (CLASSES, DISTRIBUTION, VECTOR, PIXEL_CLASSES, IMAGE, RECONSTRUCTION)


@pytest.mark.parametrize(
    ("objective", "shape", "dtype"),
    [
        (CLASSES, (5,), np.int64),
        (DISTRIBUTION, (5, 7), np.float32),
        (VECTOR, (5, 7), np.float32),
        (PIXEL_CLASSES, (5, 4, 6), np.int64),
        (IMAGE, (5, 7, 4, 6), np.float32),
        (RECONSTRUCTION, (5, 3, 4, 6), np.float32),
    ],
)
def test_random_targets_have_the_shape_and_type_that_the_loss_takes(objective, shape, dtype):
    targets = objective.random_targets(PIXELS, 7, np.random.default_rng(0))
    assert targets.shape == shape and targets.dtype == dtype
    assert targets.shape[1:] == objective.target_shape(PIXELS.shape[1:], 7)
    outputs = {
        "class": (5, 7),
        "distribution": (5, 7),
        "vector": (5, 7),
        "pixel_class": (5, 7, 4, 6),
        "image": (5, 7, 4, 6),
        "input": (5, 3, 4, 6),
    }[objective.target]
    loss = objective.loss(torch.randn(outputs), torch.from_numpy(targets))
    assert loss.shape == () and loss > 0


@given(logits=st.lists(st.floats(-4, 4), min_size=4, max_size=4), target=st.integers(0, 3))
def test_a_distribution_on_one_class_costs_what_the_class_costs(logits, target):
    outputs = torch.tensor([logits], dtype=torch.float64)
    certain = DISTRIBUTION.loss(outputs, torch.eye(4, dtype=torch.float64)[[target]])
    assert float(certain) == pytest.approx(float(CLASSES.loss(outputs, torch.tensor([target]))), abs=0.1)
    expected = -math.log(math.exp(logits[target]) / sum(map(math.exp, logits)) + SOFT_EPSILON)
    assert float(certain) == pytest.approx(expected, rel=1e-9)


def test_losses_are_means_of_distances():
    outputs, targets = torch.zeros(2, 3), torch.tensor([[1.0, 2, 3], [0, 0, -6]])
    assert float(VECTOR.loss(outputs, targets)) == pytest.approx((1 + 4 + 9 + 36) / 6)
    assert float(IMAGE.loss(outputs, targets)) == pytest.approx((1 + 2 + 3 + 6) / 6)


def test_pixels_are_judged_one_by_one():
    outputs = torch.randn(2, 5, 3, 3, dtype=torch.float64)
    targets = torch.randint(5, (2, 3, 3))
    each = [CLASSES.loss(outputs[n, :, y, x][None], targets[n, y, x][None]) for n, y, x in np.ndindex(2, 3, 3)]
    assert float(PIXEL_CLASSES.loss(outputs, targets)) == pytest.approx(float(torch.stack(each).mean()))


def test_what_is_to_be_reproduced_is_the_image():
    assert RECONSTRUCTION.random_targets(PIXELS, 3, np.random.default_rng(0)) is PIXELS


def test_only_classes_and_distributions_have_classes():
    assert [objective.target for objective in ALL if objective.has_classes] == ["class", "distribution"]
