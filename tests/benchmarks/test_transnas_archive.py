"""The official file of TransNAS-Bench-101: both formats of torch.save, plain data only, faults by place."""

import re
from collections import Counter
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from harness_benchmarks.transnas101.archive import PthReader
from harness_benchmarks.transnas101.truths import COLUMNS, FACTS

from harness.errors import DataError

MICRO = ("64-41414-0_00_000", "64-41414-3_33_333")
MACRO = ("64-1234-basic",)
SPLITS = {"class_scene": "valid", "class_object": "valid", "room_layout": "valid", "jigsaw": "valid"}
SPLITS |= {"segmentsemantic": "valid", "normal": "val", "autoencoder": "val"}
STEMS = {"room_layout": ("loss", "neg_loss"), "segmentsemantic": ("loss", "acc", "mIoU")}
STEMS |= dict.fromkeys(("class_scene", "class_object", "jigsaw"), ("loss", "top1", "top5"))
STEMS |= dict.fromkeys(("normal", "autoencoder"), ("l1_loss", "ssim"))


def result(task, rng, number=float):
    """The record of one training as the official file holds it."""
    epochs = FACTS[task].epochs
    metrics = {
        f"{split}_{stem}": [number(value) for value in rng.uniform(0.1, 0.9, epochs).astype(np.float32)]
        for split in ("train", SPLITS[task], "test")
        for stem in STEMS[task]
    }
    if task == "room_layout":
        for split in ("train", "valid", "test"):
            metrics[f"{split}_neg_loss"] = [-value for value in metrics[f"{split}_loss"]]
    metrics["time_elapsed"] = [f"00:{epoch:02d}:00" for epoch in range(epochs)]
    info = {"inference_time": 0.004, "model_params": 1234 + len(task), "encoder_params": ""}
    return {"metrics": metrics, "total_epochs": epochs, "model_info": info}


def official(number=float):
    rng = np.random.default_rng(0)
    return {
        "metrics_dict": {task: [] for task in FACTS},
        "info_names": ["inference_time", "model_params", "encoder_params"],
        "task_list": list(FACTS),
        "data": {
            space: {name: {task: result(task, rng, number) for task in FACTS} for name in names}
            for space, names in (("macro", MACRO), ("micro", MICRO))
        },
    }


@pytest.fixture
def content():
    return official()


@pytest.fixture
def save(tmp_path):
    def write(content, **options):
        path = tmp_path / "transnas-bench_v10141024.pth"
        torch.save(content, path, **options)
        return path

    return write


def read(path, space="micro", trust_pickle=False):
    assert PthReader(space).accepts(path)
    return PthReader(space).read(path, trust_pickle)


def test_a_space_is_read_with_every_column_of_ground_truth(content, save):
    path = save(content)
    for space, names in (("micro", MICRO), ("macro", MACRO)):
        frame = read(path, space)
        assert tuple(frame.index) == names
        assert set(frame.columns) == set(COLUMNS)
    assert PthReader("micro").describe(path) == "transnas-bench_v10141024.pth, search space micro"


def test_final_is_the_last_epoch_and_best_the_test_value_at_the_best_validation_epoch(content, save):
    row = read(save(content)).loc[MICRO[1]]
    for task, facts in FACTS.items():
        metrics = content["data"]["micro"][MICRO[1]][task]["metrics"]
        for mark, metric in facts.metrics().items():
            val, test = metrics[f"{SPLITS[task]}_{metric.official}"], metrics[f"test_{metric.official}"]
            best = val.index(max(val))
            assert best != test.index(max(test)), "the case would not tell early stopping from peeking at test images"
            suffix = mark and f"-{mark}"
            assert row[f"{task}/val{suffix}/final"] == val[-1]
            assert row[f"{task}/test{suffix}/final"] == test[-1]
            assert row[f"{task}/val{suffix}/best"] == max(val)
            assert row[f"{task}/test{suffix}/best"] == test[best]


def test_of_equally_good_epochs_the_first_counts(content, save):
    metrics = content["data"]["micro"][MICRO[0]]["jigsaw"]["metrics"]
    metrics["valid_top1"] = [1.0, 7.0, 3.0, 7.0, *[2.0] * 6]
    metrics["test_top1"] = [float(epoch) for epoch in range(10)]
    assert read(save(content)).loc[MICRO[0], "jigsaw/test/best"] == 1.0


def test_without_a_negative_loss_the_loss_is_negated(content, save):
    with_both = read(save(content))
    for tasks in content["data"]["micro"].values():
        for name in [name for name in tasks["room_layout"]["metrics"] if "neg_loss" in name]:
            del tasks["room_layout"]["metrics"][name]
    pd.testing.assert_frame_equal(read(save(content)), with_both)
    assert (with_both["room_layout/val/final"] < 0).all()


def test_either_name_of_the_validation_split_is_read(content, save):
    expected = read(save(content))
    for tasks in content["data"]["micro"].values():
        for task in ("normal", "autoencoder"):
            metrics = tasks[task]["metrics"]
            tasks[task]["metrics"] = {re.sub("^val_", "valid_", name): values for name, values in metrics.items()}
    pd.testing.assert_frame_equal(read(save(content)), expected)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("number", [float, np.float32, np.float64, torch.tensor], ids=lambda number: number.__name__)
def test_both_formats_and_every_kind_of_number_give_the_same_table(save, number, zipped):
    expected = read(save(official()))
    path = save(official(number), _use_new_zipfile_serialization=zipped)
    pd.testing.assert_frame_equal(read(path), expected)


def test_whole_numbers_are_numbers_too(content, save):
    content["data"]["micro"][MICRO[0]]["jigsaw"]["metrics"]["valid_top1"] = [*range(8), np.int64(8), torch.tensor(9)]
    assert read(save(content)).loc[MICRO[0], "jigsaw/val/final"] == 9.0


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_a_pickle_protocol_that_the_safe_reader_does_not_know_is_not_taken_for_more_than_that(content, save):
    path = save(content, pickle_protocol=4)
    with pytest.raises(
        DataError, match=r"damaged or contains more than plain data \(Unsupported operand .*--trust-pickle"
    ):
        read(path)
    assert tuple(read(path, trust_pickle=True).index) == MICRO


@pytest.mark.parametrize("zipped", [True, False])
def test_a_foreign_object_is_refused_by_name_and_loaded_where_the_user_trusts_the_file(content, save, zipped):
    content["info_names"] = Fraction(1, 3)
    path = save(content, _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match=r"v10141024\.pth .* 'fractions\.Fraction'.*--trust-pickle.*code"):
        read(path)
    assert tuple(read(path, trust_pickle=True).index) == MICRO


class _Command:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_that_a_file_brings_along_is_run(content, save, tmp_path, zipped):
    content["task_list"] = _Command(tmp_path / "was-run")
    path = save(content, _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match="open"):
        read(path)
    assert not (tmp_path / "was-run").exists()


def test_numpy_numbers_are_allowed_for_this_file_only(content, save):
    before = torch.serialization.get_safe_globals()
    read(save(content))
    assert Counter(map(str, torch.serialization.get_safe_globals())) == Counter(map(str, before))


def test_other_files_are_left_to_other_readers(tmp_path):
    (tmp_path / "table.csv").write_text("arch,class_scene/val/final\n")
    np.savez(tmp_path / "arrays.npz", data=np.zeros(3))
    pd.to_pickle({"data": {}}, tmp_path / "plain.pkl")
    (tmp_path / "empty.pth").write_bytes(b"")
    (tmp_path / "short.pth").write_bytes(b"PK\x03\x04")
    for path in [tmp_path, *tmp_path.iterdir()]:
        assert not PthReader("micro").accepts(path)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.002, 0.02, 0.5, 0.999])
def test_a_truncated_file_is_named(content, save, share, zipped):
    path = save(content, _use_new_zipfile_serialization=zipped)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DataError, match=r"v10141024\.pth .*damaged"):
        read(path)


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_damaged_file_never_fails_but_by_a_clear_error(content, save, zipped, trust):
    path = save(content, _use_new_zipfile_serialization=zipped)
    data, rng = path.read_bytes(), np.random.default_rng(1)
    refused = 0
    for _ in range(30):
        # The middle holds names, numbers and the pickle's own codes; nothing there names a global.
        damaged = bytearray(data)
        for place in rng.integers(2000, len(data) - 2000, 200):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read(path, trust_pickle=trust)
        except DataError as error:
            assert path.name in str(error)
            refused += 1
    assert refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"weight": torch.zeros(2)}, r"is not the file of TransNAS-Bench-101: it contains a dictionary with 'weight'"),
        ([1, 2], "is not the file of TransNAS-Bench-101: it contains a list"),
        ({"data": {"macro": {}}}, "has no search space 'micro'; it has 'macro'"),
        ({"data": {"micro": {}}}, "the search space 'micro' has no architectures"),
        ({"data": {"micro": {"64-41414-0_00_000": 3}}}, "'64-41414-0_00_000' is a int"),
    ],
)
def test_another_file_is_refused_with_what_it_holds(save, content, message):
    with pytest.raises(DataError, match=rf"v10141024\.pth.*{message}"):
        read(save(content))


def _drop_task(tasks):
    del tasks["normal"]


def _no_metrics(tasks):
    del tasks["normal"]["metrics"]


def _drop_metric(tasks):
    del tasks["segmentsemantic"]["metrics"]["test_mIoU"]


def _drop_both_losses(tasks):
    tasks["room_layout"]["metrics"] = {"train_loss": [1.0] * 25}


def _one_epoch_less(tasks):
    tasks["jigsaw"]["metrics"]["valid_top1"].pop()


def _no_epochs(tasks):
    tasks["jigsaw"]["metrics"]["test_top1"] = []


def _a_text(tasks):
    tasks["class_scene"]["metrics"]["valid_top1"][3] = "12.5"


def _no_list(tasks):
    tasks["class_scene"]["metrics"]["valid_top1"] = "12.5"


def _several_numbers(tasks):
    tasks["class_scene"]["metrics"]["valid_top1"][3] = torch.zeros(2)


def _not_a_number(tasks):
    tasks["autoencoder"]["metrics"]["val_ssim"][4] = float("nan")


def _infinite(tasks):
    tasks["room_layout"]["metrics"]["test_neg_loss"][24] = float("-inf")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_drop_task, "has no task 'normal'; it has 'class_scene', 'class_object'"),
        (_no_metrics, "task 'normal' has no 'metrics'"),
        (_drop_metric, "task 'segmentsemantic' has no metric 'test_mIoU'; it has 'train_loss'"),
        (_drop_both_losses, "task 'room_layout' has no metric 'valid_neg_loss'"),
        (_one_epoch_less, "task 'jigsaw': 'valid_top1' has 9 values; expected: one value for each of 10 epochs"),
        (_no_epochs, "task 'jigsaw': 'test_top1' has 0 values"),
        (_a_text, "task 'class_scene': 'valid_top1' has a str, which is not a number"),
        (_no_list, "task 'class_scene': 'valid_top1' is a str; expected: one value"),
        (_several_numbers, "task 'class_scene': 'valid_top1' has a Tensor, which is not a number"),
        (_not_a_number, "task 'autoencoder': 'val_ssim' is nan for epoch 5 of 30"),
        (_infinite, "task 'room_layout': 'test_neg_loss' is -inf for epoch 25 of 25"),
    ],
)
def test_a_faulty_record_is_named_by_file_architecture_and_task(content, save, change, message):
    change(content["data"]["micro"][MICRO[1]])
    with pytest.raises(DataError, match=rf"v10141024\.pth: '{MICRO[1]}',? {message}"):
        read(save(content))


def test_the_truths_are_seven_tasks_and_one_more_metric_at_two_splits_and_two_moments():
    assert len(COLUMNS) == 8 * 2 * 2
    assert [column.name for column in COLUMNS.values()] == list(COLUMNS)
    assert COLUMNS["room_layout/val/final"].description == (
        "room_layout validation negative mean squared error, after 25 epochs"
    )
    assert {task: facts.epochs for task, facts in FACTS.items()} == {
        "class_scene": 25,
        "class_object": 25,
        "room_layout": 25,
        "jigsaw": 10,
        "segmentsemantic": 30,
        "normal": 30,
        "autoencoder": 30,
    }


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("space", "architectures", "best"),
    [
        ("micro", 4096, {"class_scene": "64-41414-3_32_132", "jigsaw": "64-41414-3_30_132"}),
        ("macro", 3256, {"class_scene": "64-224131-basic", "jigsaw": "64-2243-basic"}),
    ],
)
def test_limits_and_decimals_fit_the_published_values(real_data, space, architectures, best):
    frame = pd.read_csv(real_data / f"transnas-{space}.csv.gz", index_col="arch")
    assert len(frame) == architectures
    assert set(frame.columns) == {f"{task}/val/final" for task in FACTS}
    for column, values in frame.items():
        metric = COLUMNS[column].metric
        assert values.between(*metric.limits).all()
        assert values.round(metric.decimals).nunique() == values.nunique(), "rounding makes new ties"
    assert {task: frame[f"{task}/val/final"].idxmax() for task in best} == best
