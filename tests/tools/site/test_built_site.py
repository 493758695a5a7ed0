"""The built site in a browser: contrast, names and the keyboard, on a page of each kind.

``nox -s site`` builds the site and runs these tests; ``$HARNESS_SITE`` is the folder of the site.
"""

import os
from pathlib import Path

import pytest
from looks import hindrances, tab_to, walk

pytestmark = pytest.mark.slow

PAGES = (
    "leaderboard/index.html", "leaderboard/benchmarks/nats-tss/cifar10.html",
    "leaderboard/benchmarks/nats-tss/index.html", "leaderboard/proxies/zico.html", "index.html",
    "docs/adding-a-proxy.html", "docs/beyond-tau.html", "results/reference/anywhere/index.html",
    "api/harness.html",
)  # fmt: skip
BOARD = PAGES[1]
LARGEST = 500_000
"""The most bytes that a page of the leaderboard may have, so that it opens at once."""

NAMES = (
    "Array.from(document.querySelectorAll('#table-{table} tbody tr:not([hidden]) th'), (one) => one.innerText.trim())"
)

COMPARE = "(a, b) => a.toLowerCase().localeCompare(b.toLowerCase())"


@pytest.fixture(scope="module")
def site():
    folder = os.environ.get("HARNESS_SITE")
    if not folder:
        pytest.skip("no built site: nox -s site builds it, and runs these tests")
    return Path(folder).resolve()


def test_every_page_of_the_leaderboard_is_small(site):
    sizes = {file.relative_to(site).as_posix(): file.stat().st_size for file in site.glob("leaderboard/**/*.html")}
    assert len(sizes) > 20
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_use_it(chromium, site, page, width, dark):
    chromium.look(width, dark=dark)
    chromium.open(site / page)
    assert hindrances(chromium) == []
    if "leaderboard" in page:
        # A row has another background while the mouse is over it.
        chromium.page.locator("tbody tr:nth-child(2) td").first.hover()
        assert hindrances(chromium) == []
    assert chromium.errors == []
    assert {address.partition(":")[0] for address in chromium.requests} <= {"file", "data", "about"}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [400, 1280])
def test_the_keyboard_reaches_everything_and_the_focus_is_seen(chromium, site, page, width):
    chromium.look(width)
    chromium.open(site / page)
    steps = walk(chromium)
    assert [step for step in steps if not (step["ring"] and step["seen"])] == []
    if "leaderboard" in page:
        assert {"head", "row"} <= {step["within"] for step in steps}


def test_the_keyboard_unfolds_the_contents_on_a_narrow_screen(chromium, site):
    chromium.look(400)
    chromium.open(site / "docs" / "beyond-tau.html")
    assert "q" not in {step["name"] for step in walk(chromium)}, "the field to search in is not on the screen"
    chromium.open(site / "docs" / "beyond-tau.html")
    box = tab_to(chromium, lambda each: each["id"] == "__navigation")
    assert box["ring"]
    chromium.press(" ")
    field = tab_to(chromium, lambda each: each["name"] == "q")
    assert field["ring"] and field["seen"]


@pytest.mark.parametrize(("page", "table"), [(BOARD, "proxies"), (PAGES[0], "standings")])
def test_the_keyboard_sorts_and_filters(chromium, site, page, table):
    names = NAMES.format(table=table)
    chromium.look()
    chromium.open(site / page)
    before = chromium.value(names)
    tab_to(chromium, lambda each: each["within"] == "form" and each["name"] == "text")
    chromium.press(*"zico")
    zico = chromium.value(names)
    assert zico and len(zico) < len(before) and all("zico" in name.lower() for name in zico)
    tab_to(chromium, lambda each: each["words"] == "Reset")
    chromium.press(" ")
    chromium.value("new Promise((done) => setTimeout(done, 20))")
    assert chromium.value(names) == before
    tab_to(chromium, lambda each: each["within"] == "head" and each["words"] == "Proxy")
    chromium.press("Enter")
    assert chromium.value(names) == chromium.value(f"{names}.sort(({COMPARE}))") != before


def test_the_keyboard_chooses_another_ground_truth(chromium, site):
    chromium.look()
    chromium.open(site / BOARD)
    names, words = NAMES.format(table="proxies"), "document.querySelector('.chosen').textContent"
    before, said = chromium.value(names), chromium.value(words)
    tab_to(chromium, lambda each: each["name"] == "truth")
    chromium.press("ArrowDown")
    assert chromium.value(words) != said
    assert sorted(chromium.value(names)) == sorted(before) and chromium.value(names) != before


def test_without_scripts_a_board_has_all_its_rows(chromium, site):
    chromium.look(scripts=False)
    chromium.open(site / BOARD)
    assert chromium.page.get_by_role("rowheader").count() > 50
    chromium.look()
