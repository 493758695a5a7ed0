"""Make ``results/reference`` from the scores in ``results/scores``, and the numbers of the documents from it.

``python -m tools.make_reference`` makes the boards of the scores, every folder that ``results/reference/made.toml``
declares, and the documents; with names of folders, those alone. It needs the ground truth (``harness data get``).
Folders that cannot be made from the scores are declared there too, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness._utils.visible import json_page
from harness.registry import STANDARD
from harness.store.score_files import MANIFEST_CHECKSUM, SCORES_CHECKSUM

REPOSITORY = Path(__file__).parents[1]
REFERENCE = Path("results/reference")
MANIFEST = "manifest.json"
TOOL = "python -m "
"""Commands that begin with this write their folder themselves; others are those of ``harness``."""
IN_SCORES = ("scores.csv.gz", "seeds")
"""What a report writes and ``results/scores`` has already."""


def declared() -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, Sequence[str]]]:
    """The runs to put together from the scores, and the commands that make each folder."""
    stated = _stated()
    return stated["runs"], stated["made"]


def made_otherwise() -> Mapping[str, str]:
    """The folders that are not made from the scores, and why."""
    reasons: dict[str, str] = _stated()["otherwise"]
    return reasons


def _stated() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / REFERENCE / "made.toml").read_text(encoding="utf-8"))


def words_of(command: str, runs: Mapping[str, Mapping[str, str]], places: Path) -> tuple[list[str], list[str]]:
    """A command's words with the directory of each run in its place, and the names of these runs.

    >>> words_of("report A --runs part=B", {"A": {}, "B": {}}, Path("/runs"))
    (['report', '/runs/A', '--runs', 'part=/runs/B'], ['A', 'B'])
    """
    words, used = [], []
    for word in shlex.split(command):
        name, sign, value = word.rpartition("=")
        used += [value] if value in runs else []
        words.append(f"{name}{sign}{places / value}" if value in runs else word)
    return words, used


def make(folder: str, commands: Sequence[str], runs: Mapping[str, Mapping[str, str]], places: Path) -> None:
    """Make one folder of ``results/reference``."""
    out = REFERENCE / folder
    for command in commands:
        if command.startswith(TOOL):
            _python("-m", *shlex.split(command.removeprefix(TOOL)))
            continue
        words, used = words_of(command, runs, places)
        for name in used:
            if not (places / name).exists():
                _put_together(runs[name], places / name)
        _harness(*words, "--out", str(out))
        if words[0] == "report":
            _leave_scores_out(REPOSITORY / out)


def _put_together(run: Mapping[str, str], place: Path) -> None:
    proxies = ",".join(STANDARD) if run.get("proxies") == "standard" else run.get("proxies")
    chosen = ["--proxies", proxies] if proxies else []
    _harness("results", "get", run["scores"], "--setting", run["setting"], *chosen, "--out", str(place))


def _harness(*words: str) -> None:
    _python("-m", "harness", *words)


def _python(*words: str) -> None:
    done = subprocess.run([sys.executable, *words], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"python {shlex.join(words)}\nended with {done.returncode}\n{done.stdout[-2000:]}")


def _leave_scores_out(folder: Path) -> None:
    for name in IN_SCORES:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    manifest = folder / MANIFEST
    stated = json.loads(manifest.read_text(encoding="utf-8"))
    kept = {key: value for key, value in stated.items() if key not in (SCORES_CHECKSUM, MANIFEST_CHECKSUM)}
    manifest.write_text(json_page(kept), encoding="utf-8")


def main() -> None:
    """Make everything, or the folders that are named."""
    runs, made = declared()
    parser = argparse.ArgumentParser(prog="python -m tools.make_reference", description="Make results/reference.")
    parser.add_argument("folders", nargs="*", help="folders of results/reference; default: all, and the boards")
    folders = parser.parse_args().folders
    if unknown := [folder for folder in folders if folder not in made]:
        parser.error(f"made.toml declares no '{unknown[0]}'; it declares {', '.join(made)}")
    os.chdir(REPOSITORY)
    if not folders:
        _harness("results", "boards")
    with tempfile.TemporaryDirectory() as places:
        for folder in folders or made:
            sys.stdout.write(f"{folder}\n")
            sys.stdout.flush()
            make(folder, made[folder], runs, Path(places))
    subprocess.run([sys.executable, "-m", "tools.make_docs"], cwd=REPOSITORY, check=True)


if __name__ == "__main__":
    main()
