"""Execute the example notebook: ``python -m tools.notebook`` writes it with its outputs, ``--check`` only tries it.

Cells tagged ``torchvision`` are left out of a check where torchvision cannot be imported.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from harness._utils.console import say

NOTEBOOK = Path(__file__).parents[1] / "docs" / "example.ipynb"


def executed(notebook: Any, without: str = "") -> Any:
    """The notebook with the outputs of a new kernel; cells with the tag are left out."""
    client: Any = import_module("nbclient")
    notebook.cells = [cell for cell in notebook.cells if without not in cell.metadata.get("tags", [])]
    return client.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    ).execute()


def has_torchvision() -> bool:
    """Whether torchvision can be imported; a build for another torch cannot."""
    try:
        import_module("torchvision")
    except Exception:
        return False
    return True


def main() -> None:
    """Execute; write, or check that every cell of code ran and has the number of its place."""
    nbformat: Any = import_module("nbformat")
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="execute, and write nothing")
    options = parser.parse_args()
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    if options.check:
        stale = [c for c in notebook.cells if c.cell_type == "code" and c.execution_count is None]
        if stale:
            sys.exit(f"{NOTEBOOK.name} has cells without outputs; run python -m tools.notebook")
        tag = "" if has_torchvision() else "torchvision"
        executed(notebook, tag or "no such tag")
        say(f"{NOTEBOOK.name}: every cell ran" + (" but those that need torchvision" if tag else ""))
        return
    found = executed(notebook, "no such tag")
    for cell in found.cells:
        cell.metadata.pop("execution", None)
    found.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(found, NOTEBOOK)
    say(f"written: {NOTEBOOK.name}")


if __name__ == "__main__":
    main()
