"""Mini-batches are disjoint draws from a seed, and images have a fingerprint."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.images import Images


def numbered(count):
    pixels = np.arange(count, dtype=np.float32).reshape(-1, 1, 1, 1)
    return Images(pixels, np.arange(count), "numbered")


class TestBatches:
    @settings(max_examples=30)
    @given(st.integers(1, 8), st.integers(1, 5), st.integers(0, 9), st.integers(0, 5))
    def test_batches_are_disjoint_and_keep_labels_with_their_images(self, size, count, spare, seed):
        batches = numbered(size * count + spare).batches(size, count, seed)
        assert [batch.images.shape for batch in batches] == [(size, 1, 1, 1)] * count
        assert all(torch.equal(batch.images.flatten().long(), batch.labels) for batch in batches)
        assert len(set(torch.cat([batch.labels for batch in batches]).tolist())) == size * count

    def test_types(self):
        (batch,) = numbered(5).batches(2, 1, 0)
        assert batch.images.dtype == torch.float32
        assert batch.labels.dtype == torch.int64

    def test_the_same_seed_draws_the_same_images_and_a_smaller_batch_its_beginning(self):
        def drawn(size, seed):
            return numbered(100).batches(size, 1, seed)[0].labels.tolist()

        assert drawn(20, 0) == drawn(20, 0)
        assert drawn(20, 0)[:8] == drawn(8, 0)
        assert drawn(20, 0) != drawn(20, 1)

    def test_batches_are_copies(self):
        images = numbered(5)
        images.batches(5, 1, 0)[0].images.zero_()
        assert images.pixels.sum() == 10

    def test_too_few_images_say_how_many_there_are_and_what_to_do(self):
        with pytest.raises(HarnessError, match=r"2 disjoint batches of 8 need 16 images, but there are 15 .*smaller"):
            numbered(15).batches(8, 2, 0)

    @pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 0), (-1, 1)])
    def test_an_empty_batch_is_refused(self, size, count):
        with pytest.raises(HarnessError, match="must be at least 1"):
            numbered(5).batches(size, count, 0)


class TestFingerprint:
    def test_it_is_16_digits_and_depends_on_pixels_labels_and_shape(self):
        pixels, labels = np.zeros((2, 1, 2, 2), np.float32), np.array([0, 1])
        changed = pixels.copy()
        changed[1, 0, 1, 1] = 1
        marks = [
            Images(pixels, labels, "a").fingerprint,
            Images(changed, labels, "a").fingerprint,
            Images(pixels, labels[::-1].copy(), "a").fingerprint,
            Images(pixels.reshape(2, 1, 1, 4), labels, "a").fingerprint,
        ]
        assert len(set(marks)) == 4
        assert all(len(mark) == 16 and int(mark, 16) >= 0 for mark in marks)

    def test_the_description_and_the_layout_in_memory_leave_it_alone(self):
        pixels = np.random.default_rng(0).normal(size=(2, 3, 4, 4)).astype(np.float32)
        labels = np.array([0, 1])
        other = np.asfortranarray(pixels)
        assert Images(pixels, labels, "a").fingerprint == Images(other, labels, "b").fingerprint
