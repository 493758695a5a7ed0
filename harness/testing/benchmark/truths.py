"""The contract of ground truth: which accuracies there are, and that they are what they say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.contracts.benchmark import Benchmark
from harness.contracts.ground_truth import GroundTruth
from harness.data import Importable
from harness.errors import DataError, UnknownNameError
from harness.testing.benchmark.declared import Truth, column_of, every_truth, truths_of
from harness.testing.benchmark.subject import Contract, refusal


class GroundTruthContract(Contract):
    """What a benchmark promises of its ground truth."""

    def test_every_data_set_has_a_ground_truth(self, subject: Benchmark) -> None:
        """``truths`` names at least one, each once."""
        for dataset in subject.datasets:
            truths = truths_of(subject, dataset)
            assert truths, f"truths must name at least one (split, epochs) for '{dataset}', the default first"
            assert len(set(truths)) == len(truths), f"truths names one twice for '{dataset}': {truths}"

    def test_every_declared_truth_is_there_or_says_how_to_import_it(self, subject: Benchmark) -> None:
        """A benchmark that brings its ground truth along has all of it."""
        self.architectures_of(subject)
        found = [
            column_of(dataset, truth) for dataset, truth in every_truth(subject) if _found(subject, dataset, truth)
        ]
        assert found, "not one of the declared ground truths is there"

    def test_a_truth_says_what_it_is(self, subject: Benchmark) -> None:
        """Every table is headed by what its coefficients are of."""
        for truth, dataset, (split, epochs) in self.ground_truths(subject):
            asked = (subject.name, dataset, split, epochs)
            given = (truth.benchmark, truth.dataset, truth.split, truth.epochs)
            assert given == asked, f"ground_truth was asked for {asked}, and gave {given}"
            for fact in ("metric", "seeds", "source"):
                assert getattr(truth, fact), f"the ground truth {column_of(dataset, (split, epochs))} has no {fact}"
            line = truth.describe()
            assert "\n" not in line, f"describe() must give one line; it gives {line!r}"
            for part in (dataset, split, truth.metric, str(epochs), truth.seeds):
                assert part in line, f"describe() must name '{part}'; it says: {line}"

    def test_a_truth_is_of_the_benchmark_s_architectures_each_once(self, subject: Benchmark) -> None:
        """It may lack some, and has no others."""
        known = set(self.architectures_of(subject))
        for truth, dataset, declared in self.ground_truths(subject):
            column, names = column_of(dataset, declared), truth.accuracy.index
            assert len(names), f"the ground truth {column} is empty"
            assert names.is_unique, f"the ground truth {column} gives '{names[names.duplicated()][0]}' twice"
            strange = [name for name in names if name not in known]
            assert not strange, f"the ground truth {column} holds '{strange[0]}', which architectures() does not list"

    def test_a_truth_is_finite(self, subject: Benchmark) -> None:
        """An architecture without a value is left out, never NaN."""
        for truth, dataset, declared in self.ground_truths(subject):
            wrong = [(name, value) for name, value in truth.accuracy.items() if not math.isfinite(value)]
            assert not wrong, (
                f"the ground truth {column_of(dataset, declared)} holds {wrong[0][1]} for '{wrong[0][0]}' "
                f"({len(wrong)} such values); leave such architectures out"
            )

    def test_the_first_declared_truth_is_the_default(self, subject: Benchmark) -> None:
        """Whoever asks for none in particular gets that one."""
        self.architectures_of(subject)
        for dataset in subject.datasets:
            first = truths_of(subject, dataset)[0]
            named = _found(subject, dataset, first)
            if named is not None:
                default = subject.ground_truth(dataset)
                assert (default.split, default.epochs) == (named.split, named.epochs), (
                    f"ground_truth('{dataset}') must be the first of truths, {first}; it is "
                    f"{(default.split, default.epochs)}"
                )
                assert default.accuracy.equals(named.accuracy), f"ground_truth('{dataset}') differs from {first}"

    def test_an_unknown_truth_is_refused(self, subject: Benchmark) -> None:
        """With what there is."""
        self.architectures_of(subject)
        dataset = subject.datasets[0]
        split = truths_of(subject, dataset)[0][0]
        promise = f"ground_truth() must refuse the unknown split '{split}x' (choose_truth does)"
        message = refusal(lambda: subject.ground_truth(dataset, f"{split}x"), promise, UnknownNameError)
        assert split in message, f"the message must name the splits that there are; it says: {message}"

    def test_without_a_table_the_message_says_how_to_import_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only for a benchmark whose ground truth is imported."""
        if not issubclass(self.benchmark, Importable):
            pytest.skip("it brings its ground truth along")
        monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
        bare = self.benchmark()
        promise = "without an imported table ground_truth() must say how to import one (table_ground_truth does)"
        message = refusal(lambda: bare.ground_truth(bare.datasets[0]), promise, DataError)
        command = f"harness data import {bare.name} FILE"
        assert command in message, f"the message must name the command '{command}'; it says: {message}"

    def ground_truths(self, subject: Benchmark) -> Iterator[tuple[GroundTruth, str, Truth]]:
        """Each ground truth that is there, with its data set and how it was declared."""
        self.architectures_of(subject)
        for dataset, declared in every_truth(subject):
            truth = _found(subject, dataset, declared)
            if truth is not None:
                yield truth, dataset, declared


def _found(subject: Benchmark, dataset: str, truth: Truth) -> GroundTruth | None:
    """The ground truth; None where an imported table lacks it and the message says what to do."""
    column = column_of(dataset, truth)
    try:
        return subject.ground_truth(dataset, *truth)
    except DataError as reason:
        assert isinstance(subject, Importable), (
            f"ground_truth gives no {column}, which truths declares: {reason}; add it or take it out of truths"
        )
        assert "harness data import" in str(reason), (
            f"the message that {column} is missing must say how to import it (harness data import); it says: {reason}"
        )
        return None
