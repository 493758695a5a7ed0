"""Every planted bug still stands where it is planted, and the record names a test that there is."""

from __future__ import annotations

import ast
import re

import pytest
from planted_bugs import ROOT, SURVIVED, all_bugs, recorded

BUGS = all_bugs()


def test_there_are_bugs_in_every_part_of_the_tree():
    files = {bug.file.rpartition("/")[0] for bug in BUGS}
    packages = {path.name for path in (ROOT / "harness").iterdir() if (path / "__init__.py").exists()}
    without = packages - {file.split("/")[1] for file in files if file.startswith("harness/")}
    # The formulas of proxies have bugs of their own, in mutants.py.
    assert without <= {"proxies"}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.file}: {bug.says}")
def test_the_right_text_stands_there_once_and_the_wrong_one_is_python(bug):
    right = (ROOT / bug.file).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(bug.in_text(right))) != ast.dump(ast.parse(right))


@pytest.mark.parametrize("test", sorted({test for bug in BUGS for test in bug.tests}))
def test_what_is_to_notice_is_there(test):
    file, *names = test.partition("[")[0].split("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert all(re.search(rf"(def|class) {name}\b", text) for name in names)


def test_no_bug_stands_twice():
    assert len({(bug.file, bug.says) for bug in BUGS}) == len(BUGS)
    assert len({(bug.file, bug.old, bug.new) for bug in BUGS}) == len(BUGS)


def test_the_record_has_a_row_for_each_and_none_survives():
    record = recorded()
    assert record.keys() == {(bug.file, bug.says) for bug in BUGS}
    assert SURVIVED not in record.values()


def test_what_caught_one_is_a_test_of_the_files_that_are_to_notice():
    record = recorded()
    for bug in BUGS:
        file, *_, name = record[bug.file, bug.says].split("::")
        assert file in {test.partition("::")[0] for test in bug.tests}, bug.says
        text = (ROOT / file).read_text(encoding="utf-8")
        assert f"def {name}(" in text, f"{bug.says}: {file} has no {name}"
