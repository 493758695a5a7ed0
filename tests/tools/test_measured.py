"""Numbers in documents follow the results, and what cannot be made is told."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from tools import measured, reference_tables
from tools.measured import COMPARISONS, MAKERS, filled, unmarked
from tools.reference_tables import REFERENCE, in_words

SENTENCE = (
    "ZiCo is <!-- made by: verdict zico mine -->?<!-- end --> by <!-- made by: difference zico mine -->?<!-- end -->."
)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Writes the tables of a single comparison, ``mine``, that every maker reads from then on."""
    monkeypatch.setattr(reference_tables, "REFERENCE", tmp_path)
    monkeypatch.setattr(measured, "COMPARISONS", {"mine": "Mine"})

    def write(**verdicts):
        reference_tables.table.cache_clear()
        measured._verdicts.cache_clear()
        rows = [("params", "baseline", 0.0), *((proxy, *known) for proxy, known in verdicts.items())]
        table = pd.DataFrame(rows, columns=["proxy", "verdict", "difference"])
        table = table.assign(set="all", kind="proxy", networks=100, kendall=0.5 + table["difference"], p_holm=0.04)
        for name in ("kendall", "difference"):
            table[f"{name}_low"], table[f"{name}_high"] = table[name] - 0.02, table[name] + 0.02
        (tmp_path / "mine").mkdir(exist_ok=True)
        table.to_csv(tmp_path / "mine" / "correlations.csv", index=False)

    yield write
    reference_tables.table.cache_clear()
    measured._verdicts.cache_clear()


class TestFilling:
    def test_a_number_and_a_verdict_change_when_the_results_do(self, mine):
        mine(zico=("win", 0.03))
        first = filled(SENTENCE, "page")
        assert ">better<" in first
        assert ">+.030 [+.010, +.050]<" in first
        assert filled(first, "page") == first
        mine(zico=("loss", -0.05))
        assert filled(first, "page") == first.replace("better", "worse").replace(
            "+.030 [+.010, +.050]", "−.050 [−.070, −.030]"
        )

    def test_a_table_stands_between_empty_lines(self, mine):
        mine(zico=("win", 0.03), snip=("loss", -0.2))
        made = filled("a\n\n<!-- made by: verdict_table -->\n<!-- end -->\n\nb", "page")
        assert made == (
            "a\n\n<!-- made by: verdict_table -->\n\n| proxy | better | worse |\n| --- | --- | --- |\n"
            "| ZiCo | 1 (Mine) | 0 |\n| SNIP | 0 | 1 (Mine) |\n\n<!-- end -->\n\nb"
        )

    def test_a_typed_number_stays(self, mine):
        mine(zico=("win", 0.03))
        typed = "The table prints <!-- typed: their README -->.33<!-- end -->."
        assert filled(f"{SENTENCE} {typed}", "page").endswith(typed)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a <!-- typed: printed -->.5", "lacks its '<!-- end -->'"),
            ("a\n<!-- typed: printed -->.5<!-- end --> b", "begins a line of prose"),
            ("a <!-- made by: tau zico mine -->", "lacks its '<!-- end -->'"),
            ("a <!-- end -->", "lacks its '<!-- end -->'"),
            ("a\n  <!-- made by: tau zico mine -->.5<!-- end --> b", "begins a line of prose"),
            ("a <!-- made by: tua zico mine -->.5<!-- end -->", r"'tua zico mine' cannot be made \(KeyError"),
            ("a <!-- made by: tau zyco mine -->.5<!-- end -->", r"cannot be made \(KeyError"),
            ("a <!-- made by: tau zico yours -->.5<!-- end -->", r"cannot be made \(FileNotFoundError"),
            ("a <!-- made by: within nowhere -->.5<!-- end -->", r"cannot be made \(FileNotFoundError"),
            ("a <!-- made by: tau zico -->.5<!-- end -->", r"cannot be made \(TypeError"),
        ],
    )
    def test_what_cannot_be_made_is_told_with_the_page(self, mine, text, message):
        mine(zico=("win", 0.03))
        with pytest.raises(ValueError, match=f"^page: .*{message}"):
            filled(text, "page")


class TestConsistency:
    def test_who_is_better_somewhere_and_worse_nowhere_is_named(self, mine):
        mine(zico=("win", 0.03), snip=("loss", -0.2))
        assert MAKERS["consistently"]() == "ZiCo is better in some and worse in none"
        mine(zico=("tie", 0.01), snip=("loss", -0.2))
        assert MAKERS["consistently"]().startswith("each proxy that is better")
        assert MAKERS["after_holm"]("better", "mine") == MAKERS["sets_with"]("better", "mine") == "none"


def test_every_comparison_is_committed_and_has_its_line_in_the_index():
    index = (REFERENCE / "README.md").read_text(encoding="utf-8")
    assert all(f"({run}/README.md)" in index for run in COMPARISONS)
    assert len(measured._common()) == 18, "the survey's thirteen, AZ-NAS's three and their aggregate, and chance"


def test_the_verdicts_over_all_comparisons_need_no_ground_truth(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    rows = {line.split(" | ")[0][2:]: line for line in MAKERS["verdict_table"]().splitlines()}
    for proxy in ("ZiCo", "NASWOT", "SynFlow"):
        assert sum(int(cell.split(" ")[0]) for cell in rows[proxy].strip("| ").split(" | ")[1:]) == len(COMPARISONS)


def test_a_sum_of_sizes_is_compared_where_it_was_scored():
    table = MAKERS["size_table"]("zico")
    assert table.count("\n") == 1 + len(list((REFERENCE / "reproduction/size").glob("*/pairs.csv")))


def test_what_depends_on_the_seed_and_on_the_images_is_listed_with_its_agreement(monkeypatch, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "seeds.csv").write_text("proxy,agreement\nparams,1\nplain,0.4\njacob_cov,-0.05\n")
    reference_tables.table.cache_clear()
    monkeypatch.setattr(reference_tables, "REFERENCE", tmp_path)
    assert MAKERS["seeds_apart"]("mine") == "Jacob cov (−.050) and Plain (.400)"
    assert MAKERS["agreement"]("plain", "mine") == ".400"
    assert "Jacob cov (" in MAKERS["dependent"]("images") and "#Params" not in MAKERS["dependent"]("images")
    assert "MeCo (" in MAKERS["dependent_in"]("transnas-micro class_scene", "resolution")
    with pytest.raises(LookupError, match="no measurement of resolution on digits"):
        MAKERS["dependent_in"]("digits", "resolution")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("τ .554 [.494, −.608] and 1.000", [".554", ".494", "−.608", "1.000"]),
        ("by +.03, after a `.554`", ["+.03"]),
        (
            "```\n.554\n```\n<!-- made by: tau zico digits -->.489<!-- end --> <!-- typed: printed -->.33<!-- end -->",
            [],
        ),
        ("below .8, 93.76 %, version 1.0, README.md, 0.997 and 10.000", []),
    ],
)
def test_a_coefficient_outside_the_comments_is_found(text, found):
    assert unmarked(text) == found


class TestAgainstTheTables:
    """What is made from the committed tables, against the tables."""

    RUN = "nats-tss-cifar100"

    @pytest.fixture
    def rows(self):
        table = pd.read_csv(REFERENCE / self.RUN / "correlations.csv")
        return table[(table["set"] == "all") & (table["kind"] != "truth")].set_index("proxy")

    def test_each_verdict_is_in_one_list_before_or_after_correction(self, rows):
        for word, verdict in (("better", "win"), ("worse", "loss")):
            after, before = MAKERS["after_holm_with_tau"](word, self.RUN), MAKERS["before_holm_alone"](word, self.RUN)
            numbers = re.findall(r"\((−?\.\d{3})\)", f"{after} {before}")
            wanted = rows.loc[rows["verdict"] == verdict, "kendall"]
            found = sorted(float(number.replace("−", "-")) for number in numbers)
            assert found == pytest.approx(sorted(wanted), abs=0.00051)
            assert MAKERS["number_after_holm"](word, self.RUN) == str(len(re.findall(r"\(−?\.\d+\)", after)))

    def test_a_ground_truth_is_ranked_beside_the_proxies_but_is_none(self, rows):
        assert "val/12" not in MAKERS["after_holm"]("better", self.RUN)
        table = pd.read_csv(REFERENCE / self.RUN / "correlations.csv")
        (truth,) = table.loc[(table["set"] == "all") & (table["kind"] == "truth"), "kendall"]
        ahead = MAKERS["ahead_of"]("val/12", self.RUN)
        assert in_words(int((rows["kendall"] > truth).sum())) == ahead

    def test_a_proxy_ranks_the_wrong_way_if_its_whole_interval_is_below_zero(self, rows):
        assert MAKERS["wrong_way"](self.RUN).count("(−") == (rows["kendall_high"] < 0).sum() > 0

    def test_printed_values_have_the_digits_of_their_paper(self):
        assert MAKERS["printed"]("zico-table3", "ntk", self.RUN) == ".33"
        assert MAKERS["printed"]("suite-zero-figure2", "grasp", "transnas-micro-autoencoder", "spearman") == "−.12"
        row = MAKERS["beside_table"](self.RUN, "near-correlations/near/all/spearman").splitlines()[-1]
        assert row.startswith("| NEAR | ρ | .87 | NEAR | 15,625 | .")

    def test_values_outside_are_listed_and_the_others_counted(self):
        for run in ("nats-tss-cifar100", "transnas-micro-autoencoder"):
            inside, of = map(int, MAKERS["within_table"](run).split(" of "))
            assert MAKERS["outside_table"](run).count("printed") == of - inside
        # SynFlow has no ranking there, so nothing is within an interval.
        assert MAKERS["within_table"]("transnas-micro-autoencoder") == "9 of 11"

    def test_a_table_of_agreement_escapes_bars(self):
        table = MAKERS["agreement_table"]()
        assert r"ZiCo (\|g\|)" in table
        assert len({line.replace(r"\|", "").count("|") for line in table.splitlines()}) == 1
