"""The page in a browser: no error, no request, and tables that sort. Skipped where there is no Chromium."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess

import pytest

import harness

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt install chromium)"),
]

WATCH = """
const found = { violations: [] };
addEventListener("securitypolicyviolation", (event) => found.violations.push(event.violatedDirective));
const table = document.querySelector("#table-correlations table");
const names = () => Array.from(table.tBodies[0].rows, (row) => row.querySelector("th").textContent);
const press = (text) => {
  const button = Array.from(table.querySelectorAll("button")).find((one) => one.textContent.includes(text));
  button.click();
  return [names(), button.closest("th").getAttribute("aria-sort")];
};
found.before = names();
found.worst = [press("Kendall"), press("Kendall")][1];
found.best = press("Kendall");
found.alphabet = press("Proxy");
found.difference = press("Δτ");
found.sorted = Array.from(table.querySelectorAll("[aria-sort]:not([aria-sort=none])")).length;
found.said = document.querySelector("[role=status]").textContent;
found.contents = document.querySelector("nav details").open;
found.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
const names_of = performance.getEntriesByType("resource").map((one) => one.name);
found.requests = names_of.filter((name) => !name.startsWith("data:"));
addEventListener("load", () => {
  found.pictures = Array.from(document.images, (image) => image.complete && image.naturalWidth > 0);
  document.title = "found" + JSON.stringify(found);
});
"""


@pytest.fixture(scope="module")
def visit(digits_runs, tmp_path_factory):
    """The page with a script that the policy allows too, opened at a width: what the script found, and the log."""
    folder = tmp_path_factory.mktemp("page")
    text = harness.report(digits_runs[0]).html(exhibits=())
    digest = base64.b64encode(hashlib.sha256(WATCH.encode()).digest()).decode()
    text = text.replace("script-src ", f"script-src 'sha256-{digest}' ").replace(
        "</body>", f"<script>{WATCH}</script></body>"
    )
    (folder / "page.html").write_text(text, encoding="utf-8")

    def open_at(width):
        command = [
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width},900", "--enable-logging=stderr", "--virtual-time-budget=3000", "--dump-dom",
            (folder / "page.html").as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
        (found,) = re.findall(r"<title>found(.*?)</title>", done.stdout)
        return json.loads(found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")), done.stderr

    return open_at


def test_it_works_without_errors_or_requests(visit):
    found, log = visit(1280)
    assert "CONSOLE" not in log
    assert found["violations"] == [] and found["requests"] == []
    assert found["contents"] is True
    assert all(found["pictures"]) and len(found["pictures"]) == 2
    assert found["best"] == [found["before"], "descending"]
    assert found["worst"][1] == "ascending" and set(found["worst"][0]) == set(found["before"])
    assert found["worst"][0] != found["before"]
    assert found["alphabet"] == [sorted(found["before"], key=str.lower), "ascending"]
    # The baseline has no difference to itself, and what is missing stands last whichever way is sorted.
    assert found["difference"][0][-1] == "#Params"
    assert found["sorted"] == 1 and "sorted by Δτ to #Params [95 %], descending" in found["said"]


def test_nothing_sticks_out_of_a_narrow_screen_and_the_contents_are_folded(visit):
    found = visit(500)[0]
    assert found["overflow"] == 0 and found["contents"] is False
