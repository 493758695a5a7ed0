"""Images of another resolution, and targets of tasks other than classification."""

import re
from typing import ClassVar

import numpy as np
import pytest

from harness.errors import DataError, HarnessError
from harness.images import load_images
from harness.tasks import DISTRIBUTION, IMAGE, PIXEL_CLASSES, RECONSTRUCTION, VECTOR, Task


class TestResolution:
    """Images can be resized to another height and width; the description says so."""

    def test_noise_is_drawn_at_it(self):
        noise = load_images("noise", Task("cifar10", (3, 32, 32), 10), resolution=8)
        assert noise.pixels.shape == (4096, 3, 8, 8) and "8 × 8" in noise.description

    def test_of_large_images_fewer_are_drawn(self):
        noise = load_images("noise", Task("large", (3, 256, 256), 10))
        assert 256 <= len(noise.pixels) < 4096 and f"{len(noise.pixels):,} images" in noise.description

    def test_images_of_any_size_are_resized_to_it(self, tmp_path):
        np.savez(tmp_path / "a.npz", images=np.full((4, 3, 20, 20), 7, np.uint8), labels=np.arange(4))
        task = Task("cifar10", (3, 32, 32), 10)
        resized = load_images(tmp_path / "a.npz", task, resolution=16)
        assert resized.pixels.shape == (4, 3, 16, 16) and resized.labels.tolist() == [0, 1, 2, 3]
        assert resized.description.endswith("resized to 16 × 16")
        with pytest.raises(DataError, match="resize images with --resolution"):
            load_images(tmp_path / "a.npz", task)

    def test_random_labels_are_the_same_at_every_resolution(self, tmp_path):
        np.savez(tmp_path / "a.npz", images=np.zeros((50, 3, 32, 32), np.uint8))
        task = Task("cifar10", (3, 32, 32), 10)
        plain = load_images(tmp_path / "a.npz", task, labels="random")
        resized = load_images(tmp_path / "a.npz", task, labels="random", resolution=8)
        assert np.array_equal(plain.labels, resized.labels)

    def test_it_must_be_positive(self):
        with pytest.raises(HarnessError, match="use 1 or more"):
            load_images("noise", Task("cifar10", (3, 32, 32), 10), resolution=0)


class TestOtherObjectives:
    """Tasks other than classification take their targets from the same files."""

    TASKS: ClassVar = {
        objective.target: Task("made up", (3, 8, 8), 5, objective)
        for objective in (DISTRIBUTION, VECTOR, PIXEL_CLASSES, IMAGE, RECONSTRUCTION)
    }

    @pytest.mark.parametrize("kind", TASKS)
    def test_noise_has_targets_of_the_right_kind(self, kind):
        task = self.TASKS[kind]
        noise = load_images("noise", task)
        assert noise.labels.shape[1:] == task.objective.target_shape(task.image_shape, 5)
        batch = noise.batches(4, 1, seed=0)[0]
        assert len(batch.labels) == 4

    @pytest.mark.parametrize("kind", ["distribution", "vector", "pixel_class", "image"])
    def test_targets_are_read_from_a_file_and_resized_with_it(self, tmp_path, kind):
        task = self.TASKS[kind]
        pixels = np.random.default_rng(0).standard_normal((6, 3, 8, 8), dtype=np.float32)
        targets = task.objective.random_targets(pixels, 5, np.random.default_rng(1))
        np.savez(tmp_path / "a.npz", images=pixels, labels=targets)
        assert np.array_equal(load_images(tmp_path / "a.npz", task).labels, targets)
        smaller = load_images(tmp_path / "a.npz", task, resolution=4)
        assert smaller.labels.shape[1:] == task.objective.target_shape((3, 4, 4), 5)

    def test_what_is_to_be_reproduced_is_the_resized_image(self, tmp_path):
        np.savez(tmp_path / "a.npz", images=np.random.default_rng(0).integers(255, size=(6, 3, 8, 8)).astype(np.uint8))
        images = load_images(tmp_path / "a.npz", self.TASKS["input"], resolution=4)
        assert np.array_equal(images.labels, images.pixels)

    @pytest.mark.parametrize(
        ("kind", "labels", "message"),
        [
            ("vector", np.zeros((2, 4), np.float32), "expected: (2, 5), give 5 finite numbers for each image"),
            ("vector", np.full((2, 5), np.nan, np.float32), "NaN or infinite"),
            ("pixel_class", np.full((2, 8, 8), 5), "has the label 5"),
            ("pixel_class", np.zeros((2, 8, 8), np.float32), "give integers 0..4"),
            ("image", np.zeros((2, 5, 4, 4), np.float32), "expected: (2, 5, 8, 8)"),
        ],
    )
    def test_targets_of_another_kind_are_refused(self, tmp_path, kind, labels, message):
        np.savez(tmp_path / "a.npz", images=np.zeros((2, 3, 8, 8), np.uint8), labels=labels)
        with pytest.raises(DataError, match=re.escape(message)):
            load_images(tmp_path / "a.npz", self.TASKS[kind])

    def test_images_in_tiles(self, tmp_path):
        task = Task("puzzle", (9, 3, 4, 4), 5)
        np.savez(tmp_path / "a.npz", images=np.ones((3, 9, 4, 4, 3), np.uint8), labels=[0, 1, 2])
        assert load_images(tmp_path / "a.npz", task).pixels.shape == (3, 9, 3, 4, 4)
        assert load_images("noise", task).pixels.shape[1:] == (9, 3, 4, 4)
