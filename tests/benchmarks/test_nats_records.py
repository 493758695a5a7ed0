"""Records of NATS-Bench's layout that are made up here: which of their numbers each column is, without real data."""

from __future__ import annotations

import bz2
import hashlib
import pickle
from dataclasses import replace

import pandas as pd
import pytest
from harness_benchmarks.nats.archive import META_FILE, ArchiveReader, IndexedTablesReader
from harness_benchmarks.nats.sss import SIZE
from nats_bench import ArchResults
from nats_bench.api_utils import ResultsCount

ORDER = ["16:8:8:8:8", "8:8:8:8:8"]
SEEDS = {"01": [777], "12": [777, 888, 999], "90": [777]}
IMAGES = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}


def accuracy(architecture, epochs, dataset, images, seed, epoch):
    """Another one for each training, epoch and set of images."""
    text = f"{architecture} {epochs} {dataset} {images} {seed} {epoch}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:6], 16) % 10_000 / 100


def training(architecture, epochs, dataset, seed):
    length = int(epochs)
    nothing = dict.fromkeys(range(length), 0.0)
    result = ResultsCount(dataset, None, nothing, nothing, 1.0, 1.0, {}, seed, length, None)
    result.update_train_info(nothing, nothing, nothing, nothing)
    of_epochs = {
        f"{images}@{epoch}": accuracy(architecture, epochs, dataset, images, seed, epoch)
        for images in IMAGES[dataset]
        for epoch in range(length)
    }
    result.update_eval(of_epochs, dict.fromkeys(of_epochs, 0.0), dict.fromkeys(of_epochs, 0.0))
    return result


def record(index):
    """What a file of the archive holds: for each length of training, the trainings on all data sets."""
    content = {}
    for epochs, seeds in SEEDS.items():
        results = ArchResults(index, ORDER[index])
        for dataset in IMAGES:
            for seed in seeds:
                results.update(dataset, seed, training(ORDER[index], epochs, dataset, seed))
        content[epochs] = results.state_dict()
    return content


@pytest.fixture
def folder(tmp_path):
    def write(name, content):
        (tmp_path / name).write_bytes(bz2.compress(pickle.dumps(content)))

    write(META_FILE, {"meta_archs": ORDER})
    for index in range(len(ORDER)):
        write(f"{index:06d}.pickle.pbz2", record(index))
    return tmp_path


@pytest.mark.parametrize(
    ("column", "epochs", "dataset", "images"),
    [
        ("cifar10/test/90", "90", "cifar10", "ori-test"),
        ("cifar10/x-valid/90", "90", "cifar10-valid", "x-valid"),
        ("cifar100/test/90", "90", "cifar100", "x-test"),
        ("cifar100/x-valid/12", "12", "cifar100", "x-valid"),
        ("ImageNet16-120/test/12", "12", "ImageNet16-120", "x-test"),
        ("ImageNet16-120/x-valid/1", "01", "ImageNet16-120", "x-valid"),
    ],
)
def test_a_column_is_the_mean_over_all_seeds_at_the_end_of_its_training(folder, column, epochs, dataset, images):
    archive = replace(
        SIZE,
        architectures=lambda: sorted(ORDER),
        order_sha256=hashlib.sha256("\n".join(ORDER).encode()).hexdigest(),
    )
    table = ArchiveReader(archive).read(folder, trust_pickle=False)
    for architecture in ORDER:
        last = [accuracy(architecture, epochs, dataset, images, seed, int(epochs) - 1) for seed in SEEDS[epochs]]
        assert table.loc[architecture, column] == pytest.approx(sum(last) / len(last))


def test_an_accuracy_of_an_indexed_table_belongs_to_its_index(folder, monkeypatch):
    table = pd.DataFrame({"index": [1, 0], "accuracy": [81.0, 80.0]})
    (folder / "cifar10").mkdir()
    table.to_csv(folder / "cifar10" / "accuracies.csv", index=False)
    monkeypatch.setattr("harness_benchmarks.nats.archive.read_order", lambda meta, trust: ORDER)
    read = IndexedTablesReader().read(folder, trust_pickle=False)
    assert dict(read["cifar10/test/200"]) == {ORDER[0]: 80.0, ORDER[1]: 81.0}
