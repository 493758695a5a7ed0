"""Every registered benchmark keeps the contract: the project's own, and whatever else is installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from harness_benchmarks.zen.published import INITIAL_CIFAR, INITIAL_FLOPS

from harness.registry import benchmark_classes
from harness.testing import BenchmarkContract


class Registered(BenchmarkContract):
    """With the real table of the benchmark's name, where real data are at hand."""

    @pytest.fixture
    def table_file(self, request):
        try:
            path = request.getfixturevalue("real_data") / f"{self.benchmark.name}.csv.gz"
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

HINTS = {
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
    # Seven tasks each, or tables of the whole space; their everyday tests are in tests/benchmarks.
    _nightly = _name.startswith("transnas") or _name == "nats-sss"
    globals()[f"Test_{_name.replace('-', '_')}"] = pytest.mark.nightly(_test) if _nightly else _test
