// Elements made without ever reading text as HTML: ids and names come from strangers.

const svgNames = "http://www.w3.org/2000/svg";

// fill sets attributes and appends children. Text becomes text nodes; null, undefined
// and false stand for nothing; a function is a listener of the event it is named by.
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
export const svg = (name, attributes, ...children) => fill(document.createElementNS(svgNames, name), attributes, children);

// id is text of a stranger, kept apart from the direction of the text around it.
export const id = (text) => h("bdi", null, visible(text));

// visible writes characters that are not seen, or that move others, as ‹U+202E›.
export function visible(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (c) => `‹U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
}

export const byId = (name) => document.getElementById(name);

// show replaces the content of a node, unless it would be the same.
export function show(node, ...children) {
  const next = fill(node.cloneNode(false), null, children);
  if (!next.isEqualNode(node)) node.replaceChildren(...next.childNodes);
}

// say sets a text, if it differs: a screen reader is told of every change.
export function say(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

// A table beside a chart: rows are arrays of cells, the first of which is a header.
export function table(caption, columns, rows) {
  return h("table", { class: "plain" },
    h("caption", null, caption),
    h("thead", null, h("tr", null, columns.map((c, i) => h("th", { scope: "col", class: i ? "number" : null }, c)))),
    h("tbody", null, rows.map((row) => h("tr", null, row.map((cell, i) =>
      i ? h("td", { class: "number" }, cell) : h("th", { scope: "row" }, cell))))));
}
