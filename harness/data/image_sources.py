"""Where to get the image data sets that benchmarks train on."""

from __future__ import annotations

from dataclasses import dataclass

from harness.data.sources import Download, Files, FileShare


@dataclass(frozen=True)
class ImageSource:
    """An image data set.

    Attributes:
        source: its archive, or the page for a manual download.
        folder: the directory in the archive to give to ``--images``; empty if there is no archive to download.
    """

    source: Files | FileShare
    folder: str = ""


def _cifar(name: str, archive: str, md5: str, size: int) -> Files:
    url = f"https://www.cs.toronto.edu/~kriz/{archive}"
    return Files(f"the images of {name}, binary version", (Download(url, archive, f"md5:{md5}", size),))


IMAGE_SOURCES = {
    "cifar10": ImageSource(
        _cifar("CIFAR-10", "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 170_052_171),
        "cifar-10-batches-bin",
    ),
    "cifar100": ImageSource(
        _cifar("CIFAR-100", "cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 168_513_733),
        "cifar-100-binary",
    ),
    "ImageNet16-120": ImageSource(
        FileShare(
            "the images of ImageNet16-120: labels 1 to 120 of ImageNet16",
            "https://github.com/D-X-Y/NATS-Bench#preparation-and-download (step 1, Google Drive)",
            "ImageNet16, the directory with train_data_batch_1 to train_data_batch_10",
            ("use the extracted directory: --images PATH",),
        )
    ),
    "taskonomy": ImageSource(
        FileShare(
            "the images of Taskonomy (11 TB in total; one of its 537 buildings is enough for mini-batches)",
            "https://github.com/StanfordVL/taskonomy/blob/master/data/README.md",
            "a building's directory with rgb and the labels of your task; the page links a sample building",
            ("use that directory: --images PATH",),
        )
    ),
}
"""Each data set by name. CIFAR checksums and sizes are from https://www.cs.toronto.edu/~kriz/cifar.html."""
