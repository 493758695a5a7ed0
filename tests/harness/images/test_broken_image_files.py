"""Images that cannot be read are refused in one line that names the cause."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from image_files import made_up, pictures, refusal, torchvision_folder
from PIL import Image


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
