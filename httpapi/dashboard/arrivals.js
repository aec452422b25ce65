// The latest imports on the page of all tests, as the server draws them too.
import { h, id, show, visible } from "./dom.js";
import { whole } from "./format.js";
import { get, path } from "./api.js";

const shownMax = 12;
const testsMax = 3; // of one import

export async function arrivals() {
  const body = document.querySelector("table.imports tbody");
  if (!body) return;
  const answer = await get(`/imports?limit=${shownMax}`);
  if (answer) show(body, answer.imports.map(row));
}

function row(i) {
  const refused = i.outcome === "refused";
  return h("tr", { role: "row" },
    h("th", { scope: "row", role: "rowheader", class: "when" }, h("a", { href: refused ? path("desk", i.id) : path("imports", i.id) }, h("time", { datetime: i.received }, when(i.received)))),
    h("td", { role: "cell", class: `outcome outcome-${i.outcome}` }, h("span", { class: "mark", "aria-hidden": "true" }), i.outcome),
    refused ? h("td", { role: "cell", class: "reason", colspan: 2 }, fault(i.refusal)) : [
      h("td", { role: "cell", class: "ids", "data-label": "Tests" }, i.test_ids.slice(0, testsMax).map((test, n) => [n ? ", " : null, id(test)]), i.test_ids.length > testsMax && ` and ${i.test_ids.length - testsMax} more`),
      h("td", { role: "cell", class: "number", "data-label": "Records" }, whole(i.records))],
    h("td", { role: "cell", class: "number", "data-label": "Size" }, size(i.size)),
    h("td", { role: "cell", class: "from", "data-label": "From" }, id(i.source)),
    h("td", { role: "cell", "data-label": "Document" }, h("a", { href: path("imports", i.id, "document"), download: true, "aria-label": `Download the document of ${when(i.received)}` }, "Download")));
}

// fault is what is wrong with a document, and where.
export function fault(refusal) {
  if (!refusal) return "";
  const where = [refusal.line && `line ${refusal.line}`, refusal.column && `column ${refusal.column}`].filter(Boolean).join(", ");
  const place = refusal.record ? `Record ${refusal.record}${where ? ` (${where})` : ""}: ` : where ? `${where[0].toUpperCase()}${where.slice(1)}: ` : "";
  const value = refusal.value ? ` "${refusal.value}"` : "";
  return h("bdi", null, visible(`${place}${refusal.field ?? ""}${value}${refusal.field || value ? " " : ""}${refusal.reason}.`));
}

// when is a time as the server writes it: UTC.
export function when(text) {
  const day = new Date(text).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).replace("Sept", "Sep");
  return `${day}, ${text.slice(11, 19)}`;
}

function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
