"""A browser without a window that a test drives: Chromium by its own protocol, over a pipe."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = "no Chromium is installed (Debian: apt install chromium)"

KEYS: dict[str, tuple[int, str]] = {
    "Tab": (9, ""), "Enter": (13, "\r"), " ": (32, " "), "ArrowDown": (40, ""), "ArrowUp": (38, ""),
    "ArrowRight": (39, ""), "End": (35, ""), "Home": (36, ""),
}  # fmt: skip
"""The code and the text of keys that are no letters."""
SHIFT = 8


class BrowserError(AssertionError):
    """What the browser refused, or an error of a page's script."""


class Browser:
    """One page in Chromium.

    Attributes:
        errors: what the scripts of the page threw.
        requests: the addresses that the page asked for.
    """

    def __init__(self, profile: Path) -> None:
        """Start the browser.

        Args:
            profile: an empty folder for its profile.
        """
        # The browser reads commands from descriptor 3 and writes answers to 4.
        for_browser, self._commands = os.pipe()
        self._answers, from_browser = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (for_browser, from_browser)]

        def connect() -> None:
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self._process = subprocess.Popen(
            [
                str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
            ],
            preexec_fn=connect, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,  # noqa: PLW1509
        )  # fmt: skip
        for end in (*ends, for_browser, from_browser):
            os.close(end)
        self._numbers = itertools.count(1)
        self._received = b""
        self._session: str | None = None
        self.errors: list[str] = []
        self.requests: list[str] = []
        target = self._send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self._send(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        os.close(self._commands)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)

    def look(self, width: int = 1280, height: int = 900, *, dark: bool = False, scripts: bool = True) -> None:
        """Set the size of the window, the reader's preferred colours, and whether scripts are allowed."""
        self._send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self._send("Emulation.setEmulatedMedia", features=[scheme, still])
        self._send("Emulation.setScriptExecutionDisabled", value=not scripts)

    def open(self, file: Path, fragment: str = "") -> None:
        """Open a page, and wait until it is complete."""
        self.errors.clear()
        self.requests.clear()
        # A page that differs in its fragment alone would not be loaded again.
        self._send("Page.navigate", url="about:blank")
        self._wait("Page.loadEventFired")
        self._send("Page.navigate", url=f"{file.as_uri()}{fragment}")
        self._wait("Page.loadEventFired")

    def value(self, script: str) -> Any:
        """The value of an expression on the page."""
        found = self._send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise BrowserError(found["exceptionDetails"]["exception"].get("description", str(found)))
        return found["result"].get("value")

    def press(self, *keys: str, shift: bool = False) -> None:
        """Press keys, one after the other, as a keyboard does."""
        for key in keys:
            code, text = KEYS.get(key, (ord(key[0].upper()), key))
            event = {"key": key, "windowsVirtualKeyCode": code, "modifiers": SHIFT if shift else 0}
            self._send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **event)
            self._send("Input.dispatchKeyEvent", type="keyUp", **event)

    def accessible(self) -> list[dict[str, Any]]:
        """The page as assistive technology gets it: the nodes of the browser's accessibility tree."""
        nodes: list[dict[str, Any]] = self._send("Accessibility.getFullAXTree")["nodes"]
        return nodes

    def point(self, selector: str) -> None:
        """Move the mouse over the first element that a selector finds."""
        box = self.value(f"""(() => {{
          const one = document.querySelector({json.dumps(selector)});
          one.scrollIntoView({{ block: "center" }});
          const {{ x, y, height }} = one.getBoundingClientRect();
          return [x + 4, y + height / 2];
        }})()""")
        self._send("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])

    def picture(self, file: Path) -> None:
        """Write what the window shows to a PNG file."""
        file.write_bytes(base64.b64decode(self._send("Page.captureScreenshot")["data"]))

    def _wait(self, event: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._next().get("method") == event:
                return
        raise BrowserError(f"{event} did not come within {seconds:.0f} seconds")

    def _send(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        """The next message of the browser; notes errors and requests."""
        while b"\0" not in self._received:
            part = os.read(self._answers, 1 << 16)
            if not part:
                raise BrowserError("the browser ended")
            self._received += part
        line, _, self._received = self._received.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if message.get("method") == "Runtime.exceptionThrown":
            details = message["params"]["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        return message


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser that ends with the block; its profile is in the folder."""
    started = Browser(folder / "profile")
    try:
        yield started
    finally:
        started.close()
