"""A toy benchmark and toy image data sets whose files come from a local server."""

import hashlib
import io
import tarfile
from dataclasses import replace

import numpy as np

from harness.contracts.benchmark import Benchmark
from harness.data.get import GetOptions, get
from harness.data.sources import Download, Files, FileShare, Sources
from harness.registry import load_benchmark

# The format of a real benchmark, with the architectures of a toy: it stays one whatever formats come to hold.
ARCHITECTURES = [f"arch-{number}" for number in range(4)]
FORMAT = replace(
    load_benchmark("nats-tss").table_format(),
    architectures=lambda: ARCHITECTURES,
    parameters=lambda architectures, dataset: np.array([int(name[-1]) for name in architectures]),
    readers=(),
)
COLUMN = "cifar10/test/200"
STANDARD = f"arch,{COLUMN}\n" + "".join(f"{name},{70 + n}\n" for n, name in enumerate(ARCHITECTURES))
FULL = f"arch,{COLUMN},cifar10/test/12\n" + "".join(f"{name},{70 + n},{n}\n" for n, name in enumerate(ARCHITECTURES))
SHARE = FileShare("the toy archive", "https://page", "toy.tar", ("tar xf toy.tar", "harness data import shared toy"))


class Toy(Benchmark):
    name = "toy"
    title = citation = "a toy"
    datasets = ("cifar10",)
    truths = (("test", 200),)
    declared: Sources

    def architectures(self):
        return ARCHITECTURES

    def table_format(self):
        return FORMAT

    def sources(self):
        return type(self).declared

    task = build = ground_truth = None


class Shared(Toy):
    name = "shared"
    declared = Sources(SHARE)


class Untold(Toy):
    name = "untold"
    sources = None


class Own(Toy):
    name = "own"
    table_format = sources = None


CLASSES = {cls.name: cls for cls in (Toy, Shared, Untold, Own)}


def files(server, what, name, content, checksum="sha256"):
    body = content if isinstance(content, bytes) else content.encode()
    published = f"{checksum}:{hashlib.new(checksum, body).hexdigest()}" if checksum else None
    return Files(what, (Download(server.offer(f"/{name}", body), name, published, len(body)),))


def tar(**members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"photos/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def got(name, **options):
    """What ``get`` says."""
    said = []
    get(name, GetOptions(**options), said.append)
    return "\n".join(said)
