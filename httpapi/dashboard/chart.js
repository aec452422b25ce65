// What the charts have in common. They are drawn in CSS pixels, so that their text has
// the size of the page's, and drawn again when their room changes.
import { svg } from "./dom.js";

// sized calls draw(width) now and whenever the width of a node changes.
export function sized(node, draw) {
  let width = 0;
  const watch = new ResizeObserver(() => {
    const now = Math.floor(node.clientWidth);
    if (now > 0 && now !== width) draw((width = now));
  });
  watch.observe(node);
  return () => width && draw(width);
}

// linear maps a domain to a range.
export function linear([from, to], [start, end]) {
  const scale = (value) => start + ((value - from) / (to - from)) * (end - start);
  scale.invert = (at) => from + ((at - start) / (end - start)) * (to - from);
  return scale;
}

// steps are round numbers from 0 up to the most, about so many of them.
export function steps(most, about) {
  const raw = Math.max(1, most / about);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
  const values = [];
  for (let value = 0; value <= most; value += step) values.push(value);
  return values;
}

// em is the font size of a node in pixels: margins follow the text.
export const em = (node) => parseFloat(getComputedStyle(node).fontSize);

// text is a label within a chart.
export const text = (x, y, content, attributes) => svg("text", { x: round(x), y: round(y), ...attributes }, content);
export const line = (x1, y1, x2, y2, name) => svg("line", { x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2), class: name });
export const round = (value) => Math.round(value * 100) / 100;

// keyed keeps as many elements in a group as there are data, by key, and sets their
// attributes: what stays moves, by the stylesheet's transitions.
export function keyed(group, name, data, key, attributes) {
  const old = new Map([...group.children].map((node) => [node.dataset.key, node]));
  for (const datum of data) {
    const k = String(key(datum));
    let node = old.get(k);
    if (!node) {
      node = svg(name, { "data-key": k });
      group.append(node);
    }
    old.delete(k);
    const { title, ...rest } = attributes(datum);
    for (const [attribute, value] of Object.entries(rest)) node.setAttribute(attribute, typeof value === "number" ? round(value) : value);
    if (title !== undefined) {
      if (!node.firstChild) node.append(svg("title"));
      if (node.firstChild.textContent !== title) node.firstChild.textContent = title;
    }
  }
  for (const node of old.values()) node.remove();
}
