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

const CHOICES = ["setting", "truth", "set"];

// A link with #truth=NAME&set=NAME opens a board with that choice.
function choiceFromAddress(form) {
  const wanted = new URLSearchParams(location.hash.slice(1));
  for (const name of CHOICES) {
    const options = Array.from(form.elements[name]?.options ?? []);
    const option = options.find((one) => one.text === wanted.get(name));
    if (option) option.selected = true;
  }
}

function choiceToAddress(form) {
  const chosen = CHOICES.map((name) => form.elements[name]).filter((field) => field && field.selectedIndex > 0);
  const words = chosen.map((field) => `${field.name}=${encodeURIComponent(field.selectedOptions[0].text)}`);
  history.replaceState(null, "", words.length ? `#${words.join("&")}` : location.pathname);
}

function start(box) {
  const form = box.querySelector("form");
  const table = box.querySelector("table");
  const words = box.querySelector(".chosen");
  const status = document.querySelector("[role=status]");
  const [first, firstWords] = [table.tBodies[0], words?.textContent];
  const data = box.querySelector("script[type='application/json']");
  const packed = data ? JSON.parse(data.textContent) : { choices: {} };
  const further = furtherBodies(first, packed);
  const filter = () => {
    const rows = Array.from(table.tBodies[0].rows);
    for (const row of rows) row.hidden = !passes(row, form);
    const shown = rows.filter((row) => !row.hidden).length;
    status.textContent = `${shown} of ${rows.length} proxies shown`;
  };
  const choose = () => {
    const choice = CHOICES.map((name) => form.elements[name]?.value ?? "0").join("-");
    const body = choice === "0-0-0" ? first : further(choice);
    if (body !== table.tBodies[0]) {
      table.tBodies[0].replaceWith(body);
      words.textContent = body === first ? firstWords : packed.choices[choice]?.words ?? "The board has no such rows.";
      for (const head of table.tHead.querySelectorAll("[aria-sort]")) head.setAttribute("aria-sort", "none");
      choiceToAddress(form);
    }
    filter();
  };
  form.hidden = false;
  form.addEventListener("input", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  // The fields have their first values only after the event.
  form.addEventListener("reset", () => setTimeout(choose));
  choiceFromAddress(form);
  choose();
}

for (const box of document.querySelectorAll(".choosable")) start(box);
