"""The page of a board without the rest of the site."""

import shutil

from harness.reporting.page.build import sorting_script
from tools.site.build import HERE
from tools.site.leaderboard.packing import packed
from tools.site.leaderboard.views import board_tables, printed_table
from tools.site.leaderboard.write import render

HOSTILE = "<script>alert(1)</script>"


def page(board, proxies):
    """The part of a board's page that the leaderboard writes."""
    tables = board_tables(board, proxies, "../../")
    printed = printed_table(board, proxies, "")
    return render(
        "board.html.j2", root="../../", board=board, tables=tables, others=packed(tables), printed=printed, files="f"
    )


def write_page(folder, content):
    """Write a whole page with the scripts and the style sheet of the leaderboard; returns its file."""
    static = folder / "_static"
    static.mkdir()
    for name in ("leaderboard.css", "leaderboard.js", "rows.js"):
        shutil.copy(HERE / "static" / name, static)
    (static / "sorting.js").write_text(sorting_script(), encoding="utf-8")
    file = folder / "leaderboard" / "benchmarks" / "digits" / "digits.html"
    file.parent.mkdir(parents=True)
    style = '<link rel="stylesheet" href="../../../_static/leaderboard.css">'
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A board</title>{style}'
    file.write_text(
        f'<!doctype html><html lang="en"><head>{head}</head><body>{content}</body></html>', encoding="utf-8"
    )
    return file
