"""The tables as files: every digit for machines, rounded and explained for people and papers."""

import re

import pandas as pd
import pytest

from harness.errors import UnknownNameError
from harness.reporting import write_tables


@pytest.fixture
def written(tmp_path, table, costs, heading, labels):
    """The text of each file by its name."""
    paths = write_tables(tmp_path / "report", table, costs, heading, labels)
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def markdown_cells(text, label):
    line = next(line for line in text.splitlines() if line.startswith("|") and f"| {label} |" in line)
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def latex_row(text, label):
    return next(line for line in text.splitlines() if line.startswith(f"{label} &"))


def test_every_file_is_written_and_named(written):
    assert set(written) == {"correlations.csv", "correlations.md", "correlations.tex", "costs.csv"}


def test_without_costs_there_is_no_file_of_costs(tmp_path, table, heading):
    assert "costs.csv" not in {path.name for path in write_tables(tmp_path, table, None, heading)}


def test_csv_reads_back_to_the_same_frames_to_the_last_digit(tmp_path, table, costs, heading):
    write_tables(tmp_path, table, costs, heading)
    for name, frame in (("correlations.csv", table), ("costs.csv", costs)):
        back = pd.read_csv(tmp_path / name)
        pd.testing.assert_frame_equal(back, frame, rtol=1e-15, atol=0)


def test_an_unknown_set_is_refused_before_anything_is_written(tmp_path, table, heading):
    with pytest.raises(UnknownNameError, match="connected"):
        write_tables(tmp_path / "report", table, None, heading, subset="reachable")
    assert not (tmp_path / "report").exists()


def test_an_empty_table_gives_files_without_rows(tmp_path, table, heading):
    write_tables(tmp_path, table.iloc[:0], None, heading)
    assert pd.read_csv(tmp_path / "correlations.csv").empty
    assert "No scores in the set 'all'." in (tmp_path / "correlations.md").read_text(encoding="utf-8")


class TestMarkdown:
    def test_it_begins_with_the_heading(self, written, heading):
        above, _, _ = written["correlations.md"].partition("|")
        assert heading.ground_truth in above
        assert "mini-batches of 64 from" in above

    def test_a_row_holds_the_numbers_of_the_frame(self, written):
        assert markdown_cells(written["correlations.md"], "NASWOT") == [
            "1",
            "NASWOT",
            ".612 [.581, .641]",
            ".762 [.722, .792]",
            "+.034 [+.022, +.047]",
            "&lt;.001",
            "▲ win",
            "988/1,000",
            "988",
        ]

    def test_names_are_not_read_as_markup(self, written):
        assert markdown_cells(written["correlations.md"], r"jacob\_cov")[2] == ".570 [.539, .599]"
        assert markdown_cells(written["correlations.md"], r"\#Params")[1] == r"\#Params"

    def test_every_table_has_as_many_cells_in_each_row(self, written):
        for block in written["correlations.md"].split("\n\n"):
            if block.startswith("|"):
                assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1

    def test_lost_networks_are_counted(self, written):
        assert "NASWOT: 988 of 1,000 networks used (12 skipped)" in written["correlations.md"]

    def test_costs_are_listed(self, written):
        _, _, costs = written["correlations.md"].partition("## Costs")
        assert markdown_cells(costs, "NASWOT") == ["NASWOT", "1,000", "12.5", "40.0", "0.40", "1.29"]


class TestLatex:
    def test_braces_dollars_and_environments_are_balanced(self, written):
        text = re.sub(r"\\[{}$]", "", written["correlations.tex"])
        assert text.count("{") == text.count("}")
        assert text.count("$") % 2 == 0
        opened, closed = (re.findall(rf"\\{word}{{(.*?)}}", text) for word in ("begin", "end"))
        assert sorted(opened) == sorted(closed) == sorted(["table*", "tabular"] * 2)

    def test_it_has_the_rules_of_booktabs_and_no_others(self, written):
        for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
            assert written["correlations.tex"].count(rule) == 2
        assert r"\hline" not in written["correlations.tex"]

    def test_every_row_has_as_many_cells_as_columns(self, written):
        for columns, body in re.findall(
            r"begin{tabular}{(\w+)}(.*?)\\end{tabular}", written["correlations.tex"], re.DOTALL
        ):
            for line in body.splitlines():
                if line.endswith(r"\\"):
                    assert len(re.findall(r"(?<!\\)&", line)) == len(columns) - 1

    def test_each_column_holds_its_own_number(self, written):
        cells = latex_row(written["correlations.tex"], "NASWOT").removesuffix(r"\\").split("&")
        for cell, number in zip(cells, ("NASWOT", ".612", ".762", "+.034", "<.001", "988"), strict=True):
            assert number in cell
        assert "1,000" not in cells[-1], "networks without a score are not used"

    def test_special_characters_are_escaped(self, written):
        text = written["correlations.tex"]
        assert latex_row(text, r"\#Params")
        assert latex_row(text, r"jacob\_cov")
        assert not re.search(r"(?<!\\)[#]", text)
        assert not re.search(r"[^\x00-\x7f]", text)

    def test_the_caption_holds_ground_truth_number_of_networks_and_batch(self, written):
        for caption in re.findall(r"\\caption{(.*)}\n", written["correlations.tex"]):
            assert r"cifar10 test top-1 accuracy (\%), 200 epochs, mean over seeds" in caption
            assert "1,000 architectures" in caption
            assert "mini-batches of 64 from" in caption

    def test_the_best_is_bold_and_verdicts_are_daggers(self, written):
        text = written["correlations.tex"]
        best, worst, tie = (latex_row(text, label) for label in ("NASWOT", "plain", r"jacob\_cov"))
        assert r"$\mathbf{.612}$ {\footnotesize $[.581, .641]$}" in best
        assert text.count(r"\mathbf") == 2 + 2, "the best τ and ρ, and the best τ of each set"
        assert r"$+.034^{\dagger}$" in best
        assert r"$-.822^{\ddagger}$" in worst
        assert "dagger" not in tie

    def test_what_is_missing_is_a_dash(self, written):
        assert latex_row(written["correlations.tex"], "broken").count("--") == 4

    def test_without_scores_there_is_no_table(self, tmp_path, table, heading):
        write_tables(tmp_path, table.head(0), None, heading)
        text = (tmp_path / "correlations.tex").read_text(encoding="utf-8")
        assert "tabular" not in text and "every network" not in text

    def test_without_a_baseline_nothing_is_compared(self, tmp_path, table, heading):
        write_tables(tmp_path, table.assign(verdict="no baseline"), None, heading)
        text = (tmp_path / "correlations.tex").read_text(encoding="utf-8")
        assert "dagger" not in text
        assert r"\Delta" not in text
