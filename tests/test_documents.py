"""The documents agree with the code."""

from __future__ import annotations

import importlib
import math
import re
from pathlib import Path

import pytest
import torch

from harness.contracts.proxy import Proxy
from harness.probe import Probe
from harness.registry import load_benchmark
from tools.make_docs import PUBLIC, pages
from tools.measured import unmarked

REPOSITORY = Path(__file__).parents[1]
PATTERNS = ("*.md", "docs/*.md", "results/**/*.md", "benchmarks/**/*.md", "tests/**/*.md")
PAGES = [page for pattern in PATTERNS for page in sorted(REPOSITORY.glob(pattern))]
OF_RESULTS = [
    *(REPOSITORY / "docs" / name for name in ("what-reproduces.md", "reproduce-a-paper.md")),
    *sorted((REPOSITORY / "results/reference").rglob("README.md")),
]


@pytest.mark.parametrize(("path", "text"), pages().items(), ids=lambda part: getattr(part, "name", ""))
def test_what_is_made_from_declarations_is_up_to_date(path, text):
    assert path.read_text(encoding="utf-8") == text, "run: python -m tools.make_docs"


@pytest.mark.parametrize("page", OF_RESULTS, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_a_coefficient_is_made_from_the_results_or_names_its_origin(page):
    assert unmarked(page.read_text(encoding="utf-8")) == [], "mark it with 'made by', or with 'typed' and its origin"


def prose_of(page):
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)


def anchors_of(page):
    """The anchors of a page's headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_between_files_lead_somewhere(page):
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", prose_of(page)):
        linked = page.parent / target if target else page
        assert linked.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors_of(linked), f"{page.name} links to {target}#{anchor}"


def test_the_architecture_marks_the_public_modules():
    rows = re.findall(r"^\| (`.*?) \| (.*?) \| ", (REPOSITORY / "docs/architecture.md").read_text(), flags=re.M)
    public = [name for names, mark in rows if mark == "yes" for name in re.findall(r"`(\w+)[./]", names)]
    assert {f"harness.{name}" for name in public} == {*PUBLIC, "harness.exhibits"} - {"harness"}


def test_the_citation_is_whole():
    yaml = pytest.importorskip("yaml", reason="PyYAML reads the citation")
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["abstract"].endswith("in comparison with #Params.")
    assert all(citation.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_documents_import_public_names_alone(page):
    code = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S))
    for module, names in re.findall(r"^\s*from (harness[.\w]*) import (\([^)]*\)|[^\n]*)", code, flags=re.M):
        if not module.startswith("harness.exhibits."):
            assert module in PUBLIC
            public = importlib.import_module(module).__all__
            assert set(re.findall(r"\w+", names)) <= set(public)


def test_the_readme_s_proxy_works():
    (code,) = re.findall(
        r"```python\n(from harness import proxy\n.*?)```", (REPOSITORY / "README.md").read_text(), re.S
    )
    names: dict[str, object] = {}
    exec(code, names)
    (example,) = (value for value in names.values() if isinstance(value, Proxy))
    digits = load_benchmark("digits")
    batches = digits.images("digits").batches(8, 1, seed=0)
    torch.manual_seed(0)
    network = digits.build(next(a for a in digits.architectures() if "nor_conv" in a), "digits")
    assert math.isfinite(example(Probe(network, batches)))
