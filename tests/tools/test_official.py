"""Official code beside ours: with a small checkout that was written for these tests, so that no other is needed."""

import math
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pandas as pd
import pytest
import torch

from harness.errors import HarnessError
from harness.registry import select_proxies
from tools.official.__main__ import checkouts_of, chosen_of, main
from tools.official.cases import Sample, chains
from tools.official.checkout import REPOSITORIES, as_then, stand_in, stop
from tools.official.comparisons import COMPARISONS

FILES = {
    "zico/ZeroShotProxy/compute_zico.py": """
        import global_utils, ModelLoader
        import numpy as np
        from torch import nn

        def getgrad(model, grad_dict, step_iter=0):
            for name, layer in model.named_modules():
                if isinstance(layer, (nn.Conv2d, nn.Linear)):
                    grad_dict.setdefault(name, []).append(layer.weight.grad.data.cpu().flatten().numpy())
            return grad_dict

        def caculate_zico(grad_dict):
            total = 0
            for rows in grad_dict.values():
                rows = np.stack(rows)
                size, spread = abs(rows).mean(0), rows.std(0)
                if (size[spread > 0] > 0).any():
                    total += np.log((size[spread > 0] / spread[spread > 0]).sum())
            return total

        def getzico(network, trainloader, lossfunc):
            found = {}
            network.cuda()
            for step, (data, label) in enumerate(trainloader):
                network.zero_grad()
                lossfunc(network(data.cuda()), label.cuda()).backward()
                found = getgrad(network, found, step)
            return caculate_zico(found)
        """,
    "tenas/lib/procedures/ntk.py": """
        import torch

        def get_ntk_n(xloader, networks, recalbn=0, train_mode=False, num_batch=-1):
            device = torch.cuda.current_device()
            (images, _), = xloader
            found = []
            for network in networks:
                logits = network.train(train_mode)(images.cuda(device=device, non_blocking=True))
                weights = [w for name, w in network.named_parameters() if "weight" in name]
                rows = [torch.autograd.grad(row.sum(), weights, retain_graph=True, allow_unused=True) for row in logits]
                rows = torch.stack([torch.cat([g.flatten() for g in row if g is not None]) for row in rows])
                values, _ = torch.symeig(rows @ rows.T)
                found.append((values[-1] / values[0]).item())
            torch.cuda.empty_cache()
            return found
        """,
    "tenas/lib/procedures/linear_region_counter.py": """
        import torch
        import torchvision.transforms as transforms
        import torchvision.datasets
        from datasets import CUTOUT, Dataset2Class, ImageNet16

        class Linear_Region_Collector:
            def __init__(self, models, input_size, sample_batch):
                (self.model,), self.size, self.steps, self.seen = models, input_size, sample_batch, []
                for module in self.model.modules():
                    if isinstance(module, torch.nn.ReLU):
                        module.register_forward_hook(lambda _, __, output: self.seen.append(output.flatten(1) > 0))

            def forward_batch_sample(self):
                patterns = []
                for _ in range(self.steps):
                    images, _ = self.loader.next()
                    assert tuple(images.shape) == self.size
                    self.seen = []
                    self.model(images.cuda())
                    patterns.append(torch.cat(self.seen, 1))
                return [len(torch.unique(torch.cat(patterns), dim=0))]
        """,
    "zero-cost-nas/foresight/__init__.py": "",
    "zero-cost-nas/foresight/pruners/__init__.py": "",
    "zero-cost-nas/foresight/pruners/predictive.py": "from ..models import *\nfrom . import measures",
    "zero-cost-nas/foresight/pruners/measures.py": """
        import numpy as np
        import torch
        from torch import nn

        def calc_measure(name, net, device, inputs, targets, loss_fn):
            net = net.get_prunable_copy(bn=name != "synflow")
            layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
            weights, outputs = [layer.weight for layer in layers], {}
            if name == "synflow":
                net.double()
                for tensor in net.state_dict().values():
                    tensor.abs_() if tensor.is_floating_point() else None
                flow = net(torch.ones(1, *inputs.shape[1:], dtype=torch.float64)).sum()
                return [(w * g).abs() for w, g in zip(weights, of(flow, weights))]
            if name == "jacob_cov":
                inputs = inputs.clone().requires_grad_(True)
                net(inputs).sum().backward()
                values = np.linalg.eigvals(np.corrcoef(inputs.grad.reshape(len(inputs), -1).numpy())).real + 1e-5
                return -np.sum(np.log(values) + 1 / values)
            for layer in layers:
                layer.register_forward_hook(lambda layer, _, output: outputs.update({layer: output}))
            loss = loss_fn(net(inputs), targets)
            g = of(loss, weights, create_graph=True)
            if name == "grasp":
                return [-w * h for w, h in zip(weights, of(sum((a * a.detach()).sum() for a in g), weights))]
            if name == "fisher":
                called = list(outputs)
                acts = [(outputs[layer] * d) for layer, d in zip(called, of(loss, list(outputs.values())))]
                return [
                    layer.weight[0].numel() * act.flatten(2).sum(2).square().mean(0) / 2 if act.dim() > 2
                    else layer.weight[0].numel() * act.square().mean(0) / 2
                    for layer, act in zip(called, acts)
                ]
            of_layer = {
                "snip": lambda w, d: (w * d).abs(), "plain": lambda w, d: w * d, "grad_norm": lambda w, d: d.norm()
            }[name]
            return [of_layer(w.detach(), d.detach()) for w, d in zip(weights, g)]

        def of(scalar, tensors, create_graph=False):
            return torch.autograd.grad(
                scalar, tensors, retain_graph=True, create_graph=create_graph, allow_unused=True, materialize_grads=True
            )
        """,
    "gradsign/zero-cost-nas-code/foresight/__init__.py": "",
    "gradsign/zero-cost-nas-code/foresight/pruners/__init__.py": "",
    "gradsign/zero-cost-nas-code/foresight/pruners/p_utils.py": "from ..models import *",
    "gradsign/zero-cost-nas-code/foresight/pruners/measures/__init__.py": "from . import grad_conflict",
    "gradsign/zero-cost-nas-code/foresight/pruners/measures/grad_conflict.py": """
        import torch
        from .. import p_utils
        from torch import nn

        def get_grad_conflict(net, inputs, targets, loss_fn):
            signs = []
            for image, target in zip(inputs, targets):
                net.zero_grad()
                loss_fn(net(image[None]), target[None]).backward()
                weights = [m.weight for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
                grads = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
                signs.append(torch.cat([g.flatten().sign() for g in grads]))
            return torch.stack(signs).sum(0).abs().sum().item()
        """,
    "gradsign/zero-cost-nas-code/gradsign.py": """
        import os, sys, torch, nasspace, datasets
        from scores import get_score_func
        from pycls.models.nas.nas import Cell
        from utils import add_dropout, init_network
        from torch import nn
        os.environ["CUDA_VISIBLE_DEVICES"] = "7"
        torch.backends.cudnn.deterministic = True
        torch.manual_seed(1)
        assert len(sys.argv) == 1

        def get_grad_conflict(net, inputs, targets, loss_fn=None):
            total = 0.0
            weights = [m.weight for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
            for image, target in zip(inputs, targets):
                loss = loss_fn(net(image[None]), target[None])
                found = torch.autograd.grad(loss, weights, allow_unused=True)
                parts = [torch.zeros(w.numel()) if g is None else g.flatten().sign() for w, g in zip(weights, found)]
                total = total + torch.cat(parts)
            return total.abs().mean().item()

        space = nasspace.get_search_space(None)
        raise RuntimeError("the script went on")
        """,
    "knas/exps/NAS-Bench-201/functions.py": """
        import torch
        from procedures import prepare_seed, get_optim_scheduler
        from utils import get_model_infos, obtain_accuracy
        from config_utils import dict2config
        from log_utils import AverageMeter, time_string, convert_secs2time
        from models import get_cell_based_tiny_net

        def procedure(xloader, network, criterion, scheduler, optimizer, mode, grad=False):
            network.train()
            meter, kept = AverageMeter(), []
            for step, (inputs, targets) in enumerate(xloader):
                scheduler.update(None, step / len(xloader))
                optimizer.zero_grad()
                _, logits = network(inputs)
                criterion(logits, targets.cuda(non_blocking=True)).backward()
                meter.update(1.0)
                grads = [p.grad.flatten() for p in network.parameters() if p.grad is not None and p.numel() >= 50]
                kept.append([g[:50] for g in grads[:11]])
            total = 0.0
            for rows in map(torch.stack, zip(*kept)):
                one, two = rows[:25] - rows[:25].mean(0), rows[25:] - rows[25:].mean(0)
                total = total + (one * two).sum() / 2500
            return total, 0, 0, meter.sum
        """,
    "maedet/nas/__init__.py": "",
    "maedet/nas/models/masternet.py": """
        from torch import nn

        class MasterNet(nn.Module):
            def __init__(self, structure_info):
                super().__init__()
                self.blocks = nn.ModuleList(
                    nn.Conv2d(s["in"], s["out"], s["k"], s["s"], (s["k"] - 1) // 2, bias=False) for s in structure_info
                )

            def get_stage_info(self):
                return [len(self.blocks) - 1], [len(self.blocks)], None, [self.blocks[-1].out_channels]

            def entropy_forward_pre_GAP(self, x, **_):
                stds = []
                for block in self.blocks:
                    x = block(x)
                    stds.append(x.std())
                    x = x / stds[-1]
                return [x], stds
        """,
    "maedet/nas/scores/compute_madnas.py": """
        import math

        class ComputeMadnasScore:
            def __init__(self, cfg):
                assert cfg.score_multi_ratio == [1]

            def __call__(self, model):
                fans = [block.in_channels * block.kernel_size[0] ** 2 for block in model.blocks]
                return {"avg_nas_score": sum(math.log(f) for f in fans) / 2 + math.log(model.blocks[-1].out_channels)}
        """,
    "maedet/nas/scores/compute_entropy.py": """
        import math, torch
        from torch import nn

        class ComputeEntropyScore:
            def __init__(self, cfg):
                self.cfg = cfg

            def __call__(self, model):
                for module in model.modules():
                    if isinstance(module, (nn.Conv2d, nn.Linear)):
                        nn.init.normal_(module.weight)
                cfg = self.cfg
                size = (cfg.score_batch_size, cfg.score_image_channel, cfg.score_image_size, cfg.score_image_size)
                with torch.no_grad():
                    _, stds = model.entropy_forward_pre_GAP(torch.randn(size), skip_relu=True, skip_bn=True)
                channels = model.get_stage_info()[3][-1]
                return {"avg_nas_score": sum(std.log().item() for std in stds) + math.log(channels)}
        """,
}


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def cells():
    return Sample(None, 2, 50, 0, torch.float64).cells()[0]


@pytest.mark.parametrize(
    "proxies",
    [
        pytest.param(["zico_bc", "gradsign_mean", "entropy"], id="some"),
        pytest.param([], id="all", marks=pytest.mark.nightly),
    ],
)
def test_equal_definitions_give_equal_scores(code, tmp_path, capsys, proxies):
    main([*proxies, "--code", str(code), "--networks", "2", "--out", str(tmp_path)])
    table = pd.read_csv(tmp_path / "official.csv", keep_default_na=False)
    assert table["official"].tolist() == [each.function for each in chosen_of(proxies)]
    equal = table[table["same"]]
    assert (equal["networks"] == 2).all() and (equal["difference"] < 1e-9).all()
    assert (table.loc[~table["same"], "difference"] > 1e-3).all()
    assert table["images"].tolist() == [each.images or 16 for each in chosen_of(proxies)]
    assert (table["commit"] == "").all() and (table["precision"] == "float64").all()
    page = (tmp_path / "official.md").read_text(encoding="utf-8")
    assert "ZiCo-BC has no official code" in page and "no commit known" in page
    assert "Largest relative" in capsys.readouterr().out
    assert not list(code.rglob("__pycache__"))


def test_a_difference_shows(code, tmp_path, capsys):
    other = tmp_path / "other" / "lib" / "procedures"
    other.mkdir(parents=True)
    text = (code / "tenas/lib/procedures/ntk.py").read_text(encoding="utf-8")
    (other / "ntk.py").write_text(text.replace("values[-1] / values[0]", "2 * values[-1] / values[0]"))
    main(["ntk", "zico", "--code", f"tenas={tmp_path / 'other'}", "--networks", "3", "--out", str(tmp_path)])
    (row,) = pd.read_csv(tmp_path / "official.csv").to_dict("records")
    assert row["difference"] == pytest.approx(0.5, abs=1e-3) and row["spearman"] == 1
    assert "left out, without a checkout: zico (https://github.com/SLDGroup/ZiCo)" in capsys.readouterr().err


def test_importing_leaves_no_trace(code):
    before = dict(sys.modules), list(sys.path), list(sys.argv), dict(os.environ), torch.get_rng_state()
    deterministic = torch.backends.cudnn.deterministic
    checkouts = checkouts_of([str(code)])
    for each in COMPARISONS:
        each.official(checkouts[each.repository])
    assert (dict(sys.modules), list(sys.path), list(sys.argv), dict(os.environ)) == before[:4]
    assert torch.equal(torch.get_rng_state(), before[4])
    assert torch.backends.cudnn.deterministic == deterministic


def test_torch_is_as_before():
    before = torch.Tensor.cuda, torch.nn.Module.zero_grad, torch.Tensor.cpu, hasattr(torch, "symeig")
    with as_then():
        matrix = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
        matrix += matrix.T
        assert matrix.cuda(device=torch.cuda.current_device()).tolist() == [[2.0, 5.0], [5.0, 8.0]]
    assert (torch.Tensor.cuda, torch.nn.Module.zero_grad, torch.Tensor.cpu, hasattr(torch, "symeig")) == before


def test_chains_are_drawn_once_and_for_all(cells):
    one, two = chains(cells), chains(cells)
    assert [case.network.convolutions for case in one] == [case.network.convolutions for case in two]
    assert one[0].network.convolutions != one[1].network.convolutions
    (entropy,) = select_proxies("entropy")
    assert all(math.isfinite(case.score(entropy)) for case in one)


def test_the_first_images_only(cells):
    few = cells[0].first(4)
    assert [len(batch.images) for batch in few.batches] == [4, 4]
    assert torch.equal(few.batches[1].images, cells[0].batches[1].images[:4])


def test_a_checkout_is_found_by_its_file(code):
    assert checkouts_of([f"knas={code / 'knas'}"])["knas"].folder == (code / "knas").resolve()
    assert set(checkouts_of([str(code)])) == set(REPOSITORIES)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nowhere", "nowhere has no checkout of zico"),
        ("maedet=nowhere", "commit d87b141"),
        ("other=nowhere", "unknown repository 'other'; known: zico"),
    ],
)
def test_a_missing_checkout_says_what_to_get(given, message, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HarnessError, match=message):
        checkouts_of([given])


def test_an_unknown_proxy_is_refused(code):
    with pytest.raises(HarnessError, match="no official code is known for 'near'"):
        chosen_of(["near"])
    with pytest.raises(SystemExit, match="near"):
        main(["near", "--code", str(code)])
    with pytest.raises(SystemExit, match="none of these proxies has a checkout"):
        main(["zico", "--code", f"tenas={code / 'tenas'}"])


def test_a_broken_file_is_named(code, tmp_path):
    checkout = checkouts_of([f"zico={code / 'zico'}"])["zico"]
    with pytest.raises(HarnessError, match=r"cannot import .*compute_zico.py: ModuleNotFoundError"):
        checkout.module("ZeroShotProxy/compute_zico.py")
    with pytest.raises(HarnessError, match=r"has no file other\.py"):
        checkout.module("other.py")
    assert stand_in("a", stop=stop).stop is stop


def test_the_commit_is_known_and_whether_files_were_changed(tmp_path):
    file = tmp_path / "lib" / "procedures" / "ntk.py"
    file.parent.mkdir(parents=True)
    file.write_text("one = 1\n")
    checkout = checkouts_of([f"tenas={tmp_path}"])["tenas"]
    assert checkout.commit == ""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", "-C", str(Path(tmp_path)), *words], check=True, capture_output=True)
    assert len(checkout.commit) == 40
    file.write_text("one = 2\n")
    assert len(checkout.commit) == 41 and checkout.commit.endswith("+")
