"""The tables on the terminal: right at every width, readable without colour."""

import dataclasses
import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from harness.errors import UnknownNameError
from harness.reporting import print_tables


def printed(table, costs, heading, labels=None, width=120, **options):
    """What a pipe of this width would hold."""
    file = io.StringIO()
    subset = options.pop("subset", None)
    print_tables(Console(file=file, width=width, **options), table, costs, heading, labels, subset=subset)
    return file.getvalue()


def line_of(text, label):
    return next(line for line in text.splitlines() if re.search(rf"(^|\s){re.escape(label)}\s", line))


def test_a_row_holds_the_numbers_of_the_frame(table, costs, heading, labels):
    line = line_of(printed(table, costs, heading, labels, width=200), "NASWOT")
    cells = re.split(r"\s{2,}", line.strip())
    assert cells[:5] == ["1", "NASWOT", ".612 [.581, .641]", ".762 [.722, .792]", "+.034 [+.022, +.047]"]
    assert cells[5:] == ["<.001", "▲ win", "988/1,000", "988", "0.40", "1.29"]


def test_the_verdicts_are_words(table, costs, heading, labels):
    text = printed(table, costs, heading, labels)
    assert "▲ win" in line_of(text, "NASWOT")
    assert "○ tie" in line_of(text, "jacob_cov")
    assert "▼ loss" in line_of(text, "plain")


def test_a_proxy_that_failed_everywhere_shows_dashes_and_its_counts(table, costs, heading):
    text = printed(table, costs, heading)
    line = line_of(text, "broken")
    assert "0/1,000" in line
    assert not re.search(r"\.\d{3}", line)
    assert "nan" not in text.lower()
    assert "broken: 0 of 1,000 networks used (997 failed, 3 non-finite)" in text


def test_networks_that_were_never_scored_are_counted_too(table, heading):
    table.loc[2, ["networks", "ok", "used"]] = 400
    text = printed(table, None, heading, width=200)
    assert "jacob_cov: 400 of 1,000 networks used (600 not scored)" in text
    assert "400/1,000" in line_of(text, "jacob_cov")


def test_a_complete_run_says_so(table, heading):
    complete = table[table["set"] == "connected"]
    assert "Every proxy has a finite score on every network." in printed(complete, None, heading)


def test_the_heading_comes_before_every_number(table, costs, heading):
    text = " ".join(printed(table, costs, heading).split())
    assert text.index(heading.ground_truth) < text.index("mini-batches of 64 from") < text.index("Kendall")


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_nothing_is_cut_and_no_line_is_too_long(table, costs, heading, labels, width):
    text = printed(table, costs, heading, labels, width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for name in ("NASWOT", "#Params", "jacob_cov", "plain", "broken"):
        assert line_of(text, name)
    assert "▲ win" in line_of(text, "NASWOT")


def test_what_a_narrow_page_leaves_out_is_named(table, costs, heading):
    assert "Left out" not in printed(table, costs, heading, width=200)
    narrow = printed(table, costs, heading, width=80)
    assert re.search(r"Left out at this width: distinct scores, own cost, ρ interval", narrow)
    assert ".612 [.581, .641]" in narrow


def test_the_sets_stand_side_by_side_with_their_sizes(table, heading, labels):
    _, _, text = printed(table, None, heading, labels).partition("Kendall τ in each set")
    assert "n = 1,000" in text
    assert "n = 978" in text
    assert re.split(r"\s{2,}", line_of(text, "NASWOT").strip()) == ["NASWOT", ".612 ▲", ".556 ○"]
    assert re.split(r"\s{2,}", line_of(text, "plain").strip()) == ["plain", "-.244 ▼", "–"]


def test_another_set_can_stand_first(table, heading):
    text = printed(table, None, heading, subset="connected")
    assert "Set 'connected': 978 networks" in text
    with pytest.raises(UnknownNameError, match=r"conected.*did you mean 'connected'"):
        printed(table, None, heading, subset="conected")


def test_without_a_baseline_there_is_no_comparison(table, heading):
    alone = table[table["proxy"] != "params"].assign(verdict="no baseline")
    text = printed(alone, None, heading)
    assert "Δτ" not in text
    assert "No baseline was scored" in text


def test_no_colour_codes_where_it_is_no_terminal(table, costs, heading):
    assert "\x1b" not in printed(table, costs, heading)
    assert "\x1b[" in printed(table, costs, heading, force_terminal=True, color_system="standard")


def test_noise_is_announced(table, heading):
    text = printed(table, None, dataclasses.replace(heading, noise=True))
    assert "NOISE, NO REAL IMAGES" in text


def test_labels_are_text_and_no_markup(table, heading):
    assert "[bold]x" in printed(table, None, heading, {"nwot": "[bold]x"})


def test_an_empty_table_is_said_to_be_empty(table, heading):
    assert "No scores in the set 'all'" in printed(table.iloc[:0], None, heading)
