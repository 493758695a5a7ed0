"""ViT-Bench-101's files: what is read, what is refused, which accuracies there are, and what #Params ranks."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from harness_benchmarks.vit_bench_101 import VitBenchAutoFormer, VitBenchPit

import harness
from harness.analysis.statistics.correlation import kendall
from harness.data import import_table
from harness.data.local_tables import read_metadata, table_path
from harness.data.verify import verify
from harness.errors import DataError, UnknownNameError

AUTOFORMER, PIT = VitBenchAutoFormer(), VitBenchPit()
SMALL = {"cifar100": "c100", "flowers": "flower", "chaoyang": "chaoyang"}

pytestmark = pytest.mark.usefixtures("home")


def arch_of(space, architecture):
    """The dictionary of the published files."""
    found = space.parsed(architecture)
    if space is PIT:
        heads, depths = ([getattr(stage, name) for stage in found.stages] for name in ("heads", "layers"))
        return {"base_dim": found.base, "mlp_ratio": found.ratio, "depth": depths, "num_heads": heads}
    width, layers = found
    ratios, heads = ([getattr(layer, name) for layer in layers] for name in ("ratio", "heads"))
    return {"hidden_dim": width, "mlp_ratio": ratios, "depth": len(layers), "num_heads": heads}


def records(space, number=24, base=None, seed=0):
    """Records as in lilujunai/Auto-Prox-AAAI24 @ 90ed458, with made-up accuracies; some have none from scratch."""
    generator = np.random.default_rng(seed)
    drawn = {space.random(generator) for _ in range(number)}
    drawn = sorted(drawn, key=lambda each: (space.parameters(each, "cifar100"), each))
    found = []
    for place, architecture in enumerate(drawn):
        row = {"arch": arch_of(space, architecture)}
        for short in SMALL.values():
            row[f"{short}_base_acc"] = 50 + place / 4 if base is None or place < base else None
            row[f"{short}_kd_acc"] = 60 + place / 4 + 1e-9
        if space is AUTOFORMER:
            row["imagenet_super_acc"] = 70 + place / 8
        found.append(row)
    return found


def saved(path, content):
    if path.suffix == ".pth":
        torch.save(content, path)
    else:
        path.write_text(json.dumps(content))
    return path


def imported(space, path, **options):
    return import_table(space, path, allow_partial=True, **options)


def refusal(space, path):
    with pytest.raises(DataError) as caught:
        imported(space, path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestReading:
    @pytest.mark.parametrize("suffix", ["pth", "json"])
    @pytest.mark.parametrize("space", [AUTOFORMER, PIT], ids=lambda space: space.name)
    def test_a_file_is_read_without_running_code_in_it(self, space, suffix, tmp_path):
        content = records(space)
        summary = imported(space, saved(tmp_path / f"gt.{suffix}", content))
        assert summary.architectures == (24, space.size)
        truth = space.ground_truth("flowers")
        assert sorted(truth.accuracy) == [60 + place / 4 for place in range(24)]
        assert truth.accuracy.index.to_list() == list(space.architectures())
        parse = space.dialect.parse
        assert truth.accuracy[parse(str(content[23]["arch"]))] == 65.75
        assert all(finding.right for finding in verify(space.name))

    def test_all_files_of_a_family_in_a_folder_are_read(self, tmp_path):
        saved(tmp_path / "gt_autoformer.pth", records(AUTOFORMER, 12))
        saved(tmp_path / "gt_autoformer_2.pth", records(AUTOFORMER, 12, base=0, seed=1))
        saved(tmp_path / "gt_pit.pth", records(PIT))
        saved(tmp_path / "capital.json", {})
        summary = imported(AUTOFORMER, tmp_path)
        assert summary.architectures[0] == 24 and summary.source.startswith("gt_autoformer.pth and gt_autoformer_2.pth")
        assert imported(PIT, tmp_path).source.startswith("gt_pit.pth")

    def test_a_table_of_one_s_own_is_read(self, tmp_path):
        content = records(AUTOFORMER)
        own = pd.DataFrame(
            {"arch": [str(each["arch"]) for each in content], "cifar100/test-kd/300": np.linspace(60, 70, 24)}
        )
        own.to_csv(tmp_path / "own.csv", index=False)
        assert "dictionaries of Auto-Prox" in imported(AUTOFORMER, tmp_path / "own.csv").notes[0]
        assert AUTOFORMER.ground_truth("cifar100").accuracy.max() == 70
        with pytest.raises(DataError, match="has no column 'cifar100/test-base/300'"):
            AUTOFORMER.ground_truth("cifar100", "test-base")

    def test_a_file_with_more_than_plain_data_is_refused(self, tmp_path):
        content = records(PIT)
        content[3]["c100_kd_acc"] = torch.tensor(70.0)
        message = refusal(PIT, saved(tmp_path / "gt_pit.pth", content))
        assert message.startswith("gt_pit.pth was not read: it is damaged or contains more than plain data")
        content[3]["c100_kd_acc"] = pd.Timestamp(0)
        assert "which is not plain data" in refusal(PIT, saved(tmp_path / "gt_pit.pth", content))

    def test_a_damaged_file_is_refused(self, tmp_path):
        whole = saved(tmp_path / "gt_pit.pth", records(PIT)).read_bytes()
        for number, damaged in enumerate((whole[: len(whole) // 2], whole.replace(b"num_heads", b"num_hands"))):
            path = tmp_path / f"damaged_{number}.pth"
            path.write_bytes(damaged)
            assert "damaged" in refusal(PIT, path)
        path = tmp_path / "pit.json"
        path.write_text(json.dumps(records(PIT))[:-9])
        assert "not JSON" in refusal(PIT, path)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ({"a": 1}, "has no list of records"),
            ([], "has no list of records"),
            ([{"arch": "x"}], "record 0 has no 'arch'"),
            ([{"arch": {"base_dim": 16}}], "record 0 is no pit architecture: {'base_dim': 16}"),
        ],
    )
    def test_other_content_is_refused(self, content, words, tmp_path):
        assert words in refusal(PIT, saved(tmp_path / "gt_pit.pth", content))

    def test_the_other_family_is_refused(self, tmp_path):
        message = refusal(PIT, saved(tmp_path / "gt.pth", records(AUTOFORMER)))
        assert "record 0 is no pit architecture: {'hidden_dim'" in message and "…" in message

    def test_a_complete_file_of_other_networks_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr(VitBenchPit, "size", 24)
        message = refusal(PIT, saved(tmp_path / "gt_pit.pth", records(PIT)))
        assert "24 networks of vit-bench-101-pit, but other ones than were published" in message

    def test_one_network_twice_is_refused(self, tmp_path):
        content = records(PIT)
        assert "duplicate architecture" in refusal(PIT, saved(tmp_path / "gt_pit.pth", [*content, content[5]]))

    def test_error_rates_of_pits_are_refused(self, tmp_path):
        content = records(PIT, 80)
        for each in content:
            each["flower_kd_acc"] = 100 - each["flower_kd_acc"]
        assert "looks like an error rate" in refusal(PIT, saved(tmp_path / "gt_pit.pth", content))


class TestTruths:
    @pytest.fixture
    def former(self, tmp_path):
        imported(AUTOFORMER, saved(tmp_path / "gt.pth", records(AUTOFORMER, base=10)))
        return AUTOFORMER

    def test_distilled_networks_are_the_default_and_that_is_said(self, former):
        truth = former.ground_truth("cifar100")
        assert truth.describe() == (
            "cifar100 test-kd top-1 accuracy (%) of distilled networks, 300 epochs, one training"
        )
        base = former.ground_truth("cifar100", "test-base")
        assert "of networks trained from scratch" in base.describe() and base.partial and not truth.partial
        supernet = former.ground_truth("imagenet-1k")
        assert supernet.describe() == (
            "imagenet-1k val-supernet top-1 accuracy (%) with the weights of a supernet, 300 epochs, "
            "no training of its own"
        )
        with pytest.raises(UnknownNameError, match="val-supernet"):
            former.ground_truth("cifar100", "val-supernet")
        with pytest.raises(UnknownNameError, match=r"unknown ground truth .* 'test-kd': Known: val-supernet/300"):
            former.ground_truth("imagenet-1k", "test-kd")

    def test_networks_without_a_value_are_left_out_of_that_truth_alone(self, former):
        assert len(former.ground_truth("cifar100").accuracy) == 24
        base = former.ground_truth("cifar100", "test-base").accuracy
        assert len(base) == 10 and base.notna().all()
        assert set(former.subset("scratch")) == set(base.index) and len(former.subset()) == 24

    def test_a_ranking_counts_them(self, former):
        table = pd.DataFrame({"arch": former.architectures(), "naswot": np.arange(24.0)})
        for truth, networks in (("test-base/300", 10), ("test-kd/300", 24)):
            report = harness.rank(table, benchmark=former.name, dataset="cifar100", truth=truth)
            found = report.correlations.set_index(["set", "proxy"])["networks"]
            assert found["all", "naswot"] == networks and found["scratch", "naswot"] == 10
        assert report.correlations.query("set == 'all' and proxy == 'params'")["kendall"].item() > 0.97

    def test_values_of_a_truth_that_is_whole_may_not_be_missing(self, tmp_path):
        content = records(AUTOFORMER)
        content[4]["c100_kd_acc"] = None
        message = refusal(AUTOFORMER, saved(tmp_path / "gt.pth", content))
        assert "column 'cifar100/test-kd/300' has 'nan', which is not a number" in message

    def test_a_file_without_any_accuracy_from_scratch_has_no_such_column(self, tmp_path):
        imported(AUTOFORMER, saved(tmp_path / "gt.pth", records(AUTOFORMER, base=0)))
        assert "cifar100/test-base/300" not in read_metadata(AUTOFORMER.name).columns
        assert AUTOFORMER.subset("scratch") == []

    def test_wrong_values_among_missing_ones_are_refused(self, tmp_path):
        content = records(AUTOFORMER, base=10)
        content[2]["c100_base_acc"] = "high"
        assert "'high', which is not a number" in refusal(AUTOFORMER, saved(tmp_path / "gt.pth", content))
        content[2]["c100_base_acc"] = 120
        assert "has 120 for" in refusal(AUTOFORMER, saved(tmp_path / "gt.pth", content))
        content[2]["c100_base_acc"] = 0.5
        assert "mixes fractions and percent" in refusal(AUTOFORMER, saved(tmp_path / "gt.pth", content))
        assert not table_path(AUTOFORMER.name).exists()


@pytest.mark.real_data
class TestPublished:
    @pytest.fixture
    def families(self, real_data):
        summaries = [import_table(space, real_data / "more") for space in (AUTOFORMER, PIT)]
        assert [summary.architectures for summary in summaries] == [(200, 200), (100, 100)]
        assert not any(summary.ignored for summary in summaries)

    def tau(self, space, dataset, split, members=None):
        accuracy = space.ground_truth(dataset, split).accuracy
        accuracy = accuracy if members is None else accuracy[members]
        return kendall(space.parameter_counts(list(accuracy.index), dataset), accuracy)

    @pytest.mark.parametrize(
        ("dataset", "base", "kd", "of_all"),
        [("cifar100", -0.324, 0.548, 0.466), ("flowers", 0.311, 0.700, 0.685), ("chaoyang", 0.047, 0.315, 0.304)],
    )
    def test_params_of_autoformers(self, families, dataset, base, kd, of_all):
        scratch = AUTOFORMER.subset("scratch")
        assert len(scratch) == 100
        found = [self.tau(AUTOFORMER, dataset, *each) for each in (["test-base"], ["test-kd", scratch], ["test-kd"])]
        assert [round(each.value, 3) for each in found] == [base, kd, of_all]
        assert [each.networks for each in found] == [100, 100, 200]

    def test_params_of_autoformers_with_a_supernet_s_weights(self, families):
        # Without rounding, the last digits of float32 numbers break ties: -.218.
        assert round(self.tau(AUTOFORMER, "imagenet-1k", None, AUTOFORMER.subset("scratch")).value, 3) == -0.217
        assert round(self.tau(AUTOFORMER, "imagenet-1k", None).value, 3) == -0.127

    def test_a_supernet_s_accuracies_are_two_groups(self, families):
        """Of the first half, those of width 240 are the lower; of the second, networks of all widths."""
        accuracy = AUTOFORMER.ground_truth("imagenet-1k").accuracy
        assert accuracy[accuracy < 73].between(70.7, 71.8).all() and accuracy[accuracy > 73].between(73.5, 75.6).all()
        first = accuracy[AUTOFORMER.subset("scratch")]
        assert (first.index.str.startswith("e240") == (first < 73)).all()

    @pytest.mark.parametrize(
        ("dataset", "base", "kd"),
        [("cifar100", 0.716, 0.817), ("flowers", 0.769, 0.865), ("chaoyang", 0.544, 0.564)],
    )
    def test_params_of_pits(self, families, dataset, base, kd):
        found = [self.tau(PIT, dataset, split).value for split in ("test-base", "test-kd")]
        assert [round(each, 3) for each in found] == [base, kd]

    def test_accuracies_from_scratch_of_autoformers_are_close_and_disagree(self, families):
        base = {dataset: AUTOFORMER.ground_truth(dataset, "test-base").accuracy for dataset in SMALL}
        assert base["cifar100"].max() - base["cifar100"].min() == pytest.approx(2.22, abs=1e-3)
        assert kendall(base["cifar100"], base["flowers"]).value == pytest.approx(-0.154, abs=5e-4)
        # Guessing a share p of n images right by chance alone deviates by √(p (1 − p) / n).
        chance = 100 * math.sqrt(0.688 * 0.312 / 10_000)
        assert base["cifar100"].std() < 1.01 * chance
