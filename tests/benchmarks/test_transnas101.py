"""TransNAS-Bench-101: seven tasks with their own images, losses and metrics, and the real ground truth."""

import numpy as np
import pytest
import torch
from harness_benchmarks.transnas101 import TransNasMacro, TransNasMicro
from PIL import Image
from scipy.stats import kendalltau, spearmanr

from harness.data import import_table
from harness.errors import DataError, HarnessError, UnknownNameError
from harness.images import load_images

MICRO, MACRO = TransNasMicro(), TransNasMacro()
BOTH = pytest.mark.parametrize("space", [MICRO, MACRO], ids=lambda space: space.name)
CODES = {"transnas-micro": "64-41414-1_02_333", "transnas-macro": "64-1234-basic"}


@BOTH
@pytest.mark.parametrize("task", MICRO.datasets)
def test_outputs_and_targets_fit_the_loss_of_every_task(space, task):
    images = load_images("noise", space.task(task), resolution=64)
    batch = images.batches(2, 1, seed=0)[0]
    torch.manual_seed(0)
    outputs = space.build(CODES[space.name], task)(batch.images)
    loss = space.task(task).objective.loss(outputs, batch.labels)
    assert loss.shape == () and loss.isfinite() and loss > 0


def test_images_are_those_that_the_benchmark_trained_with():
    assert MICRO.task("class_scene").image_shape == (3, 256, 256)
    assert MICRO.task("jigsaw").image_shape == (9, 3, 64, 64)


@pytest.mark.parametrize(
    ("space", "architecture"),
    [(MICRO, "64-1234-basic"), (MACRO, "64-41414-1_02_333"), (MICRO, "64-41414-1_02_334"), (MACRO, "64-1111-basic")],
)
def test_an_architecture_of_the_other_space_is_refused(space, architecture):
    with pytest.raises(HarnessError, match=architecture.split("-")[1] if "334" not in architecture else "'4'"):
        space.build(architecture, "class_scene")


class TestTruths:
    def test_the_epoch_is_an_explicit_choice(self):
        assert MICRO.truths_of("jigsaw") == (("val", "final"), ("val", "best"), ("test", "final"), ("test", "best"))

    def test_segmentation_has_a_second_metric(self):
        assert ("test-mIoU", "best") in MICRO.truths_of("segmentsemantic")
        assert MICRO.choose_truth("segmentsemantic", "val-mIoU", None) == ("val-mIoU", "final")

    def test_another_epoch_is_refused_with_what_there_is(self):
        with pytest.raises(
            UnknownNameError, match=r"unknown ground truth of transnas-micro 'val/25'.*val/best, val/final"
        ):
            MICRO.choose_truth("jigsaw", "val", 25)

    def test_without_a_table_it_says_what_to_do(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
        with pytest.raises(DataError, match="harness data import transnas-macro FILE"):
            MACRO.ground_truth("normal")

    def test_the_table_holds_values_of_each_tasks_own_scale(self):
        truths = MICRO.table_format().truths
        assert truths["class_scene/val/final"].limits == (0, 100)
        assert truths["autoencoder/test/best"].limits == (-1, 1)
        assert truths["room_layout/val/final"].limits[1] == 0
        assert all(truth.higher_is_better for truth in truths.values())


@pytest.mark.real_data
class TestRealGroundTruth:
    """The published tables, with the coefficients that ZiCo's Table 5 prints for #Params, signs kept."""

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def imported(cls, real_data, tmp_path_factory):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HARNESS_DATA", str(tmp_path_factory.mktemp("tables")))
            for space in (MICRO, MACRO):
                import_table(space, real_data / f"{space.name}.csv.gz")
            yield

    @pytest.mark.parametrize(
        ("space", "task", "kendall", "spearman"),
        [
            (MICRO, "class_scene", 0.456, 0.638),
            (MICRO, "class_object", 0.301, 0.454),
            (MICRO, "room_layout", 0.171, 0.302),
            (MICRO, "jigsaw", 0.292, 0.439),
            (MICRO, "segmentsemantic", 0.494, 0.683),
            (MICRO, "normal", 0.447, 0.630),
            (MICRO, "autoencoder", -0.010, -0.012),
            (MACRO, "class_scene", 0.222, 0.325),
            (MACRO, "class_object", 0.115, 0.173),
            (MACRO, "room_layout", 0.003, 0.004),
            (MACRO, "jigsaw", 0.110, 0.163),
            (MACRO, "segmentsemantic", 0.046, 0.069),
            (MACRO, "normal", 0.208, 0.308),
            (MACRO, "autoencoder", -0.120, -0.179),
        ],
    )
    def test_params_over_the_whole_space(self, space, task, kendall, spearman):
        truth = space.ground_truth(task)
        assert len(truth.accuracy) == len(space.architectures())
        counts = space.parameter_counts(list(truth.accuracy.index), task)
        assert kendalltau(counts, truth.accuracy).statistic == pytest.approx(kendall, abs=0.0006)
        assert spearmanr(counts, truth.accuracy).statistic == pytest.approx(spearman, abs=0.0006)

    def test_it_says_which_accuracy_it_is(self):
        assert MICRO.ground_truth("normal").describe() == (
            "normal val structural similarity (SSIM), final epoch, one training of 30 epochs"
        )
        assert MACRO.ground_truth("room_layout").metric == "negative mean squared error"

    def test_what_the_table_lacks_is_named(self):
        with pytest.raises(DataError, match="no column 'jigsaw/test/best'"):
            MICRO.ground_truth("jigsaw", "test", "best")

    def test_isomorphic_cells_reached_nearly_the_same(self):
        """Equal functions were trained apart, or copied from one training: either way they lie close together."""
        accuracy = MICRO.ground_truth("class_scene").accuracy
        groups = accuracy.groupby([MICRO.canonical_form(name) for name in accuracy.index])
        assert groups.std().dropna().median() < accuracy.std() / 10


def test_a_folder_is_read_as_taskonomy(tmp_path):
    for view in range(3):
        place = tmp_path / "house" / "rgb"
        place.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(view).integers(256, size=(20, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"point_{view}_view_0_domain_rgb.png")
    task = MICRO.task("autoencoder").at_resolution(32)
    images = MICRO.read_images(tmp_path, task, seed=0)
    assert images.pixels.shape == (3, 3, 32, 32) and np.array_equal(images.pixels, images.labels)
    assert "3 of 3 views of Taskonomy" in images.description
    assert MICRO.read_images(tmp_path / "house.npz", task, seed=0) is None
