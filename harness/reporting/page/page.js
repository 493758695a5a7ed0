"use strict";

// Tables sort by the head that is pressed; a second press turns the order round. What is missing stays last.
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
  // Numbers begin with the largest: coefficients are read from the best.
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

// On a narrow screen the contents would be all that is seen first: there they are folded, and fold again when used.
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

// The contents show where the reader is.
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

// Paper has nothing to unfold.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
