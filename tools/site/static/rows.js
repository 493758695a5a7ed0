"use strict";

// Rows of the tables that are not on the page, from the data that tools/site/leaderboard/packing.py packs. Cells that
// the table on the page has are copies of those.
function element(tag, attributes, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value) made.setAttribute(name, value);
  made.append(...content);
  return made;
}

function cellOf(tag, kinds, [text, key, kind, aside, bar, link, links, more]) {
  const cell = document.createElement(tag);
  if (tag === "th") cell.scope = "row";
  if (key !== null) cell.dataset.key = key;
  if (kinds[kind]) cell.className = kinds[kind];
  if (bar) {
    const [style, verdict] = bar;
    const marks = [document.createElement("i"), element("b", { class: verdict })];
    cell.append(element("span", { class: "bar", "aria-hidden": "true", style }, ...marks));
  }
  cell.append(link ? element("a", { href: link }, text) : text);
  if (aside) cell.append(" ", element("small", {}, aside));
  for (const [words, href, title] of links ?? []) cell.append(element("a", { href, "aria-label": title }, words), " ");
  if (more) cell.append(element("details", {}, element("summary", {}, "command"), element("code", {}, more)));
  return cell;
}

// The table bodies by choice, each made when it is first asked for.
function furtherBodies(first, packed) {
  const known = Array.from(first.rows).flatMap((row) => Array.from(row.cells));
  const made = new Map();
  const cell = (content, column) => {
    if (typeof content === "number" && content < known.length) return known[content].cloneNode(true);
    const parts = typeof content === "number" ? packed.shared[content - known.length] : content;
    return cellOf(column === packed.header ? "th" : "td", packed.kinds, parts);
  };
  const row = ([filtered, ...cells]) => {
    const [needs, cost, look] = packed.filters[filtered];
    const found = element("tr", { class: look }, ...cells.map(cell));
    Object.assign(found.dataset, { needs, cost });
    return found;
  };
  return (choice) => {
    const { style, rows } = packed.choices[choice] ?? { style: "", rows: [] };
    if (!made.has(choice)) made.set(choice, element("tbody", { style }, ...rows.map(row)));
    return made.get(choice);
  };
}
