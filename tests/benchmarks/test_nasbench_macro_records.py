"""NAS-Bench-Macro's ground truth: the published file, tables of users, what is refused, and the real accuracies."""

import gzip
import itertools
import json
import math
import shutil
import statistics

import numpy as np
import pandas as pd
import pytest
from harness_benchmarks.nasbench_macro import NasBenchMacro

import harness
from harness.analysis import kendall
from harness.analysis.noise_ceiling import ceiling_table
from harness.data import import_table
from harness.data.local_tables import read_table, table_path
from harness.errors import DataError
from harness.store.maintenance import export
from harness.store.restore import restore

BENCHMARK = NasBenchMacro()
REAL = "nas-bench-macro_cifar10.json"
MEAN = "cifar10/test/best"
SINGLE = [f"{MEAN}/repeat-{repeat}" for repeat in (1, 2, 3)]

pytestmark = pytest.mark.usefixtures("home")


def combined(single):
    """The fields of a record that belong to its accuracies."""
    return {"test_acc": single, "mean_acc": statistics.fmean(single), "std": statistics.pstdev(single)}


@pytest.fixture(scope="module")
def made_up():
    """Made-up but complete records; accuracies are float32 of whole numbers of images, as the real ones."""
    names = list(BENCHMARK.architectures())
    sizes = zip(BENCHMARK.parameter_counts(names, "cifar10"), BENCHMARK.operation_counts(names, "cifar10"), strict=True)
    images = [[9000 - 700 * name.count("0") + 10 * int(name, 3) % 97 + shift for shift in (0, 31, 7)] for name in names]
    single = (np.array(images) / 100).astype(np.float32).astype(float)
    means, deviations = single.mean(axis=1).tolist(), single.std(axis=1).tolist()
    return {
        name: {"test_acc": row, "mean_acc": mean, "std": deviation, "params": int(params), "flops": int(flops)}
        for name, row, mean, deviation, (params, flops) in zip(
            names, single.tolist(), means, deviations, sizes, strict=True
        )
    }


@pytest.fixture(scope="module")
def text(made_up):
    return json.dumps(made_up)


@pytest.fixture
def file(tmp_path):
    """Writes the made-up records, perhaps changed, in the layout of the published file."""

    def write(records, change=lambda records: records):
        (tmp_path / REAL).write_text(json.dumps(change(records)), encoding="utf-8")
        return tmp_path / REAL

    return write


def refusal(path, **options):
    before = table_path("nasbench-macro").exists()
    with pytest.raises(DataError) as caught:
        import_table(BENCHMARK, path, **options)
    assert "\n" not in str(caught.value)
    assert table_path("nasbench-macro").exists() == before
    return str(caught.value)


def changed(architecture, **fields):
    """Replaces fields of one record, with the mean and the deviation that belong to its accuracies."""

    def change(records):
        if set(fields) == {"test_acc"} and fields["test_acc"]:
            return records | {architecture: records[architecture] | combined(fields["test_acc"])}
        return records | {architecture: records[architecture] | fields}

    return change


class TestFile:
    def test_it_is_imported_with_its_three_trainings(self, made_up, file):
        summary = import_table(BENCHMARK, file(made_up))
        assert summary.architectures == (6561, 6561)
        assert (summary.source, summary.ignored) == (REAL, ())
        stored = read_table("nasbench-macro")
        assert list(stored.columns) == [MEAN, *SINGLE, "cifar10/params"]
        assert list(stored.index) == list(BENCHMARK.architectures())
        row, stated = stored.loc["02012100"], made_up["02012100"]
        assert row[SINGLE].tolist() == pytest.approx(stated["test_acc"], abs=1e-4)
        assert row[MEAN] == pytest.approx(stated["mean_acc"], abs=1e-4)
        assert row["cifar10/params"] == stated["params"]

    def test_equally_many_correct_images_are_one_accuracy(self, made_up, file):
        """Accuracies are float32 in the file, so that their means differ behind the fourth decimal."""
        first, other = [89.0, 89.01, 89.02], [88.99, 89.02, 89.02]
        float32 = {name: np.array(each, np.float32).tolist() for name, each in (("0" * 8, first), ("1" * 8, other))}
        assert sum(float32["0" * 8]) != sum(float32["1" * 8])

        def both(records):
            for name, each in float32.items():
                records = changed(name, test_acc=each)(records)
            return records

        import_table(BENCHMARK, file(made_up, both))
        accuracy = BENCHMARK.ground_truth("cifar10").accuracy
        assert accuracy["0" * 8] == accuracy["1" * 8]

    def test_it_may_be_compressed_and_have_another_name(self, text, tmp_path):
        (tmp_path / "mine.gz").write_bytes(gzip.compress(text.encode(), 1))
        assert import_table(BENCHMARK, tmp_path / "mine.gz").architectures == (6561, 6561)

    def test_a_part_is_accepted_on_request(self, made_up, file):
        path = file(made_up, lambda records: dict(itertools.islice(records.items(), 500)))
        assert "6,061 of 6,561 architectures are missing" in refusal(path)
        assert import_table(BENCHMARK, path, allow_partial=True).source.endswith("(only 500 of 6,561 architectures)")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda r: {**r, "0201210": r["00000000"]}, "unknown architecture '0201210' (1 of 51 rows are unknown)"),
            (lambda r: {**r, "02012103": r["00000000"]}, "unknown architecture '02012103'"),
            (lambda r: {k: v for k, v in r.items() if k != "00000001"}, "6,512 of 6,561 architectures are missing"),
            (changed("00000002", test_acc=[90.0, 91.0]), "'00000002' has 2 test accuracies; expected: 3, one"),
            (changed("00000002", test_acc=[]), "has 0 test accuracies"),
            (lambda r: r | {"00000002": r["00000002"] | {"test_acc": 90.0}}, "has no list of test accuracies; exp"),
            (lambda r: r | {"00000002": [90.0, 91.0, 92.0]}, "'00000002' is not an object with test_acc, mean_acc"),
            (lambda r: r | {"00000002": {"test_acc": [1, 2, 3]}}, "'00000002' has no 'mean_acc'; it has test_acc"),
            (changed("00000002", test_acc=[90.0, 91.0, 100.5]), "has 100.5 for '00000002' (1 such values); exp"),
            (changed("00000002", test_acc=[90.0, 91.0, -1.0]), "has -1 for '00000002'"),
            (changed("00000002", test_acc=[90.0, 91.0, 0.3]), "mixes fractions and percent: 0.3 for '00000002'"),
            (changed("00000002", test_acc=[90.0, 91.0, None], mean_acc=1.0), "has None in 'test_acc', which is not a"),
            (changed("00000002", test_acc=["90.0", 91.0, 92.0], mean_acc=1.0), "has '90.0' in 'test_acc', which is"),
            (changed("00000002", mean_acc=True), "has True in 'mean_acc'"),
            (changed("00000002", params=10**400), "in 'params', which is not a finite number"),
            (changed("00000002", mean_acc=90.0), "says 90 in 'mean_acc', but its accuracies give"),
            (changed("00000002", std=3.0), "says 3 in 'std', but its accuracies give"),
            (changed("00000002", params=387_883), "gives 387883 parameters for '00000002', but the network has"),
            (changed("00000002", flops=999_999_999), "'00000002' gives 999999999 FLOPs, but the network has"),
        ],
    )  # fmt: skip
    def test_a_wrong_record_is_named(self, made_up, file, change, message):
        few = dict(itertools.islice(made_up.items(), 50))
        assert message in refusal(file(few, change), allow_partial="missing" not in message)

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda text: text[:-40], f"{REAL} is truncated, or not a JSON file ("),
            (lambda text: text[: len(text) // 2], "is truncated, or not a JSON file"),
            (lambda text: text.replace(":", "=", 3000), "is truncated, or not"),
            (
                lambda text: text.replace('"00000001"', '"00000000"', 1),
                "names '00000000' more than once in one JSON object",
            ),
            (lambda text: text.replace('"std"', '"mean_acc"', 1), "names 'mean_acc' more than once"),
            (lambda text: "[" * 100_000, "not JSON"),
            (lambda text: "", "is empty"),
            (lambda text: "arch,cifar10/test/best\n", "6,561 of 6,561 architectures are missing"),
            (lambda text: '{"00000000": 90.0}', "6,560 of 6,561 architectures are missing"),
            (lambda text: text.replace("00000000", "é" * 8, 1).encode("latin-1"), "is truncated, or not a JSON file"),
        ],
    )
    def test_a_damaged_file_is_refused(self, text, tmp_path, damage, message):
        damaged = damage(text)
        (tmp_path / REAL).write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
        assert message in refusal(tmp_path / REAL)

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
    def test_a_number_that_is_not_finite_is_refused(self, text, tmp_path, number):
        head, _, tail = text.partition('"mean_acc": ')
        (tmp_path / REAL).write_text(f'{head}"mean_acc": {number}{tail[tail.index(",") :]}', encoding="utf-8")
        assert "in 'mean_acc', which is not a finite number" in refusal(tmp_path / REAL)

    def test_error_rates_are_refused_and_turned_on_request(self, made_up, file):
        def turned(records):
            return {
                architecture: each
                | {"test_acc": [100 - accuracy for accuracy in each["test_acc"]], "mean_acc": 100 - each["mean_acc"]}
                for architecture, each in records.items()
            }

        path = file(made_up, turned)
        message = refusal(path)
        assert "looks like an error rate" in message
        assert "that of 256 without identities, which are known to be better" in message
        import_table(BENCHMARK, path, errors=True)
        right = made_up["11111111"]
        assert BENCHMARK.ground_truth("cifar10").accuracy["11111111"] == pytest.approx(right["mean_acc"], abs=1e-4)
        assert BENCHMARK.trainings("cifar10").loc["11111111"].tolist() == pytest.approx(right["test_acc"], abs=1e-4)


@pytest.fixture
def table(made_up):
    """The made-up accuracies as a user's table."""
    columns = [(each["mean_acc"], *each["test_acc"]) for each in made_up.values()]
    return pd.DataFrame(columns, columns=[MEAN, *SINGLE], index=pd.Index(made_up, name="arch")).round(2)


class TestTable:
    def test_leading_zeros_stay_and_lost_ones_are_put_back(self, table, tmp_path):
        table.to_csv(tmp_path / "mine.csv")
        assert import_table(BENCHMARK, tmp_path / "mine.csv").notes == ()
        kept = BENCHMARK.ground_truth("cifar10").accuracy
        table.set_axis(table.index.astype(int)).rename_axis("arch").reset_index().to_csv(
            tmp_path / "lost.csv", index=False
        )
        assert import_table(BENCHMARK, tmp_path / "lost.csv").notes == (
            "architectures are numbers without leading zeros, such as '0'",
        )
        pd.testing.assert_series_equal(BENCHMARK.ground_truth("cifar10").accuracy, kept)

    def test_means_do_without_single_trainings(self, table, tmp_path):
        table[[MEAN]].to_csv(tmp_path / "mine.csv")
        import_table(BENCHMARK, tmp_path / "mine.csv")
        assert BENCHMARK.ground_truth("cifar10").accuracy["11111111"] == pytest.approx(table[MEAN]["11111111"])
        assert BENCHMARK.trainings("cifar10") is None

    def test_single_trainings_are_all_there_and_have_the_mean(self, table, tmp_path):
        path = tmp_path / "mine.csv"
        table.drop(columns=SINGLE[1]).to_csv(path)
        assert f"has a column '{SINGLE[0]}' but no column '{SINGLE[1]}'; give all 3 or none" in refusal(path)
        table.assign(**{MEAN: table[MEAN].where(table.index != "02012100", 91.0)}).to_csv(path)
        assert f"column '{MEAN}' is 91 for '02012100', but the 3 single trainings have" in refusal(path)
        table.assign(**{SINGLE[2]: table[SINGLE[2]].where(table.index != "02012100", 101.0)}).to_csv(path)
        assert f"column '{SINGLE[2]}' has 101 for '02012100'" in refusal(path)


class TestGroundTruth:
    def test_without_a_table_the_message_says_how_to_get_one(self):
        for call in (BENCHMARK.ground_truth, BENCHMARK.trainings):
            with pytest.raises(DataError, match=r"harness data import nasbench-macro FILE .*harness data get"):
                call("cifar10")

    def test_it_says_that_the_epoch_is_chosen_on_the_test_images(self, made_up, file):
        import_table(BENCHMARK, file(made_up))
        truth = BENCHMARK.ground_truth("cifar10")
        assert truth.describe() == (
            "cifar10 test top-1 accuracy (%), best epoch, mean over 3 seeds, each at the best of 50 epochs on these "
            "images"
        )
        assert truth.higher_is_better and not truth.partial

    def test_single_trainings_stand_in_the_order_of_the_file(self, made_up, file):
        import_table(BENCHMARK, file(made_up))
        single = BENCHMARK.trainings("cifar10")
        assert single.shape == (6561, 3)
        expected = [each["test_acc"] for each in made_up.values()]
        np.testing.assert_allclose(single, expected, atol=1e-4)
        np.testing.assert_allclose(single.mean(axis=1), BENCHMARK.ground_truth("cifar10").accuracy, atol=1e-4)

    def test_a_table_of_the_run_s_scores_and_other_truths_keep_the_names(self, made_up, file, tmp_path):
        """Eight digits must not become a number on their way through files."""
        import_table(BENCHMARK, file(made_up))
        sample, run = BENCHMARK.sample(12, seed=0), tmp_path / "run"
        scores = harness.run(BENCHMARK, sample=12, proxies="params", images="noise", batch_size=2, out=run)
        assert set(scores["architecture"]) == set(sample)
        scores[["architecture", "value"]].to_csv(tmp_path / "other.csv", index=False)
        other = harness.open_run(run, truth=f"{tmp_path / 'other.csv'}:value").truth.accuracy
        assert other[sample].tolist() == BENCHMARK.parameter_counts(sample, "cifar10").tolist()
        export(run, tmp_path / "scores.csv.gz")
        restore(tmp_path / "scores.csv.gz", tmp_path / "restored")
        assert set(harness.open_run(tmp_path / "restored").scores["architecture"]) == set(sample)


@pytest.fixture(scope="module")
def real(real_data, tmp_path_factory):
    """What the import says of the real file, and its records."""
    path = real_data / "more" / REAL
    if not path.is_file():
        pytest.skip(f"no {REAL} among the real data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_DATA", str(tmp_path_factory.mktemp("real")))
        return import_table(BENCHMARK, path), json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.real_data
class TestRealFile:
    @pytest.fixture(autouse=True)
    def imported(self, real, home):
        home.mkdir()
        self.summary, self.published = real
        shutil.copy(self.summary.path, home)

    def test_it_is_the_file_that_is_downloaded(self):
        assert self.summary.sha256 == BENCHMARK.sources().standard.sha256
        assert self.summary.path.is_file()
        assert self.summary.best[MEAN] == (pytest.approx(93.1267, abs=1e-4), "22212202")

    def test_every_network_has_the_published_parameters_and_flops(self):
        names = list(self.published)
        assert len(names) == 6561
        stated = {field: [each[field] for each in self.published.values()] for field in ("params", "flops")}
        assert BENCHMARK.parameter_counts(names, "cifar10").tolist() == stated["params"]
        assert BENCHMARK.operation_counts(names, "cifar10").tolist() == stated["flops"]

    def test_the_same_network_has_one_record(self):
        of_form = {}
        for architecture, each in self.published.items():
            of_form.setdefault(BENCHMARK.canonical_form(architecture), set()).add(json.dumps(each))
        assert len(of_form) == 3969
        assert all(len(records) == 1 for records in of_form.values())
        assert len(set.union(*of_form.values())) == 3969

    def test_every_accuracy_is_a_whole_number_of_test_images(self):
        single = np.array([each["test_acc"] for each in self.published.values()])
        assert np.abs(100 * single - np.round(100 * single)).max() < 0.001

    def test_sizes_against_accuracy_over_the_whole_space(self):
        accuracy = BENCHMARK.ground_truth("cifar10").accuracy
        expected = {"all": {"params": 0.2177, "flops": 0.5561}, "unique": {"params": 0.2155, "flops": 0.5462}}
        for subset, sizes in expected.items():
            names = BENCHMARK.subset(subset)
            counts = {"params": BENCHMARK.parameter_counts, "flops": BENCHMARK.operation_counts}
            found = {
                name: kendall(counts[name](names, "cifar10").astype(float), accuracy[names]).value for name in sizes
            }
            assert found == pytest.approx(sizes, abs=5e-5)

    def test_seeds_agree(self):
        single = BENCHMARK.trainings("cifar10")
        pairs = [
            kendall(single[a].to_numpy(), single[b].to_numpy()).value for a, b in itertools.combinations(single, 2)
        ]
        assert np.mean(pairs) == pytest.approx(0.8813, abs=5e-5)
        row = ceiling_table([BENCHMARK.ground_truth("cifar10")], single).iloc[0]
        assert (row["relation"], row["networks"]) == ("one training", 6561)
        assert row["kendall"] == pytest.approx(np.mean(pairs))
        assert math.isfinite(row["ceiling_kendall"]) and row["ceiling_kendall"] > row["kendall"]
