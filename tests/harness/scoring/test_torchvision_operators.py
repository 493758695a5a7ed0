"""A torchvision whose compiled operators do not load."""

import subprocess
import sys
from textwrap import dedent

import pytest

from harness.errors import HarnessError
from harness.scoring import torchvision_operators
from harness.scoring.named import network_named
from harness.scoring.torchvision_operators import with_torchvision

TORCHVISION = """
import torch

@torch.library.register_fake("torchvision::nms")
def nms(dets, scores, iou_threshold):
    return dets

@torch.library.register_fake("torchvision::qnms")
def qnms(dets, scores, iou_threshold):
    return dets
"""
MODELS = """
from torch import nn

def resnet0(num_classes=10):
    return nn.Sequential(nn.Flatten(), nn.Linear(12, num_classes))

list_models = lambda: ["resnet0"]
get_model_builder = lambda name: resnet0
get_model = lambda name, weights, **more: resnet0(**more)
"""


def python(folder, *arguments):
    """Run python in a folder, whose packages can be imported."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def folder(tmp_path):
    """A folder with a torchvision like the wheel for CUDA, and a file that imports it."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(TORCHVISION)
    (tmp_path / "torchvision" / "models.py").write_text(MODELS)
    (tmp_path / "mine.py").write_text("from torchvision.models import resnet0\n\ndef build():\n    return resnet0(3)\n")
    return tmp_path


def test_the_fault_is_that_of_the_wheel(folder):
    failed = python(folder, "-c", "import torchvision")
    assert failed.returncode == 1
    assert failed.stderr.strip().endswith("RuntimeError: operator torchvision::nms does not exist")


def test_networks_are_scored_and_one_line_says_what_was_done(folder):
    names = ["torchvision:resnet0", "mine.py:build"]
    options = ["--shape", "3x2x2", "--proxies", "params", "--batch-size", "2"]
    scored = python(folder, "-m", "harness", "score", *names, *options)
    assert scored.returncode == 0, scored.stderr
    assert "130" in scored.stdout and "39" in scored.stdout
    (line,) = scored.stderr.strip().splitlines()
    assert line.startswith("torchvision's compiled operators do not load with torch ")
    assert "declared nms and qnms without code, so that networks other than detectors can be built" in line


def test_from_python(folder):
    script = """
        import warnings
        from harness.scoring import import_torchvision
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            first, second = import_torchvision(), import_torchvision()
        import torchvision
        assert first is second is torchvision
        assert [str(one.message).startswith("torchvision's compiled operators") for one in said] == [True], said
    """
    ran = python(folder, "-c", dedent(script))
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("operator torchvision::roi_align does not exist"),
        RuntimeError("nms does not exist"),
        ImportError("libc10.so: cannot open shared object file"),
        ModuleNotFoundError("No module named 'torchvision'"),
    ],
)
def test_any_other_failure_stays_what_it_is(error, monkeypatch):
    def fails():
        raise error

    monkeypatch.setattr(torchvision_operators, "_declared", [])
    monkeypatch.setattr(torchvision_operators, "_declare", lambda: pytest.fail("declared"))
    with pytest.raises(type(error)) as raised:
        with_torchvision(fails)
    assert raised.value is error


def test_it_is_recognised_behind_what_a_library_makes_of_it(monkeypatch):
    """As transformers does, which imports what a network needs when it is asked for it."""
    monkeypatch.setattr(torchvision_operators, "_declared", [])
    monkeypatch.setattr(torchvision_operators, "_declare", lambda: None)
    monkeypatch.setattr(torchvision_operators, "import_module", lambda name: None)
    said, calls = [], []

    def load():
        calls.append(1)
        if len(calls) > 1:
            return "loaded"
        try:
            raise RuntimeError("operator torchvision::nms does not exist")
        except RuntimeError as error:
            raise ModuleNotFoundError("Could not import module 'ViTForImageClassification'") from error

    assert with_torchvision(load, said.append) == "loaded"
    assert len(said) == 1


def test_a_fault_that_stays_is_reported_once(folder):
    """The declaration is made once; a library that still fails keeps its error."""
    (folder / "torchvision" / "__init__.py").write_text(
        'raise RuntimeError("operator torchvision::nms does not exist")'
    )
    failed = python(folder, "-m", "harness", "score", "torchvision:resnet0", "--proxies", "params")
    assert failed.returncode == 2
    (line,) = failed.stderr.strip().splitlines()
    assert "'torchvision' cannot be imported (RuntimeError: operator torchvision::nms does not exist); install" in line


def test_what_a_library_says_of_itself_is_not_taken_for_its_absence(monkeypatch):
    class Lazy:
        def __getattr__(self, name):
            raise ModuleNotFoundError(f"Could not import module '{name}'. Are its requirements defined correctly?")

    monkeypatch.setitem(sys.modules, "transformers", Lazy())
    with pytest.raises(HarnessError, match=r"'transformers' cannot be imported .*Could not import module"):
        network_named("transformers:Some")
