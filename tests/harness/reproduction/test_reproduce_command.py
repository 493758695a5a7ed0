"""``harness reproduce`` and ``harness list protocols`` on the command line."""

from __future__ import annotations

import pytest


@pytest.fixture
def call(called):
    def call(*arguments, code=0):
        ended = called(*arguments)
        assert ended.code == code, ended.stderr
        return ended

    return call


def test_finished_runs_are_set_beside_the_paper(call, paper, finished, tmp_path):
    output = call(
        "reproduce", paper, "--out", tmp_path, "--no-run", "--no-figures", "--runs", f"ranking={finished}"
    ).stdout
    for text in ("A paper on digits", "Notes on all rows", "Not run", "nobody kept the networks", "written to"):
        assert text in output
    assert "\x1b[" not in output
    assert (tmp_path / "reproduction.md").is_file()


def test_protocols_are_listed_with_what_they_need(call):
    output = call("list", "protocols").stdout
    for text in ("zico", "epe-nas", "zen-nas", "survey", "tss-cifar10", "zico-table3", "cannot be done here"):
        assert text in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("zyco",), "unknown protocol 'zyco': did you mean 'zico'?"),
        (("zico", "--parts", "tss-cifar"), "unknown part of the protocol zico 'tss-cifar': did you mean"),
        (("zico", "--images", "cifar10"), "invalid --images 'cifar10': write DATASET=PATH"),
        (("zico", "--runs", "a=b", "--runs", "a=c"), "--runs gives a twice; give it once"),
    ],
)
def test_what_the_user_can_mend_is_one_line(call, tmp_path, arguments, message):
    process = call("reproduce", *arguments, "--out", tmp_path, code=2)
    assert process.stderr.startswith("harness: ")
    assert message in process.stderr
    assert len(process.stderr.splitlines()) == 1
