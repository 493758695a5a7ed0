"""Development sessions; each installs what it needs, in the tested versions."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.options.sessions = ["lint", "tests"]
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"

CONSTRAINTS = "constraints.txt"
PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, *groups: str, editable: bool = True) -> None:
    """Install the project and dependency groups in the tested versions."""
    requirements = [requirement for group in groups for requirement in nox.project.dependency_groups(PROJECT, group)]
    session.install(*(["-e"] if editable else []), ".", *requirements, "--constraint", CONSTRAINTS)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the embedded benchmark, and show the table and the location of the figures."""
    install(session, editable=False)
    out = session.posargs[0] if session.posargs else "results/runs/demo"
    session.run("harness", "run", "digits", "--workers", "2", "--out", out)
    session.run("harness", "report", out)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the everyday tests and doctests in parallel; with ``-- --all``, run all tests."""
    install(session, "test")
    session.run(
        "pytest", "--numprocesses", "auto", "--dist", "loadfile", *session.posargs, env={"OMP_NUM_THREADS": "1"}
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and the imports between packages."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports", "--no-cache")


@nox.session
def oldest(session: nox.Session) -> None:
    """Run the main job with the oldest versions that pyproject.toml allows, except for torch (the tested version)."""
    requirements = PROJECT["project"]["dependencies"]
    session.install("torch", "--constraint", CONSTRAINTS)
    session.install(*(each.replace(">=", "==") for each in requirements if not each.startswith("torch")))
    session.install("--no-deps", ".")
    out = session.create_tmp()
    session.run("harness", "run", "digits", "--sample", "6", "--batch-size", "8", "--out", f"{out}/run")
    session.run("harness", "report", f"{out}/run", "--html", f"{out}/page.html")
    session.run("harness", "analyse", "top", f"{out}/run", "--out", f"{out}/top")


@nox.session
def build(session: nox.Session) -> None:
    """Build and check the sdist and the wheel, and try the wheel outside the checkout."""
    session.install("build", "twine", "--constraint", CONSTRAINTS)
    folder = Path(session.create_tmp())
    shutil.rmtree(folder / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(folder / "dist"))
    built = sorted(map(str, (folder / "dist").iterdir()))
    session.run("twine", "check", "--strict", *built)
    wheel = next(path for path in built if path.endswith(".whl"))
    session.install("--force-reinstall", "--no-deps", wheel)
    session.install(wheel, "--constraint", CONSTRAINTS)
    with session.chdir(folder):
        session.run("harness", "--version")
        session.run("harness", "run", "digits", "--sample", "20", "--out", "run")
        session.run("harness", "report", "run")


@nox.session
def gate(session: nox.Session) -> None:
    """Compare the scores, ranking and cost of every standard proxy with the committed baseline."""
    install(session)
    session.run(
        "harness", "check", "--baseline", "results/baselines/digits", *session.posargs, env={"OMP_NUM_THREADS": "1"}
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the cost of the proxies in forward-backward passes, and the time of loading and analysis."""
    install(session)
    session.run("python", "-m", "tools.perf", *session.posargs)


@nox.session
def site(session: nox.Session) -> None:
    """Build the web site, with the leaderboard, in build/site, and test it in a browser; it opens without a server."""
    # The contracts for third parties, which the reference shows, are tests.
    install(session, "site", "test")
    session.run("python", "-m", "tools.site", *session.posargs)
    if not session.posargs:
        session.run("pytest", "tests/tools/site", "--numprocesses", "auto", env={"HARNESS_SITE": "build/site"})


@nox.session
def docs(session: nox.Session) -> None:
    """Check that the generated pages are up to date, and that the example notebook runs.

    ``python -m tools.make_docs`` and ``python -m tools.notebook`` write them.
    """
    install(session, "test", "notebook")
    session.run("python", "-m", "tools.make_docs", *(session.posargs or ["--check"]))
    session.run("python", "-m", "tools.notebook", "--check")
