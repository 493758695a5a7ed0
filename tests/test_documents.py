"""What the documents say is what the code does."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import torch

from harness.documents import DOCUMENTS, proxies_page
from harness.probe import Probe
from harness.proxies.base import Proxy
from harness.registry import load_benchmark

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("docs/*.md")), *sorted(REPOSITORY.glob("results/**/*.md"))]


def test_the_proxies_page_is_up_to_date():
    assert (DOCUMENTS / "proxies.md").read_text(encoding="utf-8") == proxies_page()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_between_files_lead_somewhere(page):
    prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", prose):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


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
