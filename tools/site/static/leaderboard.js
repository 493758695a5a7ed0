"use strict";

// Choosing what a board shows, and filtering its rows. Without this script, all rows of the first choice are shown.
function passes(row, form) {
  const text = (form.elements.text?.value ?? "").trim().toLowerCase();
  if (text && !row.querySelector("th").textContent.toLowerCase().includes(text)) return false;
  const most = form.elements.cost?.value ?? "";
  if (most && !(row.dataset.cost && Number(row.dataset.cost) <= Number(most))) return false;
  const needs = row.dataset.needs.split("|");
  return Array.from(form.querySelectorAll("[name=without]:checked")).every((tick) => !needs.includes(tick.value));
}

function start(box) {
  const form = box.querySelector("form");
  const table = box.querySelector("table");
  const words = box.querySelector(".chosen");
  const status = document.querySelector("[role=status]");
  const bodies = new Map([["0-0-0", [table.tBodies[0], words?.textContent ?? ""]]]);
  for (const other of box.querySelectorAll("template")) {
    bodies.set(other.dataset.choice, [other.content.querySelector("tbody"), other.dataset.words]);
  }
  const filter = () => {
    const rows = Array.from(table.tBodies[0].rows);
    for (const row of rows) row.hidden = !passes(row, form);
    const shown = rows.filter((row) => !row.hidden).length;
    status.textContent = `${shown} of ${rows.length} proxies shown`;
  };
  const choose = () => {
    const choice = ["setting", "truth", "set"].map((name) => form.elements[name]?.value ?? "0").join("-");
    const [body, text] = bodies.get(choice) ?? [document.createElement("tbody"), "The board has no such rows."];
    if (body !== table.tBodies[0]) {
      table.tBodies[0].replaceWith(body);
      if (words) words.textContent = text;
      for (const head of table.tHead.querySelectorAll("[aria-sort]")) head.setAttribute("aria-sort", "none");
    }
    filter();
  };
  form.hidden = false;
  form.addEventListener("input", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields have their first values only after the event.
  form.addEventListener("reset", () => setTimeout(choose));
}

for (const box of document.querySelectorAll(".choosable")) start(box);
