"""A local file server in place of real downloads, and toys to import and to download."""

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest
import toy_table
from toy_downloads import CLASSES, FULL, SHARE, STANDARD, Toy, files, tar

from harness.data import get as data_get
from harness.data import status as data_status
from harness.data import verify as data_verify
from harness.data.image_sources import ImageSource
from harness.data.sources import Sources


class FileServer:
    """Answers each path with (status, body, announced length), and records the requests."""

    def __init__(self, address):
        self.address = address
        self.answers = {}
        self.asked = []
        self.headers = []

    def offer(self, path, body=b"", status=200, length=None):
        """Answer a path with a body; a length greater than the body's is a connection that breaks off."""
        self.answers[path] = (status, body, len(body) if length is None else length)
        return f"{self.address}{path}"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            served.asked.append(self.path)
            served.headers.append(dict(self.headers))
            status, body, length = served.answers.get(self.path, (404, b"", 0))
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        served = FileServer(f"http://127.0.0.1:{running.server_port}")
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield served
        running.shutdown()
        thread.join()


@pytest.fixture
def declared(home, server, monkeypatch):
    """The toys are the only benchmarks, and two image data sets of theirs the only ones; no further tables."""
    standard, full = files(server, "a little", "little.csv", STANDARD), files(server, "all", "all.csv", FULL)
    monkeypatch.setattr(Toy, "declared", Sources(standard, full=full), raising=False)
    images = {
        "photos": ImageSource(files(server, "the photos", "photos.tar.gz", tar(a=b"1", b=b"22"), "md5"), "photos"),
        "private": ImageSource(replace(SHARE, what="private photos")),
    }
    for module in (data_get, data_verify, data_status):
        monkeypatch.setattr(module, "benchmark_classes", lambda: CLASSES)
        monkeypatch.setattr(module, "load_benchmark", lambda name: CLASSES[name]())
        monkeypatch.setattr(module, "IMAGE_SOURCES", images)
        monkeypatch.setattr(module, "further_tables", dict)


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "arch": toy_table.ARCHITECTURES[::-1],
            "mnist/test/9": [50.0, 60.0, 90.5, 70.0, 80.0],
            "mnist/params": [40, 30, 20, 10, 0],
        }
    )


@pytest.fixture
def csv(tmp_path, frame):
    def write(changed=None, name="table.csv"):
        path = tmp_path / name
        (frame if changed is None else changed).to_csv(path, index=False)
        return path

    return write
