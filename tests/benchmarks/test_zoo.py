"""The ImageNet zoo: its sets and recipes, the import of what is published, building, and its truths."""

import csv
import json
import sys
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from harness_benchmarks.zoo import building, costs, published
from harness_benchmarks.zoo.recipes import FAMILIES, RECIPES, networks, trained_by
from torch import nn

import harness
from harness.data import import_table
from harness.data.further_tables import further_tables
from harness.data.verify import verify
from harness.errors import DataError, HarnessError, UnknownNameError
from harness.images import Batch
from harness.probe import NotApplicableError, Probe
from harness.registry import load_benchmark
from harness.store import Store

ZOO = load_benchmark("imagenet-zoo")
DATASET = "imagenet-1k"
SIZES = {
    "pycls-100ep": 36, "torchvision-v1": 78, "torchvision-v2": 24, "timm-a1": 9, "timm-a2": 10, "timm-a3": 9,
    "timm-pycls": 24, "timm-gluon": 26,
}  # fmt: skip


@pytest.fixture
def without_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)


@pytest.fixture
def folder(tmp_path, without_torchvision):
    """Files in the published forms, with made-up accuracies and the true numbers of parameters."""
    place = tmp_path / "published"
    place.mkdir()
    names = published.pycls_networks()
    write(place, published.ERRORS, {name: {"top1_err": 20 + i / 10, "top5_err": 5} for i, name in enumerate(names)})
    sizes = {published._configuration(name): {"params": networks()[arch].params} for name, arch in names.items()}
    write(place, published.COMPLEXITY, sizes)
    times = {name: {"test_fw_time": 0.0121, "train_fw_bw_time": 0.0633} for name in names}
    write(place, published.TIMING, times)
    rows = [["model", "img_size", "top1", "param_count"], ["vit_giant.other", 224, "90.1", "1,014.45"]]
    for recipe in filter(lambda name: RECIPES[name].tag, RECIPES):
        for i, architecture in enumerate(trained_by(recipe)):
            name = architecture.partition(":")[2]
            size = "299" if name == "inception_v3" else "224"
            rows.append(
                [f"{name}.{RECIPES[recipe].tag}", size, 70 + i / 8, f"{networks()[architecture].params / 1e6:.2f}"]
            )
            rows.append([f"{name}.{RECIPES[recipe].tag}", "288", 99, rows[-1][-1]])
    with (place / published.RESULTS).open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return place


def write(folder, name, content):
    (folder / name).write_text(json.dumps(content))


def changed(path, change):
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


class TestSets:
    @pytest.mark.parametrize(("name", "size"), SIZES.items())
    def test_a_recipe_has_as_many_networks_as_are_published(self, name, size):
        assert len(ZOO.subset(name)) == size

    def test_every_network_has_a_recipe_and_one_family(self):
        assert set().union(*map(trained_by, RECIPES)) == set(ZOO.architectures())
        families = [ZOO.subset(name) for name in FAMILIES]
        assert sum(map(len, families)) == len(ZOO.architectures())
        assert all(families)

    def test_a_recipe_is_a_truth_of_the_same_name(self):
        assert ZOO.truths == tuple(("val", name) for name in SIZES)

    @pytest.mark.parametrize("name", SIZES)
    def test_a_set_of_one_recipe_is_ranked_by_this_recipe(self, name):
        assert ZOO.default_truth(DATASET, name) == ("val", name)

    @pytest.mark.parametrize(("name", "offered"), [("all", "val/pycls-100ep"), ("vit", "val/torchvision-v1")])
    def test_a_set_of_several_recipes_is_ranked_by_none(self, name, offered):
        with pytest.raises(HarnessError, match=f"cannot be compared; choose one: .*{offered}") as refused:
            ZOO.default_truth(DATASET, name)
        assert ("timm-a1" in str(refused.value)) == (name == "all")

    def test_a_truth_can_be_named_by_its_recipe_alone(self):
        assert ZOO.choose_truth(DATASET, "timm-a1", None) == ("val", "timm-a1")
        with pytest.raises(HarnessError, match="'val' has accuracies of several recipes; choose one of pycls-100ep, "):
            ZOO.choose_truth(DATASET, "val", None)

    def test_features_count_layers(self):
        assert ZOO.features("torchvision:alexnet") == {
            "layers": 8, "convolutions": 5, "grouped convolutions": 0, "linear layers": 3, "normalisations": 0,
        }  # fmt: skip
        with pytest.raises(UnknownNameError, match="did you mean 'torchvision:alexnet'"):
            ZOO.features("torchvision:alexnet2")


@pytest.mark.usefixtures("home")
class TestImport:
    def test_the_published_files_are_a_table_with_gaps(self, folder):
        summary = import_table(ZOO, folder)
        assert summary.source.endswith("model_error.json, results-imagenet.csv; without torchvision")
        assert set(summary.best) == {published.column_of(name) for name in RECIPES if "torchvision" not in name}
        truth = ZOO.ground_truth(DATASET, "timm-a1")
        assert list(truth.accuracy.index) == list(trained_by("timm-a1"))
        assert truth.accuracy.max() == 71
        assert truth.describe() == "imagenet-1k val top-1 accuracy (%), recipe timm-a1, one training"
        assert ZOO.ground_truth(DATASET).accuracy["timm:regnetx_002"] == 80
        (good,) = verify("imagenet-zoo")
        assert good.right, good

    def test_torchvision_s_own_accuracies_need_no_table(self, monkeypatch, home):
        weights = {"resnet50": ("IMAGENET1K_V1", 76.13), "unknown": ("IMAGENET1K_V1", 99)}
        fake_torchvision(monkeypatch, weights=weights)
        truth = ZOO.ground_truth(DATASET, "val", "torchvision-v1")
        assert dict(truth.accuracy) == {"torchvision:resnet50": 76.13}
        assert truth.source.startswith("weights' metadata of torchvision")

    def test_a_torchvision_with_another_network_of_this_name_is_refused(self, monkeypatch, home):
        fake_torchvision(monkeypatch, weights={"resnet50": ("IMAGENET1K_V1", 76.13)}, more_params=1)
        with pytest.raises(DataError, match="torchvision gives 25557033 parameters for 'torchvision:resnet50'"):
            ZOO.ground_truth(DATASET, "val", "torchvision-v1")

    @pytest.mark.usefixtures("without_torchvision")
    def test_without_both_the_message_says_what_to_import(self):
        with pytest.raises(DataError, match="harness data import imagenet-zoo FILE"):
            ZOO.ground_truth(DATASET, "val", "torchvision-v1")

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda place: (place / published.ERRORS).write_text("{"), "model_error.json cannot be read: Expecting"),
            (lambda place: (place / published.ERRORS).write_text("[1]"), "model_error.json is not one of pycls' files"),
            (
                lambda place: changed(place / published.ERRORS, lambda c: {k: c[k] for k in c if k != "ResNet-50"}),
                "model_error.json has no number 'top1_err' of 'ResNet-50'",
            ),
            (
                lambda place: changed(place / published.COMPLEXITY, lambda c: {k: {"params": 7} for k in c}),
                "model_complexity.json gives 7 parameters for 'timm:regnetx_002', but the network has 2684792",
            ),
            (
                lambda place: (place / published.RESULTS).write_text("model,top1\na,1\n"),
                "results-imagenet.csv is not timm's table of results; it needs the columns img_size, model",
            ),
            (
                lambda place: replaced(place / published.RESULTS, "resnet18.a1_in1k,224", "resnet18.a1_in1k,288"),
                "results-imagenet.csv has no accuracy of timm:resnet18 for the recipe timm-a1",
            ),
            (
                lambda place: replaced(place / published.RESULTS, "resnet18.a1_in1k,224,7", "resnet18.a1_in1k,224,x"),
                "results-imagenet.csv: the row of 'resnet18.a1_in1k' has numbers that cannot be read",
            ),
            (
                lambda place: replaced(place / published.RESULTS, ",25.56", ",25.58"),
                "results-imagenet.csv gives 25580000 parameters for 'timm:resnet50', but the network has 25557032",
            ),
            (
                lambda place: replaced(place / published.RESULTS, "vit_giant.other", "vit_giant.a1_in1k"),
                "results-imagenet.csv has 'vit_giant.a1_in1k', which is not a network of imagenet-zoo",
            ),
        ],
    )
    def test_files_that_are_damaged_or_others_are_refused(self, folder, change, said):
        change(folder)
        with pytest.raises(DataError) as refused:
            import_table(ZOO, folder)
        assert said in str(refused.value) and "\n" not in str(refused.value)

    def test_a_table_of_one_s_own_has_gaps_too(self, tmp_path, home):
        column, members = published.column_of("timm-a3"), trained_by("timm-a3")
        rows = [f"{name},{75 + i if name in members else ''}" for i, name in enumerate(ZOO.architectures())]
        table = tmp_path / "mine.csv"
        table.write_text("\n".join([f"architecture,{column}", *rows]))
        with pytest.raises(DataError, match=r"expected: 50 to 100"):
            import_table(ZOO, table)
        rows = [f"{name},{75 + i / 10 if name in members else ''}" for i, name in enumerate(ZOO.architectures())]
        table.write_text("\n".join([f"architecture,{column}", *rows]))
        import_table(ZOO, table)
        assert len(ZOO.ground_truth(DATASET, "timm-a3").accuracy) == 9
        table.write_text("\n".join([f"architecture,{column}", *rows]).replace("alexnet,", "alexnet,56.5"))
        with pytest.raises(DataError, match=r"56.5 for 'torchvision:alexnet', which is not among the 9 networks"):
            import_table(ZOO, table)

    def test_error_rates_can_be_turned_where_they_are(self, tmp_path, home):
        column, members = published.column_of("timm-a3"), trained_by("timm-a3")
        rows = [f"{name},{20 + i / 10 if name in members else ''}" for i, name in enumerate(ZOO.architectures())]
        (tmp_path / "errors.csv").write_text("\n".join([f"architecture,{column}", *rows]))
        with pytest.raises(DataError, match="expected: 50 to 100"):
            import_table(ZOO, tmp_path / "errors.csv")
        import_table(ZOO, tmp_path / "errors.csv", errors=True)
        assert ZOO.ground_truth(DATASET, "timm-a3").accuracy.max() < 80

    def test_times_are_those_of_pycls_table(self, folder):
        import_table(further_tables()["imagenet-zoo-costs-imagenet-1k"], folder / published.TIMING)
        values = ZOO.costs(DATASET).values
        assert len(values) == 36
        # MODEL_ZOO.md of pycls: EfficientNet-B0 infers 64 images in 31 ms, 100 epochs in 8.8 h.
        assert values.loc["timm:efficientnet_b0"].round(1).tolist() == [31.0, 8.8]
        assert costs.batch_of("EfficientNet-B5") == 64
        write(folder, published.TIMING, {"RegNetX-200MF": {}})
        with pytest.raises(DataError, match="no number 'test_fw_time' of 'RegNetX-200MF'"):
            import_table(further_tables()["imagenet-zoo-costs-imagenet-1k"], folder / published.TIMING)


def replaced(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


class Small(nn.Module):
    """A network like torchvision's: a function inside, and heads for training."""

    def __init__(self, width=4):
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, width, 3, stride=4), nn.Linear(width, 1000)
        self.aux_logits, self.aux1, self.aux2 = True, nn.Linear(4, 2), nn.Linear(4, 2)
        self.AuxLogits = nn.Conv2d(3, 4, 99)

    def forward(self, images):
        return self.head(torch.nn.functional.relu(self.stem(images)).mean((2, 3)))


class RegNet(nn.Module):
    """Stages as in torchvision, of a class of sequences, or as in timm, of a class with blocks by their names."""

    def __init__(self, is_sequence):
        super().__init__()
        base = nn.Sequential if is_sequence else nn.Module
        stage = type("AnyStage" if is_sequence else "RegStage", (base,), {"forward": in_order})
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU())
        self.stages = nn.Sequential()
        for number, (inside, outside) in enumerate([(4, 6), (6, 8)]):
            blocks = stage()
            for place, (width, stride) in enumerate([(inside, 2), (outside, 1)]):
                layers = nn.Conv2d(width, outside, 3, stride=stride, padding=1), nn.ReLU()
                blocks.add_module(f"b{place}", nn.Sequential(*layers))
            self.stages.add_module(f"s{number}", blocks)
        self.head = nn.Linear(8, 1000)

    def forward(self, images):
        return self.head(self.stages(self.stem(images)).mean((2, 3)))


def in_order(module, features):
    for child in module.children():
        features = child(features)
    return features


def fake_torchvision(monkeypatch, weights=None, more_params=0):
    weights = weights or {}

    def weights_of(name):
        version, accuracy = weights[name]
        architecture = networks().get(f"torchvision:{name}")
        meta = {
            "num_params": architecture.params + more_params if architecture else 0,
            "_metrics": {"ImageNet-1K": {"acc@1": accuracy}},
        }
        return SimpleNamespace(**{version: SimpleNamespace(meta=meta)})

    models = ModuleType("torchvision.models")
    known = [name.partition(":")[2] for name in ZOO.architectures() if name.startswith("torchvision:")]
    widths = {name: 4 + place for place, name in enumerate(known)}
    vars(models).update(
        list_models=lambda module=None: known if module is None else list(weights),
        get_model_weights=weights_of,
        get_model_builder=lambda name: Small,
        get_model=lambda name, weights, **more: Small(widths[name]),
    )
    library = ModuleType("torchvision")
    library.models = models
    monkeypatch.setitem(sys.modules, "torchvision", library)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)


class TestBuilding:
    def test_functions_are_modules_and_the_network_learns(self, monkeypatch):
        fake_torchvision(monkeypatch)
        network = ZOO.build("torchvision:resnet50", DATASET)
        assert any(isinstance(module, nn.ReLU) for module in network.modules())
        assert network.training
        assert network(torch.randn(2, 3, 64, 64)).shape == (2, 1000)

    def test_googlenet_has_no_heads_for_training(self, monkeypatch):
        fake_torchvision(monkeypatch)
        network = ZOO.build("torchvision:googlenet", DATASET)
        assert network.aux1 is None and not network.aux_logits
        rests = ZOO.build("torchvision:inception_v3", DATASET)
        assert rests.aux1 is not None
        assert rests.AuxLogits(torch.randn(1, 3, 64, 64)) is None
        assert sum(p.numel() for p in rests.AuxLogits.parameters()) == 4 * (3 * 99 * 99 + 1)

    @pytest.mark.nightly
    def test_it_is_built_on_the_meta_device(self, monkeypatch):
        fake_torchvision(monkeypatch)
        with torch.device("meta"):
            network = ZOO.build("torchvision:resnet50", DATASET)
        assert next(network.parameters()).is_meta

    @pytest.mark.parametrize("is_sequence", [True, False], ids=["torchvision", "timm"])
    def test_the_blocks_of_a_regnet_are_those_inside_its_stages(self, monkeypatch, is_sequence):
        fake_torchvision(monkeypatch)
        monkeypatch.setattr(building, "_plain", lambda architecture: RegNet(is_sequence))
        network = ZOO.build("torchvision:regnet_y_400mf", DATASET)
        found = [tuple(each.shape[1:]) for each in network.forward_blocks(torch.randn(2, 3, 64, 64))]
        assert found == [(4, 32, 32), (6, 16, 16), (6, 16, 16), (8, 8, 8), (8, 8, 8)]

    @pytest.mark.parametrize("name", ["torchvision:resnet50", "timm:resnet50", "pycls:resnext152_32x4d"])
    def test_without_its_library_the_message_says_what_to_install(self, monkeypatch, name):
        monkeypatch.setattr(building, "find_spec", lambda library: None)
        with pytest.raises(
            HarnessError, match=r"not installed; install it with: pip install 'nas-proxy-harness\[zoo\]'"
        ):
            ZOO.build(name, DATASET)

    def test_a_network_for_images_of_one_size_says_so(self, monkeypatch):
        fake_torchvision(monkeypatch)
        network = ZOO.build("torchvision:vit_b_16", DATASET)
        assert network(torch.randn(2, 3, 224, 224)).shape == (2, 1000)
        for call in (network, network.forward_features):
            with pytest.raises(NotApplicableError, match="vit_b_16 takes images of 224 × 224 only, not of 64 × 64"):
                call(torch.randn(2, 3, 64, 64))
        least = ZOO.build("torchvision:inception_v3", DATASET)
        assert least(torch.randn(2, 3, 96, 96)).shape == (2, 1000)
        with pytest.raises(NotApplicableError, match="of at least 75 × 75"):
            least(torch.randn(2, 3, 64, 64))

    def test_a_run_of_a_set_is_ranked_by_its_recipe(self, monkeypatch, tmp_path, home):
        fake_torchvision(monkeypatch, weights={name.partition(":")[2]: ("IMAGENET1K_V2", 70 + i) for i, name in
                                               enumerate(trained_by("torchvision-v2"))})  # fmt: skip
        options = {"images": "noise", "resolution": 32, "batch_size": 2, "proxies": "params"}
        harness.run("imagenet-zoo", subset="torchvision-v2", sample=5, out=tmp_path / "one", **options)
        monkeypatch.setattr(building, "find_spec", lambda library: None)
        report = harness.report(tmp_path / "one")
        assert "recipe torchvision-v2" in report.heading.ground_truth
        assert "a value for each of the 5 networks" in report.heading.ground_truth

    def test_a_run_of_several_recipes_asks_which(self, monkeypatch, tmp_path, home):
        fake_torchvision(monkeypatch, weights={"vgg11": ("IMAGENET1K_V1", 69), "vgg13": ("IMAGENET1K_V1", 70)})
        options = {"images": "noise", "resolution": 32, "batch_size": 2, "proxies": "params"}
        harness.run("imagenet-zoo", subset="vgg", sample=8, out=tmp_path / "run", **options)
        with pytest.raises(HarnessError, match="choose one: --truth val/torchvision-v1"):
            harness.report(tmp_path / "run")
        report = harness.report(tmp_path / "run", truth="val/torchvision-v1")
        assert "a value for 2 of 8 networks" in report.heading.ground_truth

    def test_a_run_at_another_size_skips_with_the_reason(self, monkeypatch, tmp_path, home):
        fake_torchvision(monkeypatch)
        options = {"images": "noise", "resolution": 32, "batch_size": 2, "proxies": "params,flops"}
        harness.run("imagenet-zoo", subset="vit", sample=1, out=tmp_path / "run", **options)
        with Store.read(tmp_path / "run") as store:
            scores = store.scores().set_index("proxy")
        assert scores["status"].to_dict() == {"params": "ok", "flops": "skipped"}
        assert "takes images of 224 × 224 only, not of 32 × 32" in scores["error"]["flops"]


def test_sizes_are_known_without_building():
    names = ["timm:resnet50", "torchvision:vit_b_16"]
    assert ZOO.parameter_counts(names, DATASET).tolist() == [25_557_032, 86_567_656]
    macs = ZOO.operation_counts(names, DATASET)
    np.testing.assert_allclose(macs, [4.089e9, 17.56e9], rtol=0.01)


PUBLISHED = {"torchvision-v1": "IMAGENET1K_V1", "torchvision-v2": "IMAGENET1K_V2"}


def counted(architecture, side=224):
    with torch.device("meta"):
        network = ZOO.build(architecture, DATASET)
        batch = Batch(torch.zeros(2, 3, side, side), torch.zeros(2, dtype=torch.long))
    return sum(p.numel() for p in network.parameters()), Probe(network, [batch], 0).multiply_accumulates()


COUNTED_OTHERWISE = {"shufflenet_v2_x0_5"}
"""The network of torchvision whose published #FLOPs, 0.04 billion, are rounded to more than one per cent."""


@pytest.mark.nightly
@pytest.mark.real_data
class TestPublishedSizes:
    """Every network as it is built has the published #Params, and within one per cent the published #FLOPs."""

    @pytest.fixture(autouse=True)
    def libraries(self):
        # Not imported: a torchvision of another build than torch's would fail.
        if find_spec("timm") is None or find_spec("torchvision") is None:
            pytest.skip("timm or torchvision, which build the networks, is not installed")

    def test_of_torchvision(self, real_data):
        with (real_data / "more" / "torchvision_weights_0.29.1.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["weights"] in PUBLISHED.values()]
        assert len(rows) == 78 + 24
        differing = {}
        for row in rows:
            side = int(row["crop"].strip("[]"))
            params, macs = counted(f"torchvision:{row['model']}", side)
            assert params == int(row["params"]), row["model"]
            if abs(macs / (1e9 * float(row["gflops"])) - 1) > 0.01:
                differing[row["model"]] = macs / 1e9
        assert set(differing) == COUNTED_OTHERWISE, differing

    def test_of_pycls(self, real_data):
        sides = {"B1": 240, "B2": 260, "B3": 300, "B4": 380, "B5": 456}
        with (real_data / "more" / "pycls_dds_36_models.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 36
        for row in rows:
            side = sides.get(row["model"][-2:], 224) if row["model"].startswith("Eff") else 224
            params, macs = counted(published.pycls_networks()[row["model"]], side)
            assert params == int(row["params"]), row["model"]
            assert macs == pytest.approx(int(row["flops"]), rel=0.01), row["model"]

    def test_the_stored_counts_are_those_of_the_networks(self):
        for architecture, network in networks().items():
            assert counted(architecture) == (network.params, network.macs), architecture
