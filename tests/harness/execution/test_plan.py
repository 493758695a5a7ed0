"""A plan fixes everything that a score depends on."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np
import pytest
import torch

from harness.errors import DataError, HarnessError, UnknownNameError
from harness.execution.options import RunOptions
from harness.execution.plan import make_plan
from harness.images import Images
from harness.images.batches import fingerprint, read_batches, write_batches
from harness.registry import load_benchmark

DIGITS = load_benchmark("digits")


def random_images(count=64, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.standard_normal((count, *DIGITS.task("digits").image_shape), dtype=np.float32)
    return Images(pixels=pixels, labels=rng.integers(0, 10, count), description="random images")


def plan(**options):
    usual = {"proxies": "params,zico", "images": random_images(), "sample": 5, "batch_size": 8}
    return make_plan(DIGITS, RunOptions(**usual | options))


class TestSample:
    def test_a_larger_sample_begins_with_the_smaller_one(self):
        assert list(plan(sample=20).architectures[:5]) == list(plan().architectures)

    def test_all_architectures_are_taken_in_the_order_of_a_sample_so_that_an_unfinished_run_is_one(self):
        everything = plan(sample=None).architectures
        assert list(everything[:20]) == list(plan(sample=20).architectures)
        assert sorted(everything) == sorted(DIGITS.architectures())

    def test_another_seed_draws_another_sample(self):
        assert set(plan(sample=20, seed=1).architectures) != set(plan(sample=20).architectures)

    def test_the_sample_has_a_seed_of_its_own_which_may_be_zero(self):
        other_weights = plan(sample=20, seed=5, sample_seed=0)
        assert list(other_weights.architectures) == list(plan(sample=20).architectures)
        assert (other_weights.setting.seed, other_weights.setting.sample_seed) == (5, 0)

    def test_no_architecture_is_drawn_twice(self):
        everything = plan(sample=None).architectures
        assert len(set(everything)) == len(everything) == len(DIGITS.architectures())

    def test_the_sample_stays_within_its_set(self):
        belongs = DIGITS.membership("connected")
        assert all(map(belongs, plan(sample=50, subset="connected").architectures))

    def test_every_architecture_is_drawn_equally_often(self):
        size, draws = 25, 400
        total = len(DIGITS.architectures())
        counts = dict.fromkeys(DIGITS.architectures(), 0)
        for seed in range(draws):
            for architecture in DIGITS.sample(size, seed):
                counts[architecture] += 1
        probability = size / total
        statistic = sum((count - draws * probability) ** 2 for count in counts.values())
        degrees = statistic / (draws * probability * (1 - probability))
        assert abs(degrees - total) < 5 * np.sqrt(2 * total), "χ² of a uniform draw"

    @pytest.mark.parametrize("size", [0, 10**6])
    def test_an_impossible_size_is_refused(self, size):
        with pytest.raises(HarnessError, match=rf"cannot draw a sample of {size}.*choose 1 to"):
            plan(sample=size)


class TestSetting:
    def test_it_names_the_batches_by_a_fingerprint(self):
        assert plan().setting.fingerprint == plan(sample=9).setting.fingerprint
        assert plan().setting.fingerprint != plan(seed=1).setting.fingerprint
        assert plan().setting.fingerprint != plan(batch_size=16).setting.fingerprint

    def test_each_field_shows_in_the_checksum(self):
        setting = plan().setting
        changed = [
            dataclasses.replace(setting, **{field.name: f"other {field.name}"}) for field in dataclasses.fields(setting)
        ]
        assert len({setting.checksum(), *(other.checksum() for other in changed)}) == len(changed) + 1

    def test_the_checksum_of_a_setting_without_later_fields_is_what_it_was_before_there_were_any(self):
        later = ("resolution", "once_per_class", "origin")
        fields = {name: value for name, value in dataclasses.asdict(plan().setting).items() if name not in later}
        before = hashlib.blake2b(json.dumps(fields, sort_keys=True).encode(), digest_size=8).hexdigest()
        assert plan().setting.checksum() == before

    def test_the_benchmarks_own_resolution_is_the_default_setting(self):
        assert plan(resolution=8).setting == plan().setting

    def test_images_of_another_size_get_the_resolution(self):
        assert plan(resolution=4).batches[0].images.shape == (8, 1, 4, 4)
        assert plan(resolution=4).setting.images == "random images, resized to 4 × 4"

    def test_random_labels_replace_those_of_any_images(self):
        of_the_benchmark = make_plan("digits", RunOptions(sample=2, batch_size=8, labels="random"))
        assert of_the_benchmark.setting.images.endswith(", random labels")
        assert plan(labels="random").setting.images == "random images, random labels"
        assert (plan(labels="random").batches[0].labels != plan().batches[0].labels).any()

    def test_labels_that_are_random_already_are_described_once(self):
        noise = plan(images="noise", labels="random").setting.images
        assert noise == plan(images="noise").setting.images
        twice = Images(np.zeros((64, 1, 8, 8), dtype=np.float32), np.zeros(64, dtype=np.int64), "mine, random labels")
        assert plan(images=twice, labels="random").setting.images == "mine, random labels"

    def test_cheap_mistakes_are_reported_before_images_are_read(self):
        with pytest.raises(HarnessError, match="unknown device 'tpu'"):
            plan(device="tpu", images="absent.npz")

    def test_images_of_another_shape_are_refused(self):
        coloured = Images(np.zeros((64, 3, 8, 8), dtype=np.float32), np.zeros(64, dtype=np.int64), "coloured")
        with pytest.raises(HarnessError, match=r"images of shape \(3, 8, 8\).*do not fit digits, .*\(1, 8, 8\)"):
            plan(images=coloured)

    def test_there_are_two_batches_so_that_zico_can_be_added_later(self):
        assert len(plan(proxies="params").batches) == 2


class TestRefusing:
    def test_an_unknown_dataset(self):
        with pytest.raises(UnknownNameError, match="unknown dataset of digits 'cifar10'"):
            plan(dataset="cifar10")

    def test_an_unknown_set(self):
        with pytest.raises(UnknownNameError, match="did you mean 'connected'"):
            plan(subset="conected")

    def test_too_few_images_for_the_batches(self):
        with pytest.raises(HarnessError, match="64"):
            plan(batch_size=40)

    def test_a_batch_of_one(self):
        with pytest.raises(HarnessError, match="too small for batch norm"):
            plan(batch_size=1)

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
    def test_a_gpu_where_there_is_none(self):
        with pytest.raises(HarnessError, match="finds no GPU; use --device cpu"):
            plan(device="cuda")

    def test_an_unknown_device(self):
        with pytest.raises(HarnessError, match="unknown device 'tpu'"):
            plan(device="tpu")


class TestBatchesOnDisk:
    def test_they_come_back_bit_for_bit(self, tmp_path):
        batches = plan().batches
        write_batches(tmp_path / "batches.npz", batches)
        again = read_batches(tmp_path / "batches.npz", fingerprint(batches))
        for before, after in zip(batches, again, strict=True):
            assert torch.equal(before.images, after.images)
            assert torch.equal(before.labels, after.labels)

    def test_the_memory_layout_does_not_show_in_the_fingerprint(self):
        batches = plan().batches
        other = [dataclasses.replace(b, images=b.images.contiguous(memory_format=torch.channels_last)) for b in batches]
        assert fingerprint(other) == fingerprint(batches)

    def test_other_labels_show_in_the_fingerprint(self):
        batches = plan().batches
        other = [dataclasses.replace(batch, labels=batch.labels.roll(1)) for batch in batches]
        assert fingerprint(other) != fingerprint(batches)

    @pytest.mark.parametrize("content", [b"", b"garbage", None])
    def test_a_damaged_or_missing_file_is_refused(self, tmp_path, content):
        path = tmp_path / "batches.npz"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match="repeat the run"):
            read_batches(path, "0")

    def test_other_batches_are_refused(self, tmp_path):
        write_batches(tmp_path / "batches.npz", plan(seed=1).batches)
        with pytest.raises(DataError, match="differ from those of this run's scores"):
            read_batches(tmp_path / "batches.npz", plan().setting.fingerprint)
