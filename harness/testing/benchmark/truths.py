"""The contract of ground truth: which accuracies there are, and that they match their description."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GroundTruth
from harness.data import Importable
from harness.errors import DataError, UnknownNameError
from harness.testing.benchmark.subject import Contract, refusal

Truth = tuple[str, int | str]
"""Split, and number of epochs or name of an epoch."""


def every_truth(benchmark: Benchmark) -> Iterator[tuple[str, Truth]]:
    """Each data set with each of its ground truths."""
    for dataset in benchmark.datasets:
        for truth in benchmark.truths_of(dataset):
            yield dataset, truth


def column_of(dataset: str, truth: Truth) -> str:
    """The column of a table that holds a ground truth."""
    split, epochs = truth
    return f"{dataset}/{split}/{epochs}"


class GroundTruthContract(Contract):
    """The contract of a benchmark's ground truth."""

    def test_every_data_set_has_a_ground_truth(self, subject: Benchmark) -> None:
        """``truths`` lists at least one, each once."""
        for dataset in subject.datasets:
            truths = subject.truths_of(dataset)
            assert truths, f"truths must list at least one (split, epochs) for '{dataset}', the default first"
            assert len(set(truths)) == len(truths), f"truths lists one twice for '{dataset}': {truths}"

    def test_every_declared_truth_is_there_or_says_how_to_import_it(self, subject: Benchmark) -> None:
        """A benchmark that includes its ground truth has all of it."""
        self.architectures_of(subject)
        found = [
            column_of(dataset, truth) for dataset, truth in every_truth(subject) if _found(subject, dataset, truth)
        ]
        assert found, "none of the declared ground truths is available"

    def test_a_truth_says_what_it_is(self, subject: Benchmark) -> None:
        """Every table's heading describes its ground truth."""
        for truth, dataset, (split, epochs) in self.ground_truths(subject):
            asked = (subject.name, dataset, split, epochs)
            given = (truth.benchmark, truth.dataset, truth.split, truth.epochs)
            assert given == asked, f"ground_truth was asked for {asked} and returned {given}"
            for fact in ("metric", "seeds", "source"):
                assert getattr(truth, fact), f"the ground truth {column_of(dataset, (split, epochs))} has no {fact}"
            line = truth.describe()
            assert "\n" not in line, f"describe() must return one line; it returns {line!r}"
            for part in (dataset, split, truth.metric, str(epochs), truth.seeds):
                assert part in line, f"describe() must name '{part}'; it says: {line}"

    def test_a_truth_is_of_the_benchmark_s_architectures_each_once(self, subject: Benchmark) -> None:
        """It may lack some, but has no others."""
        known = set(self.architectures_of(subject))
        for truth, dataset, declared in self.ground_truths(subject):
            column, names = column_of(dataset, declared), truth.accuracy.index
            assert len(names), f"the ground truth {column} is empty"
            assert names.is_unique, f"the ground truth {column} contains '{names[names.duplicated()][0]}' twice"
            strange = [name for name in names if name not in known]
            assert not strange, f"the ground truth {column} has '{strange[0]}', which architectures() does not list"

    def test_a_truth_is_finite(self, subject: Benchmark) -> None:
        """Architectures without a value are omitted, never NaN."""
        for truth, dataset, declared in self.ground_truths(subject):
            wrong = [(name, value) for name, value in truth.accuracy.items() if not math.isfinite(value)]
            assert not wrong, (
                f"the ground truth {column_of(dataset, declared)} contains {wrong[0][1]} for '{wrong[0][0]}' "
                f"({len(wrong)} such values); omit such architectures"
            )

    def test_the_first_declared_truth_is_the_default(self, subject: Benchmark) -> None:
        """It is used if none is named."""
        self.architectures_of(subject)
        for dataset in subject.datasets:
            first = subject.truths_of(dataset)[0]
            named = _found(subject, dataset, first)
            if named is not None:
                default = subject.ground_truth(dataset)
                assert (default.split, default.epochs) == (named.split, named.epochs), (
                    f"ground_truth('{dataset}') must be the first of truths, {first}; it is "
                    f"{(default.split, default.epochs)}"
                )
                assert default.accuracy.equals(named.accuracy), f"ground_truth('{dataset}') differs from {first}"

    def test_an_unknown_truth_is_refused(self, subject: Benchmark) -> None:
        """The message lists the available ones."""
        self.architectures_of(subject)
        dataset = subject.datasets[0]
        split = subject.truths_of(dataset)[0][0]
        promise = f"ground_truth() must refuse the unknown split '{split}x' (choose_truth does)"
        message = refusal(lambda: subject.ground_truth(dataset, f"{split}x"), promise, UnknownNameError)
        assert split in message, f"the message must name the available splits; it says: {message}"

    def test_without_a_table_the_message_says_how_to_import_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only for a benchmark whose ground truth is imported."""
        if not issubclass(self.benchmark, Importable):
            pytest.skip("it includes its ground truth")
        monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
        bare = self.benchmark()
        promise = "without an imported table, ground_truth() must say how to import one (table_ground_truth does)"
        message = refusal(lambda: bare.ground_truth(bare.datasets[0]), promise, DataError)
        command = f"harness data import {bare.name} FILE"
        assert command in message, f"the message must name the command '{command}'; it says: {message}"

    def ground_truths(self, subject: Benchmark) -> Iterator[tuple[GroundTruth, str, Truth]]:
        """Each available ground truth, with its data set and its declaration."""
        self.architectures_of(subject)
        for dataset, declared in every_truth(subject):
            truth = _found(subject, dataset, declared)
            if truth is not None:
                yield truth, dataset, declared


def _found(subject: Benchmark, dataset: str, truth: Truth) -> GroundTruth | None:
    """The ground truth; None if an imported table lacks it and the message says what to do."""
    column = column_of(dataset, truth)
    try:
        return subject.ground_truth(dataset, *truth)
    except DataError as reason:
        assert isinstance(subject, Importable), (
            f"ground_truth has no {column}, which truths declares: {reason}; add it or remove it from truths"
        )
        assert "harness data import" in str(reason), (
            f"the message about the missing {column} must say how to import it (harness data import); it says: {reason}"
        )
        return None
