"""A benchmark that keeps the contract, one whose table is imported, and one broken benchmark for each promise."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import nn

from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GroundTruth
from harness.data import Listing, TableFormat, Truth
from harness.data.local_tables import read_table, table_ground_truth, table_path
from harness.errors import DataError, HarnessError
from harness.images import Images
from harness.tasks import Objective, Task


class Network(nn.Module):
    """One convolution of a given width, batch norm, and a classifier."""

    def __init__(self, width, classes):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.ReLU())
        self.classifier = nn.Linear(width, classes)

    def forward_features(self, images):
        return self.features(images)

    def forward(self, images):
        return self.classifier(self.forward_features(images).mean(dim=(2, 3)))


class Toy(Benchmark):
    """Eight widths, each with an accuracy of its own; nothing is wrong with it."""

    name = "toy"
    title = "a toy"
    citation = "nobody2026"
    datasets = ("dots", "lines")
    truths = (("test", 9), ("val", 9))
    subsets = {"all": "every width", "even": "the even widths"}  # noqa: RUF012

    def architectures(self):
        return [f"width-{width}" for width in range(1, 9)]

    def task(self, dataset):
        self.check_dataset(dataset)
        return Task(dataset, (1, 6, 6), {"dots": 3, "lines": 4}[dataset])

    def membership(self, subset):
        self.check_subset(subset)
        return (lambda name: int(name[6:]) % 2 == 0) if subset == "even" else (lambda name: True)

    def build(self, architecture, dataset):
        classes = self.task(dataset).classes
        if architecture not in self.architectures():
            raise HarnessError(f"'{architecture}' is no width of toy; one is 'width-3'")
        return Network(int(architecture[6:]), classes)

    def ground_truth(self, dataset, split=None, epochs=None):
        self.check_dataset(dataset)
        split, epochs = self.choose_truth(dataset, split, epochs)
        return GroundTruth(
            self.name, dataset, split, epochs, "one seed", "top-1 accuracy (%)", True, "made up", self.accuracy()
        )

    def accuracy(self):
        return pd.Series(np.linspace(40, 90, 8), index=[f"width-{width}" for width in range(1, 9)])


class ImportedToy(Toy):
    """The same, but its ground truth is imported."""

    name = "imported-toy"

    def ground_truth(self, dataset, split=None, epochs=None):
        self.check_dataset(dataset)
        split, epochs = self.choose_truth(dataset, split, epochs)
        return table_ground_truth(self.name, dataset, split, epochs, seeds="one seed", obtain="FILE is a toy")

    def table_format(self):
        return TableFormat(
            architectures=self.architectures,
            truths={
                f"{dataset}/{split}/{epochs}": Truth("accuracy (%)")
                for dataset in self.datasets
                for split, epochs in self.truths
            },
            essential=tuple(f"{dataset}/test/9" for dataset in self.datasets),
            seeds="one seed",
            parameters=self.parameters,
            datasets=self.datasets,
            obtain="FILE is a toy",
        )

    def parameters(self, architectures, dataset):
        widths = np.array([int(name[6:]) for name in architectures])
        return widths * (9 + 1 + 2) + (widths + 1) * self.task(dataset).classes


class BlankName(Toy):
    name = "my toy"


class RepeatedIdentifier(Toy):
    def architectures(self):
        return [*super().architectures(), "width-8"]

    def subset(self, subset="all"):
        return list(dict.fromkeys(super().subset(subset))) if subset != "all" else self.architectures()

    def sample(self, size, seed, subset="all"):
        if size > 8:
            raise HarnessError("there are 8")
        return Toy().sample(size, seed, subset)


class NumbersAsIdentifiers(Toy):
    def architectures(self):
        return list(range(1, 9))

    def membership(self, subset):
        self.check_subset(subset)
        return (lambda number: number % 2 == 0) if subset == "even" else (lambda number: True)

    def build(self, architecture, dataset):
        if architecture not in self.architectures():
            raise HarnessError(f"{architecture} is no width of toy")
        return Network(architecture, self.task(dataset).classes)

    def accuracy(self):
        return super().accuracy().set_axis(self.architectures())


class OrderOfInstances(Toy):
    """Every other instance lists them backwards."""

    made = 0

    def __init__(self):
        OrderOfInstances.made += 1
        self._step = 1 if self.made % 2 else -1

    def architectures(self):
        return super().architectures()[:: self._step]


class OrderOfHashes(Toy):
    """In the order of a set of strings, which Python's hash seed decides."""

    def architectures(self):
        return list({f"width-{width}" for width in range(1, 9)})


class AllIsNotFirst(Toy):
    subsets = {"even": "the even widths", "all": "every width"}  # noqa: RUF012


class SetWithoutDescription(Toy):
    subsets = {"all": "every width", "even": ""}  # noqa: RUF012


class SetWithStrangers(Toy):
    def subset(self, subset="all"):
        return [*super().subset(subset), "width-99"] if subset == "even" else super().subset(subset)


class SetInAnotherOrder(Toy):
    def subset(self, subset="all"):
        return super().subset(subset)[::-1] if subset == "even" else super().subset(subset)


class PredicateOfAnotherSet(Toy):
    def subset(self, subset="all"):
        members = Toy().subset(subset)
        return members[1:] if subset == "even" else members


class UnknownSetIsAll(Toy):
    def membership(self, subset):
        return super().membership(subset if subset in self.subsets else "all")


class SamplesAreNotNested(Toy):
    def sample(self, size, seed, subset="all"):
        return super().sample(size, seed, subset)[::-1]


class SamplesLeaveTheirSet(Toy):
    def sample(self, size, seed, subset="all"):
        drawn = super().sample(size, seed, subset)
        return ["width-1", *drawn[1:]] if subset == "even" else drawn


class SamplesRepeat(Toy):
    def sample(self, size, seed, subset="all"):
        drawn = super().sample(size, seed, subset)
        return [*drawn[:1], drawn[0], *drawn[2:]][:size]


class SamplesAreTheSame(Toy):
    def sample(self, size, seed, subset="all"):
        return super().sample(size, 0, subset)


class SamplesOfTheInstance(Toy):
    made = 0

    def __init__(self):
        SamplesOfTheInstance.made += 1
        self._made = self.made

    def sample(self, size, seed, subset="all"):
        return super().sample(size, seed + self._made, subset)


class SampleOfNone(Toy):
    def sample(self, size, seed, subset="all"):
        return super().sample(size, seed, subset) if size else []


class AnyDataSet(Toy):
    def ground_truth(self, dataset, split=None, epochs=None):
        return super().ground_truth(dataset if dataset in self.datasets else "dots", split, epochs)


class TaskOfAnother(Toy):
    def task(self, dataset):
        return replace(super().task(dataset), dataset="dots")


class WrongImages(Toy):
    """Images of another size come along."""

    def images(self, dataset):
        self.check_dataset(dataset)
        return Images(np.zeros((5, 1, 7, 7), np.float32), np.zeros(5, np.int64), "five black images")


class WrongClasses(Toy):
    def build(self, architecture, dataset):
        network = super().build(architecture, dataset)
        network.classifier = nn.Linear(network.classifier.in_features, 10)
        return network


class LossOfEachImage(Toy):
    def task(self, dataset):
        return replace(super().task(dataset), objective=Objective("class", lambda z, y: z[:, 0] - y, "of each image"))


class FormOfTheMoment(Toy):
    def canonical_form(self, architecture):
        return f"{architecture} {random.random()}"


class OutputsAreNotFinite(Toy):
    def build(self, architecture, dataset):
        network = super().build(architecture, dataset)
        network.register_forward_hook(
            lambda module, inputs, outputs: torch.cat([outputs[:, :1] / 0, outputs[:, 1:]], 1)
        )
        return network


class NoFeatureMap(Toy):
    def build(self, architecture, dataset):
        network = super().build(architecture, dataset)
        network.forward_features = None
        network.forward = lambda images: network.classifier(network.features(images).mean(dim=(2, 3)))
        return network


class PooledFeatures(Toy):
    class Pooled(Network):
        def forward_features(self, images):
            return super().forward_features(images).mean(dim=(2, 3))

        def forward(self, images):
            return self.classifier(self.forward_features(images))

    def build(self, architecture, dataset):
        network = super().build(architecture, dataset)
        network.__class__ = self.Pooled
        return network


class EvalMode(Toy):
    def build(self, architecture, dataset):
        return super().build(architecture, dataset).eval()


class LayerInEvalMode(Toy):
    def build(self, architecture, dataset):
        network = super().build(architecture, dataset)
        network.classifier.eval()
        return network


class DoublePrecision(Toy):
    def build(self, architecture, dataset):
        network = super().build(architecture, dataset)
        network.register_buffer("scale", torch.ones(1, dtype=torch.float64))
        return network


class FrozenClassifier(Toy):
    def build(self, architecture, dataset):
        network = super().build(architecture, dataset)
        network.classifier.requires_grad_(False)
        return network


class WeightsOfNowhere(Toy):
    def build(self, architecture, dataset):
        network = super().build(architecture, dataset)
        with torch.no_grad():
            network.classifier.bias[0] = random.random()
        return network


class WeightsOfOneSeed(Toy):
    def build(self, architecture, dataset):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return super().build(architecture, dataset)


class Uncopyable(Toy):
    def build(self, architecture, dataset):
        network = super().build(architecture, dataset)
        network.generator = (number for number in range(3))
        return network


class AnyArchitecture(Toy):
    def build(self, architecture, dataset):
        return super().build(architecture if architecture in self.architectures() else "width-1", dataset)


class TruthTwice(Toy):
    truths = (("test", 9), ("val", 9), ("test", 9))


class TruthIsMissing(Toy):
    def ground_truth(self, dataset, split=None, epochs=None):
        truth = super().ground_truth(dataset, split, epochs)
        if truth.split == "val":
            raise DataError("there is none")
        return truth


class TruthOfAnotherSplit(Toy):
    def ground_truth(self, dataset, split=None, epochs=None):
        return replace(super().ground_truth(dataset, split, epochs), split="test")


class TruthOfStrangers(Toy):
    def accuracy(self):
        return super().accuracy().rename({"width-3": "width-33"})


class TruthIsNaN(Toy):
    def accuracy(self):
        return super().accuracy().replace(40.0, float("nan"))


class TruthIsInfinite(Toy):
    def accuracy(self):
        return super().accuracy().replace(40.0, float("inf"))


class OtherDefault(Toy):
    def ground_truth(self, dataset, split=None, epochs=None):
        return super().ground_truth(dataset, split or "val", epochs)


class AnyTruth(Toy):
    def choose_truth(self, dataset, split, epochs):
        known = split in (None, "test", "val")
        return super().choose_truth(dataset, split if known else None, epochs)


class SilentWithoutTable(ImportedToy):
    def ground_truth(self, dataset, split=None, epochs=None):
        if not table_path(self.name).exists():
            raise DataError("no table")
        return super().ground_truth(dataset, split, epochs)


class ColumnTooFew(ImportedToy):
    def table_format(self):
        right = super().table_format()
        return replace(right, truths={name: what for name, what in right.truths.items() if name != "lines/val/9"})


class ColumnTooMany(ImportedToy):
    def table_format(self):
        right = super().table_format()
        return replace(right, truths={**right.truths, "lines/val/10": right.truths["lines/val/9"]})


class EssentialIsNoTruth(ImportedToy):
    def table_format(self):
        right = super().table_format()
        return replace(right, essential=("dots/test/9", "dots/test/10"))


class OtherParameters(ImportedToy):
    def parameters(self, architectures, dataset):
        return super().parameters(architectures, dataset) + 1


class ReadsAnotherColumn(ImportedToy):
    def ground_truth(self, dataset, split=None, epochs=None):
        truth = super().ground_truth(dataset, split, epochs)
        return replace(truth, accuracy=truth.accuracy.iloc[::-1].set_axis(truth.accuracy.index))


class FormatOfOthers(ImportedToy):
    def table_format(self):
        return replace(super().table_format(), architectures=lambda: self.architectures()[::-1])


class ListedToy(ImportedToy):
    """Its architectures come with the table; nothing is wrong with it."""

    name = "listed-toy"

    def architectures(self):
        return list(read_table(self.name, []).index)

    def table_format(self):
        listing = Listing(8, {"width": "the width"}, self.describe, self.count)
        return replace(super().table_format(), listing=listing)

    def describe(self, frame, name):
        wrong = [row for row in frame.index if row != f"width-{frame['width'].get(row)}"]
        if wrong:
            raise DataError(f"{name}: '{wrong[0]}' is not of its width")
        return frame[["width"]]

    def count(self, table, dataset):
        return self.parameters([f"width-{width}" for width in table["width"]], dataset)


class TrustsItsSource(ListedToy):
    """It takes every row for an architecture."""

    def describe(self, frame, name):
        return frame[["width"]]
