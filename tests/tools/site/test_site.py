"""The pages of the leaderboard, from a small collection: what they say."""

import json
import shutil
from html.parser import HTMLParser

import pytest
from pages import HOSTILE, page

from harness.leaderboard.boards import ABOUT, BOARD, make_board
from tools.site.leaderboard.boards import BoardError, read_boards
from tools.site.leaderboard.overview import standings
from tools.site.leaderboard.views import printed_table, standings_table
from tools.site.leaderboard.write import markdown, render


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
