"""``harness data get`` of the benchmarks whose published files are small, from a local server in their form."""

import hashlib
import io
import json
import pickle
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from harness_benchmarks.accel_nasbench import AccelNasBench, sources
from harness_benchmarks.accel_nasbench.architecture import parse
from harness_benchmarks.accel_nasbench.sizes import sizes
from harness_benchmarks.vit_bench_101 import VitBenchAutoFormer, VitBenchPit
from toy_downloads import got

from harness.data.sources import Sources
from harness.data.verify import verify
from harness.errors import DataError

NETWORKS = 10


def drawn(space):
    generator = np.random.default_rng(0)
    return sorted({space.random(generator) for _ in range(NETWORKS)})


def archive(space):
    """Like anb_dataset_jsons.tar.gz, with made-up accuracies."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for number, architecture in enumerate(drawn(space)):
            found = sizes(architecture, 224, 1000)
            names = (f"block{stage}_{field}" for stage in range(7) for field in ("e", "k", "l", "se"))
            record = {
                "architecture": dict(
                    zip(names, [value for stage in parse(architecture) for value in stage], strict=True)
                ),
                "metrics": {"val_top1": 50 + number, "val_top5": 70 + number},
                "model_info": {"macs": found.stored / 1e6, "params": found.params / 1e6},
                "platform_perf": {"throughput_a100": {"throughput_mean": 1000.0}},
            }
            body = json.dumps(record).encode()
            member = tarfile.TarInfo(f"./anb_dataset_jsons/result_{number}.json")
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return stream.getvalue()


def torch_file(records):
    """Like a file by torch.save, which keeps a pickle in a zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as zipped:
        zipped.writestr("archive/data.pkl", pickle.dumps(records, protocol=2))
        zipped.writestr("archive/version", "3\n")
    return stream.getvalue()


def pits(space):
    found = []
    for number, architecture in enumerate(drawn(space)):
        pit = space.parsed(architecture)
        heads, depths = ([getattr(stage, name) for stage in pit.stages] for name in ("heads", "layers"))
        arch = {"base_dim": pit.base, "mlp_ratio": pit.ratio, "depth": depths, "num_heads": heads}
        found.append({"arch": arch, "c100_base_acc": 50.0 + number, "c100_kd_acc": 60.0 + number})
    return found


def formers(space):
    found = []
    for number, architecture in enumerate(drawn(space)):
        width, layers = space.parsed(architecture)
        ratios, heads = ([getattr(layer, name) for layer in layers] for name in ("ratio", "heads"))
        arch = {"hidden_dim": width, "mlp_ratio": ratios, "depth": len(layers), "num_heads": heads}
        base = 50.0 + number if number < NETWORKS // 2 else None
        found.append({"arch": arch, "c100_base_acc": base, "c100_kd_acc": 60.0 + number})
    return found


@pytest.fixture
def offered(server, home, monkeypatch):
    """Offers files in place of the published ones of a benchmark, of which only so many networks are expected."""

    def offer(cls, *bodies):
        files = cls().sources().standard
        pairs = zip(files.downloads, bodies, strict=True)
        local = tuple(
            replace(
                download,
                url=server.offer(f"/{download.filename}", body),
                checksum=f"sha256:{hashlib.sha256(body).hexdigest()}",
                size=len(body),
            )
            for download, body in pairs
        )
        monkeypatch.setattr(cls, "sources", lambda self: Sources(replace(files, downloads=local)))
        hashed = hashlib.sha256("\n".join(drawn(cls())).encode()).hexdigest()
        if cls is AccelNasBench:
            whole = cls.table_format
            monkeypatch.setattr(
                cls,
                "table_format",
                lambda self: replace(whole(self), listing=replace(whole(self).listing, size=NETWORKS)),
            )
            monkeypatch.setattr(sources, "_NETWORKS_SHA256", hashed)
        else:
            monkeypatch.setattr(cls, "size", NETWORKS)
            monkeypatch.setattr(cls, "architectures_sha256", hashed)

    return offer


def test_the_archive_of_accel_nasbench(offered, home):
    offered(AccelNasBench, archive(AccelNasBench()))
    text = got("accel-nasbench")
    assert "sha256 verified" in text and "architectures: 10 of 10" in text
    assert AccelNasBench().ground_truth("imagenet-1k").accuracy.max() == 59
    assert AccelNasBench().costs("imagenet-1k").values["a100_time"].tolist() == [1] * 10
    assert "nothing was downloaded" in got("accel-nasbench")
    assert [finding.right for finding in verify("accel-nasbench")] == [True, True]
    assert [path.name for path in (home / "downloads" / "accel-nasbench").iterdir()] == ["anb_dataset_jsons.tar.gz"]


def test_the_file_of_pits(offered):
    offered(VitBenchPit, torch_file(pits(VitBenchPit())))
    assert "imported the ground truth of vit-bench-101-pit from gt_pit.pth" in got("vit-bench-101-pit")
    assert VitBenchPit().ground_truth("cifar100", "test-base").accuracy.max() == 59
    assert "nothing was downloaded" in got("vit-bench-101-pit")


def test_both_files_of_autoformers(offered):
    content = formers(VitBenchAutoFormer())
    offered(VitBenchAutoFormer, torch_file(content[:5]), torch_file(content[5:]))
    text = got("vit-bench-101-autoformer")
    assert "from gt_autoformer.pth and gt_autoformer_2.pth" in text and "architectures: 10 of 10" in text
    assert len(VitBenchAutoFormer().ground_truth("cifar100", "test-base").accuracy) == 5
    assert "nothing was downloaded" in got("vit-bench-101-autoformer")
    assert all(finding.right for finding in verify("vit-bench-101-autoformer"))


def test_a_file_that_would_run_code_is_refused(offered):
    class Runs:
        def __reduce__(self):
            return print, ("run",)

    content = pits(VitBenchPit())
    content[0]["note"] = Runs()
    offered(VitBenchPit, torch_file(content))
    with pytest.raises(DataError, match=r"'(__builtin__|builtins).print', which is not plain data"):
        got("vit-bench-101-pit")
