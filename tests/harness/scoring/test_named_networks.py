"""Networks by name: of libraries, files and modules."""

import sys
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import pytest
from torch import nn
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import HarnessError
from harness.scoring.named import network_named

FILE = """
from torch import nn

def build():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))

def wide(width):
    return nn.Linear(width, 2)

def broken():
    raise ValueError("Input size (16, 16)\\nis not divisible")

ready = build()
number = 3
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "my_networks_for_tests.py"
    path.write_text(FILE)
    return path


def a_library(monkeypatch, name, **contents):
    module = ModuleType(name)
    vars(module).update(contents)
    monkeypatch.setitem(sys.modules, name, module)
    return module


def built(name, **options):
    return network_named(name, **options).build()


def test_of_a_file_or_module(file):
    first, second = (network_named(f"{file}:build").build() for _ in range(2))
    assert isinstance(first, nn.Sequential) and first is not second
    assert built(f"{file}:ready") is built(f"{file}:ready")
    assert isinstance(built("torch.nn:Identity"), nn.Identity)


def test_of_torchvision(monkeypatch):
    def resnet(num_classes=1000, init_weights=False):
        return SimpleNamespace(classes=num_classes, drawn=init_weights)

    a_library(monkeypatch, "torchvision")
    a_library(
        monkeypatch,
        "torchvision.models",
        list_models=lambda: ["resnet18"],
        get_model_builder=lambda name: resnet,
        get_model=lambda name, weights, **more: resnet(**more) if weights is None else None,
    )
    assert network_named("torchvision:resnet18").shape == (3, 224, 224)
    assert vars(built("torchvision:resnet18", classes=7)) == {"classes": 7, "drawn": True}
    with pytest.raises(HarnessError, match="unknown network of torchvision 'resnet81': did you mean 'resnet18'"):
        network_named("torchvision:resnet81")


def test_of_timm(monkeypatch):
    a_library(
        monkeypatch,
        "timm",
        is_model=lambda name: name == "mixer",
        list_models=lambda: ["mixer"],
        get_pretrained_cfg=lambda name: SimpleNamespace(input_size=(3, 96, 96)),
        create_model=lambda name, pretrained, **more: (name, pretrained, more),
    )
    assert network_named("timm:mixer").shape == (3, 96, 96)
    assert built("timm:mixer", classes=7) == ("mixer", False, {"num_classes": 7})
    with pytest.raises(HarnessError, match="unknown network of timm"):
        network_named("timm:mixr")


def test_of_transformers(monkeypatch):
    class Configuration:
        image_size, num_channels = 32, 1

        def __init__(self, num_labels=2):
            self.labels = num_labels

    class Classifier(nn.Module):
        config_class = Configuration

        def __init__(self, configuration):
            super().__init__()
            self.labels = configuration.labels

    a_library(monkeypatch, "transformers", Classifier=Classifier)
    assert network_named("transformers:Classifier").shape == (1, 32, 32)
    assert built("transformers:Classifier", classes=7).labels == 7
    with pytest.raises(HarnessError, match="transformers has no network 'Other'; give a class such as"):
        network_named("transformers:Other")


class TestSizes:
    """Networks of the libraries that are built for one size are built for that of the images."""

    def test_of_torchvision(self, monkeypatch):
        def builder(kind):
            def build(**more):
                return more

            build.__module__ = f"torchvision.models.{kind}"
            return build

        a_library(monkeypatch, "torchvision")
        a_library(
            monkeypatch,
            "torchvision.models",
            list_models=lambda: ["resnet", "vision_transformer", "maxvit"],
            get_model_builder=builder,
            get_model=lambda name, weights, **more: more,
        )
        sizes = {"resnet": {}, "vision_transformer": {"image_size": 64}, "maxvit": {"input_size": (64, 64)}}
        for name, expected in sizes.items():
            assert built(f"torchvision:{name}", size=64) == expected
            assert built(f"torchvision:{name}") == {}

    def test_of_timm(self, monkeypatch):
        def create_model(name, pretrained, **more):
            if name == "resnet" and more:
                raise TypeError("ResNet.__init__() got an unexpected keyword argument 'img_size'")
            return more

        a_library(
            monkeypatch,
            "timm",
            is_model=lambda name: True,
            get_pretrained_cfg=lambda name: None,
            create_model=create_model,
        )
        assert built("timm:mixer", size=64) == {"img_size": 64}
        assert built("timm:mixer") == built("timm:resnet", size=64) == {}

    def test_of_transformers(self, monkeypatch):
        class Configuration:
            def __init__(self, image_size=224, num_labels=2):
                self.image_size, self.labels = image_size, num_labels

        class Classifier(nn.Module):
            config_class = Configuration

            def __init__(self, configuration):
                super().__init__()
                self.configuration = configuration

        a_library(monkeypatch, "transformers", Classifier=Classifier)
        assert vars(built("transformers:Classifier", size=64, classes=7).configuration) == {
            "image_size": 64,
            "labels": 7,
        }
        assert network_named("transformers:Classifier", size=64).shape == (3, 64, 64)
        assert network_named("transformers:Classifier").shape == (3, 224, 224)


@pytest.mark.parametrize("library", ["torchvision", "timm", "transformers"])
def test_of_the_library_itself(library):
    name = {"torchvision": "squeezenet1_1", "timm": "test_vit", "transformers": "ViTForImageClassification"}[library]
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    assert isinstance(built(f"{library}:{name}", classes=3, notice=lambda words: None), nn.Module)


def test_what_is_no_network_gets_one_line(file, monkeypatch):
    for name, message in {
        "resnet18": "invalid network 'resnet18'; write torchvision:NAME",
        f"{file}:buidl": "did you mean 'build'",
        f"{file}:wide": "'wide' of .* needs width; give a function that needs no argument",
        f"{file}:number": "unknown function of",
        "no_such_module_at_all:build": "cannot import the module 'no_such_module_at_all'",
    }.items():
        with pytest.raises(HarnessError, match=message):
            network_named(name)
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(HarnessError, match=r"'timm' is not installed .*; try: pip install timm"):
        network_named("timm:mixer")


def score(*arguments):
    result = CliRunner().invoke(app, ["score", *map(str, arguments)])
    return result.output if result.exit_code == 0 else str(result.exception)


def test_the_command(file, tmp_path):
    shown = score(f"{file}:build", "--shape", "3x8x8", "--batch-size", 4, "--proxies", "params,naswot,zen,snip")
    assert "One mini-batch of 4 images of 3×8×8 from Gaussian noise, with random labels; seed 0." in " ".join(
        shown.split()
    )
    assert "#Params" in shown and "162" in shown

    both = score(f"{file}:build", f"{file}:ready", "--shape", "3x8x8", "--proxies", "params,zico", "--out", tmp_path)
    assert "#Params" in both
    written = (tmp_path / "scores.csv").read_text()
    assert written.startswith("network,proxy,value,status,reason") and written.count("my_networks_for_tests.py:") == 4
    assert "| Proxy |" in (tmp_path / "scores.md").read_text()

    said = score(f"{file}:broken", "--shape", "3x8x8", "--proxies", "params")
    assert said == "building the network failed: ValueError: Input size (16, 16) is not divisible"
    assert "invalid --shape '3,8'; write the sizes with x between them" in score(f"{file}:build", "--shape", "3,8")
    assert "--classes is for networks of torchvision" in score(f"{file}:build", "--classes", 3, "--shape", "3x8x8")


def test_the_place_among_the_networks_of_a_run(file, tmp_path):
    run = ["run", "digits", "--sample", "4", "--batch-size", "4", "--proxies", "params,snip", "--out", str(tmp_path)]
    assert CliRunner().invoke(app, run).exit_code == 0
    shown = score(f"{file}:build", "--shape", "3x8x8", "--proxies", "params", "--compare", tmp_path)
    assert "162 (0%)" in shown and f"Beside {tmp_path}" in shown.replace("\n", "")


def test_images_of_files(file, tmp_path):
    import numpy as np

    rng = np.random.default_rng(0)
    place = tmp_path / "images.npz"
    np.savez(place, images=rng.integers(256, size=(40, 3, 8, 8), dtype=np.uint8), labels=np.arange(40) % 10)
    shown = score(f"{file}:build", "--shape", "3x8x8", "--images", place, "--proxies", "snip,zico")
    assert "with their labels" in " ".join(shown.split()) and "–" not in shown
