"""Downloads: a file under its final name is complete and verified, even after an interrupted download."""

import hashlib
import os
import socket
import time
from pathlib import Path

import pooch
import pytest
import requests

from harness._utils.sizes import readable_size
from harness.data.downloads import downloads_home, fetch, state
from harness.data.sources import Download, Files, FileShare, Sources
from harness.data.table_files import sha256_of
from harness.errors import DataError

BODY = bytes(range(256)) * 400
SHA256 = "sha256:" + hashlib.sha256(BODY).hexdigest()
MD5 = "md5:" + hashlib.md5(BODY).hexdigest()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "downloads" / "toy"


def files_under(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def refusal(download, folder):
    """The message of a refused download: one line, and nothing is left behind."""
    before = files_under(folder.parent)
    with pytest.raises(DataError) as caught:
        fetch(download, folder, ", or ask a friend", [].append)
    assert "\n" not in str(caught.value)
    assert files_under(folder.parent) == before
    assert not (folder.parent / ".part").exists()
    return str(caught.value)


class TestWhole:
    @pytest.mark.parametrize("checksum", [SHA256, MD5, None])
    def test_a_file_comes_as_it_is_served(self, server, folder, checksum):
        said = []
        fetch(Download(server.offer("/a.bin", BODY), "sub/b.bin", checksum, len(BODY)), folder, "", said.append)
        assert (folder / "sub" / "b.bin").read_bytes() == BODY
        assert files_under(folder.parent) == ["toy/sub/b.bin"]
        told = f"{checksum.partition(':')[0]} verified" if checksum else "no published checksum"
        assert said == [f"downloaded {folder / 'sub' / 'b.bin'} (102 kB, {told})"]

    def test_it_is_readable_by_whom_the_umask_allows(self, server, folder):
        former = os.umask(0o022)
        try:
            fetch(Download(server.offer("/a", BODY), "a", SHA256, 0), folder, "", [].append)
        finally:
            os.umask(former)
        assert (folder / "a").stat().st_mode & 0o777 == 0o644

    def test_the_server_is_asked_to_send_it_as_it_is_stored(self, server, folder):
        fetch(Download(server.offer("/a", BODY), "a", SHA256, 0), folder, "", [].append)
        assert server.headers[0]["Accept-Encoding"] == "identity"

    @pytest.mark.parametrize("checksum", [SHA256, None])
    def test_existing_files_are_not_downloaded_again(self, server, folder, checksum):
        download, said = Download(server.offer("/a", BODY), "a", checksum, 0), []
        fetch(download, folder, "", said.append)
        fetch(download, folder, "", said.append)
        assert server.asked == ["/a"]
        assert said[1] == f"{folder / 'a'} already exists"

    def test_what_was_fetched_by_hand_is_taken_if_it_is_whole(self, server, folder):
        folder.mkdir(parents=True)
        (folder / "a").write_bytes(BODY)
        fetch(Download(server.address, "a", SHA256, 0), folder, "", [].append)
        assert server.asked == []

    def test_a_damaged_file_is_downloaded_again(self, server, folder):
        folder.mkdir(parents=True)
        (folder / "a").write_bytes(BODY[:-1])
        said = []
        fetch(Download(server.offer("/a", BODY), "a", SHA256, 0), folder, "", said.append)
        assert "checksum mismatch" in said[0]
        assert (folder / "a").read_bytes() == BODY


class TestRefused:
    @pytest.mark.parametrize("checksum", [SHA256, None])
    def test_a_truncated_download(self, server, folder, checksum):
        message = refusal(Download(server.offer("/a", BODY[:9999], length=len(BODY)), "a", checksum, 0), folder)
        assert (
            f"cannot download {server.address}/a: the connection was lost before the download was complete" in message
        )

    @pytest.mark.parametrize(("checksum", "algorithm"), [(SHA256, "sha256"), (MD5, "md5")])
    def test_a_wrong_checksum_names_file_expected_and_found(self, server, folder, checksum, algorithm):
        other = b"an error page that was served with status 200"
        message = refusal(Download(server.offer("/a", other), "a", checksum, 0), folder)
        assert "(a)" in message
        assert f"expected {checksum} but got" in message
        assert f"got {hashlib.new(algorithm, other).hexdigest()}" in message
        assert f"nothing of {server.address}/a was kept" in message

    def test_a_damaged_file_is_kept_if_the_download_fails(self, server, folder):
        folder.mkdir(parents=True)
        (folder / "a").write_bytes(b"half")
        refusal(Download(f"{server.address}/gone", "a", SHA256, 0), folder)
        assert (folder / "a").read_bytes() == b"half"

    @pytest.mark.parametrize(("status", "reason"), [(404, "Not Found"), (500, "Internal Server Error")])
    def test_an_error_of_the_server(self, server, folder, status, reason):
        message = refusal(Download(server.offer("/a", b"no", status=status), "a", SHA256, 0), folder)
        assert f": the server answered {status} ({reason})" in message

    def test_without_a_connection_the_message_explains_the_manual_download(self, folder, monkeypatch):
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            host = f"127.0.0.1:{unused.getsockname()[1]}"
        message = refusal(Download(f"http://{host}/a", "a", SHA256, 0), folder)
        assert message == (
            f"cannot download http://{host}/a: no connection to {host}; download it yourself, "
            f"save it as '{folder / 'a'}' and repeat the command, or ask a friend"
        )

    def test_a_server_that_does_not_answer(self, folder, monkeypatch):
        def late(*arguments, **options):
            raise requests.ReadTimeout

        monkeypatch.setattr(requests, "get", late)
        message = refusal(Download("http://127.0.0.1/a", "a", SHA256, 0), folder)
        assert "the server did not answer in time" in message

    def test_a_folder_that_cannot_be_made(self, server, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(DataError, match=r"cannot write a to .* set another directory with --dir or \$HARNESS_DATA"):
            fetch(Download(server.offer("/a", BODY), "a", SHA256, 0), tmp_path / "file" / "toy", "", [].append)


class TestInterrupted:
    def test_a_stopped_download_leaves_nothing(self, server, folder, monkeypatch):
        def stopped(self, url, output_file, pooch):
            Path(output_file).write_bytes(BODY[:5000])
            raise KeyboardInterrupt

        download = Download(server.offer("/a", BODY), "a", None, 0)
        with monkeypatch.context() as patched:
            patched.setattr(pooch.HTTPDownloader, "__call__", stopped)
            with pytest.raises(KeyboardInterrupt):
                fetch(download, folder, "", [].append)
        assert files_under(folder.parent) == []
        fetch(download, folder, "", [].append)
        assert (folder / "a").read_bytes() == BODY

    def test_the_remains_of_a_killed_download_are_removed_later(self, server, folder):
        left = folder.parent / ".part" / "toy-killed"
        left.mkdir(parents=True)
        (left / "a").write_bytes(BODY[:5000])
        download = Download(server.offer("/a", BODY), "a", None, 0)
        assert state(download, folder) == "absent"
        fetch(download, folder, "", [].append)
        assert left.exists(), "another process may still be writing to it"
        long_ago = time.time() - 7200
        for path in (left / "a", left):
            os.utime(path, (long_ago, long_ago))
        (folder / "a").unlink()
        fetch(download, folder, "", [].append)
        assert files_under(folder.parent) == ["toy/a"]


class TestDeclared:
    def test_the_directory_is_beside_the_tables_by_default(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
        assert downloads_home() == tmp_path / "downloads"
        assert downloads_home(tmp_path / "other") == tmp_path / "other"

    @pytest.mark.parametrize("names", [["a"], ["b/x", "a", "b-x", "B"]])
    def test_the_checksum_of_an_import_is_known_before_the_download(self, tmp_path, names):
        downloads = []
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(name.encode())
            downloads.append(Download("", name, "sha256:" + hashlib.sha256(name.encode()).hexdigest(), 1))
        files = Files("", tuple(downloads))
        assert files.sha256 == sha256_of(files.imported(tmp_path))

    @pytest.mark.parametrize("checksum", [MD5, None])
    def test_it_is_not_known_without_a_published_sha256(self, checksum):
        assert Files("", (Download("", "a", SHA256, 1), Download("", "b", checksum, 1))).sha256 is None

    def test_only_files_are_downloaded(self):
        files, share = Files("", ()), FileShare("the archive", "https://page", "a.tar", ("tar xf a.tar", "go on"))
        assert Sources(share, full=files).files() == [files]
        assert share.lines() == (
            "the archive: no direct download available\n"
            "  page  https://page\n"
            "  file  a.tar\n"
            "  then  tar xf a.tar\n"
            "        go on"
        )

    @pytest.mark.parametrize(("size", "text"), [(9, "9 bytes"), (1234, "1.23 kB"), (12_345_678, "12.3 MB")])
    def test_sizes_are_readable(self, size, text):
        assert readable_size(size) == text
