"""The pages of the leaderboard, from a small collection: what they say."""

import json
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from pages import HOSTILE, page
from scipy.stats import rankdata

from harness.leaderboard.boards import ABOUT, BOARD, make_board
from tools.site.leaderboard.boards import BoardError, read_boards
from tools.site.leaderboard.overview import place_on, standings
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
    def test_has_the_mean_ranks_and_verdicts_of_the_boards(self, board, proxies):
        other = replace(board, benchmark="another", rows=tuple(row for row in board.rows if row.proxy != "zen"))
        found = standings([board, other])
        taus = {row.proxy: row.kendall.value for row in board.chosen() if row.proxy != "zen"}
        ranks = rankdata([-tau for tau in taus.values()])
        assert {each.proxy: each.rank.value for each in found.proxies if each.proxy in taus} == pytest.approx(
            dict(zip(taus, ranks, strict=True))
        )
        (zen,) = [each for each in found.proxies if each.proxy == "zen"]
        assert zen.spaces == 1 and zen.widespread, "one of two benchmarks is half of them"
        assert [each.proxy for each in found.proxies] == [
            each.proxy for each in sorted(found.proxies, key=lambda each: each.rank.value)
        ]
        table = standings_table(found, proxies, "")
        (params,) = [row for row in table.rows if row.reference]
        assert [cell.text for cell in params.cells[3:6]] == ["–", "–", "–"]
        others = [each for each in found.proxies if each.proxy not in ("params", "zen")]
        assert all(sum(each.count(verdict) for verdict in ("win", "tie", "loss")) in (0, 2) for each in others)

    def test_what_few_benchmarks_have_comes_last(self, board):
        only = next(row.proxy for row in board.chosen())
        others = [
            replace(board, benchmark=name, rows=tuple(row for row in board.rows if row.proxy != only)) for name in "ab"
        ]
        found = standings([board, *others]).proxies
        assert found[-1].proxy == only and not found[-1].widespread
        assert place_on(board, only) == (1, len(board.chosen()))


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
