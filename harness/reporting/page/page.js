"use strict";

// A click on a column head sorts the table; a second click reverses the order. Missing values stay last.
function keyOf(row, column, numeric) {
  const key = row.cells[column].dataset.key;
  if (key === undefined) return null;
  return numeric ? Number(key) : key;
}

function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null);
  return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
}

function sort(table, button) {
  const head = button.closest("th");
  const column = head.cellIndex;
  const numeric = button.hasAttribute("data-numeric");
  const before = head.getAttribute("aria-sort");
  // Numbers start with the largest, so that the best coefficients come first.
  const first = numeric ? "descending" : "ascending";
  const second = numeric ? "ascending" : "descending";
  const order = before === first ? second : first;
  for (const other of head.parentElement.cells) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", order);
  const body = table.tBodies[0];
  const sign = order === "ascending" ? 1 : -1;
  const rows = Array.from(body.rows, (row) => [keyOf(row, column, numeric), row]);
  rows.sort((a, b) => compare(a[0], b[0], sign));
  body.append(...rows.map((row) => row[1]));
  document.querySelector("[role=status]").textContent =
    `${table.caption.textContent}: sorted by ${button.textContent.trim()}, ${order}`;
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => sort(table, button));
  }
}

// On a narrow screen the contents would fill the screen: there they are folded, and fold again after a click.
const contents = document.querySelector("nav details");
const wide = matchMedia("(min-width: 62.01rem)");
const unfold = () => {
  contents.open = wide.matches;
};
unfold();
wide.addEventListener("change", unfold);
contents.addEventListener("click", (event) => {
  if (event.target.closest("a")) unfold();
});

// Highlight the current section in the contents.
const links = new Map();
for (const link of document.querySelectorAll("nav a")) links.set(link.hash.slice(1), link);
const watch = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  },
  { rootMargin: "-10% 0px -80% 0px" },
);
for (const section of document.querySelectorAll("main > section")) watch.observe(section);

// Unfold everything before printing.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
