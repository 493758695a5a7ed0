"""A browser without a window that a test drives: the installed Chromium, by Playwright."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page in Chromium.

    Attributes:
        page: Playwright's page.
        errors: what the scripts of the page threw.
        requests: the addresses that the page asked for.
    """

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium
        self._context: Any = None
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.look()

    def look(self, width: int = 1280, height: int = 900, *, dark: bool = False, scripts: bool = True) -> None:
        """Begin anew with a size of the window, the reader's preferred colours, and whether scripts are allowed."""
        if self._context:
            self._context.close()
        self._context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=scripts,
        )
        self.page = self._context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, file: Path, fragment: str = "") -> None:
        """Open a page, and wait until it is complete."""
        # A page that differs in its fragment alone would not be loaded again.
        self.page.goto("about:blank")
        self.errors.clear()
        self.requests.clear()
        self.page.goto(f"{file.as_uri()}{fragment}")

    def value(self, script: str) -> Any:
        """The value of an expression on the page."""
        return self.page.evaluate(script)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, as a keyboard does."""
        for key in keys:
            self.page.keyboard.press(key)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser that ends with the block; the test is skipped where none can be driven."""
    playwright = pytest.importorskip("playwright.sync_api", reason="nox -s site installs Playwright and runs this")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (Debian: apt install chromium)")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield Browser(chromium)
        chromium.close()
