"""Images: official files, .npz files and noise become normalised, described, disjoint batches, or a clear error."""

import pickle

import numpy as np
import pytest

from harness.errors import DataError
from harness.images import PIXEL_STATISTICS, load_images
from harness.tasks import Task

CIFAR10 = Task("cifar10", (3, 32, 32), 10)
CIFAR100 = Task("cifar100", (3, 32, 32), 100)
IMAGENET16 = Task("ImageNet16-120", (3, 16, 16), 120)


def random_pixels(count, side=32, seed=0):
    return np.random.default_rng(seed).integers(256, size=(count, 3, side, side), dtype=np.uint8)


def write_cifar10(path, count=20, seed=0):
    pixels = random_pixels(count, seed=seed)
    labels = np.arange(count, dtype=np.uint8) % 10
    np.concatenate([labels[:, None], pixels.reshape(count, -1)], axis=1).tofile(path)
    return pixels, labels


def write_cifar100(path, count=20):
    pixels = random_pixels(count)
    coarse, fine = np.arange(count, dtype=np.uint8) % 20, np.arange(count, dtype=np.uint8) + 60
    np.concatenate([coarse[:, None], fine[:, None], pixels.reshape(count, -1)], axis=1).tofile(path)
    return pixels, fine


def write_imagenet16(path, labels, protocol=4, side=16):
    pixels = random_pixels(len(labels), side)
    path.write_bytes(pickle.dumps({"data": pixels.reshape(len(labels), -1), "labels": list(labels)}, protocol))
    return pixels


def write_npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def normalised(pixels, dataset):
    mean, deviation = (np.array(values).reshape(1, 3, 1, 1) for values in PIXEL_STATISTICS[dataset])
    return (pixels - mean) / deviation


def refusal(source, task, **options):
    """The message, which must be one line without a directory in it."""
    with pytest.raises(DataError) as caught:
        load_images(source, task, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestCifar:
    def test_a_file_of_cifar10(self, tmp_path):
        pixels, labels = write_cifar10(tmp_path / "data_batch_1.bin")
        images = load_images(tmp_path / "data_batch_1.bin", CIFAR10)
        assert images.pixels.dtype == np.float32
        assert images.labels.dtype == np.int64
        np.testing.assert_allclose(images.pixels, normalised(pixels, "cifar10"), atol=1e-5)
        assert np.array_equal(images.labels, labels)

    def test_cifar100_has_the_fine_labels(self, tmp_path):
        pixels, fine = write_cifar100(tmp_path / "train.bin")
        images = load_images(str(tmp_path / "train.bin"), CIFAR100)
        np.testing.assert_allclose(images.pixels, normalised(pixels, "cifar100"), atol=1e-5)
        assert np.array_equal(images.labels, fine)

    def test_the_content_determines_the_kind(self, tmp_path):
        _, fine = write_cifar100(tmp_path / "renamed")
        assert np.array_equal(load_images(tmp_path / "renamed", CIFAR100).labels, fine)

    def test_labels_decide_a_size_that_fits_both_kinds(self, tmp_path):
        pixels, labels = write_cifar10(tmp_path / "images.bin", count=3074)
        images = load_images(tmp_path / "images.bin", CIFAR10)
        assert np.array_equal(images.labels, labels)
        np.testing.assert_allclose(images.pixels[-1], normalised(pixels[-1:], "cifar10")[0], atol=1e-5)

    def test_a_folder_gives_its_training_batches_in_the_order_of_their_numbers(self, tmp_path):
        for number in (10, 2, 1):
            write_cifar10(tmp_path / f"data_batch_{number}.bin", count=number, seed=number)
        write_cifar10(tmp_path / "test_batch.bin", count=7)
        images = load_images(tmp_path, CIFAR10)
        expected = np.concatenate([random_pixels(number, seed=number) for number in (1, 2, 10)])
        np.testing.assert_allclose(images.pixels, normalised(expected, "cifar10"), atol=1e-5)

    def test_cifar100_is_refused_for_cifar10(self, tmp_path):
        write_cifar100(tmp_path / "train.bin")
        assert "train.bin is CIFAR-100 (100 classes), but cifar10 has 10" in refusal(tmp_path, CIFAR10)

    def test_cifar10_is_refused_for_cifar100(self, tmp_path):
        write_cifar10(tmp_path / "data_batch_1.bin")
        assert "is CIFAR-10 (10 classes), but cifar100 has 100" in refusal(tmp_path, CIFAR100)

    def test_large_images_are_refused_for_a_task_of_small_ones(self, tmp_path):
        write_cifar10(tmp_path / "data_batch_1.bin")
        assert "images of 3×32×32 (channels×height×width), but ImageNet16-120 needs 3×16×16" in refusal(
            tmp_path, IMAGENET16
        )

    def test_a_truncated_file_is_refused_with_its_size(self, tmp_path):
        write_cifar10(tmp_path / "data_batch_1.bin")
        whole = (tmp_path / "data_batch_1.bin").read_bytes()
        (tmp_path / "data_batch_1.bin").write_bytes(whole[:-1])
        message = refusal(tmp_path, CIFAR10)
        assert message.startswith("data_batch_1.bin is truncated or unsupported: its 61,459 bytes")

    def test_wrong_labels_in_a_file_of_the_right_size_are_refused(self, tmp_path):
        np.full(3073 * 2, 200, dtype=np.uint8).tofile(tmp_path / "data_batch_1.bin")
        assert "not complete records of CIFAR-10 (3,073 bytes)" in refusal(tmp_path, CIFAR10)


class TestImageNet16:
    @pytest.mark.parametrize("protocol", [2, 4])
    def test_labels_start_at_1_and_the_first_120_classes_are_taken(self, tmp_path, protocol):
        pixels = write_imagenet16(tmp_path / "train_data_batch_1", [1, 120, 121, 1000, 5], protocol)
        images = load_images(tmp_path, IMAGENET16)
        assert images.labels.tolist() == [0, 119, 4]
        np.testing.assert_allclose(images.pixels, normalised(pixels[[0, 1, 4]], "ImageNet16-120"), atol=1e-5)

    def test_batches_are_joined_in_the_order_of_their_numbers(self, tmp_path):
        for number in (10, 2, 1):
            write_imagenet16(tmp_path / f"train_data_batch_{number}", [number])
        assert load_images(tmp_path, IMAGENET16).labels.tolist() == [0, 1, 9]

    def test_a_pickle_that_runs_code_is_refused(self, tmp_path):
        (tmp_path / "train_data_batch_1").write_bytes(pickle.dumps({"data": print, "labels": [1]}))
        assert "'builtins.print', which is not plain data" in refusal(tmp_path, IMAGENET16)

    @pytest.mark.parametrize(
        ("content", "cause"),
        [
            ([1, 2], "'data' or 'labels' is missing"),
            ({"data": np.zeros((1, 768), np.uint8)}, "'data' or 'labels' is missing"),
            ({"data": [1], "labels": [1]}, "not a uint8 array"),
            ({"data": np.zeros((2, 768), np.uint8), "labels": [1]}, "one row per label"),
            ({"data": np.zeros((1, 768), np.uint8), "labels": [0]}, "labels start at 1"),
            ({"data": np.zeros((1, 3072), np.uint8), "labels": [1]}, "images of 3×32×32"),
            ({"data": np.zeros((1, 768), np.uint8), "labels": [121]}, "has no images"),
        ],
    )
    def test_other_contents_are_refused(self, tmp_path, content, cause):
        (tmp_path / "train_data_batch_1").write_bytes(pickle.dumps(content))
        assert cause in refusal(tmp_path, IMAGENET16)


class TestNpz:
    @pytest.mark.parametrize(
        ("task", "mean", "deviation"),
        [
            (CIFAR10, (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)),
            (CIFAR100, (129.3, 124.1, 112.4), (68.2, 65.4, 70.4)),
            (IMAGENET16, (122.68, 116.66, 104.01), (63.22, 61.26, 65.09)),
        ],
        ids=lambda value: getattr(value, "dataset", None),
    )
    def test_each_data_set_has_the_statistics_that_nas_bench_201_trained_with(self, tmp_path, task, mean, deviation):
        black = np.zeros((1, *task.image_shape), dtype=np.uint8)
        images = load_images(write_npz(tmp_path / "a.npz", images=black, labels=np.zeros(1, dtype=int)), task)
        np.testing.assert_allclose(images.pixels[0, :, 0, 0], -np.array(mean) / deviation, rtol=1e-6)

    @pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 2, 3, 1)])
    def test_bytes_with_channels_first_or_last_are_normalised(self, tmp_path, axes):
        pixels = random_pixels(5, 16)
        path = write_npz(tmp_path / "a.npz", images=pixels.transpose(axes), labels=np.arange(5))
        images = load_images(path, IMAGENET16)
        np.testing.assert_allclose(images.pixels, normalised(pixels, "ImageNet16-120"), atol=1e-5)
        assert images.labels.tolist() == [0, 1, 2, 3, 4]

    def test_float_images_are_unchanged(self, tmp_path):
        pixels = np.random.default_rng(0).normal(size=(5, 3, 32, 32))
        images = load_images(write_npz(tmp_path / "a.npz", images=pixels, labels=np.zeros(5, int)), CIFAR10)
        assert np.array_equal(images.pixels, pixels.astype(np.float32))
        assert "float values as they are" in images.description

    def test_a_data_set_without_published_statistics_is_normalised_by_its_own(self, tmp_path):
        task = Task("mine", (3, 16, 16), 2)
        images = load_images(write_npz(tmp_path / "a.npz", images=random_pixels(9, 16), labels=np.arange(9) % 2), task)
        np.testing.assert_allclose(images.pixels.mean(axis=(0, 2, 3)), 0, atol=1e-4)
        np.testing.assert_allclose(images.pixels.std(axis=(0, 2, 3)), 1, atol=1e-4)
        assert "normalised by their own mean and deviation" in images.description

    @pytest.mark.parametrize(
        ("arrays", "cause"),
        [
            ({"pixels": np.zeros(3)}, "has no array 'images' (it has: pixels"),
            (
                {"images": np.zeros((2, 3, 32, 32), np.uint8)},
                "has no array 'labels': give integers 0..9, or use random",
            ),
            ({"images": np.zeros((2, 3, 32), np.uint8), "labels": np.zeros(2, int)}, "expected: uint8 or float"),
            ({"images": np.zeros((2, 3, 32, 32), np.int64), "labels": np.zeros(2, int)}, "expected: uint8 or float"),
            ({"images": np.zeros((2, 3, 16, 16), np.uint8), "labels": np.zeros(2, int)}, "images of 3×16×16"),
            ({"images": np.zeros((2, 32, 32, 1), np.uint8), "labels": np.zeros(2, int)}, "images of 32×32×1"),
            ({"images": np.zeros((2, 3, 32, 32), np.uint8), "labels": np.array([0, 10])}, "has the label 10"),
            ({"images": np.zeros((2, 3, 32, 32), np.uint8), "labels": np.array([0, -1])}, "has the label -1"),
            (
                {"images": np.zeros((2, 3, 32, 32), np.uint8), "labels": np.zeros(3, int)},
                "expected: (2,), give integers",
            ),
            ({"images": np.zeros((2, 3, 32, 32), np.uint8), "labels": np.zeros(2)}, "expected: (2,), give integers"),
            ({"images": np.full((2, 3, 32, 32), np.nan), "labels": np.zeros(2, int)}, "NaN or infinite"),
            ({"images": np.zeros((0, 3, 32, 32), np.uint8), "labels": np.zeros(0, int)}, "has no images"),
            ({"images": np.array([None]), "labels": np.zeros(1, int)}, "not an .npz file of plain arrays"),
        ],
    )
    def test_other_arrays_are_refused(self, tmp_path, arrays, cause):
        assert cause in refusal(write_npz(tmp_path / "a.npz", **arrays), CIFAR10)

    def test_a_truncated_file_is_refused(self, tmp_path):
        path = write_npz(tmp_path / "a.npz", images=random_pixels(5), labels=np.zeros(5, int))
        path.write_bytes(path.read_bytes()[:1000])
        assert "a.npz is damaged" in refusal(path, CIFAR10)

    def test_random_labels_replace_missing_or_invalid_ones_on_request(self, tmp_path):
        path = write_npz(tmp_path / "a.npz", images=random_pixels(500, 16), labels=np.arange(500))
        assert "label 120 and 379 more outside the 120 classes" in refusal(path, IMAGENET16)
        images = load_images(path, IMAGENET16, seed=1, labels="random")
        assert set(images.labels) <= set(range(120))
        assert images.description.endswith(", random labels")
        assert np.array_equal(images.labels, load_images(path, IMAGENET16, seed=1, labels="random").labels)
        assert not np.array_equal(images.labels, load_images(path, IMAGENET16, seed=2, labels="random").labels)


class TestNoise:
    def test_noise_says_that_it_is_noise(self):
        assert load_images("noise", CIFAR10).description == (
            "4,096 images of Gaussian noise with random labels (no real images)"
        )

    @pytest.mark.parametrize("task", [CIFAR10, IMAGENET16, Task("mine", (1, 8, 8), 3)])
    def test_noise_is_standard_normal_with_every_class(self, task):
        images = load_images("noise", task)
        assert images.pixels.shape == (4096, *task.image_shape)
        assert abs(images.pixels.mean()) < 0.02
        assert abs(images.pixels.std() - 1) < 0.02
        assert set(images.labels) == set(range(task.classes))

    def test_noise_depends_only_on_the_seed(self):
        assert load_images("noise", CIFAR10, 3).fingerprint == load_images("noise", CIFAR10, 3).fingerprint
        assert load_images("noise", CIFAR10, 3).fingerprint != load_images("noise", CIFAR10, 4).fingerprint


class TestSources:
    def test_a_missing_file_is_named(self, tmp_path):
        assert "no file or directory of images at" in refusal(tmp_path / "absent.bin", CIFAR10)

    def test_an_empty_file_is_named(self, tmp_path):
        (tmp_path / "data_batch_1.bin").touch()
        assert refusal(tmp_path, CIFAR10) == "data_batch_1.bin is empty"

    def test_a_folder_without_images_says_what_it_should_hold(self, tmp_path):
        assert "expected: data_batch_1.bin" in refusal(tmp_path, CIFAR10)

    def test_a_compressed_archive_is_to_be_extracted(self, tmp_path):
        (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"\x1f\x8b\x08\x00")
        assert "extract it" in refusal(tmp_path / "cifar-10-binary.tar.gz", CIFAR10)

    def test_the_description_names_files_without_folders_and_says_what_was_done(self, tmp_path):
        write_cifar10(tmp_path / "data_batch_1.bin")
        one = load_images(tmp_path, CIFAR10).description
        assert one == "20 images of data_batch_1.bin, normalised as cifar10, no augmentation"
        write_cifar10(tmp_path / "data_batch_2.bin")
        two = load_images(tmp_path, CIFAR10).description
        assert two == "40 images of data_batch_1.bin and 1 more files, normalised as cifar10, no augmentation"


@pytest.mark.real_data
class TestRealImages:
    @pytest.mark.parametrize(
        ("folder", "task"), [("cifar-10-batches-bin", CIFAR10), ("cifar-100-binary", CIFAR100)], ids=["10", "100"]
    )
    def test_cifar_has_mean_0_and_deviation_1_in_each_channel(self, real_data, folder, task):
        images = load_images(real_data / "images" / folder, task)
        assert images.pixels.shape == (2048, 3, 32, 32)
        assert set(images.labels) == set(range(task.classes))
        np.testing.assert_allclose(images.pixels.mean(axis=(0, 2, 3)), 0, atol=0.05)
        np.testing.assert_allclose(images.pixels.std(axis=(0, 2, 3)), 1, atol=0.06)

    def test_the_imagenet_sample_needs_random_labels(self, real_data):
        path = real_data / "images" / "imagenet16-sample-1000.npz"
        assert "has no array 'labels'" in refusal(path, IMAGENET16)
        images = load_images(path, IMAGENET16, labels="random")
        assert images.pixels.shape == (1000, 3, 16, 16)
        assert abs(images.pixels.mean()) < 0.2
