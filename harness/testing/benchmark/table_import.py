"""The contract of importing: what a benchmark's table must contain, and that every other table is refused."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from harness.contracts.benchmark import Benchmark
from harness.data import Importable, import_table
from harness.data.local_tables import read_table, table_path
from harness.data.plausibility import FEWEST_IN_GROUP, near_chance
from harness.errors import DataError
from harness.testing.benchmark.subject import Contract, refusal
from harness.testing.benchmark.tables import format_of, made_up_table, write_made
from harness.testing.benchmark.truths import column_of, every_truth

if TYPE_CHECKING:
    import pandas as pd

_UNKNOWN = "no such architecture"


@dataclass(frozen=True)
class Imported:
    """A benchmark whose local table is a generated one.

    Attributes:
        benchmark: an instance that finds the table.
        frame: the generated table, for tests to copy and damage.
        partial: whether it has only some of the architectures.
        folder: for files to import.
    """

    benchmark: Benchmark
    frame: pd.DataFrame
    partial: bool
    folder: Path

    @property
    def row(self) -> str:
        """The architecture that tests damage."""
        return str(self.frame.index[-1])

    def refused(self, damaged: pd.DataFrame, what: str, *, row: str = "", partial: bool | None = None) -> str:
        """The message of the refusal, which must name the file and the row and keep the previous table."""
        file = write_made(damaged, self.folder / "damaged.parquet")
        stored = table_path(self.benchmark.name)
        before = stored.read_bytes()
        allowed = self.partial if partial is None else partial
        promise = f"an import must refuse a table with {what}"
        message = refusal(lambda: import_table(self.benchmark, file, allow_partial=allowed), promise, DataError)
        for part in filter(None, (file.name, row)):
            assert part in message, f"{promise}, with a message that names '{part}'; it says: {message}"
        assert stored.read_bytes() == before, f"{promise} and keep the previous table"
        others = [path.name for path in stored.parent.iterdir() if path != stored]
        assert not others, f"{promise} and leave no other file; it left {others}"
        return message


class ImportContract(Contract):
    """The contract of a benchmark whose ground truth the user imports; skipped for all others."""

    @pytest.fixture
    def imported(
        self,
        subject: Benchmark,
        tmp_path: Path,
        tmp_path_factory: pytest.TempPathFactory,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Imported:
        """The benchmark with a generated table of every ground truth, in a temporary folder."""
        self.importable(subject)
        self.architectures_of(subject)
        frame, partial = made_up_table(subject), format_of(subject).listing is not None
        home = tmp_path / "home"
        monkeypatch.setenv("HARNESS_DATA", str(home))
        kept = _KEPT.get(type(subject))
        if kept is None:
            import_table(subject, write_made(frame, tmp_path / "made-up.parquet"), allow_partial=partial)
            kept = _KEPT[type(subject)] = tmp_path_factory.mktemp("kept") / "table"
            shutil.copyfile(table_path(subject.name), kept)
        else:
            home.mkdir()
            shutil.copyfile(kept, table_path(subject.name))
        return Imported(type(subject)(), frame, partial, tmp_path)

    def importable(self, subject: Benchmark) -> None:
        """Skip the test for a benchmark that includes its ground truth."""
        if not isinstance(subject, Importable):
            pytest.skip("it includes its ground truth; there is nothing to import")

    def test_its_format_has_a_column_for_every_declared_truth(self, subject: Benchmark) -> None:
        """It describes each column, and has no others."""
        self.importable(subject)
        table_format = format_of(subject)
        declared = {column_of(dataset, truth) for dataset, truth in every_truth(subject)}
        differing = sorted(declared ^ set(table_format.truths))
        assert not differing, (
            f"truths of the benchmark and of its table_format differ in '{differing[0]}'; both must name "
            "dataset/split/epochs"
        )
        for column, truth in table_format.truths.items():
            assert truth.description, f"describe the column '{column}' in table_format"

    def test_its_format_is_sane(self, subject: Benchmark) -> None:
        """Essential columns, limits, decimals and texts."""
        self.importable(subject)
        table_format = format_of(subject)
        assert table_format.essential, "table_format.essential must name columns; a source needs at least one of them"
        strange = [column for column in table_format.essential if column not in table_format.truths]
        assert not strange, f"the essential column '{strange[0]}' is not in the format's truths"
        for column, truth in table_format.truths.items():
            (lowest, highest), chance = truth.limits, truth.chance
            assert lowest < highest, f"the limits of '{column}' are not ascending: {lowest} to {highest}"
            assert truth.decimals >= 0, f"the decimals of '{column}' must not be negative"
            assert chance is None or lowest < chance < highest, f"chance of '{column}' is {chance}, outside its limits"
        assert set(table_format.datasets) <= set(subject.datasets), "table_format.datasets has an unknown data set"
        for words in ("obtain", "seeds"):
            text = getattr(table_format, words)
            assert text and "\n" not in text, f"table_format.{words} must be one line of text; it is {text!r}"

    def test_its_format_lists_the_benchmark_s_architectures(self, subject: Benchmark) -> None:
        """The table contains exactly these."""
        self.importable(subject)
        table_format, architectures = format_of(subject), self.architectures_of(subject)
        if table_format.listing is None:
            assert list(table_format.architectures()) == architectures, (
                "table_format().architectures() must equal architectures()"
            )
        else:
            assert len(architectures) <= table_format.listing.size, (
                f"there are {len(architectures)} architectures, more than the listing's {table_format.listing.size}"
            )

    def test_its_format_counts_the_parameters_of_built_networks(self, subject: Benchmark) -> None:
        """They distinguish its table from that of another benchmark."""
        self.importable(subject)
        architectures = self.chosen(subject)
        for dataset in format_of(subject).datasets:
            counted = format_of(subject).parameters(architectures, dataset)
            for architecture, count in zip(architectures, counted, strict=True):
                with torch.device("meta"):
                    network = subject.build(architecture, dataset)
                built = sum(parameter.numel() for parameter in network.parameters())
                assert built == count, (
                    f"table_format().parameters returns {count} for '{architecture}' on '{dataset}', but the network "
                    f"from build() has {built}"
                )

    def test_a_table_comes_back_as_it_was_imported(self, imported: Imported) -> None:
        """Every architecture in the benchmark's order, every value with the declared decimals."""
        stored, table_format = read_table(imported.benchmark.name), format_of(imported.benchmark)
        assert list(stored.index) == list(imported.benchmark.architectures()), (
            "the stored table must be in the benchmark's order"
        )
        for column in table_format.truths:
            expected = imported.frame.loc[stored.index, column]
            np.testing.assert_allclose(stored[column], expected, rtol=1e-6, atol=0, err_msg=f"column '{column}'")

    def test_ground_truth_is_what_was_imported(self, imported: Imported) -> None:
        """Each declared truth reads its own column."""
        for dataset, truth in every_truth(imported.benchmark):
            column = column_of(dataset, truth)
            found = imported.benchmark.ground_truth(dataset, *truth).accuracy
            np.testing.assert_allclose(
                found, imported.frame.loc[found.index, column], rtol=1e-6, err_msg=f"ground_truth must read '{column}'"
            )

    def test_a_table_that_lacks_an_architecture_is_refused(self, imported: Imported) -> None:
        """Unless the user allows partial tables."""
        missing = "" if imported.partial else imported.row
        imported.refused(imported.frame.drop(index=imported.row), "a missing row", row=missing, partial=False)

    def test_a_table_that_repeats_an_architecture_is_refused(self, imported: Imported) -> None:
        """It is unknown which row is right."""
        rows = [*range(len(imported.frame)), -1]
        imported.refused(imported.frame.iloc[rows], "a repeated row", row=imported.row)

    def test_a_table_with_an_unknown_architecture_is_refused(self, imported: Imported) -> None:
        """Even if the table lists the architectures: a row must match its identifier."""
        damaged = imported.frame.rename(index={imported.row: _UNKNOWN})
        imported.refused(damaged, "an unknown architecture", row=_UNKNOWN)

    def test_values_outside_the_limits_are_refused(self, imported: Imported) -> None:
        """Below the smallest and above the largest possible value."""
        table_format = format_of(imported.benchmark)
        for column in table_format.essential:
            lowest, highest = table_format.truths[column].limits
            for value in (lowest - 1, highest + 1):
                if math.isfinite(value):
                    self.refused_value(imported, column, value, f"{value:g} in the column '{column}'")

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_values_that_are_not_finite_are_refused(self, imported: Imported, value: float) -> None:
        """NaN, ∞ and −∞."""
        column = format_of(imported.benchmark).essential[0]
        self.refused_value(imported, column, value, f"the value {value}")

    def refused_value(self, imported: Imported, column: str, value: float, what: str) -> None:
        """Check that a value in a row that has one is refused with the column and the row."""
        damaged = imported.frame.copy()
        row = str(damaged.index[damaged[column].notna()][-1])
        damaged.loc[row, column] = value
        message = imported.refused(damaged, what, row=row)
        assert column in message, f"the message must name the column '{column}'; it says: {message}"

    def test_fractions_in_place_of_percent_are_refused(self, imported: Imported) -> None:
        """For every column with the limits 0 and 100."""
        table_format = format_of(imported.benchmark)
        of_percent = [column for column in table_format.essential if table_format.truths[column].limits == (0, 100)]
        if not of_percent:
            pytest.skip("no essential column is in percent")
        for column in of_percent:
            damaged = imported.frame.assign(**{column: imported.frame[column] / 100})
            message = imported.refused(damaged, f"fractions in the column '{column}'")
            assert "percent" in message, f"the message must say that values must be in percent; it says: {message}"

    def test_fractions_in_one_row_are_refused(self, imported: Imported) -> None:
        """Even if all other rows are in percent."""
        table_format = format_of(imported.benchmark)
        for column, truth in table_format.truths.items():
            fractions = (imported.frame[column] / 100).to_numpy(dtype=float)
            if not truth.is_percent:
                continue
            usable = np.flatnonzero(np.isfinite(fractions) & ~near_chance(fractions, truth))
            row = int(usable[usable <= max(len(fractions) // 2, usable[0])][-1])
            values = imported.frame[column].to_numpy(dtype=float, copy=True)
            values[row] = fractions[row]
            damaged = imported.frame.assign(**{column: values})
            imported.refused(damaged, f"one fraction in the column '{column}'", row=str(damaged.index[row]))
            return
        pytest.skip("no column is in percent")

    def test_columns_of_architectures_that_disagree_are_refused(self, imported: Imported) -> None:
        """It is unknown which architecture the values belong to."""
        damaged = imported.frame.assign(arch=imported.frame.index[::-1])
        message = imported.refused(damaged, "columns 'architecture' and 'arch' that disagree")
        assert "disagree" in message, f"the message must say that the columns disagree; it says: {message}"

    def test_a_column_turned_round_is_refused(self, imported: Imported) -> None:
        """Such as an error rate instead of an accuracy."""
        table_format = format_of(imported.benchmark)
        contrast = table_format.contrast
        if contrast is None:
            pytest.skip("it does not declare architectures that show the direction of a column (TableFormat.contrast)")
        groups = contrast.worse(imported.frame), contrast.better(imported.frame)
        assert not (groups[0] & groups[1]).any(), "TableFormat.contrast lists an architecture as both worse and better"
        if not imported.partial:
            assert all(group.any() for group in groups), "TableFormat.contrast must list architectures of both groups"
        if min(group.sum() for group in groups) < FEWEST_IN_GROUP:
            pytest.skip("the generated table has too few architectures that show the direction")
        column = table_format.essential[0]
        values = imported.frame[column]
        damaged = imported.frame.assign(**{column: values.max() + values.min() - values})
        message = imported.refused(damaged, f"the column '{column}' reversed")
        assert column in message, f"the message must name the column '{column}'; it says: {message}"

    def test_the_table_of_another_benchmark_is_refused(self, imported: Imported) -> None:
        """Other columns, and other architectures."""
        table_format = format_of(imported.benchmark)
        other = imported.frame.rename(columns={column: f"other/{column}" for column in table_format.truths})
        imported.refused(other, "none of its ground truths")
        names = [f"other-{number}" for number in range(len(imported.frame))]
        imported.refused(imported.frame.set_axis(names), "architectures of another benchmark", row="other-")

    def test_parameters_of_another_network_are_refused(self, imported: Imported) -> None:
        """They indicate another benchmark's table or another version of the network."""
        for dataset in format_of(imported.benchmark).datasets:
            damaged, column = imported.frame.copy(), f"{dataset}/params"
            damaged.loc[imported.row, column] = damaged[column].iloc[-1] + 1
            imported.refused(damaged, f"one parameter too many in '{column}'", row=imported.row)


_KEPT: dict[type[Benchmark], Path] = {}
"""The stored form of each benchmark's generated table, so that it is imported only once."""
