// What is odd about the scans of a test, and what arrived last. No name and no number
// of a student is shown: they are behind the links, for those who may see them.
import { h, id, show } from "./dom.js";
import { clock, plural, whole } from "./format.js";
import { get, path } from "./api.js";

// The kinds of findings, gravest first, as what is counted and what to do.
const kinds = [
  ["key_conflict", "responses credited on one sheet and not on another", "Look for two versions of the paper, or a key that was changed."],
  ["sum_mismatch", "scans whose marks are not the sum of their answers’", "The marks count as they stand; compare with the paper."],
  ["different_names", "students whose scans have different names", "One number may be two students."],
  ["different_answers", "students whose scans have different answers", "The better scan counts; a folded paper looks like this."],
  ["leading_zeros", "numbers that differ only by leading zeros", "They are two students here; often they are one."],
  ["awarded_above_available", "scans with more marks awarded than available", "Compare with the paper."],
  ["repeated_questions", "scans with a question twice", "Compare with the paper."],
  ["several_available", "scans with other marks available than most", "A folded paper, or another version."],
  ["different_questions", "scans with other questions than most", "A folded paper, or another version."],
  ["bad_answers", "scans with an answer that cannot be read", "It counts for nothing; the marks do."],
  ["bad_scanned_on", "scans without a readable time", "The scanner’s clock is not set."],
];

export function quality(panel, test) {
  const body = panel.querySelector(".body");
  return async function update() {
    const answer = await get(`${path("results", test, "quality")}?limit=1`);
    if (!answer) {
      show(body, h("p", { class: "none" }, "There is nothing to tell."));
      return;
    }
    const found = kinds.filter(([kind]) => answer.counts[kind] > 0);
    show(body, found.length === 0 ? h("p", { class: "none" }, "Nothing is odd about these scans.") :
      h("table", { class: "findings" },
        h("caption", { class: "unseen" }, "What is odd about the scans"),
        h("thead", { class: "unseen" }, h("tr", null, h("th", { scope: "col" }, "How many"), h("th", { scope: "col" }, "What"))),
        h("tbody", null, found.map(([kind, what, advice]) => h("tr", null,
          h("td", { class: "number strong" }, whole(answer.counts[kind])),
          h("th", { scope: "row" }, h("a", { href: `${path("results", test, "quality")}?kind=${kind}` }, what), h("span", { class: "quiet" }, advice)))))));
  };
}

const shownMax = 9;

// imports shows what arrived for a test, and what was refused meanwhile: a refused
// document is of no test, so it may be of this one.
export function imports(panel, test) {
  const body = panel.querySelector(".body");
  const known = new Map();
  let most = 400; // how far back the first look goes; later ones find what is new
  panel.querySelector(".bar").append(h("a", { href: "/desk" }, "Refused documents"));
  return async function update() {
    const [answer, open] = await Promise.all([get(`/imports?limit=${most}`), get("/imports?outcome=refused&resolved=false&limit=100")]);
    if (!answer) return;
    most = 60;
    for (const i of answer.imports) if (i.outcome === "refused" || i.test_ids.includes(test)) known.set(i.id, i);
    const list = [...known.values()].sort((a, b) => b.position - a.position).slice(0, shownMax);
    known.clear();
    for (const i of list) known.set(i.id, i);
    const unresolved = open?.imports.length ?? 0;
    show(body,
      unresolved > 0 && h("p", { class: "alert" }, h("span", { class: "alarm", "aria-hidden": "true" }, "▲ "), h("a", { href: "/desk" }, `${plural(unresolved, "document")} to be looked at`), ": nothing in them is counted."),
      list.length === 0 ? h("p", { class: "none" }, "Nothing has arrived for this test yet.") :
        h("table", { class: "arrivals" },
          h("caption", { class: "unseen" }, "Latest arrivals"),
          h("thead", { class: "unseen" }, h("tr", null, ["Time", "Outcome", "What", "From"].map((c) => h("th", { scope: "col" }, c)))),
          h("tbody", null, list.map(arrival))));
  };
}

function arrival(i) {
  const refused = i.outcome === "refused";
  return h("tr", { "data-import": i.id },
    h("th", { scope: "row" }, h("a", { href: refused ? path("desk", i.id) : path("imports", i.id) }, h("time", { datetime: i.received }, clock(i.received)))),
    h("td", { class: `outcome outcome-${["accepted", "refused", "duplicate"].includes(i.outcome) ? i.outcome : "other"}` }, h("span", { class: "mark", "aria-hidden": "true" }), i.outcome),
    h("td", { class: "what" }, refused ? id(`${i.refusal?.record ? `record ${i.refusal.record}: ` : ""}${i.refusal?.field || ""} ${i.refusal?.reason ?? ""}`.trim()) : i.corrects ? `${plural(i.records, "paper")}, corrected` : plural(i.records, "paper")),
    h("td", { class: "from" }, id(i.source)));
}
