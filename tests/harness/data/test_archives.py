"""Extraction: the complete directory or nothing, and nothing outside it."""

import io
import random
import tarfile

import pytest

from harness.data.archives import differences, extract
from harness.errors import DataError, HarnessError


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "downloads" / "toy"
    folder.mkdir(parents=True)
    return folder


def write_tar(path, files, links=()):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return path


def everything(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


GOOD = {"images/a.bin": b"aaaa", "images/b.bin": b"bb"}


class TestExtract:
    def test_the_directory_is_extracted_beside_the_archive(self, place):
        folder = extract(write_tar(place / "a.tar.gz", GOOD), "images")
        assert folder == place / "images"
        assert (folder / "a.bin").read_bytes() == b"aaaa"
        assert everything(place.parent) == ["toy/a.tar.gz", "toy/images/a.bin", "toy/images/b.bin"]

    def test_it_replaces_an_existing_one(self, place):
        archive = write_tar(place / "a.tar.gz", GOOD)
        (extract(archive, "images") / "old.bin").touch()
        extract(archive, "images")
        assert everything(place / "images") == ["a.bin", "b.bin"]

    @pytest.mark.parametrize(
        ("files", "links"),
        [
            (GOOD | {"../../escaped": b"x"}, ()),
            (GOOD | {"images/../../escaped": b"x"}, ()),
            (GOOD, [("images/link", "../../../escaped")]),
            (GOOD, [("images/link", "/etc/passwd")]),
        ],
    )
    def test_a_member_outside_the_target_is_refused_and_nothing_is_kept(self, place, files, links, tmp_path):
        archive = write_tar(place / "a.tar.gz", files, links)
        with pytest.raises(
            DataError, match=r"unsafe archive a.tar.gz refused, nothing was extracted: .*(outside|absolute)"
        ):
            extract(archive, "images")
        assert everything(tmp_path) == ["downloads/toy/a.tar.gz"]

    @pytest.mark.parametrize("kept", [0, 5, 60, -900])
    def test_a_damaged_archive_leaves_the_former_folder(self, place, kept):
        archive = write_tar(place / "a.tar.gz", GOOD | {"images/c.bin": random.Random(0).randbytes(2000)})
        extract(archive, "images")
        archive.write_bytes(archive.read_bytes()[:kept])
        with pytest.raises(DataError, match=r"a.tar.gz is damaged"):
            extract(archive, "images")
        assert (place / "images" / "a.bin").read_bytes() == b"aaaa"
        assert not (place.parent / ".part").exists()

    def test_a_python_that_cannot_extract_safely_does_not_extract(self, place, monkeypatch):
        archive = write_tar(place / "a.tar.gz", GOOD)
        monkeypatch.delattr(tarfile, "data_filter")
        with pytest.raises(HarnessError, match=r"Python before 3.11.4 cannot extract archives safely"):
            extract(archive, "images")
        assert not (place / "images").exists()

    def test_another_archive_is_named(self, place):
        with pytest.raises(DataError, match=r"a.tar.gz has no directory 'photos'"):
            extract(write_tar(place / "a.tar.gz", GOOD), "photos")


class TestDifferences:
    @pytest.fixture
    def archive(self, place):
        archive = write_tar(place / "a.tar.gz", GOOD)
        extract(archive, "images")
        return archive

    def test_what_was_extracted_is_what_the_archive_holds(self, archive):
        assert list(differences(archive, "images")) == []

    def test_every_file_is_compared(self, archive, place):
        (place / "images" / "a.bin").write_bytes(b"aaab")
        (place / "images" / "b.bin").unlink()
        assert list(differences(archive, "images")) == [
            "images/a.bin differs from the archive",
            "images/b.bin is missing",
        ]
