"""The official archives of NATS-Bench's two spaces: read with the official package, checked, or refused by name."""

from __future__ import annotations

import bz2
import pickle
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from harness_benchmarks.nats.archive import META_FILE, TOPOLOGY, Archive, read_order
from harness_benchmarks.nats.common import NatsBenchmark
from harness_benchmarks.nats.sss import SIZE, NatsSss
from harness_benchmarks.nats.tss import NatsTss

from harness.data import import_table
from harness.data.local_tables import read_metadata, read_table, table_path
from harness.errors import DataError

pytestmark = [pytest.mark.real_data, pytest.mark.usefixtures("home")]


@dataclass(frozen=True)
class Space:
    """One of the two spaces, with the three of its records that the real data have."""

    benchmark: NatsBenchmark
    archive: Archive
    architectures: int
    records: dict[int, str]
    record_12: str
    columns: int
    columns_published: int

    @property
    def name(self):
        return self.benchmark.name

    @property
    def folder(self):
        return f"{self.archive.name}-simple"

    @property
    def truths(self):
        return list(self.benchmark.table_format().truths)


TSS = Space(
    NatsTss(),
    TOPOLOGY,
    15_625,
    {
        0: "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
        11: "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|",
        284: "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|nor_conv_1x1~1|none~2|",
    },
    record_12="|none~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|",
    columns=12,
    columns_published=12,
)
SSS = Space(
    NatsSss(),
    SIZE,
    32_768,
    {0: "8:8:8:8:8", 11: "8:8:8:16:32", 284: "8:8:40:32:40"},
    record_12="8:8:8:16:40",
    columns=18,
    columns_published=3,
)
OTHER = {"nats-tss": SSS, "nats-sss": TSS}


@pytest.fixture(params=[TSS, SSS], ids=lambda space: space.name)
def space(request):
    return request.param


@pytest.fixture
def official(real_data) -> Path:
    return real_data / "nats-official-records"


@pytest.fixture
def archive(space, tmp_path, official):
    """A copy of the official archive, as far as it is there, that a test may damage."""
    return shutil.copytree(official / space.folder, tmp_path / space.folder, copy_function=shutil.copyfile)


def write_pickle(path, value):
    path.write_bytes(bz2.compress(pickle.dumps(value)))


class TestImport:
    def test_the_three_official_records_equal_the_published_table(self, space, archive, real_data):
        summary = import_table(space.benchmark, archive, allow_partial=True)
        assert summary.architectures == (3, space.architectures)
        table = read_table(space.name)
        assert list(table.columns) == space.truths
        published = pd.read_csv(real_data / f"{space.name}.csv.gz", index_col="arch")
        shared = [column for column in table.columns if column in published.columns]
        assert (len(table.columns), len(shared)) == (space.columns, space.columns_published)
        rows = list(space.records.values())
        np.testing.assert_allclose(table.loc[rows, shared], published.loc[rows, shared], atol=6e-5)
        source = f"the archive {space.folder} (only 3 of {space.architectures:,} architectures)"
        assert read_metadata(space.name).source == source

    def test_trusting_the_pickles_gives_the_same(self, space, archive):
        import_table(space.benchmark, archive, allow_partial=True)
        plain = read_table(space.name)
        import_table(space.benchmark, archive, allow_partial=True, trust_pickle=True)
        pd.testing.assert_frame_equal(read_table(space.name), plain)

    @pytest.mark.parametrize("space", [SSS], ids=["nats-sss"], indirect=True)
    def test_seeds_are_averaged_and_validation_of_cifar10_is_of_cifar10_valid(self, space, archive):
        """Against the official package, asked for each column in words."""
        from nats_bench import create

        import_table(space.benchmark, archive, allow_partial=True)
        table = read_table(space.name).loc[space.records[284]]
        api = create(str(archive), "size", fast_mode=True, verbose=False)

        def official(dataset, hp, key):
            return api.get_more_info(284, dataset, hp=hp, is_random=False)[key]

        def of_seed(dataset, hp, key, seed):
            return api.get_more_info(284, dataset, hp=hp, is_random=seed)[key]

        assert table["cifar10/x-valid/90"] == pytest.approx(official("cifar10-valid", "90", "valid-accuracy"), abs=1e-4)
        assert table["cifar100/x-valid/12"] == pytest.approx(official("cifar100", "12", "valid-accuracy"), abs=1e-4)
        assert table["ImageNet16-120/test/1"] == pytest.approx(
            official("ImageNet16-120", "01", "test-accuracy"), abs=1e-4
        )
        seeds = [of_seed("cifar10", "12", "test-accuracy", seed) for seed in (777, 888, 999)]
        assert len(set(seeds)) > 1
        assert table["cifar10/test/12"] == pytest.approx(np.mean(seeds), abs=1e-4)


class TestRefusals:
    @pytest.fixture
    def refused(self, space, archive):
        """The message that the archive, as it is now, is refused with; no table is left behind."""

        def read(source=archive, **options):
            with pytest.raises(DataError) as caught:
                import_table(space.benchmark, source, **{"allow_partial": True, **options})
            assert not table_path(space.name).exists()
            return str(caught.value)

        return read

    def test_missing_records_are_counted(self, space, refused):
        message = refused(allow_partial=False)
        assert f"{space.architectures - 3:,} of {space.architectures:,} architectures are missing" in message

    def test_a_missing_meta_file_is_named(self, space, archive, refused):
        (archive / META_FILE).unlink()
        assert f"'{space.folder}' has no {META_FILE}" in refused()

    def test_the_archive_of_the_other_space_is_refused(self, space, official, refused):
        message = refused(official / OTHER[space.name].folder)
        assert f"does not list the {space.architectures:,} architectures of {space.archive.space}" in message

    def test_a_record_of_the_other_space_is_refused(self, space, official, archive, refused):
        record = "000011.pickle.pbz2"
        shutil.copyfile(official / OTHER[space.name].folder / record, archive / record)
        assert f"{record} is not a record of {space.archive.space}" in refused()

    def test_another_order_is_refused(self, space, archive, refused):
        order = read_order(archive / META_FILE, archive=space.archive)
        write_pickle(archive / META_FILE, {"meta_archs": [*order[1:], order[0]]})
        assert f"in another order than {space.archive.name}" in refused()

    def test_a_record_under_a_wrong_index_is_refused(self, space, archive, refused):
        (archive / "000011.pickle.pbz2").rename(archive / "000012.pickle.pbz2")
        message = refused()
        assert f"000012.pickle.pbz2 is of '{space.records[11]}', but {META_FILE} says '{space.record_12}'" in message

    def test_an_index_beyond_the_space_is_refused(self, space, archive, refused):
        last = space.architectures - 1
        (archive / "000011.pickle.pbz2").rename(archive / f"{last + 1:06d}.pickle.pbz2")
        assert f"there is no architecture {last + 1}; the index runs from 0 to {last:,}" in refused()

    @pytest.mark.parametrize("trust", [False, True])
    def test_a_truncated_record_is_named(self, archive, refused, trust):
        record = archive / "000011.pickle.pbz2"
        record.write_bytes(record.read_bytes()[:20_000])
        assert "000011.pickle.pbz2 is damaged" in refused(trust_pickle=trust)

    @pytest.mark.parametrize("content", [[1, 2], {}, {"200": {}}, {"12": {}, "200": {"arch_index": 11}}])
    def test_a_record_of_another_kind_is_named(self, space, archive, refused, content):
        write_pickle(archive / "000011.pickle.pbz2", content)
        assert f"000011.pickle.pbz2 is not a record of {space.archive.space}" in refused()

    def test_a_record_that_runs_code_is_refused_unless_the_user_trusts_it(self, archive, refused):
        write_pickle(archive / "000011.pickle.pbz2", print)
        message = refused()
        assert "'builtins.print', which is not plain data" in message and "--trust-pickle" in message
