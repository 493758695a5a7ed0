"""Tables that can be read in two ways are refused with one line: columns that disagree, and numbers of another unit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.contracts.benchmark import Benchmark
from harness.data import Contrast, TableFormat, Truth, import_table
from harness.data.columns import with_known_names
from harness.data.further_tables import importable
from harness.data.local_tables import read_metadata, read_table
from harness.data.plausibility import check_direction, check_percent
from harness.errors import DataError

ARCHITECTURES = [f"arch-{number}" for number in range(20)]
COLUMN = "mnist/test/9"
FORMAT = TableFormat(
    architectures=lambda: ARCHITECTURES,
    truths={COLUMN: Truth("accuracy (%) on the test images", chance=10), "mnist/val/9": Truth("on others", chance=10)},
    essential=(COLUMN,),
    seeds="one seed",
    parameters=lambda architectures, dataset: np.array([int(name[5:]) for name in architectures]),
    datasets=("mnist",),
    obtain="FILE is the toy table",
    contrast=Contrast.of_names("arch-.", "arch-..", ("short names", "long names")),
)


class Toy(Benchmark):
    name = "toy"
    title = "a toy"
    citation = "none"
    datasets = ("mnist",)
    truths = (("test", 9), ("val", 9))
    architectures = task = build = ground_truth = None

    def __init__(self, table_format=FORMAT):
        self._format = table_format

    def table_format(self):
        return self._format


Toy.__abstractmethods__ = frozenset()


pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def frame():
    return pd.DataFrame({"arch": ARCHITECTURES, COLUMN: np.linspace(60, 79, 20)})


@pytest.fixture
def imported(tmp_path):
    """Imports a frame or text as a file; what was stored."""

    def run(table, benchmark=None, kind="csv", **options):
        path = tmp_path / f"table.{kind}"
        if isinstance(table, str):
            path.write_text(table, encoding="utf-8")
        elif kind == "parquet":
            table.to_parquet(path)
        else:
            table.to_csv(path, index=False)
        import_table(benchmark or Toy(), path, **options)
        return read_table("toy")[COLUMN].tolist()

    return run


@pytest.fixture
def refusal(imported):
    def run(table, benchmark=None, **options):
        with pytest.raises(DataError) as caught:
            imported(table, benchmark, **options)
        message = str(caught.value)
        assert "\n" not in message and message.startswith("table.")
        return message

    return run


class TestArchitectures:
    def test_two_columns_that_disagree_are_named_with_the_first_row(self, frame, refusal):
        other = frame["arch"].to_list()
        other[3], other[4] = other[4], other[3]
        message = refusal(frame.assign(Architecture=other))
        assert "disagree: in row 4 'arch' has 'arch-3' and 'Architecture' 'arch-4' (2 such rows)" in message

    def test_two_columns_that_agree_are_fine(self, frame, imported):
        assert imported(frame.assign(architecture=frame["arch"])) == frame[COLUMN].tolist()

    @pytest.mark.parametrize("column", ["index", "net_str", "Unnamed: 0"])
    def test_any_other_column_of_architectures_must_agree(self, frame, refusal, column):
        message = refusal(frame.assign(**{column: ARCHITECTURES[::-1]}))
        assert f"'arch' and '{column}' disagree: in row 1 they have 'arch-0' and 'arch-19' (20 such rows)" in message

    def test_row_names_as_written_by_r_are_accepted(self, frame, imported):
        lines = frame.to_csv(index=False).splitlines()
        text = "\n".join([lines[0], *(f"{number},{line}" for number, line in enumerate(lines[1:], start=1))])
        assert imported(text) == frame[COLUMN].tolist()

    def test_the_index_of_a_parquet_table_may_be_the_architecture(self, frame, imported, refusal):
        assert imported(frame.set_index("arch"), kind="parquet") == frame[COLUMN].tolist()
        doubled = frame.set_index("arch").assign(architecture=ARCHITECTURES[::-1])
        assert "two columns name the architectures and disagree" in refusal(doubled, kind="parquet")

    @pytest.mark.parametrize("numbers", [range(20), range(1, 21)])
    def test_an_index_must_number_them_as_published(self, frame, imported, refusal, numbers):
        import hashlib

        numbered = Toy(replace(FORMAT, order_sha256=hashlib.sha256("\n".join(ARCHITECTURES).encode()).hexdigest()))
        shuffled = frame.assign(index=numbers).sample(frac=1, random_state=0)
        assert imported(shuffled, numbered) == frame[COLUMN].tolist()
        message = refusal(shuffled.assign(index=list(numbers)), numbered)
        assert "the columns 'index' and 'arch' disagree" in message and "rename the column" in message
        assert imported(shuffled.assign(index=list(numbers)), Toy()) == frame[COLUMN].tolist()


class TestColumns:
    @pytest.mark.parametrize("name", ["MNIST/Test/9", " mnist/test/9 ", "mnist / test / 9", "\ufeffmnist/test/9"])
    def test_case_and_blanks_do_not_matter_in_column_names(self, frame, imported, name):
        assert imported(frame[[COLUMN, "arch"]].rename(columns={COLUMN: name})) == frame[COLUMN].tolist()

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    @pytest.mark.parametrize("name", ["MNIST/Test/9", " mnist/test/9"])
    def test_two_spellings_that_disagree_are_refused(self, frame, refusal, imported, name, kind):
        message = refusal(frame.assign(**{name: frame[COLUMN] - 1}), kind=kind)
        assert f"two columns mean '{COLUMN}' and disagree: in row 1 '{COLUMN}'" in message and "60.0" in message
        assert imported(frame.assign(**{name: frame[COLUMN]}), kind=kind) == frame[COLUMN].tolist()

    def test_one_name_twice_is_refused_unless_the_columns_are_equal(self, frame, refusal, imported):
        doubled = pd.concat([frame, frame[[COLUMN]]], axis=1)
        assert imported(doubled) == frame[COLUMN].tolist()
        doubled.iloc[4, 2] = 1.5
        message = refusal(doubled)
        assert f"two columns mean '{COLUMN}' and disagree: in row 5" in message and "'1.5'" in message

    def test_names_that_differ_only_in_spelling_are_distinct_if_a_format_has_both(self):
        frame = pd.DataFrame({"a-b": [1], "a_b": [2]})
        assert with_known_names(frame, ["a-b", "a_b"], "table").to_dict("list") == {"a-b": [1], "a_b": [2]}

    @pytest.mark.parametrize("value", ["93,5", "93.5%", "1,093.5", "ninety"])
    def test_numbers_in_another_notation_are_named(self, frame, refusal, value):
        values = frame[COLUMN].astype(object)
        values[2] = value
        message = refusal(frame.assign(**{COLUMN: values}))
        assert f"has '{value}', which is not a number, for 'arch-2'" in message and "such as 93.5" in message

    def test_missing_whole_numbers_of_a_parquet_table_are_named(self, frame, refusal):
        values = pd.array([60] * 19 + [None], dtype="Int64")
        assert "which is not a number, for 'arch-19'" in refusal(frame.assign(**{COLUMN: values}), kind="parquet")


class TestUnits:
    def test_a_mixture_is_refused_with_a_row_of_each_kind(self, frame, refusal):
        values = frame[COLUMN].copy()
        values[7] /= 100
        message = refusal(frame.assign(**{COLUMN: values}))
        assert (
            f"'{COLUMN}' mixes fractions and percent: 0.67 for 'arch-7' (1 such values) and 60 for 'arch-0'" in message
        )

    def test_values_at_chance_are_not_fractions_if_chance_is_below_1(self, frame, imported):
        hard = Toy(replace(FORMAT, truths={COLUMN: Truth("accuracy (%)", chance=100 / 120)}))
        values = [100 / 120] * 3 + list(np.linspace(20, 90, 17))
        assert imported(frame.assign(**{COLUMN: values}), hard) == pytest.approx(values, abs=1e-4)
        assert imported(frame.assign(**{COLUMN: 100 / 120})[:4], hard, allow_partial=True)

    def test_an_error_rate_is_below_chance(self, frame, refusal):
        message = refusal(frame.assign(**{COLUMN: np.linspace(5, 11, 20)}), Toy(replace(FORMAT, contrast=None)))
        assert "looks like an error rate (100 - accuracy): its median is 8, but guessing gives 10" in message
        assert "add --errors" in message

    def test_what_learned_nothing_is_within_a_twentieth_of_chance_and_no_error_rate(self, frame, imported, refusal):
        bare = Toy(replace(FORMAT, contrast=None))
        values = np.linspace(9.5, 9.7, 20)
        assert imported(frame.assign(**{COLUMN: values}), bare) == pytest.approx(values, abs=1e-4)
        assert "guessing gives 10" in refusal(frame.assign(**{COLUMN: values - 0.2}), bare)

    def test_an_error_rate_makes_the_worse_better(self, frame, refusal):
        message = refusal(frame.assign(**{COLUMN: 100 - frame[COLUMN]}))
        assert "looks like an error rate (100 - accuracy): the median of 10 short names is 35.5" in message
        assert "that of 10 long names, which are known to be better, is 25.5" in message

    def test_error_rates_are_converted_to_accuracies_on_request(self, frame, imported):
        assert imported(frame.assign(**{COLUMN: 100 - frame[COLUMN]}), errors=True) == frame[COLUMN].tolist()
        assert read_metadata("toy").source == "table.csv (error rates, turned into accuracies)"

    def test_accuracies_are_not_error_rates(self, frame, refusal):
        message = refusal(frame, errors=True)
        assert "does not have error rates" in message and message.endswith("omit --errors")

    def test_some_failed_trainings_are_fine(self, frame, imported):
        values = frame[COLUMN].copy()
        values[[0, 5, 12, 19]] = 10.0, 9.712, 9.98, 10.02
        assert len(imported(frame.assign(**{COLUMN: values}))) == 20


TABLES = {
    name: f"{name}.csv.gz" for name in ("nats-tss", "nats-sss", "transnas-micro", "transnas-macro", "nasbench101")
} | {f"nats-tss-costs-{dataset}": f"hw-nas-bench-nats-tss-{dataset}.csv.gz" for dataset in ("cifar10", "cifar100")}


@pytest.mark.real_data
@pytest.mark.parametrize("name", TABLES)
class TestRealTables:
    """Every column of the real tables is accepted; with a fault in it, it is refused."""

    @pytest.fixture
    def real(self, name, real_data):
        """The format, the table and what its architectures are described by."""
        table_format = importable(name).table_format()
        reader = next((each for each in table_format.readers if each.accepts(real_data / TABLES[name])), None)
        if reader is None:
            frame = pd.read_csv(real_data / TABLES[name]).set_index("arch")
        else:
            frame = reader.read(real_data / TABLES[name], False)
        columns = [column for column in table_format.truths if column in frame.columns]
        return table_format, frame[columns].astype(float), frame.drop(columns=columns)

    def test_no_column_is_refused(self, real):
        table_format, table, described = real
        check_direction(table, described, table_format, "table", False)
        for column in table:
            check_percent(table[column], table[column].to_numpy(), table_format.truths[column], "table")

    def test_one_fraction_is_found_in_any_row(self, real):
        table_format, table, _ = real
        for column in table:
            truth, values = table_format.truths[column], table[column].copy()
            if not truth.is_percent:
                continue
            for row in (len(values) // 3, len(values) - 5):
                changed = values.copy()
                changed.iloc[row] /= 100
                with pytest.raises(DataError, match="mixes fractions and percent"):
                    check_percent(changed, changed.to_numpy(), truth, "table")

    def test_a_column_turned_round_is_found(self, real):
        table_format, table, described = real
        for column in table:
            percent = table_format.truths[column].is_percent
            turned = 100 - table[column] if percent else -table[column]
            with pytest.raises(DataError, match="looks like an error rate" if percent else "wrong sign or unit"):
                check_direction(turned.to_frame(), described, table_format, "table", False)
