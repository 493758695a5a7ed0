"""``harness results …``: the collection of scores that anyone can add to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness._utils.console import console, say, say_json
from harness.cli import completion
from harness.cli.computing import Workers, progress_bar
from harness.cli.shared import Own, pairs, tell
from harness.display.tables.numbers import counted

if TYPE_CHECKING:
    from harness.leaderboard.entry import Entry

results_app = typer.Typer(
    no_args_is_help=True, help="Add scores to a collection, verify, list and get them, and make its boards."
)

Root = Annotated[Path, typer.Option("--collection", help="Folder of the collection.")]
Within = Annotated[
    str, typer.Argument(metavar="[BENCHMARK[/DATASET[/PROXY@VERSION]]]", help="Part of the collection; default: all.")
]
ROOT = Path("results/scores")
"""Where the project keeps its own collection."""

Proxies = Annotated[
    str | None,
    typer.Option(help="Proxies, comma-separated; default: all.", autocompletion=completion.proxy_list),
]


@results_app.command("add")
def results_add(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The --out directory of a run, or that of a report.")],
    by: Annotated[str, typer.Option(help="Who computed the scores; shown beside them.")],
    proxies: Proxies = None,
    root: Root = ROOT,
) -> None:
    """Add the scores of a run, one entry per proxy. Entries that exist get the networks that they lack."""
    from harness.leaderboard.adding import add

    done = add(run, root, by=by, proxies=proxies.split(",") if proxies else None)
    for words, names in (("new", done.new), ("with more networks", done.extended), ("as before", done.unchanged)):
        for name in names:
            say(f"{words}: {name}")
    number = counted(len(done.new), "new entry", "new entries")
    say(f"{number}, {len(done.extended)} extended, {len(done.unchanged)} as before; next: harness results boards")


@results_app.command("list")
def results_list(
    within: Within = "",
    proxies: Proxies = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Show the reference proxies that are missing instead.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    root: Root = ROOT,
) -> None:
    """List the entries, with what they were computed from and by whom."""
    from harness.cli.machine_readable import entries_document
    from harness.leaderboard.collection import entries_in
    from harness.leaderboard.listing import print_entries

    entries = entries_in(root, within, proxies.split(",") if proxies else None)
    if missing:
        _tell_missing(entries)
    elif json:
        say_json(entries_document(entries))
    else:
        print_entries(console(), entries)


@results_app.command("get")
def results_get(
    within: Annotated[str, typer.Argument(metavar="BENCHMARK/DATASET", help="Whose scores.")],
    out: Annotated[Path, typer.Option(help="Directory for the run; it must not contain one.")],
    setting: Annotated[
        str | None,
        typer.Option(help="Name of the setting, or its beginning; default: that with the most networks."),
    ] = None,
    proxies: Proxies = None,
    root: Root = ROOT,
) -> None:
    """Write entries of one setting as a run, which 'harness report' and every analysis opens."""
    from harness.leaderboard.getting import get

    name, outcomes = get(root, within, out, setting=setting, proxies=proxies.split(",") if proxies else None)
    say(f"{counted(outcomes, 'outcome')} of {within}, {name}, written to {out}; next: harness report {out}")


@results_app.command("verify")
def results_verify(
    within: Within = "",
    share: Annotated[
        float, typer.Option(help="Share of the networks to compute again, one at least; 0 checks the files alone.")
    ] = 0.01,
    images: Annotated[
        list[str] | None, typer.Option(help="DATASET=FILES of the images that scores were computed with; repeatable.")
    ] = None,
    own: Own = None,
    seed: Annotated[int, typer.Option(help="Seed for the draw of the networks.")] = 0,
    workers: Workers = 1,
    root: Root = ROOT,
) -> None:
    """Check entries, and compute a drawn part of their scores again. Exit code 1 if any is not as it should be."""
    from harness.leaderboard.verifying import Again, verify

    with progress_bar() as progress:
        again = Again(share, pairs(images or [], "--images", "DATASET=FILES"), own or (), seed, workers, progress)
        found = verify(root, within, again)
    tell(found)


@results_app.command("boards")
def results_boards(within: Within = "", root: Root = ROOT) -> None:
    """Make the boards: the coefficients of all entries, for every ground truth that this machine has."""
    from harness.leaderboard.boards import boards_in, make_board

    for benchmark, dataset in boards_in(root, within):
        board = make_board(root, benchmark, dataset)
        board.write(root)
        say(
            f"{benchmark}/{dataset}: {counted(len(board.about.settings), 'setting')}, "
            f"{counted(len(board.about.truths), 'truth')}, {counted(len(board.table), 'row')}"
        )


def _tell_missing(entries: list[Entry]) -> None:
    from harness.leaderboard.references import missing_references

    boards = sorted({(entry.benchmark, entry.dataset) for entry in entries})
    missing = missing_references(entries, boards)
    for name, proxies in missing.items():
        say(f"{name}: {', '.join(proxies)}")
    if not missing:
        say(f"each of the {counted(len(boards), 'board')} has all reference proxies")
