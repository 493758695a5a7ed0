"""Accuracies under attack: names, what is refused, and the real table."""

import itertools

import numpy as np
import pandas as pd
import pytest
from harness_benchmarks.nats.robustness import ATTACKS, COLUMNS, TABLE
from harness_benchmarks.nats.tss import NatsTss
from harness_benchmarks.nb201.dialects import NASLIB_EDGES, NASLIB_OPERATIONS, official_order
from harness_benchmarks.nb201.topology import membership, parse_cell

import harness
from harness.analysis import kendall
from harness.analysis.noise_ceiling import ceiling_table
from harness.data import import_table
from harness.data.further_tables import importable
from harness.data.local_tables import read_table, table_path
from harness.errors import DataError, UnknownNameError

pytestmark = pytest.mark.usefixtures("home")

BENCHMARK = NatsTss()
CELLS = BENCHMARK.architectures()
PGD, STRONGER = "pgd@Linf_eps-1.0", "pgd@Linf_eps-8.0"
GUESS = "which has no path from input to output and can only guess (10 %)"
CONNECTED = np.array([membership("connected")(cell) for cell in CELLS])


def net(cell):
    """A cell as the published table writes it."""
    places = dict(zip(((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)), parse_cell(cell), strict=True))
    return str(tuple(NASLIB_OPERATIONS.index(places[edge]) for edge in NASLIB_EDGES))


@pytest.fixture(scope="module")
def made_up():
    """Made-up accuracies under some of the attacks, in the published layout."""
    rng = np.random.default_rng(0)
    quality = rng.uniform(0.5, 1, len(CELLS))
    columns = {"net": [net(cell) for cell in CELLS], "val_accs": rng.uniform(10, 90, len(CELLS)).round(2)}
    for split in ("pgd-0.5", "pgd-1", "pgd-8", "apgd-0.5", "square-1", "fgsm-255"):
        found = 90 * quality / (1 + COLUMNS[split].strength)
        columns[COLUMNS[split].published] = np.where(CONNECTED, found, 10).round(1)
    return pd.DataFrame(columns)


def imported(frame, path, **options):
    frame.to_csv(path, index=False)
    return import_table(importable(TABLE), path, **options)


def refusal(frame, path, **options):
    with pytest.raises(DataError) as caught:
        imported(frame, path, **options)
    assert "\n" not in str(caught.value)
    assert not table_path(TABLE).exists()
    return str(caught.value)


class TestNames:
    def test_32_attacks_each_with_a_name_and_a_published_one(self):
        assert len(COLUMNS) == sum(len(attack.strengths) for attack in ATTACKS) == 32
        assert len({column.published for column in COLUMNS.values()}) == 32
        assert {name: COLUMNS[name].published for name in ("fgsm-255", "pgd-0.5", "apgd-8", "square-1")} == {
            "fgsm-255": "fgsm@Linf_eps-255.0",
            "pgd-0.5": "pgd@Linf_eps-0.5",
            "apgd-8": "aa_apgd-ce@Linf_eps-8.0",
            "square-1": "aa_square@Linf_eps-1.0",
        }

    def test_they_are_further_truths_of_cifar10_alone(self):
        assert ("pgd-1", 200) in BENCHMARK.further_truths("cifar10")
        assert BENCHMARK.further_truths("cifar100") == BENCHMARK.further_truths("ImageNet16-120") == ()
        assert ("pgd-1", 200) not in BENCHMARK.truths_of("cifar10")
        assert BENCHMARK.choose_truth("cifar10", None, None) == BENCHMARK.choose_truth("cifar10", None, 200)
        assert BENCHMARK.choose_truth("cifar10", "pgd-1", None) == ("pgd-1", 200)
        with pytest.raises(UnknownNameError, match="unknown ground truth of nats-tss 'pgd-1'"):
            BENCHMARK.choose_truth("cifar100", "pgd-1", None)
        with pytest.raises(UnknownNameError, match="did you mean 'pgd-8/200'"):
            BENCHMARK.choose_truth("cifar10", "pgd-9", None)


class TestImport:
    def test_each_value_is_that_of_its_cell_and_attack(self, made_up, tmp_path):
        summary = imported(made_up.sample(frac=1, random_state=1), tmp_path / "mine.csv")
        assert (summary.architectures, summary.ignored) == ((15_625, 15_625), ("val_accs",))
        for split in ("pgd-0.5", "apgd-0.5", "fgsm-255"):
            truth = BENCHMARK.ground_truth("cifar10", split)
            expected = made_up[COLUMNS[split].published]
            np.testing.assert_allclose(truth.accuracy[list(CELLS)], expected, atol=1e-5)
        assert truth.describe() == (
            "cifar10 fgsm-255 top-1 accuracy (%) under FGSM (L∞, ε = 255/255), 200 epochs, one value for isomorphic "
            "cells"
        )
        assert (truth.source, truth.partial, truth.higher_is_better) == ("mine.csv", False, True)

    def test_official_strings_and_some_of_the_columns_will_do(self, made_up, tmp_path):
        frame = made_up[["pgd@Linf_eps-1.0"]].set_axis(["cifar10/pgd-1/200"], axis=1).assign(arch=CELLS)
        imported(frame, tmp_path / "mine.csv")
        assert BENCHMARK.ground_truth("cifar10", "pgd-1").accuracy[CELLS[77]] == pytest.approx(frame.iloc[77, 0])
        with pytest.raises(DataError, match="has no column 'cifar10/pgd-2/200'"):
            BENCHMARK.ground_truth("cifar10", "pgd-2")

    def test_without_a_table_the_message_says_how_to_get_it(self):
        with pytest.raises(DataError, match=rf"harness data import {TABLE} FILE .*harness data get {TABLE}"):
            BENCHMARK.ground_truth("cifar10", "pgd-1")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda t: t[2:], "of 15,625 architectures are missing"),
            (lambda t: pd.concat([t, t[:1]]), "duplicate architecture"),
            (lambda t: t.assign(**{PGD: 101.0}), "column 'cifar10/pgd-1/200' has 101 "),
            (lambda t: t.assign(**{PGD: "many"}), "which is not a number"),
            (lambda t: t.assign(**{PGD: t[PGD].where(t.index > 0)}), "which is not a number"),
            (lambda t: t.replace({"net": {"(1, 1, 1, 1, 1, 1)": "(1, 1)"}}), "is not an architecture (1 such rows)"),
            (lambda t: t.assign(net=t["net"].str.translate(str.maketrans("12", "21"))), GUESS),
            (lambda t: t.assign(net=t["net"].str.replace(r"\((.), (.)", r"(\2, \1", regex=True)), GUESS),
            (lambda t: t.assign(**{PGD: t[PGD] / 100}), GUESS),
            (lambda t: t.assign(**{PGD: 100 - t[PGD]}), GUESS),
            (lambda t: t.rename(columns={PGD: STRONGER, STRONGER: PGD}), "of the weaker attack 'cifar10/pgd-1/200'"),
        ],
    )
    def test_what_is_not_such_a_table_is_refused(self, made_up, tmp_path, change, message):
        few = made_up.loc[~CONNECTED | (made_up.index % 40 == 0), ["net", PGD, STRONGER]].reset_index(drop=True)
        assert message in refusal(change(few), tmp_path / "mine.csv", allow_partial="missing" not in message)

    def test_a_table_without_any_of_the_columns_is_refused(self, made_up, tmp_path):
        message = refusal(made_up[["net", "val_accs"]], tmp_path / "mine.csv")
        assert "no accuracies under attack column: it needs at least one of cifar10/fgsm-0.1/200" in message


class TestUse:
    @pytest.fixture
    def run(self, tmp_path, made_up):
        imported(made_up, tmp_path / "mine.csv")
        frame = pd.DataFrame({"arch": CELLS, "cifar10/test/200": np.where(CONNECTED, 90 + BENCHMARK_SIZES / 1e7, 10)})
        frame["cifar10/test/12"] = frame["cifar10/test/200"]
        frame.to_csv(tmp_path / "accuracies.csv", index=False)
        import_table(BENCHMARK, tmp_path / "accuracies.csv")
        harness.run(BENCHMARK, dataset="cifar10", sample=12, proxies="params", images="noise", batch_size=2,
                    out=tmp_path / "run")  # fmt: skip
        return tmp_path / "run"

    def test_a_run_is_ranked_against_them_by_name_and_others_are_another_measure(self, run):
        for wanted in ("pgd-0.5", "pgd-0.5/200"):
            opened = harness.open_run(run, truth=wanted, beside=["test/200", "square-1"])
            assert opened.truth.name == "pgd-0.5/200"
            assert list(opened.beside) == ["test/200", "square-1/200"]
        assert harness.open_run(run).truth.name == "test/200"
        truths = [BENCHMARK.ground_truth("cifar10", *name) for name in (("pgd-1", 200), ("test", 200), ("test", 12))]
        relations = ceiling_table(truths)["relation"].tolist()
        assert relations == ["other measure", "other measure", "other length"]

    def test_they_count_as_the_benchmark_s_own(self):
        """A baseline keeps only their name."""
        assert BENCHMARK.knows_truth("cifar10", "pgd-1", 200) and BENCHMARK.knows_truth("cifar10", "test", 200)
        assert not BENCHMARK.knows_truth("cifar10", "pgd-1", "given")
        assert not BENCHMARK.knows_truth("cifar100", "pgd-1", 200)


BENCHMARK_SIZES = BENCHMARK.parameter_counts(CELLS, "cifar10")


@pytest.fixture(scope="module")
def real(real_data, tmp_path_factory):
    """The real table as it is stored, the accuracies without attack, and the column that is left out."""
    path = real_data / "more" / "robust-nats-tss-cifar10.csv.gz"
    if not path.is_file():
        pytest.skip(f"no {path.name} among the real data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_DATA", str(tmp_path_factory.mktemp("real")))
        import_table(importable(TABLE), path)
        stored = read_table(TABLE).loc[list(CELLS)]
    clean = pd.read_csv(real_data / "nats-tss.csv.gz", index_col="arch").loc[list(CELLS)]
    return stored, clean, pd.read_csv(path, usecols=["net", "val_accs"]).set_index("net")["val_accs"]


@pytest.mark.real_data
class TestRealTable:
    @pytest.fixture(autouse=True)
    def known(self, real):
        self.stored, self.clean, self.val = real

    def of(self, split):
        return self.stored[COLUMNS[split].name]

    def test_it_has_every_attack_on_every_cell(self):
        assert self.stored.shape == (15_625, 32)
        assert len(self.stored.drop_duplicates()) == 6462  # 6,466 cells are not isomorphic

    def test_the_cells_that_guess_are_those_without_a_path(self):
        guesses = (self.stored.to_numpy() == 10).all(axis=1)
        assert np.array_equal(guesses, ~CONNECTED)
        assert guesses.sum() == 341

    def test_the_example_of_the_data_set_s_authors(self):
        """README.md of steffen-jung/robustness-dataset @ faf7c8c: network 13433 has .893 and, by PGD, ε = 1, .336."""
        cell = official_order()[13433]
        assert self.of("pgd-1")[cell] == pytest.approx(33.6)
        assert self.clean["cifar10/test/200"][cell] == pytest.approx(89.3, abs=0.2)

    def test_the_networks_are_those_of_the_test_accuracies(self):
        """The weakest attack leaves nearly the test accuracy, more than the networks of x-valid have at all."""
        weakest, test = self.of("square-0.1"), self.clean["cifar10/test/200"]
        assert (test - weakest).median() == pytest.approx(1.8, abs=0.05)
        assert kendall(weakest.to_numpy(), test.to_numpy()).value == pytest.approx(0.916, abs=0.001)
        assert weakest.median() > self.clean["cifar10/x-valid/200"].median() + 1

    def test_the_column_that_is_left_out_belongs_to_the_networks_of_x_valid(self):
        val = self.val[[net(cell) for cell in CELLS]].to_numpy()
        apart = {name: np.sqrt(np.mean((val - self.clean[f"cifar10/{name}/200"]) ** 2)) for name in ("test", "x-valid")}
        assert apart == pytest.approx({"test": 3.97, "x-valid": 0.57}, abs=0.01)

    def test_stronger_attacks_leave_fewer_images_right(self):
        for attack in ATTACKS:
            if attack.name != "fgsm":  # a single step may be too long
                for weak, strong in itertools.pairwise(attack.strengths):
                    assert (self.of(f"{attack.name}-{strong:g}") <= self.of(f"{attack.name}-{weak:g}") + 0.5).all()
        for strength in (1, 2, 8):
            assert (self.of(f"apgd-{strength}") <= self.of(f"pgd-{strength}") + 0.5).all()
            assert (self.of(f"apgd-{strength}") <= self.of(f"square-{strength}") + 0.5).all()
