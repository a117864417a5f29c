"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  for (const part of document.querySelectorAll(".tools")) part.hidden = false;

  // One article at a time.
  const articles = [...document.querySelectorAll(".article")];
  const chooser = byId("chooser");
  const show = (number) => {
    if (!articles.length) return;
    const at = (number + articles.length) % articles.length;
    articles.forEach((article, n) => { article.hidden = n !== at; });
    chooser.value = String(at);
  };
  if (chooser) {
    chooser.addEventListener("change", () => show(Number(chooser.value)));
    byId("back").addEventListener("click", () => show(Number(chooser.value) - 1));
    byId("on").addEventListener("click", () => show(Number(chooser.value) + 1));
    show(0);
  }

  // A link to a sentence opens the article that it stands in.
  const jump = (id) => {
    const place = id && byId(id);
    const article = place && place.closest(".article");
    if (!article) return;
    show(articles.indexOf(article));
    place.scrollIntoView({ block: "center" });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#s-"]');
    if (!link) return;
    event.preventDefault();
    const hash = link.getAttribute("href");
    jump(hash.slice(1));
    location.hash = hash;
    jump(hash.slice(1));
  });
  jump(location.hash.slice(1));

  // Errors: by label, by prediction, in the order asked for.
  const list = byId("mistakes");
  if (list) {
    const rows = [...list.children], first = 25;
    let all = false;
    const orders = {
      surest: (a, b) => b.dataset.confidence - a.dataset.confidence,
      unsure: (a, b) => a.dataset.confidence - b.dataset.confidence,
      article: (a, b) => a.dataset.article < b.dataset.article ? -1 : a.dataset.article > b.dataset.article ? 1 : 0,
    };
    const draw = () => {
      const label = byId("by-label").value, given = byId("by-given").value;
      const sorted = [...rows].sort(orders[byId("order").value]);
      const found = sorted.filter((row) => (!label || row.dataset.label === label) && (!given || row.dataset.predicted === given));
      const shown = new Set(all ? found : found.slice(0, first));
      for (const row of rows) row.hidden = !shown.has(row);
      list.append(...sorted);
      byId("count").textContent = `${shown.size} of ${found.length} shown`;
      byId("more").hidden = shown.size === found.length;
    };
    byId("more").addEventListener("click", () => { all = true; draw(); });
    for (const id of ["by-label", "by-given", "order"]) byId(id).addEventListener("change", draw);
    draw();
  }

  // Copying; from disk a browser may refuse the clipboard, then the text is selected for the reader to copy.
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const text = byId(button.dataset.copy);
      getSelection().selectAllChildren(text);
      let done = false;
      try { await navigator.clipboard.writeText(text.textContent); done = true; } catch { done = document.execCommand("copy"); }
      button.textContent = done ? "Copied" : "Selected: press Ctrl+C";
    });
  }
})();
