"""A local file server in place of real downloads."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


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
