"""The pages of the leaderboard, from a small collection: what they say, and how they behave in a browser."""

import base64
import json
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from harness.leaderboard.adding import add
from harness.leaderboard.boards import ABOUT, BOARD, make_board
from harness.leaderboard.collection import entries_in
from harness.leaderboard.entry import write_entry
from harness.reporting.page.build import sorting_script
from tools.site.build import HERE
from tools.site.leaderboard.boards import BoardError, read_boards
from tools.site.leaderboard.known import known_proxies
from tools.site.leaderboard.overview import standings
from tools.site.leaderboard.views import board_tables, printed_table, standings_table
from tools.site.leaderboard.write import markdown, render

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def collection(digits_runs, tmp_path_factory):
    """A collection with a board: eight proxies, one of which nobody registered."""
    root = tmp_path_factory.mktemp("site") / "scores"
    add(digits_runs[0], root, by="Jane Doe")
    (plain,) = entries_in(root, "digits/digits", ["plain"])
    facts = {"better": "higher", "label": HOSTILE, "sha256": "0", "version": 1, "reference": "mine.py:mine"}
    write_entry(root, replace(plain, proxy="mine", facts=facts, by=HOSTILE), plain.scores())
    make_board(root, "digits", "digits").write(root)
    return root


@pytest.fixture(scope="module")
def board(collection):
    (board,) = read_boards(collection).boards
    return board


@pytest.fixture(scope="module")
def proxies():
    return known_proxies(HERE / "none.md")


def page(board, proxies):
    tables = board_tables(board, proxies, "../../")
    return render(
        "board.html.j2", root="../../", board=board, tables=tables, printed=printed_table(board, proxies, ""), files="f"
    )


class Rows(HTMLParser):
    """The texts of the cells of the first table body."""

    def __init__(self):
        super().__init__()
        self.rows, self.inside, self.bodies = [], False, 0

    def handle_starttag(self, tag, attributes):
        self.bodies += tag == "tbody"
        if tag == "tr" and self.bodies == 1:
            self.rows.append([])
        if tag in ("td", "th") and self.rows and self.bodies == 1:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th", "tbody")

    def handle_data(self, data):
        if self.inside and self.bodies == 1:
            self.rows[-1][-1] += data


class TestABoard:
    def test_has_every_proxy_by_its_tau_with_its_verdict_and_command(self, board, proxies, collection):
        parser = Rows()
        parser.feed(page(board, proxies))
        names = [row[1].strip() for row in parser.rows]
        table = make_board(collection, "digits", "digits").table
        best_first = table[table["set"] == "all"].sort_values("kendall", ascending=False)["proxy"].tolist()
        labels = {name: known.label for name, known in proxies.items()}
        assert sorted(names) == sorted(labels.get(name, name) for name in best_first)
        assert names[0] == labels[best_first[0]]
        rows = dict(zip(names, parser.rows, strict=True))
        assert any("baseline" in cell for cell in rows["#Params"])
        assert any("--proxies zico" in cell for cell in rows["ZiCo"])

    def test_escapes_what_others_wrote(self, board, proxies):
        assert HOSTILE not in page(board, proxies)
        assert markdown(HOSTILE) == r"\<script\>alert\(1\)\<\/script\>"

    def test_says_what_papers_print_beside_what_is_measured(self, collection, board, proxies):
        about = json.loads((collection / "digits" / "digits" / ABOUT).read_text())
        assert about["printed"] == [], "no paper printed anything on digits"
        assert printed_table(board, proxies, "") is None


class TestTheIndex:
    def test_counts_verdicts_and_ranks_from_0_to_100(self, board, proxies):
        found = {standing.proxy: standing for standing in standings([board])}
        assert {standing.rank.value for standing in found.values()} >= {0.0}
        assert max(standing.rank.value for standing in found.values()) <= 100
        table = standings_table(list(found.values()), proxies, "")
        (params,) = [row for row in table.rows if row.reference]
        assert [cell.text for cell in params.cells[3:6]] == ["–", "–", "–"]
        others = [standing for standing in found.values() if standing.proxy != "params"]
        assert all(sum(each.count(verdict) for verdict in ("win", "tie", "loss")) <= 1 for each in others)


class TestWhatCannotBeShown:
    def test_no_collection_is_no_board(self, tmp_path):
        assert read_boards(tmp_path / "nothing").boards == ()
        text = render("index.html.j2", root="", table=None, boards=None, coverage=None, missing=())
        assert "There is no board yet." in text

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda folder: (folder / ABOUT).unlink(), r"board\.json is missing"),
            (lambda folder: (folder / ABOUT).write_text("{"), r"board\.json cannot be read"),
            (lambda folder: (folder / ABOUT).write_text("{}"), r"board\.json lacks"),
            (lambda folder: (folder / BOARD).write_text("a,b\n1,2\n"), r"board\.csv lacks the columns setting"),
        ],
    )
    def test_a_damaged_board_is_one_line(self, collection, tmp_path, change, said):
        shutil.copytree(collection, tmp_path / "scores")
        change(tmp_path / "scores" / "digits" / "digits")
        with pytest.raises(BoardError, match=said) as refused:
            read_boards(tmp_path / "scores")
        assert "\n" not in str(refused.value)


WATCH = """
const found = {errors: []};
addEventListener("error", (event) => found.errors.push(String(event.message)));
addEventListener("load", () => {
  const table = document.querySelector("#table-proxies table");
  const shown = () => Array.from(table.tBodies[0].rows).filter((row) => !row.hidden)
    .map((row) => row.querySelector("th").textContent.trim());
  const form = document.querySelector("form");
  const set = (name, value) => {
    form.elements[name].value = value;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };
  found.formShown = !form.hidden;
  found.before = shown();
  set("text", "zico");
  found.zico = shown();
  set("text", "");
  const labels = form.querySelector("[value=labels]");
  labels.click();
  found.withoutLabels = shown();
  labels.click();
  const button = Array.from(table.querySelectorAll("button")).find((one) => one.textContent.includes("Proxy"));
  button.focus();
  button.click();
  found.alphabet = shown();
  found.sorted = button.closest("th").getAttribute("aria-sort");
  const other = form.elements.set.options[1];
  form.elements.set.value = other.value;
  form.dispatchEvent(new Event("input", { bubbles: true }));
  found.words = document.querySelector(".chosen").textContent;
  found.otherSet = shown().length;
  found.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const names = performance.getEntriesByType("resource").map((one) => one.name);
  found.requests = names.filter((name) => !name.startsWith("data:") && !name.startsWith("file:"));
  document.title = "found" + JSON.stringify(found);
});
"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt install chromium)")
@pytest.mark.parametrize("width", [400, 1280])
def test_a_board_in_a_browser(board, proxies, tmp_path, width):
    static = tmp_path / "_static"
    static.mkdir()
    for name in ("leaderboard.css", "leaderboard.js"):
        shutil.copy(HERE / "static" / name, static)
    (static / "sorting.js").write_text(sorting_script(), encoding="utf-8")
    style = '<link rel="stylesheet" href="../../../_static/leaderboard.css">'
    script = base64.b64encode(WATCH.encode()).decode()
    place = tmp_path / "leaderboard" / "benchmarks" / "digits" / "digits.html"
    place.parent.mkdir(parents=True)
    place.write_text(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width">'
        f'{style}<script src="data:text/javascript;base64,{script}"></script></head><body>{page(board, proxies)}</body>'
        "</html>",
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},900",
            "--virtual-time-budget=4000", "--dump-dom", place.as_uri(),
        ],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    from html import unescape

    title = done.stdout.partition("<title>found")[2].partition("</title>")[0]
    found = json.loads(unescape(title))
    assert found["errors"] == [] and found["requests"] == []
    assert found["formShown"]
    assert found["zico"] == ["ZiCo"]
    assert "ZiCo" not in found["withoutLabels"] and "SynFlow" in found["withoutLabels"]
    assert found["alphabet"] == sorted(found["before"], key=str.lower) and found["sorted"] == "ascending"
    assert found["otherSet"] == len(found["before"]) and "mini-batches of 8" in found["words"]
    assert found["overflow"] <= 0
