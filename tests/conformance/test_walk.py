"""A few networks of every registered benchmark, end to end: built, passed forward, and scored by every proxy.

Each score is finite or says why it is not; none fails. The networks are drawn from each benchmark, and named where a
benchmark has degenerate, smallest or largest ones.
"""

from __future__ import annotations

import itertools
from importlib.util import find_spec

import pandas as pd
import pytest
from harness_benchmarks.accel_nasbench.architecture import EXAMPLE
from harness_benchmarks.nasbench101.cell import Cell, module_hash
from harness_benchmarks.zen.published import INITIAL_CIFAR, INITIAL_FLOPS

from harness import images
from harness.data import Importable, import_table
from harness.execution.job import Job
from harness.execution.unit import compute_unit
from harness.images import load_images
from harness.images.batches import fingerprint, write_batches
from harness.registry import STANDARD, benchmark_classes, proxies, reference
from harness.store.records import Unit

PROXIES = proxies()
IMAGES = 8
FEWER = 4
ZEN_RESNET = ("zen-resnet", "zen-resnet-plain")
ZEN_MOBILE = ("zen-mobile", "zen-mobile-plain")
VIT = ("vit-bench-101-autoformer", "vit-bench-101-pit")
LARGE = (
    "nasbench101",
    "transnas-micro",
    "transnas-macro",
    "accel-nasbench",
    "imagenet-zoo",
    *VIT,
    *ZEN_MOBILE,
    *ZEN_RESNET,
)
"""Whose networks see fewer images."""

DRAWN = 2
SIDES = {
    "transnas-micro": 32,
    "transnas-macro": 64,
    **dict.fromkeys(("accel-nasbench", *VIT), 32),
    **dict.fromkeys(("imagenet-zoo", *ZEN_MOBILE), 64),
}
"""A low resolution that the total stride divides, where the benchmark's own would take minutes."""

LIBRARIES = {"imagenet-zoo": ("torchvision", "timm")}
"""Packages that build the networks."""

SETS = dict.fromkeys(ZEN_RESNET, "cifar") | {"imagenet-zoo": "mobilenet"}
"""Where networks are drawn from, if the benchmark has others of more than a hundred million parameters."""

DEAR = {"swap", "zen_32", "ntk", "vkdnw", "vkdnw_entropy", "vkdnw_entropy_fisher"}
"""Dozens of passes, or one for each class: only the first data set has them, and of large networks not all."""

TASKS = {
    "transnas-macro": ("class_scene", "autoencoder"),
    **dict.fromkeys(VIT, ("chaoyang", "flowers")),
} | dict.fromkeys(ZEN_RESNET, ("cifar10", "cifar100"))
"""Where not all: the other heads stand on the micro space's backbones too, which are cheaper; networks for CIFAR see no
images of 224×224."""

UNCONNECTED = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|none~1|none~2|"
ALL_SKIP = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"
ALL_POOL = ALL_SKIP.replace("skip_connect", "avg_pool_3x3")
SMALLEST_CELL = ALL_SKIP.replace("skip_connect", "none")
LARGEST_CELL = ALL_SKIP.replace("skip_connect", "nor_conv_3x3")
CELLS = [UNCONNECTED, ALL_SKIP, ALL_POOL, SMALLEST_CELL, LARGEST_CELL]

# The smallest, one of poolings alone, and one of middling size; the benchmark's largest would take minutes.
GRAPHS = [
    Cell(2, 0b1, ""),
    Cell(4, 0b100101, "22"),
    Cell(7, 1205349, "02001"),
]

SMALLEST_ZEN = "SuperConvK3BNRELU(3,8,1,1)"
LIGHT = {module_hash(GRAPHS[0]), SMALLEST_ZEN}
"""Those of a large space that every proxy scores."""

MICRO_UNCONNECTED = "64-41414-2_01_000"
ACCEL = ["e1k3l1-" * 6 + "e1k3l1", EXAMPLE]
"""The smallest, and EfficientNet-B0 with ReLUs."""

FORMERS = ["e192" + "-h3r3.5" * 12, "e240" + "-h4r4" * 14]
PITS = ["b16-r2-d1h2-d4h2-d2h2", "b16-r8-d3h2-d6h4-d4h8"]
"""The smallest, and large ones."""

TABLES = {
    "accel-nasbench": (ACCEL, "imagenet-1k/val/16"),
    "vit-bench-101-autoformer": (FORMERS, "cifar100/test-kd/300"),
    "vit-bench-101-pit": (PITS, "cifar100/test-kd/300"),
}
"""Where a table lists the architectures: a few, and the column of their accuracy."""

NAMED = {
    "nats-tss": CELLS,
    "digits": CELLS,
    "nats-sss": ["8:8:8:8:8", "64:8:64:8:64", "64:64:64:64:64"],
    "nasbench101": [module_hash(cell) for cell in GRAPHS],
    "nasbench-macro": ["00000000", "10201020", "22222222"],
    "transnas-micro": [MICRO_UNCONNECTED, "64-41414-1_11_111", "64-41414-3_33_333"],
    "transnas-macro": ["64-1234-basic", "64-2443-basic", "64-121113-basic"],
    **{name: [SMALLEST_ZEN, INITIAL_CIFAR] for name in ZEN_RESNET},
    **{name: [INITIAL_FLOPS] for name in ZEN_MOBILE},
    "accel-nasbench": ACCEL,
    "vit-bench-101-autoformer": FORMERS,
    "vit-bench-101-pit": PITS,
    "imagenet-zoo": ["timm:regnety_002", "torchvision:mobilenet_v3_small"],
}

NOTHING_ARRIVES = {
    *("jacob_cov", "epe_nas", "epe_nas_classes", "log_synflow", "zen", "zen_32", "zen_paper", "entropy"),
    *("ntk", "ntk_eval", "az_expressivity", "az_progressivity"),
    *("epsinas", "epsinas_nasbench101", "rbflex", "wrcor_gradients"),
}
NOTHING_DIFFERS = {
    *["naswot", "naswot_blocks", "naswot_units", "logdet", "wrcor", "wrcor_unweighted", "wrcor_activations"],
}
UNDEFINED = {
    UNCONNECTED: NOTHING_ARRIVES,
    MICRO_UNCONNECTED: NOTHING_ARRIVES,
    SMALLEST_CELL: NOTHING_ARRIVES | NOTHING_DIFFERS,
    ("zen-mobile", INITIAL_FLOPS): {"epsinas", "epsinas_nasbench101"},
    **{("vit-bench-101-pit", pit): {"epsinas", "epsinas_nasbench101"} for pit in PITS},
    "timm:regnety_002": {"epsinas", "epsinas_nasbench101"},
}
"""The proxies of this project that are not finite on a named network: its logits do not depend on the image, and in
the smallest cell no two images differ in any unit either. With all weights equal, the ReLUs of the deep mobile
network let one of the four images pass, and another one for other weights, so that epsinas has nothing to compare.
A PiT with all weights equal gives every image the same logits, because its layer norms make zeros of equal channels."""


@pytest.fixture
def subject(request, tmp_path, monkeypatch):
    """The benchmark; where its architectures come from a table, with a table of a few."""
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "home"))
    monkeypatch.setattr(images, "NOISE_IMAGES", 4 * IMAGES)
    found = benchmark_classes()[request.param]()
    for library in LIBRARIES.get(found.name, ()):
        # Not imported: a torchvision of another build than torch's would fail.
        if find_spec(library) is None:
            pytest.skip(f"{library}, which builds the networks of {found.name}, is not installed")
    if found.name == "nasbench101":
        rows = [(module_hash(cell), cell.vertices, cell.adjacency, cell.operations or "-", 0.9) for cell in GRAPHS]
        columns = ["hash", "vertices", "adjacency_bits", "ops", "cifar10/test/108"]
        pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "cells.csv", index=False)
        import_table(found, tmp_path / "cells.csv", allow_partial=True)
    elif found.name in TABLES:
        architectures, column = TABLES[found.name]
        pd.DataFrame({"arch": architectures, column: 60.0}).to_csv(tmp_path / "table.csv", index=False)
        import_table(found, tmp_path / "table.csv", allow_partial=True)
    elif isinstance(found, Importable) and found.table_format().listing is not None:
        pytest.skip(f"the architectures of {found.name} come with a table, and this test has none")
    return found


def walk(benchmark, architecture, dataset, folder, left_out=frozenset()):
    """The outcome of every proxy on one network, by proxy."""
    names = tuple(name for name in PROXIES if name not in left_out)
    side = SIDES.get(benchmark.name)
    noise = load_images("noise", benchmark.task(dataset), resolution=side)
    batches = noise.batches(FEWER if benchmark.name in LARGE else IMAGES, 2, seed=0)
    path = folder / f"{dataset}.npz"
    write_batches(path, batches)
    job = Job(
        benchmark=reference(type(benchmark)),
        dataset=dataset,
        seed=0,
        proxies=tuple(map(reference, PROXIES.values())),
        batches=str(path),
        fingerprint=fingerprint(batches),
        device="cpu",
    )
    return {score.proxy: score for score in compute_unit(job, Unit(architecture, names)).scores}


@pytest.mark.parametrize("subject", benchmark_classes(), indirect=True)
def test_on_a_drawn_network_every_standard_proxy_gives_a_score(subject, tmp_path):
    (architecture,) = subject.sample(1, seed=1, subset=SETS.get(subject.name, "all"))
    scores = walk(subject, architecture, subject.datasets[0], tmp_path, set(PROXIES) - set(STANDARD))
    assert {name: score.error for name, score in scores.items() if score.status == "failed"} == {}


@pytest.mark.nightly
@pytest.mark.parametrize("subject", benchmark_classes(), indirect=True)
def test_on_drawn_networks_every_proxy_gives_a_score_or_its_reason(subject, tmp_path):
    datasets = TASKS.get(subject.name, subject.datasets)
    for dataset, architecture in zip(
        datasets, itertools.cycle(subject.sample(DRAWN, seed=0, subset=SETS.get(subject.name, "all"))), strict=False
    ):
        dear = dataset == subject.datasets[0] and subject.name not in (
            "transnas-macro",
            "nasbench101",
            "accel-nasbench",
            *VIT,
            *ZEN_MOBILE,
            *ZEN_RESNET,
            "imagenet-zoo",
        )
        left_out = set() if dear else DEAR
        scores = walk(subject, architecture, dataset, tmp_path, left_out)
        assert set(scores) == set(PROXIES) - left_out
        for name, score in scores.items():
            assert score.status != "failed", f"{name} on {architecture}, {dataset}: {score.error}"
            assert (score.value is None) == (score.status != "ok") == bool(score.error)
        counted = sum(parameter.numel() for parameter in subject.build(architecture, dataset).parameters())
        assert scores["params"].value == counted


@pytest.mark.nightly
@pytest.mark.parametrize("subject", NAMED, indirect=True)
def test_on_named_networks_every_proxy_is_finite_but_where_it_is_undefined(subject, tmp_path):
    for architecture in NAMED[subject.name]:
        left_out = DEAR if subject.name in LARGE and architecture not in LIGHT else set()
        scores = walk(subject, architecture, subject.datasets[0], tmp_path, left_out)
        found = {name for name, score in scores.items() if score.status == "non_finite"}
        tried = {name for name, score in scores.items() if score.status != "skipped"}
        undefined = UNDEFINED.get(architecture, UNDEFINED.get((subject.name, architecture), set()))
        assert found == undefined & tried, architecture
        odd = {name: score.error for name, score in scores.items() if score.status not in ("ok", "non_finite")}
        assert all(scores[name].status == "skipped" for name in odd), odd


def test_every_benchmark_of_this_project_has_named_networks():
    own = {name for name, cls in benchmark_classes().items() if cls.__module__.startswith("harness_benchmarks.")}
    assert own == set(NAMED)
