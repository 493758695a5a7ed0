"""Every registered benchmark keeps the contract: the project's own, and whatever else is installed."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from harness_benchmarks.zen.published import INITIAL_CIFAR, INITIAL_FLOPS

from harness.registry import benchmark_classes
from harness.testing import BenchmarkContract


class Registered(BenchmarkContract):
    """With the real table of the benchmark's name, where real data are at hand."""

    @pytest.fixture
    def table_file(self, request, tmp_path_factory):
        name = self.benchmark.name
        if name in DRAWN:
            return drawn_table(self.benchmark, tmp_path_factory)
        try:
            path = request.getfixturevalue("real_data") / f"{name}.csv.gz"
        except pytest.skip.Exception:
            # Most of the contract needs no real table; what does is skipped with a reason of its own.
            return None
        return path if path.is_file() else None

    @pytest.mark.nightly
    def test_the_order_does_not_depend_on_the_hash_seed(self, subject):
        super().test_the_order_does_not_depend_on_the_hash_seed(subject)


class BuiltByLibraries(Registered):
    """Whose networks are built by packages that may be missing; everything else is tested without them."""

    libraries = ()

    def chosen(self, subject):
        for library in self.libraries:
            # Not imported: a torchvision of another build than torch's would fail.
            if find_spec(library) is None:
                pytest.skip(f"{library}, which builds its networks, is not installed")
        return super().chosen(subject)


LIBRARIES = {"imagenet-zoo": ("torchvision", "timm")}

DRAWN = ("accel-nasbench", "vit-bench-101-autoformer", "vit-bench-101-pit")
"""Benchmarks whose table lists the architectures, and that can draw others: for them, a table of drawn ones."""


_TABLES = {}


def drawn_table(kind, tmp_path_factory):
    """The file of a table of 64 random architectures, the larger the better; written once."""
    if kind.name not in _TABLES:
        benchmark, generator = kind(), np.random.default_rng(0)
        frame = pd.DataFrame({"arch": sorted({benchmark.random(generator) for _ in range(64)})})
        counted = benchmark.parameter_counts(list(frame["arch"]), benchmark.datasets[0])
        for split, epochs in benchmark.truths_of(benchmark.datasets[0]):
            frame[f"{benchmark.datasets[0]}/{split}/{epochs}"] = 40 + counted.argsort().argsort() / 4
        _TABLES[kind.name] = tmp_path_factory.mktemp("drawn") / "table.csv"
        frame.to_csv(_TABLES[kind.name], index=False)
    return _TABLES[kind.name]


HINTS = {
    "accel-nasbench": {"resolution": 64, "batch": 2, "built": ("e1k3l1-" * 6 + "e1k3l1", "e4k5l1se-" * 6 + "e4k5l1")},
    "vit-bench-101-autoformer": {"resolution": 32, "batch": 2, "built": ("e192" + "-h4r3.5" * 12,)},
    "vit-bench-101-pit": {"resolution": 32, "batch": 2, "built": ("b16-r2-d1h2-d4h2-d2h2", "b24-r4-d2h2-d6h4-d4h8")},
    "imagenet-zoo": {"resolution": 64, "built": ("timm:regnetx_002", "torchvision:mobilenet_v3_small")},
    "transnas-micro": {"resolution": 32, "batch": 2, "built": ("64-41414-0_00_000", "64-41414-3_33_333")},
    "transnas-macro": {"resolution": 64, "batch": 2, "built": ("64-1234-basic", "64-444311-basic")},
    **{name: {"resolution": 32, "batch": 4, "built": (INITIAL_CIFAR,)} for name in ("zen-resnet", "zen-resnet-plain")},
    **{name: {"resolution": 64, "batch": 4, "built": (INITIAL_FLOPS,)} for name in ("zen-mobile", "zen-mobile-plain")},
}
"""Images of 224×224 pixels would take minutes, and so would two networks for each of seven tasks, or large ones."""

for _name, _class in benchmark_classes().items():
    _facts = {"benchmark": _class, "libraries": LIBRARIES.get(_name, ())} | HINTS.get(_name, {})
    _test = type(f"Test_{_name}", (BuiltByLibraries if _name in LIBRARIES else Registered,), _facts)
    # Seven tasks each, tables of the whole space, or large networks; their everyday tests are in tests/benchmarks.
    _nightly = _name.startswith("transnas") or _name == "nats-sss" or _name in DRAWN
    globals()[f"Test_{_name.replace('-', '_')}"] = pytest.mark.nightly(_test) if _nightly else _test
