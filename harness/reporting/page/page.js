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
