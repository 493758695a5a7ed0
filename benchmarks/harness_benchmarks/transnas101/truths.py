"""TransNAS-Bench-101's measurements: each task's metric, training length, and columns of ground truth.

Sources: Duan et al., "TransNAS-Bench-101", CVPR 2021, and the repository yawen-d/TransNASBench: the epochs
(``num_epochs``) and the metrics' names (``metric_content``) are in ``configs/train_from_scratch/<task>/config.py``,
the metrics' units in ``lib/models/utils.py``. Every network was trained once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Split = Literal["val", "test"]
Moment = Literal["final", "best"]

_LARGEST_LOSS = 1e6


@dataclass(frozen=True)
class Metric:
    """A metric; higher is always better.

    Attributes:
        words: a description with the unit.
        official: its name in the official file, without the split.
        limits: the smallest and the largest possible value.
        decimals: the precision of a float32 of this size; rounding to it keeps all published values distinct.
        negated: the official name of the same quantity with the opposite sign, for a file that lacks ``official``.
        counts_right: whether it is the frequency of correct classes, for which guessing gives one over their number.
    """

    words: str
    official: str
    limits: tuple[float, float]
    decimals: int
    negated: str | None = None
    counts_right: bool = False


@dataclass(frozen=True)
class TaskFacts:
    """How a task was trained and evaluated.

    Attributes:
        epochs: the length of the training.
        metric: the task's own metric.
        additional: further metrics, by the mark of their splits, such as ``mIoU``.
    """

    epochs: int
    metric: Metric
    additional: Mapping[str, Metric] = field(default_factory=dict)

    def metrics(self) -> dict[str, Metric]:
        """Every metric by the mark of its splits; that of the task's own metric is empty."""
        return {"": self.metric, **self.additional}


TOP1 = Metric("top-1 accuracy (%)", "top1", (0.0, 100.0), decimals=6, counts_right=True)
PIXEL_ACCURACY = Metric("pixel accuracy (%)", "acc", (0.0, 100.0), decimals=6, counts_right=True)
MEAN_IOU = Metric("mean intersection over union (%)", "mIoU", (0.0, 100.0), decimals=6)
SSIM = Metric("structural similarity (SSIM)", "ssim", (-1.0, 1.0), decimals=8)
# A squared error has no largest value; the limit rejects values that no converged training can have.
NEGATIVE_LOSS = Metric("negative mean squared error", "neg_loss", (-_LARGEST_LOSS, 0.0), decimals=8, negated="loss")

FACTS: Mapping[str, TaskFacts] = {
    "class_scene": TaskFacts(25, TOP1),
    "class_object": TaskFacts(25, TOP1),
    "room_layout": TaskFacts(25, NEGATIVE_LOSS),
    "jigsaw": TaskFacts(10, TOP1),
    "segmentsemantic": TaskFacts(30, PIXEL_ACCURACY, {"mIoU": MEAN_IOU}),
    "normal": TaskFacts(30, SSIM),
    "autoencoder": TaskFacts(30, SSIM),
}
"""Each task by its official name, in the order of the official file."""


@dataclass(frozen=True)
class Column:
    """One column of ground truth.

    ``final`` is the last epoch. ``best`` is the first epoch with the best validation value of the same metric, so
    ``test/best`` is the test value of early stopping on validation images. The mode ``best`` of the official interface
    is different: it is the largest value of the requested metric over all epochs. For a test metric, this selects the
    epoch on the test images, and for a loss, it selects the worst epoch.

    Attributes:
        task: the task's official name.
        split: the images that the value was measured on.
        moment: the epoch.
        metric: what was measured.
        epochs: the length of the training.
        mark: distinguishes the splits of an additional metric; empty for the task's own metric.
    """

    task: str
    split: Split
    moment: Moment
    metric: Metric
    epochs: int
    mark: str = ""

    @property
    def name(self) -> str:
        """Its name in a table: ``TASK/SPLIT/WHEN``.

        >>> Column("segmentsemantic", "val", "final", MEAN_IOU, 30, mark="mIoU").name
        'segmentsemantic/val-mIoU/final'
        """
        return f"{self.task}/{self.split}{'-' * bool(self.mark)}{self.mark}/{self.moment}"

    @property
    def description(self) -> str:
        """One line for the table's metadata.

        >>> Column("jigsaw", "test", "best", TOP1, 10).description
        'jigsaw test top-1 accuracy (%), at the best of 10 epochs by validation'
        """
        images = "validation" if self.split == "val" else self.split
        when = f"after {self.epochs} epochs"
        if self.moment == "best":
            when = f"at the best of {self.epochs} epochs by validation"
        return f"{self.task} {images} {self.metric.words}, {when}"


COLUMNS: Mapping[str, Column] = {
    column.name: column
    for task, facts in FACTS.items()
    for mark, metric in facts.metrics().items()
    for split in get_args(Split)
    for moment in get_args(Moment)
    for column in (Column(task, split, moment, metric, facts.epochs, mark),)
}
"""Every column of ground truth by its name; a task's default, ``val/final``, comes first."""
