"""Sessions: what a fresh machine needs is installed by each of them, at the tested versions."""

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
    """Install the project and its dependency groups at the tested versions."""
    requirements = [requirement for group in groups for requirement in nox.project.dependency_groups(PROJECT, group)]
    session.install(*(["-e"] if editable else []), ".", *requirements, "--constraint", CONSTRAINTS)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the main job on the embedded benchmark and show the table and where the figures are."""
    install(session, editable=False)
    out = session.posargs[0] if session.posargs else "results/runs/demo"
    session.run("harness", "run", "digits", "--workers", "2", "--out", out)
    session.run("harness", "report", out)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the everyday tests and the doctests, a file at a time on each core; all of them with ``-- --all``."""
    install(session, "test")
    session.run(
        "pytest", "--numprocesses", "auto", "--dist", "loadfile", *session.posargs, env={"OMP_NUM_THREADS": "1"}
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and which room may import which."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports", "--no-cache")


@nox.session
def oldest(session: nox.Session) -> None:
    """Run the main job with the oldest versions that pyproject.toml allows, but for torch, which is the tested one."""
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
    """Build the sdist and the wheel, check them, and use the wheel in this environment, outside the checkout."""
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
    """Check that every standard proxy still computes, ranks and costs what the committed baseline says."""
    install(session)
    session.run(
        "harness", "check", "--baseline", "results/baselines/digits", *session.posargs, env={"OMP_NUM_THREADS": "1"}
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the suite's cost as a ratio to one forward and backward pass, loading, and the analysis."""
    install(session)
    session.run("python", "-m", "tools.perf", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Generate the pages that are made from declared facts, and check that the committed ones are up to date."""
    install(session)
    session.run("python", "-m", "tools.make_docs", *(session.posargs or ["--check"]))
