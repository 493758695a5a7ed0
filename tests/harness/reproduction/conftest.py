"""A protocol of one's own on the embedded benchmark, with published numbers that its author made up."""

from __future__ import annotations

import pytest

import harness

PROTOCOL = """
title = "A paper on digits"
citation = "me2026"
summary = "Two proxies on digits."
mismatches = ["the paper was never written"]
figures = ["beside_published"]

[[part]]
name = "ranking"
benchmark = "digits"
dataset = "digits"
truth = "test/6"
proxies = ["params", "snip", "naswot", "zico"]
batch_size = 32
architectures = 500
published = ["paper.csv"]

[part.remarks]
snip = "the paper's SNIP is another one"

[[part]]
name = "reachable"
benchmark = "digits"
dataset = "digits"
subset = "reachable"
truth = "test/6"
proxies = ["params"]
run_of = "ranking"

[[part]]
name = "search"
kind = "search"
benchmark = "digits"
dataset = "digits"
truth = "test/6"
proxies = ["snip", "params"]
sizes = [1, 10]
published = ["searches.csv"]
run_of = "ranking"

[[part]]
name = "elsewhere"
kind = "unavailable"
reason = "nobody kept the networks"
"""

PUBLISHED = """source,benchmark,dataset,proxy,coefficient,value,architectures,note,doubt
Table 1,digits,digits,params,kendall,0.55,500,,
Table 1,digits,digits,params,spearman,0.75,500,,
Table 1,digits,digits,snip,kendall,-0.60,500,,the sign is lost
Table 1,digits,digits,naswot,kendall,0.30,100,,
Table 1,digits,digits,zico,kendall,0.50,,,
Table 1,nats-tss,cifar10,params,kendall,0.55,500,,
Table 1,digits,more digits,params,kendall,0.11,500,,
"""

SEARCHES = """source,benchmark,dataset,proxy,networks,truth,accuracy,deviation,searches,note
README,digits,digits,snip,10,test/6,12.00,0.30,3,
"""


@pytest.fixture(scope="session")
def paper(tmp_path_factory):
    """The protocol's file, with its tables beside it."""
    folder = tmp_path_factory.mktemp("paper")
    (folder / "paper.csv").write_text(PUBLISHED)
    (folder / "searches.csv").write_text(SEARCHES)
    (folder / "mine.toml").write_text(PROTOCOL)
    return folder / "mine.toml"


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A run of twelve networks and three of the four proxies, with another batch than the paper's."""
    directory = tmp_path_factory.mktemp("run")
    harness.run("digits", sample=12, proxies="params,snip,naswot", batch_size=16, out=directory)
    return directory
