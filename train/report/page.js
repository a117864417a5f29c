"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  for (const part of document.querySelectorAll(".tools")) part.hidden = false;

  // One article at a time; the others wait in templates until they are chosen.
  const chooser = byId("chooser");
  const places = [...document.querySelectorAll(".article, template")];
  const show = (number) => {
    const at = (number + places.length) % places.length;
    if (places[at].localName === "template") {
      const article = places[at].content.querySelector(".article");
      places[at].replaceWith(article);
      places[at] = article;
    }
    places.forEach((place, n) => { if (place.localName !== "template") place.hidden = n !== at; });
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
    if (!/^s-[0-9a-f]+$/.test(id)) return;
    const at = places.findIndex((place) => (place.content || place).querySelector(`#${id}`));
    if (at < 0) return;
    show(at);
    byId(id).scrollIntoView({ block: "center" });
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
      const chosen = [label && `label ${label}`, given && `predicted ${given}`].filter(Boolean).join(", ");
      byId("count").textContent = `${shown.size} of ${found.length} shown${chosen ? ` (${chosen})` : ""}`;
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

  // The contents show which section is read.
  const links = [...document.querySelectorAll("nav a")];
  const heads = links.map((link) => byId(link.hash.slice(1)));
  const mark = () => {
    const at = Math.max(0, heads.findLastIndex((head) => head.getBoundingClientRect().top < innerHeight / 3));
    links.forEach((link, n) => { if (n === at) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current"); });
  };
  addEventListener("scroll", mark, { passive: true });
  mark();

  // Figures as files, in the colours of a light page on white. Their styles are written into the elements, as an image
  // file has no style sheet.
  const KEPT = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "font-family", "font-size", "font-weight"];
  const SVG = "http://www.w3.org/2000/svg";
  const part = (name, values, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(values)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    return made;
  };
  const styled = (drawing) => {
    const copy = drawing.cloneNode(true), copies = copy.querySelectorAll("*");
    drawing.querySelectorAll("*").forEach((one, n) => {
      const style = getComputedStyle(one);
      for (const name of KEPT) copies[n].setAttribute(name, style.getPropertyValue(name));
      copies[n].removeAttribute("class");
    });
    return copy.childNodes;
  };
  const TEXT = { "font-family": "system-ui, sans-serif", "font-size": "13px", fill: "#1b1f24" };
  const MARGIN = 16, LETTER = 7.5; // pixels at each side, and pixels of a letter, rather too many than too few
  const lines = (text, width) => {
    const found = [""];
    for (const word of text.split(" ").filter(Boolean)) {
      const longer = `${found.at(-1)} ${word}`.trim();
      if (longer.length * LETTER > width && found.at(-1)) found.push(word); else found[found.length - 1] = longer;
    }
    return found[0] ? found : [];
  };
  const file = (drawing, title, legend, note) => {
    const dark = [...document.styleSheets[0].cssRules].filter((rule) => rule.media && rule.media.mediaText.includes("dark"));
    const before = dark.map((rule) => rule.media.mediaText);
    dark.forEach((rule) => { rule.media.mediaText = "not all"; });
    const head = legend.length ? 56 : 30;
    const [, , right, bottom] = drawing.getAttribute("viewBox").split(" ").map(Number);
    const width = 2 * MARGIN + Math.max(right, LETTER * title.length);
    const below = lines(note, width - 2 * MARGIN), height = bottom + head + (below.length ? 18 * below.length + 8 : 0);
    const made = part("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
    made.append(part("rect", { width, height, fill: "#ffffff" }), part("text", { ...TEXT, x: MARGIN, y: 20 }, title));
    let at = MARGIN;
    for (const { symbol, name } of legend) {
      const sign = part("g", { transform: `translate(${at} 33)` });
      sign.append(...styled(symbol));
      made.append(sign, part("text", { ...TEXT, x: at + 19, y: 45 }, name));
      at += 43 + LETTER * name.length;
    }
    const body = part("g", { transform: `translate(${MARGIN} ${head})` });
    body.append(...styled(drawing));
    made.append(body, ...below.map((line, n) => part("text", { ...TEXT, x: MARGIN, y: head + bottom + 14 + 18 * n }, line)));
    dark.forEach((rule, n) => { rule.media.mediaText = before[n]; });
    return { width, height, blob: new Blob([new XMLSerializer().serializeToString(made)], { type: "image/svg+xml" }) };
  };
  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  const SCALE = 3; // 300 points per inch where a screen has 96
  const picture = async ({ width, height, blob }) => {
    const image = new Image(), canvas = document.createElement("canvas");
    image.src = URL.createObjectURL(blob);
    await image.decode();
    Object.assign(canvas, { width: SCALE * width, height: SCALE * height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(image.src);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  };
  for (const plot of document.querySelectorAll(".plot")) {
    const drawing = plot.querySelector("svg");
    if (!drawing) continue;
    const title = drawing.querySelector("title").textContent;
    // Only the plot over time needs the legend that stands before it.
    const items = plot.classList.contains("wide") ? document.querySelectorAll("#shares ~ .legend li") : [];
    const legend = [...items].map((item) => ({ symbol: item.querySelector("svg"), name: item.textContent }));
    const note = plot.dataset.note || "";
    const line = document.createElement("p");
    line.className = "save";
    for (const [kind, make] of [["SVG", async () => file(drawing, title, legend, note).blob], ["PNG", async () => picture(file(drawing, title, legend, note))]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `Save as ${kind}`;
      button.addEventListener("click", async () => save(await make(), `${title.replace(/[^\p{L}\p{N}]+/gu, "-")}.${kind.toLowerCase()}`));
      line.append(button);
    }
    plot.after(line);
  }
})();
