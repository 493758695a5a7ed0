"""Arrays are read as numpy reads them, and no header makes anything be allocated that the file cannot hold."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from harness._utils import plain_arrays
from harness._utils.plain_arrays import read_npy, read_npz
from harness.errors import DataError
from harness.images.batches import read_batches
from harness.images.files import read_file
from harness.tasks import Task

TASK = Task("cifar10", (3, 32, 32), 10)
HUGE = (10**12, 3, 32, 32)


def npy(array, shape=None):
    """An ``.npy`` file; with another shape in its header."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    content = buffer.getvalue()
    if shape is not None:
        header = np.lib.format.header_data_from_array_1_0(array)
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(buffer, {**header, "shape": shape})
        content = buffer.getvalue() + array.tobytes()
    return content


def npz(path, compression=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


IMAGES = np.zeros((2, 3, 32, 32), dtype=np.uint8)


class TestReading:
    @pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
    @pytest.mark.parametrize(
        "array",
        [IMAGES, np.float64(3), np.arange(6).reshape(2, 3).T, np.empty((0, 3)), np.array(["a", "bc"]), np.array(True)],
    )
    def test_every_plain_array_is_as_numpy_reads_it(self, tmp_path, save, array):
        save(tmp_path / "a.npz", x=array, y=1)
        found = read_npz(tmp_path / "a.npz", ["x"])
        assert found.names == ["x", "y"] and list(found.read) == ["x"]
        np.testing.assert_array_equal(found.read["x"], array, strict=True)
        np.save(tmp_path / "a.npy", array)
        np.testing.assert_array_equal(read_npy(tmp_path / "a.npy"), array, strict=True)

    def test_objects_are_not_read(self, tmp_path):
        np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
        with pytest.raises(ValueError, match="'x' has Python objects"):
            read_npz(tmp_path / "a.npz")

    def test_a_file_that_is_missing(self, tmp_path):
        for read in (read_npz, read_npy):
            with pytest.raises(FileNotFoundError):
                read(tmp_path / "a")


class TestAHeaderThatDeclaresTooMuch:
    @pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_of_images(self, tmp_path, compression):
        file = npz(tmp_path / "a.npz", compression, images=npy(IMAGES, HUGE))
        with pytest.raises(
            DataError, match=r"a.npz is damaged, .*'images' states uint8 .* bytes\), but has 6,144 bytes"
        ):
            read_file(file, TASK)

    def test_of_a_run_s_batches(self, tmp_path):
        npz(tmp_path / "batches.npz", images0=npy(IMAGES, HUGE), labels0=npy(np.arange(2)))
        with pytest.raises(DataError, match=r"cannot read .*'images0' states"):
            read_batches(tmp_path / "batches.npz", "0" * 16)

    def test_of_one_array(self, tmp_path):
        (tmp_path / "a.npy").write_bytes(npy(IMAGES, HUGE))
        with pytest.raises(ValueError, match="the array states uint8"):
            read_npy(tmp_path / "a.npy")

    @pytest.mark.parametrize("shape", [(-2, 3, 32, 32), (-1, -2, 3, 1024), (1, 3, 32, 32)])
    def test_other_shapes_than_the_bytes(self, tmp_path, shape):
        (tmp_path / "a.npy").write_bytes(npy(IMAGES, shape))
        with pytest.raises(ValueError, match=r"bytes\), but has 6,144 bytes|dimensions"):
            read_npy(tmp_path / "a.npy")

    def test_a_compressed_member_that_states_more_than_deflate_can_give(self, tmp_path):
        file = npz(tmp_path / "a.npz", zipfile.ZIP_DEFLATED, images=npy(IMAGES))
        content = bytearray(file.read_bytes())
        place = content.rindex(b"PK\x01\x02") + 24
        content[place : place + 4] = (2**31).to_bytes(4, "little")
        file.write_bytes(content)
        with pytest.raises(DataError, match="states a size that its compressed data cannot have"):
            read_file(file, TASK)

    def test_more_than_the_memory_of_this_machine(self, tmp_path, monkeypatch):
        np.savez_compressed(tmp_path / "a.npz", images=IMAGES)
        monkeypatch.setattr(plain_arrays, "_memory", lambda: 6000.0)
        with pytest.raises(DataError, match="has 6,144 bytes, more than this machine's memory"):
            read_file(tmp_path / "a.npz", TASK)

    def test_a_header_that_is_nested_without_end(self, tmp_path):
        header = b"(" * 9000
        content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
        (tmp_path / "a.npy").write_bytes(content)
        with pytest.raises(ValueError, match=r"\w"):
            read_npy(tmp_path / "a.npy")
