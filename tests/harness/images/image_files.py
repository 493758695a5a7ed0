"""Images as people store them, and the message of those that are refused."""

import struct

import numpy as np
import pytest
from PIL import Image

from harness.errors import DataError
from harness.images import load_images
from harness.tasks import Task

CIFAR10 = Task("cifar10", (3, 32, 32), 10)


def made_up(count=64, classes=10):
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


def refusal(source, task=CIFAR10, **options):
    """The message of refused images: one line without a directory outside of them."""
    with pytest.raises(DataError) as caught:
        load_images(source, task, **options)
    message = str(caught.value)
    assert "\n" not in message and "/tmp" not in message
    return message
