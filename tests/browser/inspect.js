// What is wrong with how a page looks, as sentences; nothing if it looks right.
const wrong = [];
const shown = (text) => JSON.stringify(text.trim().replace(/\s+/g, " ").slice(0, 40));

// All text, a rectangle for each of its lines.
const lines = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const parent = node.parentElement;
  if (!node.data.trim() || ["TITLE", "DESC", "STYLE", "SCRIPT"].includes(parent.tagName.toUpperCase())) continue;
  if (!parent.checkVisibility({ visibilityProperty: true })) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const rect of range.getClientRects()) {
    if (rect.width > 1 && rect.height > 1) lines.push({ node, parent, rect, text: node.data });
  }
}
if (lines.length === 0) wrong.push("there is no text at all");

// The page does not scroll sideways, and no text leaves it but within a part that scrolls by itself.
if (document.documentElement.scrollWidth > innerWidth) {
  wrong.push(`the page is ${document.documentElement.scrollWidth} px wide where ${innerWidth} px are`);
}
for (const { parent, rect, text } of lines) {
  if (parent.closest(".scroll")) continue;
  if (rect.left < -1 || rect.right > innerWidth + 1) wrong.push(`cut: ${shown(text)}`);
}
// Nor is it cut by the box around it, unless it says so with an ellipsis.
for (const element of document.querySelectorAll("body *")) {
  const style = getComputedStyle(element);
  const hides = style.overflowX === "hidden" && style.textOverflow !== "ellipsis";
  if (hides && element.scrollWidth > element.clientWidth + 1) wrong.push(`cut: ${shown(element.textContent)}`);
}

// No two pieces of text lie over each other.
lines.forEach((one, number) => {
  for (const other of lines.slice(number + 1)) {
    if (one.node === other.node) continue;
    const across = Math.min(one.rect.right, other.rect.right) - Math.max(one.rect.left, other.rect.left);
    const down = Math.min(one.rect.bottom, other.rect.bottom) - Math.max(one.rect.top, other.rect.top);
    // Lines of one paragraph may share the odd pixel between them.
    if (across > 1 && down > 4) wrong.push(`overlap: ${shown(one.text)} and ${shown(other.text)}`);
  }
});

// Text stands out from what it stands on (WCAG 2.1, 1.4.3).
const channels = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
const luminance = (colour) => {
  const [r, g, b] = channels(colour)
    .slice(0, 3)
    .map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if ((channels(colour)[3] ?? 1) === 1) return colour;
  }
  return "rgb(255, 255, 255)";
};
for (const parent of new Set(lines.map((line) => line.parent))) {
  const style = getComputedStyle(parent);
  const [a, b] = [luminance(style.color), luminance(ground(parent))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const size = parseFloat(style.fontSize);
  const wanted = size >= 24 || (size >= 18.6 && style.fontWeight >= 700) ? 3 : 4.5;
  if (ratio < wanted) wrong.push(`faint (${ratio.toFixed(1)}): ${shown(parent.textContent)}`);
}

// Pictures and tables can be read aloud.
const ids = new Set();
for (const { id } of document.querySelectorAll("[id]")) {
  if (ids.has(id)) wrong.push(`two elements are called ${id}`);
  ids.add(id);
}
for (const svg of document.querySelectorAll("svg")) {
  const names = (svg.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id));
  if (names.some((name) => !name?.textContent.trim())) wrong.push("a picture without words for it");
  const box = svg.getBoundingClientRect();
  if (box.width < 60 || box.height < 10) wrong.push(`a picture of ${box.width} × ${box.height}`);
}
for (const table of document.querySelectorAll("table")) {
  const rows = [...table.rows].map((row) => row.cells.length);
  if (!table.tHead?.querySelector("th[scope=col]")) wrong.push("a table without headings");
  if (new Set(rows).size > 1) wrong.push(`a table with rows of ${[...new Set(rows)].join(" and ")} cells`);
}
if (!document.title) wrong.push("the page has no title");
if (!document.documentElement.lang) wrong.push("the page does not say its language");
return wrong;
