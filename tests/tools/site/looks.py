"""What a reader can see and use on a page, as a browser computes it."""

CONTRASTS = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  // Any notation of a colour as red, green, blue and opacity.
  const colour = (text) => {
    if (!known.has(text)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      known.set(text, [r, g, b, a / 255]);
    }
    return known.get(text);
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((part, i) => a * part + (1 - a) * below[i]);
  const linear = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ratio = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };
  const canvasColour = () => (matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255]);
  // The colour behind the text of an element, and the opacity of all that it is in.
  const behind = (element) => {
    const layers = [];
    let opacity = 1;
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      opacity *= Number(style.opacity);
      layers.push(colour(style.backgroundColor));
    }
    return [layers.reverse().reduce((below, layer) => over(layer, below), canvasColour()), opacity];
  };
  const seen = (element) => {
    const box = element.getBoundingClientRect();
    const properties = { visibilityProperty: true, opacityProperty: true };
    return box.width > 1 && box.height > 1 && element.checkVisibility(properties);
  };
  const found = [];
  const note = (element, style, words, also = "") => {
    const [background, opacity] = behind(element);
    const [r, g, b, a] = colour(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    found.push({
      words: words.trim().slice(0, 40),
      place: `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""}${also}`,
      ratio: ratio(over([r, g, b, a * opacity], background), background),
      least: large ? 3 : 4.5,
    });
  };
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const element of document.querySelectorAll("body, body *")) {
    if (["SCRIPT", "STYLE", "NOSCRIPT", "OPTION"].includes(element.tagName) || !seen(element)) continue;
    const words = Array.from(element.childNodes, (node) => (node.nodeType === 3 ? node.data : "")).join("");
    const own = getComputedStyle(element);
    if (words.trim()) note(element, own, words);
    const hint = element.placeholder;
    if (hint) note(element, getComputedStyle(element, "::placeholder"), hint, "::placeholder");
    if (element.matches("select")) note(element, own, element.selectedOptions[0]?.text ?? "");
    for (const part of ["::before", "::after"]) {
      const style = getComputedStyle(element, part);
      const text = style.content.match(/^"(.*\\S.*)"$/);
      // A mark that shows only while the mouse is over it has no contrast yet.
      if (text && style.visibility !== "hidden" && Number(style.opacity) > 0) note(element, style, text[1], part);
    }
  }
  return found;
})()
"""
"""Every visible text of the page with its contrast by WCAG 2.2, and the least that it should have: 4.5, or 3 for large
text. A colour with opacity counts as what it looks like; folded parts are unfolded first."""

PICTURES = """
Array.from(document.images, (image) => [image.getAttribute("src").slice(0, 80), image.alt.trim()])
"""

FOCUSED = """
(() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  const outlined = (other) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(other);
    return outlineStyle !== "none" && parseFloat(outlineWidth) > 0 && other.checkVisibility();
  };
  // A box that cannot be seen may show its focus at its label.
  const ring = [...(Number(style.opacity) ? [one] : []), ...(one.labels ?? [])].some(outlined);
  return {
    tag: one.tagName.toLowerCase(),
    words: (one.getAttribute("aria-label") || one.textContent || one.name || "").trim().slice(0, 60),
    name: one.name || "",
    id: one.id,
    within: one.closest("th[aria-sort]") ? "head" : one.closest("tbody") ? "row" : one.closest("form") ? "form" : "",
    ring: ring || one === document.body,
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight
      && box.right > 0 && box.left < innerWidth,
  };
})()
"""
"""What has the focus, whether that can be seen, and where it is."""

NAMED = {
    "button", "link", "textbox", "searchbox", "combobox", "listbox", "checkbox", "radio", "DisclosureTriangle",
    "region", "form",
}  # fmt: skip
"""Roles of what a reader uses, all of which need a name. The icons of the theme have none, but are parts of such."""


def too_faint(browser):
    """The texts of the open page with too little contrast, each once."""
    found = browser.value(CONTRASTS)
    assert found, "the page has no text"
    faint = [each for each in found if each["ratio"] < each["least"] - 0.005]
    return sorted({f"{each['ratio']:.2f} {each['place']}: {each['words']}" for each in faint})


def without_name(browser):
    """What a reader uses on the open page and has no name, as assistive technology gets it from the browser."""
    nodes = [node for node in browser.accessible() if not node["ignored"]]
    return [
        (node["role"]["value"], node.get("backendDOMNodeId"))
        for node in nodes
        if node["role"]["value"] in NAMED and not node.get("name", {}).get("value", "").strip()
    ]


def walk(browser, most=2_000):
    """What gets the focus, Tab after Tab, from the start of the page until it leaves the page."""
    browser.value("document.activeElement.blur(), scrollTo(0, 0)")
    found = []
    for _ in range(most):
        browser.press("Tab")
        each = browser.value(FOCUSED)
        if each["tag"] == "body" and found:
            return found
        found.append(each)
    raise AssertionError(f"after {most} steps the focus is still within the page")


def tab_to(browser, wanted, most=400):
    """Press Tab until what has the focus is wanted; ``wanted`` gets what :data:`FOCUSED` says."""
    for _ in range(most):
        browser.press("Tab")
        each = browser.value(FOCUSED)
        if wanted(each):
            return each
    raise AssertionError("the Tab key does not reach it")
