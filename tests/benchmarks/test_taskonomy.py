"""Taskonomy's folders as images and labels of seven tasks, each against an independent computation."""

import hashlib
import shutil

import numpy as np
import pytest
from harness_benchmarks.transnas101.jigsaw import CLASSES, PERMUTATION_FILE, own_permutations
from harness_benchmarks.transnas101.taskonomy import RECIPES, read_views
from harness_benchmarks.transnas101.taskonomy_classes import OBJECTS, SCENES
from miniature_taskonomy import SIDE, VIEWS, drawn_names, write_views
from PIL import Image

import harness
from harness.errors import DataError

MEAN, DEVIATION = np.array([0.5224, 0.5222, 0.5221]), np.array([0.2234, 0.2235, 0.2236])


@pytest.fixture
def folder(tmp_path):
    return write_views(tmp_path / "taskonomy")


def stored(folder, name, domain):
    """The content of a view's file in one domain."""
    building, view = name.split("/")
    path = next((folder / building / domain).glob(f"{view}_domain_*"))
    return np.load(path) if path.suffix == ".npy" else np.asarray(Image.open(path))


def each(folder, task, views):
    """The view's name with its pixels and target."""
    return zip(drawn_names(folder, task, len(views.pixels)), views.pixels, views.targets, strict=True)


@pytest.mark.parametrize(
    ("task", "mean", "deviation"),
    [
        *((task, MEAN, DEVIATION) for task in ("class_scene", "class_object", "room_layout")),
        *((task, np.full(3, 0.5), np.full(3, 0.5)) for task in ("segmentsemantic", "normal", "autoencoder")),
    ],
)
def test_images_are_normalised_as_the_task_was_trained(folder, task, mean, deviation):
    views = read_views(folder, task, limit=12, seed=0, resolution=SIDE)
    assert views.pixels.dtype == np.float32
    assert views.pixels.shape == (12, 3, SIDE, SIDE)
    for name, pixels, _ in each(folder, task, views):
        expected = (stored(folder, name, "rgb") / 255 - mean) / deviation
        np.testing.assert_allclose(pixels.transpose(1, 2, 0), expected, atol=2e-6)


@pytest.mark.parametrize(("task", "kept"), [("class_object", OBJECTS), ("class_scene", SCENES)])
def test_probabilities_are_those_of_the_kept_classes_made_to_sum_to_one(folder, task, kept):
    views = read_views(folder, task, limit=12, seed=0, resolution=4)
    assert views.targets.dtype == np.float32
    for name, _, target in each(folder, task, views):
        published = stored(folder, name, task).astype(float)
        total = sum(published[index] for index in kept)
        assert target == pytest.approx([published[index] / total for index in kept], rel=1e-5)
        assert target.sum() == pytest.approx(1, abs=1e-5)


def test_the_kept_classes_are_those_of_the_published_lists():
    digests = {name: (len(kept), hashlib.sha256(repr(kept).encode()).hexdigest()[:16]) for name, kept in KEPT.items()}
    assert digests == {"objects": (75, "39f14455b3f35519"), "scenes": (47, "51195b0412c4bef9")}
    assert OBJECTS[:2] == (401, 402)
    assert OBJECTS[-1] == 999
    assert SCENES[0] == 3
    assert SCENES[-1] == 363


KEPT = {"objects": OBJECTS, "scenes": SCENES}


def test_a_room_is_nine_numbers_as_they_are(folder):
    views = read_views(folder, "room_layout", limit=12, seed=0, resolution=4)
    for name, _, target in each(folder, "room_layout", views):
        assert target.tolist() == stored(folder, name, "room_layout").tolist()


def test_segments_count_from_the_background_and_uncertain_pixels_are_background(folder):
    views = read_views(folder, "segmentsemantic", limit=12, seed=0, resolution=SIDE)
    assert views.targets.dtype == np.int64
    expected = {0: 0, **{label: label - 1 for label in range(1, 18)}}
    for name, _, target in each(folder, "segmentsemantic", views):
        assert target.tolist() == [
            [expected[label] for label in row] for row in stored(folder, name, "segmentsemantic")
        ]


def test_segments_are_resized_without_mixing_classes(folder):
    views = read_views(folder, "segmentsemantic", limit=12, seed=0, resolution=SIDE // 3)
    for name, _, target in each(folder, "segmentsemantic", views):
        middle = stored(folder, name, "segmentsemantic")[1::3, 1::3].astype(int)
        assert target.tolist() == (np.where(middle == 0, 1, middle) - 1).tolist()


def test_normals_are_labels_from_zero_to_one(folder):
    views = read_views(folder, "normal", limit=12, seed=0, resolution=SIDE)
    for name, _, target in each(folder, "normal", views):
        np.testing.assert_allclose(target.transpose(1, 2, 0), stored(folder, name, "normal") / 255, atol=1e-6)


def test_the_autoencoder_is_to_give_back_its_normalised_image(folder):
    views = read_views(folder, "autoencoder", limit=12, seed=0, resolution=SIDE)
    assert (views.targets == views.pixels).all()


def test_a_picture_is_made_larger_between_its_pixels(folder):
    ramp = np.repeat(np.array([[0, 200]], dtype=np.uint8), 2, axis=0)
    for path in folder.glob("*/*/*_rgb.png"):
        Image.fromarray(np.stack([ramp] * 3, axis=-1)).save(path)
    views = read_views(folder, "autoencoder", limit=1, seed=0, resolution=4)
    assert views.pixels[0, 0, 0] * 0.5 + 0.5 == pytest.approx(np.array([0, 50, 150, 200]) / 255, abs=1e-6)


def test_a_picture_with_transparency_gives_its_colours(folder):
    before = read_views(folder, "autoencoder", limit=12, seed=0, resolution=5)
    for path in folder.glob("*/*/*_rgb.png"):
        Image.open(path).convert("RGBA").save(path)
    assert (read_views(folder, "autoencoder", limit=12, seed=0, resolution=5).pixels == before.pixels).all()


def _position_coded(folder, side):
    """Images whose first two colours are the row and the column."""
    rows, columns = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    for path in folder.glob("*/*/*_rgb.png"):
        Image.fromarray(np.stack([rows, columns, 0 * rows], axis=-1).astype(np.uint8)).save(path)


def test_tiles_lie_in_the_cells_that_the_permutation_says(folder):
    _position_coded(folder, 255)
    views = read_views(folder, "jigsaw", limit=12, seed=0, resolution=64)
    assert views.pixels.shape == (12, 9, 3, 64, 64)
    assert views.pixels.dtype == np.float32
    permutations = own_permutations()
    for tiles, target in zip(views.pixels, views.targets, strict=True):
        # The central 229 pixels from the 13th are spread over 255.
        first, middle, last = ((np.round(tiles[:, :2, n, n] * 255) - 13) * 255 / 229 for n in (0, 32, 63))
        assert (middle // 85).astype(int).tolist() == [[cell // 3, cell % 3] for cell in permutations[target].tolist()]
        assert np.abs(last - first - 63).max() <= 2.5, "a tile is 64 pixels wide and high"
        assert len({*(first[:, 0] % 85).round().astype(int).tolist()}) > 1, "tiles are cut at random places"


@pytest.mark.parametrize("tile", [1, 7, 32, 64, 128])
def test_tiles_of_any_size_can_be_asked_for(folder, tile):
    views = read_views(folder, "jigsaw", limit=3, seed=0, resolution=tile)
    assert views.pixels.shape == (3, 9, 3, tile, tile)
    assert views.pixels.min() >= 0
    assert views.pixels.max() <= 1


def test_the_benchmarks_permutations_are_read_where_they_lie_in_the_folder(folder):
    _position_coded(folder, 255)
    turned = np.tile(np.arange(9)[::-1], (CLASSES, 1))
    np.save(folder / PERMUTATION_FILE, turned)
    views = read_views(folder, "jigsaw", limit=4, seed=0, resolution=64)
    assert PERMUTATION_FILE in views.description
    rows = views.pixels[:, :, 0].mean(axis=(2, 3))
    assert (rows[:, :3].min(axis=1) > rows[:, 6:].max(axis=1)).all()


def test_own_permutations_are_distinct_and_said_to_be_own(folder):
    permutations = own_permutations()
    assert len({tuple(row) for row in permutations.tolist()}) == CLASSES
    assert (np.sort(permutations, axis=1) == np.arange(9)).all()
    assert (permutations == own_permutations()).all()
    assert "not the benchmark's" in read_views(folder, "jigsaw", limit=1, seed=0, resolution=8).description


def test_a_puzzle_does_not_depend_on_how_many_are_drawn(folder):
    few, many = (read_views(folder, "jigsaw", limit=limit, seed=3, resolution=8) for limit in (3, 12))
    assert (few.pixels == many.pixels[:3]).all()
    assert (few.targets == many.targets[:3]).all()
    other = read_views(folder, "jigsaw", limit=12, seed=4, resolution=8)
    assert sorted(other.targets.tolist()) != sorted(many.targets.tolist())


class TestPuzzlesOfOtherPictures:
    """Any data set of colour pictures can be cut into the tiles of the jigsaw."""

    TASK = harness.load("transnas-micro").task("jigsaw").at_resolution(16)

    @staticmethod
    def pictures(count=6, side=32):
        rows, columns = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
        coded = np.stack([rows, columns, 0 * rows]).astype(np.uint8) * (256 // side)
        return np.stack([coded] * count)

    def test_tiles_lie_where_the_class_says(self, tmp_path):
        np.savez(tmp_path / "p.npz", images=self.pictures(), labels=np.zeros(6, dtype=int))
        images = harness.load("transnas-micro").read_images(tmp_path / "p.npz", self.TASK, seed=0)
        assert images.pixels.shape == (6, 9, 3, 16, 16)
        assert "6 of 6 images of p.npz, cut into nine tiles of 16×16" in images.description
        for tiles, target in zip(images.pixels, images.labels, strict=True):
            row, column = (tiles[:, colour].mean(axis=(1, 2)).round(6) for colour in (0, 1))
            cells = own_permutations()[target]
            assert [row[cells == each].item() for each in (0, 3, 6)] == sorted(row[np.isin(cells, [0, 3, 6])])
            assert [column[cells == each].item() for each in (0, 1, 2)] == sorted(column[np.isin(cells, [0, 1, 2])])

    def test_tiles_that_were_cut_before_are_read_as_they_are(self, tmp_path):
        tiles = np.zeros((4, 9, 3, 16, 16), dtype=np.uint8)
        np.savez(tmp_path / "tiles.npz", images=tiles, labels=np.zeros(4, dtype=int))
        assert harness.load("transnas-micro").read_images(tmp_path / "tiles.npz", self.TASK, seed=0) is None

    def test_normalised_pictures_are_refused(self, tmp_path):
        normalised = self.pictures().astype(np.float32) / 100 - 1
        np.savez(tmp_path / "n.npz", images=normalised, labels=np.zeros(6, dtype=int))
        with pytest.raises(DataError, match=r"n\.npz has normalised pictures; give bytes"):
            harness.load("transnas-micro").read_images(tmp_path / "n.npz", self.TASK, seed=0)


@pytest.mark.parametrize("task", list(RECIPES))
def test_drawing_is_uniform_nested_and_the_same_for_every_task(folder, task):
    names = drawn_names(folder, task)
    assert sorted(names) == sorted(f"{building}/point_{point}_view_{view}" for building, point, view in VIEWS)
    assert drawn_names(folder, task, limit=5) == names[:5]
    assert drawn_names(folder, task, limit=99) == names
    assert drawn_names(folder, "class_object") == names
    first = [drawn_names(folder, task, limit=1, seed=seed)[0] for seed in range(600)]
    counts = [first.count(name) for name in names]
    assert min(counts) > 25, "each of twelve views is expected 50 times"


def test_only_the_drawn_views_are_opened(folder):
    for name in drawn_names(folder, "autoencoder")[2:]:
        building, view = name.split("/")
        (folder / building / "rgb" / f"{view}_domain_rgb.png").write_bytes(b"not opened")
    assert len(read_views(folder, "autoencoder", limit=2, seed=0, resolution=4).pixels) == 2
    with pytest.raises(DataError, match=r"rgb/point_\d+_view_\d_domain_rgb.png is damaged"):
        read_views(folder, "autoencoder", limit=3, seed=0, resolution=4)


@pytest.mark.parametrize("middle", ["", "taskonomy"])
def test_folders_by_domain_first_give_the_same_views(folder, tmp_path, middle):
    other = tmp_path / "omnidata"
    for path in folder.glob("*/*/*.*"):
        domain = {"segmentsemantic": "segment_semantic"}.get(path.parent.name, path.parent.name)
        # Published so: scenes are called places in the names of their files.
        name = path.name.replace("class_scene", "class_places")
        target = other / domain / middle / path.parent.parent.name / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (other / "depth_zbuffer").mkdir()
    for task in RECIPES:
        by_building, by_domain = (read_views(root, task, limit=12, seed=0, resolution=6) for root in (folder, other))
        assert by_domain.pixels.shape == by_building.pixels.shape
        # With another folder above it a view has another name, and each name its own puzzle.
        if task != "jigsaw" or not middle:
            assert (by_building.pixels == by_domain.pixels).all()
            assert (by_building.targets == by_domain.targets).all()


def test_a_view_that_is_there_twice_is_refused(folder):
    shutil.copytree(folder / "tolstoy" / "rgb", folder / "rgb" / "tolstoy")
    with pytest.raises(DataError, match=r"rgb of tolstoy/point_\d+_view_\d twice, as rgb/tolstoy/.* and tolstoy/rgb/"):
        read_views(folder, "autoencoder", limit=1, seed=0, resolution=4)


def test_views_that_lack_a_label_are_left_out(folder):
    for path in (folder / "tolstoy" / "normal").iterdir():
        path.unlink()
    views = read_views(folder, "normal", limit=99, seed=0, resolution=4)
    assert len(views.pixels) == 6
    assert "6 of 6 views" in views.description


def test_the_description_says_what_was_done_and_what_was_not(folder):
    views = read_views(folder, "class_object", limit=3, seed=0, resolution=8)
    assert views.description == (
        "3 of 12 views of Taskonomy in taskonomy for class_object, 8×8, normalised as in training, no augmentation "
        "(training mirrors images and jitters colours)"
    )
