"""The page of a report: well-formed, closed in itself, readable without eyes, and no one's script but its own."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

import harness
from harness.exhibits.stability import stability
from harness.reporting.page.build import html_page
from harness.reporting.page.summary import summarise
from harness.results import open_run

VOID = {"meta", "link", "img", "br", "hr", "input"}
EVIL = "<script>alert(1)</script>\"'&"


class Page(HTMLParser):
    """A page as a list of elements; fails where a tag is closed that is not open."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute stands twice in {tag}"
        self.elements.append((tag, dict(attrs), tuple(name for name, _ in self.open)))
        if tag not in VOID:
            self.open.append((tag, len(self.elements) - 1))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        for _, place in self.open:
            self.texts[place] = self.texts.get(place, "") + data

    def all(self, tag):
        return [attributes for name, attributes, _ in self.elements if name == tag]

    def text_of(self, tag):
        return [self.texts.get(place, "") for place, (name, _, _) in enumerate(self.elements) if name == tag]


def page_of(report, exhibits=(), missing=()):
    summary = summarise(report.correlations, report.heading, report.labels, report.subset)
    return html_page(report.exhibit(), summary, report.labels, report.manifest, exhibits, missing)


@pytest.fixture(scope="module")
def report(digits_runs):
    return harness.report(digits_runs[0])


@pytest.fixture(scope="module")
def exhibit(digits_runs):
    return stability([open_run(directory) for directory in digits_runs])


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures are not drawn again where the test is not about them."""
    monkeypatch.setattr("harness.reporting.page.figures.figure_bytes", lambda *_, **__: b"<svg/>")


@pytest.fixture(scope="module")
def text(report, exhibit):
    return page_of(report, (exhibit,), ("top: 24 networks are too few",))


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


class TestForm:
    def test_it_is_a_document_with_language_title_and_one_first_heading(self, text, page):
        assert text.startswith("<!doctype html>")
        assert page.all("html") == [{"lang": "en"}]
        assert len(page.all("title")) == len(page.all("h1")) == len(page.all("main")) == 1

    def test_anchors_are_unique_and_every_link_inside_leads_somewhere(self, page):
        anchors = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
        assert len(anchors) == len(set(anchors))
        inside = [attributes["href"][1:] for attributes in page.all("a") if attributes["href"].startswith("#")]
        assert inside and set(inside) <= set(anchors)
        named = [a[key] for _, a, _ in page.elements for key in ("aria-labelledby", "aria-describedby") if key in a]
        assert set(named) <= set(anchors)

    def test_every_section_is_in_the_contents(self, page):
        sections = [attributes["id"] for attributes in page.all("section")]
        links = [a["href"][1:] for tag, a, parents in page.elements if tag == "a" and "nav" in parents]
        assert links == sections

    def test_headings_do_not_skip_a_level(self, page):
        levels = [int(tag[1]) for tag, _, parents in page.elements if re.fullmatch(r"h\d", tag) and "main" in parents]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))

    def test_the_same_report_gives_the_same_page(self, report, exhibit, undrawn):
        assert page_of(report, (exhibit,)) == page_of(report, (exhibit,))

    def test_it_is_small(self, text):
        assert len(text.encode()) < 1_500_000


class TestClosedInItself:
    def test_nothing_is_fetched_and_only_papers_are_linked(self, page):
        for tag, attributes, parents in page.elements:
            for key in ("src", "href", "srcset", "poster", "data", "action"):
                address = attributes.get(key, "")
                if address and tag == "a" and "cite" in parents:
                    assert address.startswith("https://arxiv.org/abs/")
                else:
                    assert address == "" or address.startswith(("#", "data:")), f"{tag} {key} {address[:80]}"

    def test_the_style_sheet_and_the_script_ask_for_nothing(self, page):
        for text in [*page.text_of("style"), *page.text_of("script")]:
            assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|import\(|https?:", text)

    def test_the_policy_allows_its_own_script_and_style_alone(self, page):
        (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        for tag in ("style", "script"):
            (own,) = page.text_of(tag)
            digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
        assert not [attributes for _, attributes, _ in page.elements if "style" in attributes]
        assert not [key for _, attributes, _ in page.elements for key in attributes if key.startswith("on")]


class TestLinksWithoutCosts:
    def test_no_link_is_dead_and_no_definition_is_without_use(self, report, undrawn):
        text = page_of(replace(report, costs=report.costs.head(0)))
        page = Page(text)
        anchors = {attributes["id"] for _, attributes, _ in page.elements if "id" in attributes}
        inside = {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")}
        assert inside <= anchors and "costs" not in inside
        assert not re.search(r"Used in\s*</span>", text)


class TestAccess:
    def test_every_picture_says_what_it_shows(self, page):
        pictures = page.all("img")
        assert len(pictures) == 3
        for attributes in pictures:
            assert len(attributes["alt"]) > 20
            assert attributes["src"].startswith(("data:image/svg+xml;base64,", "data:image/png;base64,"))
            assert int(attributes["width"]) > 0 < int(attributes["height"])

    def test_every_head_of_a_table_is_a_button_with_a_name(self, page):
        heads = [place for place, (tag, a, _) in enumerate(page.elements) if tag == "th" and a.get("scope") == "col"]
        assert len(heads) > 20
        for place in heads:
            assert page.elements[place][1]["aria-sort"] == "none"
            assert page.elements[place + 1][0] == "button"
            assert page.texts[place].strip()

    def test_every_table_has_a_caption_and_rows_with_names(self, page):
        assert len(page.all("caption")) == len(page.all("table"))
        rows = [place for place, (tag, _, parents) in enumerate(page.elements) if tag == "tr" and "tbody" in parents]
        for first, last in zip(rows, [*rows[1:], len(page.elements)], strict=True):
            names = [a for tag, a, _ in page.elements[first:last] if tag == "th" and a.get("scope") == "row"]
            assert len(names) == 1


class TestContent:
    def test_the_numbers_are_those_of_the_report(self, report, page):
        best = report.correlations.iloc[0]
        main = " ".join(page.text_of("main")[0].split())
        value = f"{best['kendall']:.3f}".replace("0.", ".", 1)
        assert f"Kendall τ {value}" in main
        assert "24 networks" in main

    def test_exhibits_and_what_is_missing_are_shown(self, page):
        main = page.text_of("main")[0]
        assert "Stability of the proxies between runs" in main
        assert "2 runs that differ in: seed 0, 1" in main
        assert "top: 24 networks are too few" in main

    def test_downloads_hold_every_digit(self, report, page):
        (link,) = [a["href"] for a in page.all("a") if a.get("download") == "correlations.csv"]
        assert base64.b64decode(link.partition(",")[2]).decode() == report.correlations.to_csv(index=False)

    def test_noise_is_announced(self, report, undrawn):
        noisy = replace(report, heading=replace(report.heading, noise=True))
        text = page_of(noisy)
        assert "The inputs are noise, no real images" in text and "NOISE, NO REAL IMAGES" in text

    def test_a_run_without_a_baseline_says_so(self, report, undrawn):
        table = report.correlations
        alone = replace(report, correlations=table[table["proxy"] != "params"].assign(verdict="no baseline"))
        text = page_of(alone)
        assert "No baseline was scored, so no proxy is compared with one." in text
        assert "significantly better" not in text

    def test_warnings_end_once_and_count_each_proxy_once(self, report):
        few = report.correlations.assign(networks=5, used=4, failed=1, distinct=1)
        rows = few[few["set"] == "all"]
        said = summarise(few, report.heading, report.labels, "all").warnings
        assert not any(sentence.endswith("..") for sentence in said)
        assert any(sentence.startswith("With 5 networks") for sentence in said)
        assert any(sentence.startswith(f"{len(rows)} proxies do not rank all networks") for sentence in said)

    def test_a_proxy_that_failed_everywhere_is_a_warning(self, report, undrawn):
        table = report.correlations.copy()
        lost = table["proxy"] == "plain"
        columns = [name for name in table if name.startswith(("kendall", "spearman", "difference", "p_value"))]
        table.loc[lost, columns] = float("nan")
        table.loc[lost, ["ok", "used", "failed"]] = [0, 0, 24]
        table.loc[lost, "verdict"] = "undefined"
        page = Page(page_of(replace(report, correlations=table)))
        warnings = [place for place, (_, a, _) in enumerate(page.elements) if a.get("class") == "warnings"]
        assert "Plain: 0 of 24 networks used (24 failed)" in page.texts[warnings[0]]


def test_names_of_users_are_text_and_never_markup(report, exhibit, undrawn):
    evil = replace(
        report,
        labels={**report.labels, "plain": EVIL, "params": EVIL},
        heading=replace(report.heading, benchmark=EVIL, images=EVIL),
        manifest={"images": f"</pre>{EVIL}"},
    )
    text = page_of(evil, (replace(exhibit, title=EVIL, name='x" onload="alert(1)', notes=(EVIL,)),), (EVIL,))
    page = Page(text)
    assert len(page.all("script")) == 1
    assert text.count("<script>alert") == 0
    assert not [key for _, attributes, _ in page.elements for key in attributes if key.startswith("on")]


def test_the_api_collects_exhibits_by_itself(report, monkeypatch, undrawn):
    from harness.errors import HarnessError
    from harness.exhibits import catalogue

    def too_small(run):
        raise HarnessError("24 networks are too few")

    monkeypatch.setattr(catalogue, "FOR_ONE_RUN", (lambda run: stability([run, run]), too_small))
    text = report.html()
    assert "Stability of the proxies" in text and "too small: 24 networks are too few" in text
    assert "Stability of the proxies" not in report.html(exhibits=())
