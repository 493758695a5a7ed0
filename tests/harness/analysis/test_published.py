"""Our coefficients beside a paper's: every printed number meets the one of the same proxy and coefficient."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.analysis.published import beside_published, read_published
from harness.display.tables.correlations import published_grid
from harness.display.tables.markdown import markdown_grid
from harness.display.tables.terminal import print_grids
from harness.errors import DataError


@pytest.fixture
def correlations():
    rows = [("zico", 0.62, 0.60, 0.64, 0.81, 0.79, 0.83), ("params", 0.58, 0.55, 0.60, 0.75, 0.72, 0.78)]
    names = ["kendall", "kendall_low", "kendall_high", "spearman", "spearman_low", "spearman_high"]
    table = pd.DataFrame(rows, columns=["proxy", *names])
    return pd.concat([table.assign(set="all", used=1000), table.assign(set="connected", used=900, kendall=0.0)])


def published(tmp_path, *rows):
    path = tmp_path / "paper.csv"
    header = "source,benchmark,dataset,proxy,coefficient,value,architectures,note"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture
def paper(tmp_path):
    return read_published(
        published(
            tmp_path,
            "Paper,nats-tss,cifar10,params,kendall,0.57,15625,",
            "Paper,nats-tss,cifar10,zico,kendall,0.50,15625,",
            "Paper,nats-tss,cifar10,zico,spearman,0.84,15625,",
            "Paper,nats-tss,cifar10,unheard,kendall,0.1,15625,",
            "Paper,nats-tss,cifar100,zico,kendall,0.9,15625,",
        )
    )


def test_each_number_meets_ours(correlations, paper):
    beside = beside_published(correlations, paper, "nats-tss", "cifar10")
    assert list(zip(beside["proxy"], beside["coefficient"], beside["published"], beside["ours"], strict=True)) == [
        ("zico", "kendall", 0.50, 0.62),
        ("params", "kendall", 0.57, 0.58),
        ("zico", "spearman", 0.84, 0.81),
    ]
    assert beside["difference"].round(10).tolist() == [0.12, 0.01, -0.03]
    assert set(beside["used"]) == {1000}


def test_a_value_is_outside_only_if_its_rounding_cannot_explain_it(correlations, paper):
    beside = beside_published(correlations, paper, "nats-tss", "cifar10")
    assert beside["outside"].tolist() == [True, False, True]
    correlations.loc[correlations["proxy"] == "zico", "spearman_high"] = 0.836
    assert beside_published(correlations, paper, "nats-tss", "cifar10")["outside"].tolist() == [True, False, False]


def test_without_an_interval_nothing_is_outside(correlations, paper):
    beside = beside_published(correlations.assign(kendall_low=float("nan")), paper, "nats-tss", "cifar10")
    assert not beside["outside"][1]


def test_nothing_on_this_benchmark_is_refused(correlations, paper):
    with pytest.raises(DataError, match="nothing on digits"):
        beside_published(correlations, paper, "digits", "digits")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Paper,nats-tss,cifar10,zico,pearson,0.5,1,", "'pearson'"),
        ("Paper,nats-tss,cifar10,zico,kendall,57,1,", "57"),
    ],
)
def test_other_than_coefficients_is_refused(tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        read_published(published(tmp_path, row))


def test_a_missing_column_or_file_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("proxy,value\nzico,0.5\n")
    with pytest.raises(DataError, match="has no column 'source'"):
        read_published(tmp_path / "other.csv")
    with pytest.raises(DataError, match=r"no such file: .*none\.csv"):
        read_published(tmp_path / "none.csv")


def test_the_page_shows_what_the_table_holds(correlations, paper, capsys):
    from rich.console import Console

    beside = beside_published(correlations, paper, "nats-tss", "cifar10")
    grid = published_grid(beside, {"zico": "ZiCo"})
    print_grids(Console(width=100), [grid])
    output = capsys.readouterr().out
    assert "ZiCo" in output
    assert "+.120 *" in output
    assert grid.data is beside
    assert r"| ZiCo | τ | .50 | .620 [.600, .640] | +.120 \* |" in markdown_grid(grid)
