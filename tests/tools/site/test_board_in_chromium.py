"""A board's page in a browser: what its scripts show, and that the keyboard is enough to use it."""

import pytest
from looks import tab_to
from pages import page, write_page

from harness._utils.visible import visible_page
from tools.site.leaderboard.cells import Bar, Cell, Link, Table, TableRow
from tools.site.leaderboard.packing import packed
from tools.site.leaderboard.views import BoardTable, board_tables
from tools.site.leaderboard.write import environment

pytestmark = pytest.mark.slow

SHOWN = """
Array.from(document.querySelector("#table-proxies tbody").rows).filter((row) => !row.hidden)
  .map((row) => row.querySelector("th").textContent.trim())
"""
TAUS = "Array.from(document.querySelectorAll('#table-proxies tbody td:nth-child(3)'), (one) => Number(one.dataset.key))"
STATUS = "document.querySelector('[role=status]').textContent"
WORDS = "document.querySelector('.chosen').textContent"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

SAME = """
(() => {
  const packed = JSON.parse(document.querySelector("script[type='application/json']").textContent);
  const further = furtherBodies(document.querySelector("tbody"), packed);
  const differing = [];
  for (const template of document.querySelectorAll("template[data-expected]")) {
    const expected = template.content.querySelector("tbody");
    for (const row of expected.rows) row.normalize();
    const made = further(template.dataset.expected);
    made.normalize();
    const rows = [Array.from(expected.rows), Array.from(made.rows)];
    const styles = [expected, made].map((body) => body.getAttribute("style"));
    if (rows[0].length !== rows[1].length || styles[0] !== styles[1]) differing.push(template.dataset.expected);
    rows[0].forEach((row, i) => {
      if (!row.isEqualNode(rows[1][i])) differing.push(row.outerHTML + " is not " + rows[1][i]?.outerHTML);
    });
  }
  return differing;
})()
"""
BODY = """{% import "parts.html.j2" as parts %}{{ parts.body(table) }}"""


@pytest.fixture(scope="module")
def file(board, proxies, tmp_path_factory):
    return write_page(tmp_path_factory.mktemp("board"), page(board, proxies))


@pytest.fixture(params=[400, 1280])
def opened(request, chromium, file):
    """The page of the board, in a narrow and in a wide window."""
    chromium.look(width=request.param)
    chromium.open(file)
    return chromium


def choose(browser, name, value):
    script = f"""(() => {{
      const form = document.querySelector("form");
      form.elements["{name}"].value = "{value}";
      form.dispatchEvent(new Event("input", {{ bubbles: true }}));
    }})()"""
    browser.value(script)


class TestRows:
    def test_the_script_makes_the_rows_that_the_template_makes(self, chromium, board, proxies, tmp_path):
        first, *others = board_tables(board, proxies, "../../")
        odd = [
            Cell(),
            Cell("<b> & \\x1b \u202e", aside="[1, 2]", key="<b>", classes=("right", "win"), link="a.html"),
            Cell(
                links=(Link("facts", "f.json", "Facts <i>"), Link("more", "m", "More")), more="harness run … && rm '\"'"
            ),
            Cell(key="0.5", bar=Bar("--low:1;--high:2;--value:1.5", "loss"), classes=("drawing",)),
            Cell(" ", key="", classes=("right",)),
        ]
        rows = tuple(
            TableRow(tuple(odd[i:] + odd[:i]), ("labels", "real images"), "0.5", variant="rare") for i in range(5)
        )
        made_up = BoardTable("9-9-9", "made up", Table("proxies", "", (), rows, 1, style="--zero:5"))
        tables = [first, *others, made_up]
        expected = "".join(
            f'<template data-expected="{each.choice}">{rendered(each.table)}</template>' for each in tables[1:]
        )
        island = f'<script type="application/json">{packed(tables)}</script>'
        content = (
            f'<table>{rendered(first.table)}</table>{island}{expected}<script src="../../../_static/rows.js"></script>'
        )
        chromium.look()
        chromium.open(write_page(tmp_path, content))
        assert others and chromium.value(SAME) == []
        assert chromium.errors == []

    def test_without_scripts_the_first_choice_is_there_and_says_where_the_others_are(self, chromium, file):
        chromium.look(scripts=False)
        chromium.open(file)
        text = file.read_text()
        assert text.count("<tbody") == 2 - ("table-printed" not in text)
        assert "To see other choices on this page, allow its script." in text


def rendered(table):
    return visible_page(environment().from_string(BODY).render(table=table))


class TestUse:
    def test_it_filters_sorts_and_shows_other_choices(self, opened):
        before = opened.value(SHOWN)
        choose(opened, "text", "zico")
        assert opened.value(SHOWN) == ["ZiCo"]
        choose(opened, "text", "")
        opened.value("document.querySelector('[value=labels]').click()")
        assert "ZiCo" not in opened.value(SHOWN) and "SynFlow" in opened.value(SHOWN)
        opened.value("document.querySelector('[value=labels]').click()")
        choose(opened, "set", "1")
        assert sorted(opened.value(SHOWN)) == sorted(before)
        assert "mini-batches of 8" in opened.value(WORDS)
        assert opened.value(OVERFLOW) <= 0
        assert opened.errors == [] and all(request.startswith("file:") for request in opened.requests)

    def test_a_link_opens_what_was_chosen(self, chromium, file, board):
        chromium.look()
        chromium.open(file)
        choose(chromium, "set", "1")
        fragment = chromium.value("location.hash")
        assert fragment == f"#set={board.sets[1].name}"
        chosen = chromium.value(WORDS), chromium.value(SHOWN)
        chromium.open(file, fragment)
        assert (chromium.value(WORDS), chromium.value(SHOWN)) == chosen
        chromium.value("document.querySelector('[type=reset]').click()")
        chromium.value("new Promise((done) => setTimeout(done, 20))")
        assert chromium.value("location.hash") == "" and chromium.value(WORDS) != chosen[0]
        chromium.open(file, "#set=none-such&truth=")
        assert chromium.errors == [] and chromium.value("document.forms[0].elements.set.value") == "0"


class TestKeyboard:
    def test_a_column_is_sorted(self, opened):
        before = opened.value(SHOWN)
        head = tab_to(opened, lambda each: each["within"] == "head" and each["words"] == "Proxy")
        assert head["ring"] and head["seen"]
        opened.press("Enter")
        assert opened.value(SHOWN) == sorted(before, key=str.lower)
        assert "sorted by Proxy, ascending" in opened.value(STATUS)
        opened.press(" ")
        assert opened.value(SHOWN) == sorted(before, key=str.lower, reverse=True)
        tab_to(opened, lambda each: each["words"].startswith("Kendall"))
        opened.press("Enter")
        taus = opened.value(TAUS)
        assert len(taus) == len(before) and taus == sorted(taus, reverse=True)

    def test_rows_are_filtered_and_another_choice_is_made(self, opened):
        before, words = opened.value(SHOWN), opened.value(WORDS)
        field = tab_to(opened, lambda each: each["name"] == "set")
        assert field["ring"] and field["seen"]
        opened.press("ArrowDown")
        assert opened.value(WORDS) != words
        opened.press("ArrowUp")
        assert opened.value(WORDS) == words
        tab_to(opened, lambda each: each["name"] == "text")
        opened.press(*"syn")
        assert opened.value(SHOWN) == ["SynFlow"]
        assert opened.value(STATUS) == f"1 of {len(before)} proxies shown"
        tick = tab_to(opened, lambda each: each["name"] == "without")
        assert tick["ring"]
        tab_to(opened, lambda each: each["words"] == "Reset")
        opened.press("Enter")
        opened.value("new Promise((done) => setTimeout(done, 20))")
        assert opened.value(SHOWN) == before
        opened.press("Shift+Tab")
        opened.press(" ")
        assert "ZiCo" in before and "ZiCo" not in opened.value(SHOWN), "it needs real images"

    def test_a_command_is_unfolded_and_links_are_reached(self, opened):
        link = tab_to(opened, lambda each: each["within"] == "row" and each["tag"] == "a")
        assert link["ring"] and link["seen"]
        tab_to(opened, lambda each: each["tag"] == "summary")
        opened.press("Enter")
        assert opened.value("document.activeElement.parentElement.open")
        assert "harness run digits" in opened.value("document.activeElement.nextElementSibling.innerText")
