"""What a reader can see and use on a page: by axe-core, and Tab after Tab."""

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


RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def hindrances(browser):
    """What on the open page, unfolded, fails a rule of WCAG 2.2 AA by axe-core: faint text, a missing name, …"""
    from axe_playwright_python.sync_playwright import Axe

    browser.value("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    found = Axe().run(browser.page, options=RULES).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


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
