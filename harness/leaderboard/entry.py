"""One entry: the scores of one version of a proxy in one setting, as a table and a description beside it.

Both lie at ``<benchmark>/<dataset>/<proxy>@<version>/<setting>``, as ``.parquet`` and ``.json``. The description says
everything that the table does not: the setting, the software, who computed the scores, and how. Its checksums reveal
that either file was changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from harness._utils.names import listed
from harness.errors import HarnessError
from harness.store.columns import COLUMNS as OUTCOME_COLUMNS
from harness.store.records import Setting, Status
from harness.store.score_files import read_manifest, write_manifest

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
"""The format of an entry's files; a reader refuses others."""

COLUMNS = tuple(column for column in OUTCOME_COLUMNS if column not in ("proxy", "version"))
"""The columns of an entry's outcomes."""

TIMES = tuple(column for column in COLUMNS if column.endswith("_seconds"))
"""Those with times. The file has them in whole microseconds, which take half the space."""

_IN_FILE = {column: column.replace("_seconds", "_microseconds") for column in TIMES}

WHICH_NETWORKS = ("subset", "sample_seed")
"""What says which networks were scored, and changes no score; two samples of one setting share an entry."""


@dataclass(frozen=True)
class Entry:
    """The description of an entry.

    Attributes:
        setting: everything that determines its scores.
        proxy: the proxy's name.
        version: its version.
        networks: the number of networks that it has an outcome for.
        counts: the number of outcomes by status.
        samples: the sets and seeds that the networks were drawn with, as ``[set, seed]``.
        tags: what the scores were computed from: ``labels``, ``images``, ``noise`` or ``nothing``; ``supervised`` if
            constants of the proxy were chosen with accuracies; ``elsewhere`` if other code computed them.
        by: who computed or contributed them.
        command: how, one line for each sample.
        packages: the versions of the packages.
        python: that of Python.
        machine: the kind of processor.
        facts: those of a proxy that is not registered: ``better``, ``label`` and the hash of its source.
        file: where the description lies; None before it is written.
    """

    setting: Setting
    proxy: str
    version: int
    networks: int
    counts: Mapping[str, int]
    samples: tuple[tuple[str, int], ...]
    tags: tuple[str, ...]
    by: str
    command: str
    packages: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    machine: str = ""
    facts: Mapping[str, Any] | None = None
    file: Path | None = field(default=None, compare=False)

    @property
    def benchmark(self) -> str:
        """The benchmark's name."""
        return self.setting.benchmark

    @property
    def dataset(self) -> str:
        """The data set."""
        return self.setting.dataset

    @cached_property
    def setting_id(self) -> str:
        """The name of its setting; see :func:`setting_id`."""
        return setting_id(self.setting)

    @property
    def name(self) -> str:
        """Where it lies in a collection, without the ending of a file."""
        return f"{self.benchmark}/{self.dataset}/{self.proxy}@{self.version}/{self.setting_id}"

    @property
    def table(self) -> Path:
        """The file with its scores."""
        assert self.file is not None
        return self.file.with_suffix(".parquet")

    def scores(self) -> pd.DataFrame:
        """Its outcomes, one row per network, with the columns :data:`COLUMNS`.

        Raises:
            HarnessError: if the table is damaged, or does not fit the description.
        """
        return _read_table(self)


def setting_id(setting: Setting) -> str:
    """The name of a setting: what most readers ask for, and a hash of all that determines a score.

    >>> setting = Setting("b", "d", "all", 0, 1, 64, "noise", True, "f", "default", "float32", "cpu", "2.13.0")
    >>> setting_id(setting)
    'batch64-noise-seed1-bc9b69c0'
    """
    stated = {name: value for name, value in asdict(setting).items() if value is not None}
    stated = {name: value for name, value in stated.items() if name not in WHICH_NETWORKS}
    digest = hashlib.blake2b(json.dumps(stated, sort_keys=True).encode(), digest_size=4).hexdigest()
    if setting.origin is not None:
        return f"elsewhere-{digest}"
    words = (
        f"batch{setting.batch_size}",
        f"{setting.resolution}px" if setting.resolution else "",
        "noise" if setting.noise else "",
        "once" if setting.once_per_class else "",
        f"seed{setting.seed}",
        digest,
    )
    return "-".join(filter(None, words))


def write_entry(root: Path, entry: Entry, scores: pd.DataFrame) -> Path:
    """Write both files of an entry into a collection; returns that of the description.

    Times are kept to the microsecond, scores to the last bit.
    """
    file = root / f"{entry.name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    table = scores[list(COLUMNS)].sort_values("architecture", ignore_index=True)
    for column in TIMES:
        table[column] = (1e6 * table[column].astype(float)).round().astype("Int64")
    beside = file.with_suffix(".parquet")
    table.rename(columns=_IN_FILE).to_parquet(
        beside,
        index=False,
        compression="zstd",
        compression_level=19,
        use_dictionary=["status"],
        column_encoding={"value": "BYTE_STREAM_SPLIT"},
    )
    write_manifest(file, {"format": FORMAT, **_as_stated(entry)}, beside)
    return file


def read_entry(file: Path, root: Path) -> Entry:
    """Read the description of an entry, after checking both files against its checksums.

    Raises:
        HarnessError: if a file is missing, damaged, of another format, or does not lie where the description says.
    """
    beside = file.with_suffix(".parquet")
    if not beside.is_file():
        raise HarnessError(f"'{file}' has no scores beside it ('{beside.name}')")
    stated = read_manifest(file, beside)
    if stated.get("format") != FORMAT:
        raise HarnessError(f"'{file}' has format {stated.get('format')!r}; this harness reads format {FORMAT}")
    try:
        kept = {each.name: stated[each.name] for each in fields(Entry) if each.name not in ("file", "facts")}
        entry = Entry(
            **{
                **kept,
                "setting": Setting(**stated["setting"]),
                "samples": tuple((str(subset), int(seed)) for subset, seed in stated["samples"]),
                "tags": tuple(stated["tags"]),
            },
            facts=stated.get("facts"),
            file=file,
        )
        place = file.relative_to(root).with_suffix("").as_posix()
    except (KeyError, TypeError, ValueError) as error:
        raise HarnessError(f"'{file}' is not the description of an entry ({error!r})") from error
    if place != entry.name:
        raise HarnessError(f"'{file}' describes '{entry.name}', so it belongs at '{entry.name}.json'")
    return entry


def _as_stated(entry: Entry) -> dict[str, Any]:
    place = {name: getattr(entry, name) for name in ("benchmark", "dataset", "proxy", "version", "setting_id")}
    others = (each.name for each in fields(Entry) if each.name not in {*place, "setting", "file", "facts"})
    stated = {**place, **{name: getattr(entry, name) for name in others}, "setting": asdict(entry.setting)}
    return stated if entry.facts is None else {**stated, "facts": dict(entry.facts)}


def _read_table(entry: Entry) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_parquet(entry.table)
    except (OSError, ValueError) as error:
        raise HarnessError(f"'{entry.table}' is not a table of scores ({error})") from error
    wanted = [_IN_FILE.get(column, column) for column in COLUMNS]
    if list(table.columns) != wanted:
        raise HarnessError(f"'{entry.table}' has the columns {listed(table.columns)}; it needs {listed(wanted)}")
    table.columns = pd.Index(COLUMNS)
    for column in TIMES:
        table[column] = table[column].astype("Float64").astype(float) / 1e6
    counts = table["status"].value_counts().to_dict()
    if len(table) != entry.networks or counts != dict(entry.counts) or table["architecture"].duplicated().any():
        raise HarnessError(f"'{entry.table}' does not have the {entry.networks:,} outcomes that its description states")
    if not set(counts) <= set(get_args(Status)) or ((table["status"] == "ok") != table["value"].notna()).any():
        raise HarnessError(f"'{entry.table}' has a score without the status 'ok', or that status without a score")
    return table
