"""The same images in every format that people have them in are the same mini-batches, bit for bit."""

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from harness.errors import DataError
from harness.images import load_images
from harness.images.batches import fingerprint
from harness.tasks import Task

CIFAR10 = Task("cifar10", (3, 32, 32), 10)
CIFAR100 = Task("cifar100", (3, 32, 32), 100)
GREY = Task("grey", (1, 8, 8), 2)
COUNT = 64


def made_up(count=COUNT, classes=10):
    """Random pixels, (N, 3, 32, 32), and the labels of all classes in their order."""
    rng = np.random.default_rng(0)
    return rng.integers(256, size=(count, 3, 32, 32), dtype=np.uint8), np.sort(np.arange(count) % classes)


def python_2_pickle(entries):
    """A pickle as Python 2 wrote it: byte strings for keys, and arrays by ``numpy.core.multiarray._reconstruct``."""

    def text(value):
        return b"U" + struct.pack("<B", len(value)) + value.encode()

    def number(value):
        return b"J" + struct.pack("<i", value)

    def written(value):
        if isinstance(value, np.ndarray):
            shape = number(value.shape[0]) + number(value.shape[1]) + b"\x86"
            kind = b"cnumpy\ndtype\n" + text("u1") + b"K\x00K\x01\x87R(K\x03" + text("|") + b"NNN" + 2 * number(-1)
            content = b"T" + struct.pack("<i", value.nbytes) + value.tobytes()
            start = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text("b") + b"\x87R"
            return start + b"(K\x01" + shape + kind + b"K\x00tb\x89" + content + b"tb"
        return b"](" + b"".join(map(number, value)) + b"e" if isinstance(value, list) else text(value)

    return b"\x80\x02}(" + b"".join(text(key) + written(value) for key, value in entries.items()) + b"u."


def binary(folder, pixels, labels):
    path = folder / "data_batch_1.bin"
    np.concatenate([labels[:, None].astype(np.uint8), pixels.reshape(len(pixels), -1)], axis=1).tofile(path)
    return path


def upper_case(folder, pixels, labels):
    return binary(folder, pixels, labels).rename(folder / "DATA_BATCH_1.BIN").parent


def torchvision_folder(folder, pixels, labels):
    folder = folder / "cifar-10-batches-py"
    folder.mkdir()
    half = len(pixels) // 2
    for number, part in enumerate((slice(half), slice(half, None)), start=1):
        content = {"batch_label": f"training batch {number} of 5", "labels": labels[part].tolist()}
        content |= {"data": pixels[part].reshape(len(pixels[part]), -1), "filenames": []}
        (folder / f"data_batch_{number}").write_bytes(python_2_pickle(content))
    for other in ("test_batch", "batches.meta"):
        (folder / other).write_bytes(b"unread")
    return folder


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


def pictures(split, suffix=".png"):
    def write(folder, pixels, labels):
        folder = folder / "images"
        for number, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            place = folder / split / f"{label:03}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.transpose(1, 2, 0)).save(place / f"{number:05}{suffix}", "PNG", compress_level=0)
        if split:
            (folder / "val" / "000").mkdir(parents=True)
        (folder / ".ipynb_checkpoints").mkdir()
        return folder

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


def refusal(source, task=CIFAR10, **options):
    """The message of refused images: one line without a directory outside of them."""
    with pytest.raises(DataError) as caught:
        load_images(source, task, **options)
    message = str(caught.value)
    assert "\n" not in message and "/tmp" not in message
    return message


def npz(**arrays):
    def write(folder):
        np.savez(folder / "a.npz", **arrays)
        return folder / "a.npz"

    return write


def saved(content):
    def write(folder):
        torch.save(content, folder / "a.pt")
        return folder / "a.pt"

    return write


def bytes_of(name, content):
    def write(folder):
        (folder / name).write_bytes(content)
        return folder / name

    return write


def batch(**changes):
    content = {"batch_label": "1", "data": np.zeros((2, 3072), np.uint8), "labels": [0, 1]} | changes
    return bytes_of("data_batch_1", pickle.dumps({key: value for key, value in content.items() if value is not None}))


def damaged_picture(change):
    def write(folder):
        folder = pictures("")(folder, *made_up(10))
        change(folder)
        return folder

    return write


def huge_header(folder):
    np.save(folder / "images.npy", np.zeros((2, 3, 32, 32), np.uint8))
    content = (folder / "images.npy").read_bytes().replace(b"(2, 3, 32, 32), }         ", b"(2000000000, 3, 32, 32), }")
    return bytes_of("images.npy", content)(folder)


X, Y = np.zeros((2, 3, 32, 32), np.uint8), np.array([0, 1])

BROKEN = {
    "labels out of range": (batch(labels=[0, 10]), "has the label 10"),
    "labels of text": (batch(labels=["cat", "dog"]), "its 'labels' is not a list of integers"),
    "no labels": (batch(labels=None), "'data' or 'labels' is missing"),
    "fewer labels": (batch(labels=[0]), "not a uint8 array with one row per label"),
    "float data": (batch(data=np.zeros((2, 3072))), "not a uint8 array"),
    "data that is no image": (batch(data=np.zeros((2, 3071), np.uint8)), "images of 1×1×3071"),
    "not told from ImageNet": (batch(batch_label=None), "one of CIFAR without 'batch_label'"),
    "code": (batch(data=Path), "which is not plain data"),
    "row not one-hot": (npz(images=X, labels=np.array([[1] + [0] * 9, [1, 1] + [0] * 8])), "row 2 of 'labels' is not"),
    "row of shares": (npz(images=X, labels=np.full((2, 10), 0.1)), "row 1 of 'labels' is not one-hot"),
    "other one-hot": (npz(images=X, labels=np.eye(7, dtype=int)[Y]), "'labels' is int64 (2, 7); expected: (2,)"),
    "two arrays of images": (
        npz(images=X, x_train=X, y_train=Y),
        "has both 'images' and 'x_train': keep only the images",
    ),
    "two arrays of labels": (npz(data=X, labels=Y, targets=Y), "has both 'labels' and 'targets': keep only the labels"),
    "no known array": (
        npz(pixels=X, classes=Y),
        "has no array 'images' (it has: pixels, classes); expected: images and",
    ),
    "labels of keras missing": (npz(x_train=X, labels=Y), "has no array 'y_train'"),
    "floats to 300": (npz(images=X + 300.5, labels=Y), "floats from 300.5 to 300.5; expected: bytes (0 to 255)"),
    "floats to 255 with parts": (
        npz(images=X + np.float32(254.5), labels=Y),
        "expected: bytes (0 to 255), floats from 0",
    ),
    "far from normalised": (npz(images=X - 90.0, labels=Y), "normalised values (around 0, within ±20)"),
    "flat": (npz(images=X.reshape(2, -1), labels=Y), "expected: uint8 or float, (N, C, H, W) or (N, H, W, C)"),
    "negative label": (npz(images=X, labels=-Y), "has the label -1"),
    "tensors of a class": (saved(torch.utils.data.TensorDataset(torch.zeros(2))), "expected: only tensors"),
    "no tensors": (saved([1, 2, 3]), "has a list without tensors; expected: torch.save((images, labels), file)"),
    "tensor of integers": (
        saved((torch.zeros(2, 3, 32, 32, dtype=torch.long), torch.zeros(2))),
        "expected: uint8 or float",
    ),
    "zip of files": (bytes_of("a.zip", b"PK\5\6" + bytes(18)), "(it has: none)"),
    "one picture": (
        bytes_of("a.png", b"\x89PNG\r\n\x1a\n" + bytes(20)),
        "is a single image: give a directory with one",
    ),
    "hdf5": (bytes_of("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(20)), "is an HDF5 file; expected: data_batch_1.bin"),
    "xz": (bytes_of("a.xz", b"\xfd7zXZ\0" + bytes(20)), "extract it"),
    "npy of objects": (lambda folder: (np.save(folder / "a.npy", [None]), folder / "a.npy")[1], "Python objects"),
    "declares too much": (huge_header, "(6,144,000,000,000 bytes), but has 6,144 bytes"),
    "truncated picture": (
        damaged_picture(lambda folder: (folder / "003/00003.png").write_bytes(b"\x89PNG\r\n\x1a\n")),
        "003/00003.png is damaged, or not a PNG or JPEG image",
    ),
    "class without pictures": (
        damaged_picture(lambda folder: (folder / "003/00003.png").unlink()),
        "no PNG or JPEG images in the directory '003'",
    ),
    "pictures of two sizes": (
        damaged_picture(lambda folder: Image.new("RGB", (32, 31)).save(folder / "003/00003.png")),
        "'003/00003.png' is 3×31×32, but the images before it are 3×32×32",
    ),
    "pictures of 16 bits": (
        damaged_picture(lambda folder: Image.new("I;16", (32, 32)).save(folder / "003/00003.png")),
        "is an image with unsupported mode 'I;16'; expected: 8 bits",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_cannot_be_read_is_named_in_one_line(tmp_path, what):
    write, cause = BROKEN[what]
    assert cause in refusal(write(tmp_path))


def test_two_layouts_that_are_both_possible_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 3, 20, 3), np.uint8), labels=Y)
    assert "is ambiguous: channels may come first or last" in refusal(tmp_path / "a.npz", resolution=16)


def test_two_pairs_of_files_are_refused(tmp_path):
    for name in ("images", "x_train"):
        np.save(tmp_path / f"{name}.npy", X)
    assert "and" in (message := refusal(tmp_path)) and "give one of them" in message


def test_a_directory_of_data_sets_suggests_one(tmp_path):
    torchvision_folder(tmp_path, *made_up(4))
    assert "did you mean 'cifar-10-batches-py' in it?" in refusal(tmp_path)
