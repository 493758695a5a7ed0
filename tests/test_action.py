"""The composite action calls commands and options that exist."""

import re
import subprocess
from pathlib import Path

import pytest
import typer.main

from harness.cli import app

REPOSITORY = Path(__file__).parents[1]
yaml = pytest.importorskip("yaml", reason="PyYAML reads the action")


@pytest.fixture(scope="module")
def action():
    return yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))


def test_every_input_is_described_and_used(action):
    steps = str(action["runs"]["steps"])
    for name, facts in action["inputs"].items():
        assert facts["description"] and f"inputs.{name}" in steps


def test_inputs_reach_the_shell_as_variables_alone(action):
    """An input pasted into a script could run code of whoever opens a pull request."""
    assert not any("${{" in step["run"] for step in action["runs"]["steps"])


def test_the_options_exist(action):
    command = typer.main.get_command(app).commands["check"]
    known = {option for parameter in command.params for option in parameter.opts}
    script = action["runs"]["steps"][-1]["run"]
    assert set(re.findall(r"(?<!\S)\(?(--[a-z-]+)", script)) <= known


def test_the_scripts_are_bash(action):
    for step in action["runs"]["steps"]:
        subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)
