"""NATS-Bench's size search space: one cell at 32,768 mixes of widths, trained on three data sets.

All networks have the cell that is best in the topology space; each of their five layers has its own number of channels
(Dong et al., "NATS-Bench", TPAMI 2021, section 3.2). The networks are this project's own. The accuracies are not part
of it: the user imports them.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.contracts.dialect import Dialect
from harness.contracts.search_space import PlaceSpace
from harness.data import Contrast, TableFormat
from harness.data.sources import Sources
from harness.errors import HarnessError
from harness_benchmarks.nats.archive import Archive, ArchiveReader, archive_entries, archive_share
from harness_benchmarks.nats.common import NatsBenchmark, table_columns
from harness_benchmarks.nb201.topology import parse_cell

if TYPE_CHECKING:
    from torch import nn

CANDIDATES = (8, 16, 24, 32, 40, 48, 56, 64)
"""The widths that a layer can have."""

REDUCES = (False, True, False, True, False)
"""Which of the five layers are reduction blocks; the others are cells."""

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"

_SPLITS = {
    ("test", 90): "accuracy (%) on the test images after 90 epochs, one seed",
    ("x-valid", 90): "accuracy (%) on the validation images after 90 epochs, one seed",
    ("test", 12): "accuracy (%) on the test images after 12 epochs, mean over seeds",
    ("x-valid", 12): "accuracy (%) on the validation images after 12 epochs, mean over seeds",
    ("test", 1): "accuracy (%) on the test images after 1 epoch, one seed",
    ("x-valid", 1): "accuracy (%) on the validation images after 1 epoch, one seed",
}


@functools.cache
def enumerate_architectures() -> tuple[str, ...]:
    """The official strings ``8:8:8:8:8`` to ``64:64:64:64:64`` in the official order: the last width changes fastest.

    >>> enumerate_architectures()[:3]
    ('8:8:8:8:8', '8:8:8:8:16', '8:8:8:8:24')
    """
    return tuple(":".join(map(str, widths)) for widths in itertools.product(CANDIDATES, repeat=len(REDUCES)))


def parse_widths(architecture: str) -> tuple[int, ...]:
    """The channels of the five layers that an official string describes.

    >>> parse_widths("8:16:24:32:64")
    (8, 16, 24, 32, 64)

    Raises:
        HarnessError: if the string is not of that form.
    """
    parts = architecture.split(":")
    wanted = "five widths such as '8:16:24:32:64'"
    if len(parts) != len(REDUCES):
        raise HarnessError(f"'{architecture}' does not describe a network of nats-sss; one has {wanted}")
    for layer, part in enumerate(parts, start=1):
        if part not in _WIDTHS:
            raise HarnessError(
                f"'{architecture}' does not describe a network of nats-sss: layer {layer} has the width '{part}'; "
                f"known: {', '.join(_WIDTHS)}"
            )
    return tuple(_WIDTHS[part] for part in parts)


_WIDTHS = {str(width): width for width in CANDIDATES}

SIZE = Archive(
    name="NATS-sss-v1_0-50262",
    space="NATS-Bench's size space",
    architectures=enumerate_architectures,
    order_sha256="8b99b4c0aabe959924c6fb36c0ee4a3f79362343e36b7752b90deee9409b492f",
    api="NATSsize",
    entries=archive_entries(_SPLITS),
)


def _of_list(text: str) -> str | None:
    architecture = ":".join(re.findall(r"\d+", text))
    return architecture if architecture in _every_string() else None


def _of_number(text: str) -> str | None:
    order = enumerate_architectures()
    return order[int(text)] if text.isascii() and text.isdigit() and int(text) < len(order) else None


@functools.cache
def _every_string() -> frozenset[str]:
    return frozenset(enumerate_architectures())


_WIDTHS_IN_A_LIST = Dialect("lists of five widths", _of_list, "(8, 16, 24, 32, 64)")
_NUMBERS = Dialect("numbers in NATS-Bench's order", _of_number, "284")

_WIDTHS_TELL = Contrast.of_names(
    "(8|16|24)(:(8|16|24)){4}",
    "(48|56|64)(:(48|56|64)){4}",
    ("networks with widths of 8 to 24", "with widths of 48 to 64"),
)


class NatsSss(PlaceSpace, NatsBenchmark):
    """NATS-Bench's size space; the ground truth is read from the local table.

    There is one set of architectures: every network is connected, uses all that it computes, and has another shape than
    every other, so that the sets of the topology space would each be all of it.
    """

    name = "nats-sss"
    aliases = ("nats-bench-sss", "sss")
    title = "NATS-Bench size space"
    truths = tuple(_SPLITS)
    obtain = (
        "FILE is the archive folder NATS-sss-v1_0-50262-simple, or a CSV or Parquet table of its accuracies; "
        "'harness data get nats-sss' says where to get one; see docs/data.md"
    )
    choices = tuple(_WIDTHS)
    length = len(REDUCES)

    def places(self, architecture: str) -> tuple[str, ...]:
        """The width of each layer."""
        return tuple(map(str, parse_widths(architecture)))

    def of_places(self, places: Sequence[str]) -> str:
        """The official string."""
        return ":".join(places)

    def architectures(self) -> Sequence[str]:
        """The official strings, in the order of :func:`enumerate_architectures`."""
        return enumerate_architectures()

    def build(self, architecture: str, dataset: str) -> nn.Module:
        """The network of five layers: cell, reduction block, cell, reduction block, cell.

        The stem is as wide as the first layer. A layer changes the width where it begins: a cell's edges from its input
        lead from the former width to its own, and its skip connection is a 1×1 convolution if the two differ.

        Raises:
            HarnessError: if the architecture is not an official string.
        """
        from harness_benchmarks.nb201.cells import Layer, LayeredNetwork

        classes = self.task(dataset).classes
        widths = parse_widths(architecture)
        layers = [Layer(width, reduces) for width, reduces in zip(widths, REDUCES, strict=True)]
        return LayeredNetwork(parse_cell(CELL), layers, classes)

    def features(self, architecture: str) -> Mapping[str, float]:
        """The widths of the five layers, their sum, the narrowest, and how much wider the last is than the first.

        >>> NatsSss().features("8:16:24:32:64")["growth"]
        8.0
        """
        widths = parse_widths(architecture)
        layers: dict[str, float] = {f"width {layer}": width for layer, width in enumerate(widths, start=1)}
        return layers | {"sum of widths": sum(widths), "narrowest": min(widths), "growth": widths[-1] / widths[0]}

    def parameters(self, architecture: str, dataset: str) -> int:
        """The network's number of parameters, without building it; see :func:`parameter_counts`."""
        return int(self.parameter_counts([architecture], dataset)[0])

    def parameter_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        r"""Each network's number of parameters, int64, (len(architectures),).

        .. math::
            29 c_1 + f(c_1, c_1) + r(c_1, c_2) + f(c_2, c_3) + r(c_3, c_4) + f(c_4, c_5) + 2 c_5 + (c_5 + 1) K

        with :math:`c_i` the widths, :math:`K` classes, a cell from width :math:`a` to :math:`b`

        .. math:: f(a, b) = 2 (9 a b + 2 b) + 3 (9 b^2 + 2 b) + [a \ne b] (a b + 2 b)

        and a reduction block :math:`r(a, b) = 10 a b + 9 b^2 + 4 b`; the other terms are the stem, the last batch norm
        and the classifier.

        Raises:
            HarnessError: if an architecture is not an official string.

        >>> NatsSss().parameter_counts(["8:8:8:8:8", "8:8:8:8:16"], "cifar10")
        array([11714, 18386])
        """
        classes = self.task(dataset).classes
        widths = np.array([parse_widths(architecture) for architecture in architectures], dtype=np.int64)
        c1, c2, c3, c4, c5 = widths.reshape(-1, len(REDUCES)).T
        body = _cell(c1, c1) + _reduction(c1, c2) + _cell(c2, c3) + _reduction(c3, c4) + _cell(c4, c5)
        return 29 * c1 + body + 2 * c5 + (c5 + 1) * classes

    def dialects(self) -> Sequence[Dialect]:
        """Five widths in another form, and NATS-Bench's numbers."""
        return (_WIDTHS_IN_A_LIST, _NUMBERS)

    def operation_counts(self, architectures: Sequence[str], dataset: str) -> NDArray[np.int64]:
        r"""Each network's number of multiply-accumulates for one image, int64, (len(architectures),).

        With :math:`r` the height of an image and the widths :math:`c_i`, the weights of the formula of
        :meth:`parameter_counts` count once for each position: those of stem and first cell :math:`r^2` times, those of
        each reduction block and the cell after it a quarter as often as those before.

        Raises:
            HarnessError: if an architecture is not an official string.

        >>> NatsSss().operation_counts(["8:8:8:8:8", "8:8:8:8:16"], "cifar10")
        array([4481104, 4894880])
        """
        task = self.task(dataset)
        positions = task.image_shape[-1] ** 2
        widths = np.array([parse_widths(architecture) for architecture in architectures], dtype=np.int64)
        c1, c2, c3, c4, c5 = widths.reshape(-1, len(REDUCES)).T
        first = 27 * c1 + _cell_weights(c1, c1)
        second = _reduction_weights(c1, c2) + _cell_weights(c2, c3)
        third = _reduction_weights(c3, c4) + _cell_weights(c4, c5)
        counts: NDArray[np.int64] = positions * first + positions // 4 * second + positions // 16 * third
        return counts + c5 * task.classes

    def seeds(self, epochs: int | str) -> str:
        """90 epochs, and 1, were trained with one seed; 12 epochs with three."""
        return "mean over seeds" if epochs == 12 else "one seed"

    def sources(self) -> Sources:
        """The official archive, on a file share."""
        return Sources(archive_share(self.name, SIZE))

    def table_format(self) -> TableFormat:
        """The format of the local table, for ``harness data import nats-sss FILE``."""
        return TableFormat(
            architectures=self.architectures,
            truths=table_columns(_SPLITS),
            essential=tuple(f"{dataset}/test/90" for dataset in self.datasets),
            seeds="one seed for 90 epochs and for 1 epoch, mean over three for 12 epochs",
            parameters=self.parameter_counts,
            datasets=self.datasets,
            obtain=self.obtain,
            readers=(ArchiveReader(SIZE),),
            contrast=_WIDTHS_TELL,
            order_sha256=SIZE.order_sha256,
            dialects=self.dialects(),
        )


def _cell(inputs: NDArray[np.int64], outputs: NDArray[np.int64]) -> NDArray[np.int64]:
    from_input = 2 * (9 * inputs * outputs + 2 * outputs)
    between = 3 * (9 * outputs * outputs + 2 * outputs)
    skip = np.where(inputs == outputs, 0, inputs * outputs + 2 * outputs)
    return from_input + between + skip


def _cell_weights(inputs: NDArray[np.int64], outputs: NDArray[np.int64]) -> NDArray[np.int64]:
    skip = np.where(inputs == outputs, 0, inputs * outputs)
    return 18 * inputs * outputs + 27 * outputs * outputs + skip


def _reduction_weights(inputs: NDArray[np.int64], outputs: NDArray[np.int64]) -> NDArray[np.int64]:
    return 10 * inputs * outputs + 9 * outputs * outputs


def _reduction(inputs: NDArray[np.int64], outputs: NDArray[np.int64]) -> NDArray[np.int64]:
    return 10 * inputs * outputs + 9 * outputs * outputs + 4 * outputs
