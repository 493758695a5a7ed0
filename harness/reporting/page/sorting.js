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
