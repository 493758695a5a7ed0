"""``python -m tools.site``: build the site into ``build/site``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tools.site.build import REPOSITORY, Options, build
from tools.site.leaderboard.boards import BoardError


def main() -> None:
    """Build the site, and exit with a number other than 0 if there was an error or a warning."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description="Build the web site.")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "site", help="the folder of the site")
    parser.add_argument("--scores", type=Path, default=Options.scores, help="the folder with the boards")
    parser.add_argument(
        "--repository",
        default=os.environ.get("SITE_REPOSITORY", ""),
        help="the address of the repository, which links to files that are no pages lead to; "
        "default: $SITE_REPOSITORY, and without it, copies of the files",
    )
    parser.add_argument("--branch", default="main", help="the branch that these links show")
    given = parser.parse_args()
    try:
        code = build(Options(given.out.resolve(), given.scores.resolve(), given.repository, given.branch))
    except BoardError as error:
        sys.exit(str(error))
    if not code:
        print(f"Built {given.out / 'index.html'}")  # noqa: T201
    sys.exit(code)


if __name__ == "__main__":
    main()
