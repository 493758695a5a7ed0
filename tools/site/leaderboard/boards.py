"""Read the boards: what ``board.csv``, ``board.json`` and the entries beside them state."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._utils.visible import one_line

if TYPE_CHECKING:
    import pandas as pd

SIGNIFICANT = 0.05
"""A difference whose p-value after Holm's correction is below this is a verdict."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
"""Names that become file names and addresses of pages."""

COLUMNS = (
    "setting", "truth", "set", "proxy", "kind", "networks", "used", "kendall", "kendall_low", "kendall_high",
    "spearman", "spearman_low", "spearman_high", "difference", "difference_low", "difference_high", "p_holm",
    "verdict", "top5", "cost",
)  # fmt: skip


class BoardError(ValueError):
    """A board that cannot be shown; the message is one line that names the file."""


@dataclass(frozen=True)
class Choice:
    """One of several settings, ground truths or sets of networks.

    Attributes:
        name: its identifier in the board.
        words: its description.
    """

    name: str
    words: str


@dataclass(frozen=True)
class Estimate:
    """A coefficient with its 95 % interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """A proxy or an aggregate in one setting, against one ground truth, over one set of networks.

    Attributes:
        choice: the setting, the ground truth and the set.
        proxy: its name.
        kind: ``proxy`` or ``aggregate``.
        networks: the number of networks.
        used: those that the coefficients are from.
        kendall: Kendall τ.
        spearman: Spearman ρ.
        difference: τ minus that of the baseline on the same networks.
        p_holm: the p-value of the difference after Holm's correction.
        verdict: the verdict without correction: ``win``, ``tie``, ``loss``, ``undefined`` or ``baseline``.
        top5: the share of the most accurate 5 % that are among the best-scored 5 %.
        cost: the cost on its own, in forward and backward passes.
    """

    choice: tuple[str, str, str]
    proxy: str
    kind: str
    networks: int
    used: int
    kendall: Estimate
    spearman: Estimate
    difference: Estimate
    p_holm: float
    verdict: str
    top5: float
    cost: float

    @property
    def after_holm(self) -> str:
        """The verdict after Holm's correction: ``win``, ``tie``, ``loss``, ``undefined`` or ``baseline``."""
        if self.verdict == "baseline":
            return self.verdict
        if math.isnan(self.p_holm) or math.isnan(self.difference.value):
            return "undefined"
        if self.p_holm >= SIGNIFICANT:
            return "tie"
        return "win" if self.difference.value > 0 else "loss"


@dataclass(frozen=True)
class Printed:
    """A coefficient that a paper prints, and the board's own in its default choice.

    Attributes:
        proxy: the proxy's name.
        coefficient: ``kendall`` or ``spearman``.
        printed: the paper's.
        measured: the board's.
        architectures: the number of networks of the paper's; None if it does not say.
        source: the paper and its table.
        remarks: what is known about it.
    """

    proxy: str
    coefficient: str
    printed: float
    measured: float
    architectures: int | None
    source: str
    remarks: str


@dataclass(frozen=True)
class Entry:
    """The scores of a proxy on a benchmark in one setting.

    Attributes:
        proxy: its name.
        version: its version.
        setting: the identifier of the setting.
        tags: what it needs, such as ``labels``.
        by: who scored.
        command: the command that scores again.
        metadata: the file of these facts.
        scores: the file of the scores; None if it is missing.
    """

    proxy: str
    version: int
    setting: str
    tags: tuple[str, ...]
    by: str
    command: str
    metadata: Path
    scores: Path | None


@dataclass(frozen=True)
class Board:
    """The board of a benchmark and a data set.

    Attributes:
        benchmark: the benchmark's name.
        dataset: the data set.
        title: the benchmark in words.
        settings: the settings, the default first.
        truths: the ground truths, the default first.
        sets: the sets of networks, the default first.
        rows: all rows, in the order of the file.
        entries: the scores, by proxy and setting; of several versions, the newest.
        printed: what papers print.
        file: the CSV file.
    """

    benchmark: str
    dataset: str
    title: str
    settings: tuple[Choice, ...]
    truths: tuple[Choice, ...]
    sets: tuple[Choice, ...]
    rows: tuple[Row, ...]
    entries: Mapping[tuple[str, str], Entry]
    printed: tuple[Printed, ...]
    file: Path

    @property
    def default(self) -> tuple[str, str, str]:
        """The setting, ground truth and set that are shown first."""
        return self.settings[0].name, self.truths[0].name, self.sets[0].name

    def chosen(self, choice: tuple[str, str, str] | None = None) -> list[Row]:
        """The rows of a choice, or of the default one: highest τ first, those without τ last."""
        rows = [row for row in self.rows if row.choice == (choice or self.default)]
        return sorted(rows, key=lambda row: (math.isnan(row.kendall.value), -row.kendall.value, row.proxy))


@dataclass(frozen=True)
class Boards:
    """All boards.

    Attributes:
        boards: the boards, by benchmark and data set.
        missing: a line for each folder with scores but without a board.
    """

    boards: tuple[Board, ...]
    missing: tuple[str, ...]


def read_boards(folder: Path) -> Boards:
    """Read all boards below a folder, which need not exist.

    Raises:
        BoardError: if a board cannot be read.
    """
    found, missing = [], []
    for place in sorted(path for path in folder.glob("*/*") if path.is_dir()):
        files = [place / name for name in ("board.csv", "board.json")]
        if all(file.is_file() for file in files):
            found.append(read_board(place))
        elif any(file.is_file() for file in files):
            absent = next(file for file in files if not file.is_file())
            raise BoardError(f"{absent} is missing; a board consists of board.csv and board.json")
        else:
            missing.append(one_line(f"{place.parent.name}, {place.name}: scores, but no board yet"))
    return Boards(tuple(found), tuple(missing))


def read_board(folder: Path) -> Board:
    """Read the board in a folder.

    Raises:
        BoardError: if a file is damaged, or lacks something.
    """
    import pandas as pd

    table_file, facts_file = folder / "board.csv", folder / "board.json"
    facts = _read_json(facts_file)
    try:
        table = pd.read_csv(table_file, keep_default_na=False, na_values=[""], dtype={"setting": str, "truth": str})
    except (ValueError, OSError) as error:
        raise BoardError(one_line(f"{table_file} cannot be read: {error}")) from error
    if absent := [column for column in COLUMNS if column not in table]:
        raise BoardError(f"{table_file} lacks the columns {', '.join(absent)}")
    try:
        choices = [tuple(_choice(each, key) for each in facts[key]) for key in ("settings", "truths", "sets")]
        if not all(choices):
            raise KeyError("a setting, a ground truth or a set")
        return Board(
            benchmark=_name(facts["benchmark"], facts_file),
            dataset=_name(facts["dataset"], facts_file),
            title=one_line(facts["title"]),
            settings=choices[0],
            truths=choices[1],
            sets=choices[2],
            rows=tuple(_row(record, table_file) for _, record in table.iterrows() if record["kind"] != "truth"),
            entries=_entries(folder),
            printed=tuple(map(_printed, facts.get("printed", ()))),
            file=table_file,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BoardError(one_line(f"{facts_file} lacks {error}")) from error


def _choice(stated: Mapping[str, Any], key: str) -> Choice:
    return Choice(one_line(str(stated["id" if key == "settings" else "name"])), one_line(str(stated["words"])))


def _row(record: pd.Series[Any], file: Path) -> Row:
    def estimate(name: str) -> Estimate:
        return Estimate(*(float(record[f"{name}{end}"]) for end in ("", "_low", "_high")))

    verdict = record["verdict"]
    return Row(
        choice=(one_line(str(record["setting"])), one_line(str(record["truth"])), one_line(str(record["set"]))),
        proxy=_name(record["proxy"], file),
        kind=str(record["kind"]),
        networks=int(record["networks"]),
        used=int(record["used"]),
        kendall=estimate("kendall"),
        spearman=estimate("spearman"),
        difference=estimate("difference"),
        p_holm=float(record["p_holm"]),
        verdict=verdict if isinstance(verdict, str) else "undefined",
        top5=float(record["top5"]),
        cost=float(record["cost"]),
    )


def _entries(folder: Path) -> dict[tuple[str, str], Entry]:
    """The newest entry of each proxy in each setting."""
    found: dict[tuple[str, str], Entry] = {}
    for file in sorted(folder.glob("*@*/*.json")):
        facts = _read_json(file)
        try:
            scores = file.with_suffix(".parquet")
            entry = Entry(
                proxy=_name(facts["proxy"], file),
                version=int(facts["version"]),
                setting=one_line(str(facts["setting_id"])),
                tags=tuple(one_line(str(tag)) for tag in facts["tags"]),
                by=one_line(str(facts.get("by", ""))),
                command=one_line(str(facts.get("command", "")).replace("\n", "; ")),
                metadata=file,
                scores=scores if scores.is_file() else None,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BoardError(one_line(f"{file} lacks {error}")) from error
        known = found.get((entry.proxy, entry.setting))
        if known is None or known.version <= entry.version:
            found[entry.proxy, entry.setting] = entry
    return found


def _printed(stated: Mapping[str, Any]) -> Printed:
    remarks = "; ".join(filter(None, (str(stated["note"]), str(stated["doubt"]))))
    measured = stated["measured"]
    return Printed(
        proxy=one_line(str(stated["proxy"])),
        coefficient=one_line(str(stated["coefficient"])),
        printed=float(stated["printed"]),
        measured=math.nan if measured is None else float(measured),
        architectures=stated["architectures"],
        source=one_line(str(stated["source"])),
        remarks=one_line(remarks),
    )


def _name(text: object, file: Path) -> str:
    if not isinstance(text, str) or not NAME.fullmatch(text):
        raise BoardError(one_line(f"{file} has a name that no page can have: {text!r}"))
    return text


def _read_json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise BoardError(one_line(f"{file} cannot be read: {error}")) from error
    if not isinstance(found, dict):
        raise BoardError(f"{file} is not an object")
    return found
