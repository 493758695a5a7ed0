"""The same images in every format that people have them in are the same mini-batches, bit for bit."""

import pickle

import numpy as np
import pytest
import torch
from image_files import CIFAR10, made_up, pictures, python_2_pickle, refusal, torchvision_folder
from PIL import Image

from harness.images import load_images
from harness.images.batches import fingerprint
from harness.tasks import Task

CIFAR100 = Task("cifar100", (3, 32, 32), 100)
GREY = Task("grey", (1, 8, 8), 2)


def binary(folder, pixels, labels):
    path = folder / "data_batch_1.bin"
    np.concatenate([labels[:, None].astype(np.uint8), pixels.reshape(len(pixels), -1)], axis=1).tofile(path)
    return path


def upper_case(folder, pixels, labels):
    return binary(folder, pixels, labels).rename(folder / "DATA_BATCH_1.BIN").parent


def pickled_again(protocol):
    def write(folder, pixels, labels):
        content = {b"batch_label": b"1", b"data": pixels.reshape(len(pixels), -1), b"labels": labels.tolist()}
        (folder / "data_batch_1").write_bytes(pickle.dumps(content, protocol))
        return folder

    return write


def keras(folder, pixels, labels):
    rest = {"x_test": np.zeros((2, 32, 32, 3), np.uint8), "y_test": np.zeros((2, 1), np.uint8)}
    path = folder / "cifar10.NPZ"
    with path.open("wb") as file:
        x_train = pixels.transpose(0, 2, 3, 1)
        np.savez_compressed(file, x_train=x_train, y_train=labels[:, None].astype(np.uint8), **rest)
    return path


def one_hot(kind):
    def write(folder, pixels, labels):
        np.savez(folder / "a.npz", X_train=pixels, y_train=np.eye(10, dtype=kind)[labels])
        return folder / "a.npz"

    return write


def floats(kind, scale):
    def write(folder, pixels, labels):
        np.savez(folder / "a.npz", images=(pixels / scale).astype(kind), labels=labels)
        return folder / "a.npz"

    return write


def npy_folder(folder, pixels, labels):
    np.save(folder / "images.npy", pixels)
    np.save(folder / "labels.npy", labels)
    return folder


def npy_file(folder, pixels, labels):
    np.save(folder / "x_train.npy", np.asfortranarray(pixels.transpose(0, 2, 3, 1)))
    np.save(folder / "y_train.npy", labels)
    return folder / "x_train.npy"


def tensors(pack, **options):
    def write(folder, pixels, labels):
        images = torch.from_numpy(pixels).float() / 255
        torch.save(pack(images, torch.from_numpy(labels)), folder / "train.pt", **options)
        return folder / "train.pt"

    return write


FORMATS = {
    "binary, in upper case": upper_case,
    "torchvision's folder": torchvision_folder,
    "pickled again, protocol 2": pickled_again(2),
    "pickled again, protocol 5": pickled_again(5),
    "keras": keras,
    "one-hot integers": one_hot(int),
    "one-hot floats": one_hot(np.float32),
    "floats to 1": floats(np.float32, 255),
    "doubles to 1": floats(np.float64, 255),
    "half floats to 1": floats(np.float16, 255),
    "floats to 255": floats(np.float32, 1),
    "npy folder": npy_folder,
    "npy file": npy_file,
    "tensor pair": tensors(lambda images, labels: (images, labels)),
    "tensors by name": tensors(lambda images, labels: {"data": images.permute(0, 2, 3, 1), "targets": labels}),
    "tensors in the old format": tensors(lambda *pair: pair, _use_new_zipfile_serialization=False),
    "pictures": pictures(""),
    "pictures in train, in upper case": pictures("train", ".PNG"),
}


def mini_batches(source, task=CIFAR10, size=16):
    images = load_images(source, task)
    batches = images.batches(size, 2, seed=0)
    assert all(batch.images.is_contiguous() for batch in batches)
    return fingerprint(batches), images.fingerprint


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_mini_batches(tmp_path, form):
    pixels, labels = made_up()
    (tmp_path / "plain").mkdir()
    (tmp_path / "other").mkdir()
    expected = mini_batches(binary(tmp_path / "plain", pixels, labels))
    assert mini_batches(FORMATS[form](tmp_path / "other", pixels, labels)) == expected


@pytest.mark.real_data
def test_real_images_are_the_same_in_every_format(tmp_path, real_data):
    records = np.fromfile(real_data / "images" / "cifar-10-batches-bin" / "data_batch_1.bin", np.uint8).reshape(
        -1, 3073
    )
    records = records[np.argsort(records[:, 0], kind="stable")]
    pixels, labels = records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)
    assert len(pixels) == 2048
    (tmp_path / "plain").mkdir()
    expected = mini_batches(binary(tmp_path / "plain", pixels, labels), size=64)
    for form in ("torchvision's folder", "keras", "floats to 1", "npy file", "tensor pair", "pictures"):
        folder = tmp_path / form
        folder.mkdir()
        assert mini_batches(FORMATS[form](folder, pixels, labels), size=64) == expected, form


def test_the_python_version_of_cifar100_has_the_fine_labels(tmp_path):
    pixels, labels = made_up(200, 100)
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    content = {"filenames": [], "batch_label": "training batch 1 of 1", "fine_labels": labels.tolist()}
    content |= {"coarse_labels": (labels // 5).tolist(), "data": pixels.reshape(200, -1)}
    (folder / "train").write_bytes(python_2_pickle(content))
    for other in ("test", "meta"):
        (folder / other).write_bytes(b"unread")
    np.savez(tmp_path / "a.npz", images=pixels, labels=labels)
    assert mini_batches(folder, CIFAR100) == mini_batches(tmp_path / "a.npz", CIFAR100)
    assert "train is CIFAR-100 (100 classes), but cifar10 has 10" in refusal(folder)


def test_grey_images_need_no_axis_of_channels(tmp_path):
    pixels, labels = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8), np.array([0, 1, 1, 0])
    for name, images in {"a": pixels, "b": pixels[:, None], "c": pixels[..., None]}.items():
        np.savez(tmp_path / f"{name}.npz", images=images, labels=labels)
    assert len({load_images(tmp_path / f"{name}.npz", GREY).fingerprint for name in "abc"}) == 1
    for number, (image, label) in enumerate(zip(pixels, labels, strict=True)):
        (tmp_path / "grey" / f"{label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / "grey" / f"{label}" / f"{number}.png")
    order = np.argsort(labels, kind="stable")
    np.savez(tmp_path / "d.npz", images=pixels[order], labels=labels[order])
    assert load_images(tmp_path / "grey", GREY).fingerprint == load_images(tmp_path / "d.npz", GREY).fingerprint


def test_floats_to_1_that_are_not_bytes_are_normalised_too(tmp_path):
    values = np.random.default_rng(0).random((20, 3, 32, 32), dtype=np.float32)
    np.savez(tmp_path / "a.npz", images=values, labels=np.arange(20) % 10)
    images = load_images(tmp_path / "a.npz", CIFAR10)
    assert "normalised as cifar10" in images.description
    np.testing.assert_allclose(images.pixels[:, 0], (values[:, 0] * 255 - 125.3) / 63.0, atol=1e-5)


def test_images_alone_do_with_random_labels(tmp_path):
    pixels, _ = made_up(20)
    np.save(tmp_path / "mine.npy", pixels)
    torch.save(torch.from_numpy(pixels), tmp_path / "mine.pt")
    for name in ("mine.npy", "mine.pt"):
        assert f"{name} has no array 'labels': give integers 0..9" in refusal(tmp_path / name)
        assert load_images(tmp_path / name, CIFAR10, labels="random").pixels.shape == (20, 3, 32, 32)


def test_a_folder_of_pictures_with_other_classes_does_with_random_labels(tmp_path):
    folder = pictures("")(tmp_path, *made_up(8, 4))
    message = refusal(folder)
    assert "images has 4 class directories, '000' to '003', but cifar10 has 10 classes: give integers" in message
    assert load_images(folder, CIFAR10, labels="random").pixels.shape == (8, 3, 32, 32)


def test_pictures_of_another_size_are_resized_on_request(tmp_path):
    folder = pictures("")(tmp_path, *made_up(10))
    assert load_images(folder, CIFAR10, resolution=16).pixels.shape == (10, 3, 16, 16)
