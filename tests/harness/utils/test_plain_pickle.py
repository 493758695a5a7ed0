"""Downloaded pickles: plain data is read, anything that could run code is refused."""

import io
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from harness._utils.plain_pickle import as_array, load_plain
from harness.errors import DataError


def load(value, protocol=4):
    return load_plain(io.BytesIO(pickle.dumps(value, protocol=protocol)), "file.pickle")


class Exploit:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_data_comes_back(protocol):
    value = {"a": [1, 2.5, None], "b": OrderedDict(x=(True, "text")), "c": b"bytes", "d": {1, 2}}
    assert load(value, protocol) == value


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("number", [np.float64(0.1), np.float32(2.5), np.int64(-3), np.uint8(200), np.bool_(True)])
def test_numpy_numbers_come_back_as_numbers(number, protocol):
    assert load([number], protocol) == [number.item()]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint8).reshape(3, 4),
        np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        np.arange(3, dtype=">i4"),
        np.zeros((0, 3)),
    ],
)
def test_numeric_arrays_come_back(array, protocol):
    read = as_array(load({"data": array}, protocol)["data"])
    assert read.shape == array.shape
    assert np.array_equal(read, array)


def test_what_is_no_array_is_none():
    assert as_array([1, 2]) is None


def test_a_function_call_is_refused_and_not_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"file.pickle was not read.*'posix.mkdir', which is not plain data"):
        load(Exploit())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "value", [np.array([Exploit()], dtype=object), np.array(["text"]), os.system, np.random.default_rng]
)
def test_objects_text_arrays_and_functions_are_refused(value):
    with pytest.raises(DataError, match="more than plain data"):
        load(value)


def test_a_remedy_is_named_where_there_is_one():
    with pytest.raises(DataError, match=r"; say so$"):
        load_plain(io.BytesIO(pickle.dumps(os.system)), "file.pickle", remedy="say so")


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps(np.arange(1000))[:500], b"\x80\x04}"])
def test_a_damaged_file_is_one_clear_line(content):
    with pytest.raises(DataError, match=r"file.pickle") as caught:
        load_plain(io.BytesIO(content), "file.pickle")
    assert "damaged" in str(caught.value)
    assert "\n" not in str(caught.value)
