"""The project's own results: every score is as it was added, and every folder is made from them."""

import pandas as pd
import pytest

from harness.leaderboard.boards import BOARD, COLUMNS, make_board
from harness.leaderboard.collection import entries_in
from harness.leaderboard.references import missing_references
from harness.leaderboard.verifying import Again, verify
from tools.make_reference import REFERENCE, REPOSITORY, declared, made_otherwise, words_of

SCORES = REPOSITORY / "results" / "scores"


def boards():
    return sorted(path.parent.relative_to(SCORES).as_posix() for path in SCORES.glob(f"*/*/{BOARD}"))


def test_every_entry_is_as_it_was_added():
    found = verify(SCORES, again=Again(share=0))
    assert len(found) > 1_000
    assert [finding.line() for finding in found if not finding.right] == []


def test_every_benchmark_with_scores_has_the_reference_proxies_and_a_board():
    entries = entries_in(SCORES)
    there = sorted({(entry.benchmark, entry.dataset) for entry in entries})
    assert missing_references(entries, there) == {}, "harness run … --proxies THESE, and harness results add"
    assert boards() == [f"{benchmark}/{dataset}" for benchmark, dataset in there], "run: harness results boards"


@pytest.mark.parametrize("board", boards())
def test_a_board_has_a_row_for_every_entry_of_its_settings(board):
    table = pd.read_csv(SCORES / board / BOARD)
    assert tuple(table) == COLUMNS
    proxies = set(zip(table["setting"], table["proxy"], strict=True))
    ranked = set(table["setting"])
    expected = {(e.setting_id, e.proxy) for e in entries_in(SCORES, board) if e.setting_id in ranked}
    assert expected <= proxies, "run: harness results boards"


def test_the_board_of_the_embedded_benchmark_is_that_of_its_scores():
    pd.testing.assert_frame_equal(
        pd.read_csv(SCORES / "digits" / "digits" / BOARD),
        make_board(SCORES, "digits", "digits").table,
        check_dtype=False,
        rtol=1e-9,
    )


def test_every_folder_of_results_is_declared():
    """A folder with more than a document is made from the scores, or the list of others says why not."""
    _, made = declared()
    others = made_otherwise()
    root = REPOSITORY / REFERENCE
    with_files = {
        path.parent.relative_to(root) for path in root.rglob("*") if path.is_file() and path.name != "README.md"
    }
    folders = {folder.as_posix() for folder in with_files} - {"."}
    undeclared = {
        each for each in folders - set(made) if not any(f"{each}/".startswith(f"{other}/") for other in others)
    }
    assert undeclared == set(), "made.toml declares how each is made, or why it cannot be"
    assert set(made) | set(others) <= folders, "made.toml declares folders that are not there"
    assert not set(made) & set(others) and all(others.values())


def test_every_folder_is_made_from_runs_that_exist():
    runs, made = declared()
    for folder, commands in made.items():
        for command in commands:
            for name in words_of(command, runs, REPOSITORY)[1]:
                run = runs[name]
                settings = {entry.setting_id for entry in entries_in(SCORES, run["scores"], ["params"])}
                assert sum(setting.startswith(run["setting"]) for setting in settings) == 1, (folder, name)
