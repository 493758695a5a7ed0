"""Taskonomy's folders that cannot be read: the message names the file and what is expected."""

import shutil

import numpy as np
import pytest
from harness_benchmarks.transnas101.jigsaw import PERMUTATION_FILE
from harness_benchmarks.transnas101.taskonomy import read_views
from miniature_taskonomy import SIDE, drawn_names, write_views
from PIL import Image

from harness.errors import DataError, HarnessError, UnknownNameError


@pytest.fixture
def folder(tmp_path):
    return write_views(tmp_path / "taskonomy")


def one(folder, domain):
    """The file of the first drawn view in one domain."""
    building, view = drawn_names(folder, "autoencoder")[0].split("/")
    return next((folder / building / domain).glob(f"{view}_domain_*"))


def _truncate(path):
    path.write_bytes(path.read_bytes()[:60])


def _text(path):
    path.write_text("<html>404</html>")


def _empty(path):
    path.write_bytes(b"")


def _grey(path):
    Image.new("L", (SIDE, SIDE)).save(path)


def _jpeg(path):
    Image.new("RGB", (SIDE, SIDE)).save(path, format="JPEG")


def _colours(path):
    Image.new("RGB", (SIDE, SIDE)).save(path)


def _small(path):
    Image.new(Image.open(path).mode, (SIDE, SIDE // 2)).save(path)


def _label_18(path):
    Image.new("L", (SIDE, SIDE), 18).save(path)


def _negative(path):
    values = np.load(path)
    values[1] = -0.25
    np.save(path, values)


def _doubled(path):
    np.save(path, np.load(path) * 0 + 2)


def _nothing(path):
    np.save(path, np.load(path) * 0)


def _not_finite(path):
    np.save(path, np.load(path) * np.nan)


def _too_short(path):
    np.save(path, np.load(path)[:-1])


def _objects(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def _words(path):
    np.save(path, np.load(path).astype(str))


def _header(path):
    path.write_bytes(path.read_bytes().replace(b"}", b"{", 1))


def _archive(path):
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(9))


@pytest.mark.parametrize(
    ("task", "domain", "change", "message"),
    [
        *(("autoencoder", "rgb", change, "damaged or no PNG") for change in (_truncate, _text, _empty, _jpeg)),
        ("jigsaw", "rgb", _truncate, "damaged or no PNG"),
        ("class_object", "rgb", _grey, "mode 'L'; expected: RGB or RGBA"),
        *(("normal", "normal", change, "damaged or no PNG") for change in (_truncate, _text)),
        ("normal", "normal", _grey, "mode 'L'; expected: RGB"),
        ("normal", "normal", _small, r"has 12×6 pixels; expected: 12×12, as its image has"),
        ("segmentsemantic", "segmentsemantic", _small, r"has 12×6 pixels; expected: 12×12"),
        ("segmentsemantic", "segmentsemantic", _colours, "mode 'RGB'; expected: L"),
        ("segmentsemantic", "segmentsemantic", _label_18, r"has the label 18; expected: 0\.\.17"),
        *(("class_object", "class_object", change, "damaged or no .npy") for change in (_truncate, _text, _header)),
        ("class_object", "class_object", _objects, "damaged or no .npy of numbers"),
        ("class_object", "class_object", _words, r"is <U\d+ \(1000,\); expected: 1,000 numbers"),
        ("class_object", "class_object", _too_short, r"is float32 \(999,\); expected: 1,000 numbers"),
        ("class_object", "class_object", _negative, r"has values from -0\.25 to .*; expected: probabilities, 0 to 1"),
        ("class_scene", "class_scene", _doubled, "has values from 2 to 2; expected: probabilities"),
        ("class_scene", "class_scene", _nothing, "gives no probability to any of the 47 classes"),
        ("class_scene", "class_scene", _not_finite, "NaN or infinite"),
        ("room_layout", "room_layout", _too_short, r"is float32 \(8,\); expected: 9 numbers"),
        ("room_layout", "room_layout", _not_finite, "NaN or infinite"),
        ("room_layout", "room_layout", _archive, "archive of arrays"),
    ],
)
def test_a_faulty_file_is_named_with_what_is_wanted(folder, task, domain, change, message):
    path = one(folder, domain)
    change(path)
    with pytest.raises(DataError, match=rf"^{path.parent.parent.name}/{domain}/{path.name} .*{message}"):
        read_views(folder, task, limit=12, seed=0, resolution=4)


@pytest.mark.parametrize(
    "content",
    [np.zeros((1000, 9), dtype=int), np.tile(np.arange(9.0), (1000, 1)), np.tile(np.arange(9), (100, 1)), None],
    ids=["repeated", "fractional", "too few", "damaged"],
)
def test_a_faulty_file_of_permutations_is_refused(folder, content):
    if content is None:
        (folder / PERMUTATION_FILE).write_bytes(b"\x93NUMPY")
    else:
        np.save(folder / PERMUTATION_FILE, content)
    with pytest.raises(DataError, match=PERMUTATION_FILE):
        read_views(folder, "jigsaw", limit=1, seed=0, resolution=4)


def test_a_folder_without_what_is_needed_says_what_is_wanted(folder, tmp_path):
    with pytest.raises(DataError, match="no directory"):
        read_views(tmp_path / "absent", "normal", limit=1, seed=0, resolution=4)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"'empty' has no image .*<building>/rgb/point_0_view_0_domain_rgb\.png"):
        read_views(tmp_path / "empty", "normal", limit=1, seed=0, resolution=4)
    for path in folder.glob("*/room_layout"):
        shutil.rmtree(path)
    with pytest.raises(DataError, match=r"12 images and 0 labels of the domain 'room_layout'.*point_info2room_layout"):
        read_views(folder, "room_layout", limit=1, seed=0, resolution=4)
    shutil.rmtree(folder / "tolstoy" / "rgb")
    shutil.rmtree(folder / "allensville" / "normal")
    with pytest.raises(DataError, match="6 images and 6 labels of the domain 'normal', but none of one view"):
        read_views(folder, "normal", limit=1, seed=0, resolution=4)


def test_what_cannot_be_asked_for_is_refused(folder):
    with pytest.raises(UnknownNameError, match="did you mean 'normal'"):
        read_views(folder, "normals", limit=1, seed=0, resolution=4)
    for limit, resolution in ((0, 4), (1, 0)):
        with pytest.raises(HarnessError, match="at least one"):
            read_views(folder, "normal", limit=limit, seed=0, resolution=resolution)
