"""The planted bugs of ``bugs/*.toml``: slips of one line, all over the tree, and the record of what catches them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).with_name("bugs")
RECORD = Path(__file__).with_name("README.md")
SURVIVED = "**nothing**"

INTRODUCTION = """# Planted bugs

Slips of one line, all over the tree, and for each an everyday test that catches it, without nightly tests and without
real data. `bugs/*.toml` holds them: what is wrong, the file, its right text, the wrong one, and the tests that are to
notice. This page is made by

```
python tests/mutations/try_bugs.py
```

It plants one bug after another in copies of the tree, runs the test that caught it before and, if that passes, all
that are to notice. It ends with 1 if a bug survives, or if one of these tests fails on the tree as it is. Words after
the command choose bugs by their file or by what is wrong, `--room store` one list; the rows of all others stay.

Bugs in the formulas of the proxies, which the regression gate is to name, are in `mutants.py`, and what it says of
them is in `results/baselines/mutations.csv`.

{count} bugs, {caught} caught.
"""


@dataclass(frozen=True)
class Bug:
    """A slip that a developer may make.

    Attributes:
        room: the list that it stands in.
        says: what is wrong, in words.
        file: where, from the root of the tree.
        old: the right text, which stands there once.
        new: the wrong text in its place.
        tests: the test files, or tests, that are to notice.
    """

    room: str
    says: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def plant(self, root: Path) -> None:
        """Put it into a copy of the tree."""
        path = root / self.file
        path.write_text(self.in_text(path.read_text(encoding="utf-8")), encoding="utf-8")

    def in_text(self, text: str) -> str:
        """The file's text with the bug.

        Raises:
            ValueError: if the right text does not stand there exactly once.
        """
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} has {self.old!r} {text.count(self.old)} times: {self.says}")
        return text.replace(self.old, self.new)

    def narrowed(self, test: str) -> str:
        """A test with the parameters that are to notice, where the list names some."""
        return next((named for named in self.tests if named.startswith(f"{test}[")), test)

    def answers_to(self, words: Iterable[str]) -> bool:
        """Whether one of these words is in its file or in what it says."""
        return any(word in text for word in words for text in (self.file, self.says))


def all_bugs() -> list[Bug]:
    """Every bug, list after list."""
    return [
        Bug(path.stem, bug["says"], bug["file"], bug["old"], bug["new"], tuple(bug["tests"]))
        for path in sorted(LISTS.glob("*.toml"))
        for bug in tomllib.loads(path.read_text(encoding="utf-8"))["bug"]
    ]


def recorded() -> dict[tuple[str, str], str]:
    """What caught each bug, by its file and what it says, as the record has it."""
    text = RECORD.read_text(encoding="utf-8") if RECORD.exists() else ""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {(file.strip("`"), says): by.strip("`") for says, file, by in rows if file.startswith("`")}


def write_record(caught: Mapping[tuple[str, str], str]) -> None:
    """Write the record of all bugs; one that was never tried has no row."""
    bugs = [bug for bug in all_bugs() if (bug.file, bug.says) in caught]
    number = sum(caught[bug.file, bug.says] != SURVIVED for bug in bugs)
    blocks = [INTRODUCTION.format(count=len(bugs), caught=number)]
    for room in dict.fromkeys(bug.room for bug in bugs):
        lines = [f"## {room.capitalize()}", "", "| what is wrong | where | caught by |", "|---|---|---|"]
        for bug in bugs:
            by = caught[bug.file, bug.says]
            if bug.room == room:
                lines.append(f"| {bug.says} | `{bug.file}` | {by if by == SURVIVED else f'`{by}`'} |")
        blocks.append("\n".join(lines) + "\n")
    RECORD.write_text("\n".join(blocks), encoding="utf-8")
