// The list of tests: live figures, and a search while one types. As a wall it is one
// card for each test.
import { byId, h, id, say, show, svg } from "./dom.js";
import { clock, percent, plural, whole } from "./format.js";
import { get, latest, path } from "./api.js";
import { arrivals, when } from "./arrivals.js";
import { feed } from "./feed.js";

const shownMax = 50;
const cardsMax = 12;

export function all(prefix, wall) {
  if (!document.querySelector("table.tests tbody") && !wall) {
    // Nothing yet: the page is drawn anew with the first test.
    const look = async () => {
      const answer = await get("/results?limit=1").catch(() => null);
      if (answer?.tests.length) location.reload();
      return answer !== null;
    };
    feed("/events", look, look);
    return;
  }
  const state = { prefix, known: new Map() };
  const board = wall ? h("div", { class: "cards" }) : null;
  if (board) {
    byId("main").replaceChildren(h("h2", { class: "unseen" }, "Tests"), board);
  }
  const refresh = latest(async () => {
    const answer = await get(`/results?limit=${shownMax}${state.prefix ? `&prefix=${encodeURIComponent(state.prefix)}` : ""}`);
    if (!answer) return;
    const changed = answer.tests.filter((t) => state.known.get(t.id)?.last_import.position !== t.last_import.position);
    await Promise.all(changed.map(async (t) => {
      const [aggregate, shape] = await Promise.all([get(path("results", t.id, "aggregate")), wall ? bars(t.id) : null]);
      if (aggregate) state.known.set(t.id, { ...t, aggregate, bars: shape });
    }));
    const rows = answer.tests.map((t) => state.known.get(t.id)).filter(Boolean);
    if (wall) show(board, [...rows].sort((a, b) => b.last_import.position - a.last_import.position).slice(0, cardsMax).sort((a, b) => (a.id < b.id ? -1 : 1)).map(card));
    else list(state, rows, Boolean(answer.next_cursor));
  }, 300);
  const latestImports = latest(arrivals, 500);
  let failed = false;
  const guarded = async () => {
    try {
      await Promise.all([refresh(), wall ? null : latestImports()]);
      failed = false;
    } catch (cause) {
      failed = true;
      say(byId("told"), cause.message);
    }
    return !failed;
  };
  feed("/events", (name, data) => {
    if (name === "totals" && data && !wall) for (const what of ["tests", "students", "documents"]) say(byId(`total-${what}`), whole(data[what]));
    guarded();
  }, guarded);
  if (!wall) search(state, guarded);
}

// search narrows the list while one types; the form does the same without a script.
function search(state, refresh) {
  const field = byId("prefix");
  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      state.prefix = field.value;
      const address = new URL(location);
      if (field.value) address.searchParams.set("prefix", field.value);
      else address.searchParams.delete("prefix");
      address.searchParams.delete("cursor");
      history.replaceState(null, "", address);
      await refresh();
      say(byId("told"), plural(document.querySelectorAll("table.tests tbody tr").length, "test"));
    }, 120);
  });
}

const figures = [["count", "Students", whole], ["mean", "Mean", percent, "strong"], ["stddev", "SD", percent], ["min", "Min", percent], ["p25", "P25", percent], ["p50", "Median", percent, "strong"], ["p75", "P75", percent], ["max", "Max", percent]];

function list(state, rows, more) {
  const body = document.querySelector("table.tests tbody");
  if (!body) return location.reload(); // Nothing was found before: there is no table.
  const search = new URL(location).searchParams;
  if (search.has("cursor")) return; // A later page of the list stays as it was read.
  const focused = document.activeElement?.closest?.("tr[data-test]")?.dataset.test;
  show(body, rows.map(row));
  if (focused !== undefined && document.activeElement === document.body) {
    body.querySelector(`tr[data-test="${CSS.escape(focused)}"] a`)?.focus({ preventScroll: true });
  }
  const next = document.querySelector('.pages a[rel="next"]');
  if (next) next.hidden = !more;
}

function row(t) {
  const a = t.aggregate;
  return h("tr", { role: "row", "data-test": t.id },
    h("th", { scope: "row", role: "rowheader" }, h("a", { href: `/?test=${encodeURIComponent(t.id)}` }, id(t.id))),
    figures.map(([name, label, format, strong]) => h("td", { role: "cell", class: `number${strong ? " strong" : ""}`, "data-label": label }, format(a[name]))),
    h("td", { class: "spread", "aria-hidden": "true" }, svg("svg", { viewBox: "0 0 100 16", preserveAspectRatio: "none", focusable: "false" },
      svg("line", { class: "scale", x1: 0, x2: 100, y1: 8, y2: 8 }), svg("line", { class: "range", x1: a.min, x2: a.max, y1: 8, y2: 8 }),
      svg("rect", { class: "quartiles", x: a.p25, y: 2, width: a.p75 - a.p25, height: 12 }), svg("line", { class: "median", x1: a.p50, x2: a.p50, y1: 0, y2: 16 }))),
    h("td", { role: "cell", class: "when", "data-label": "Last import" }, h("a", { href: path("imports", t.last_import.id) }, h("time", { datetime: t.last_import.received }, when(t.last_import.received)))));
}

// bars are the shape of a distribution: a bar for each mark, or for each step of
// percent where there are many marks, as from, to and count.
async function bars(test) {
  const scores = await get(`${path("results", test, "scores")}?limit=1000`);
  if (!scores) return [];
  if (Number.isInteger(scores.available) && scores.available <= 60 && scores.scores.every((s) => Number.isInteger(s.marks))) {
    const wide = 100 / (scores.available + 1);
    return scores.scores.map((s) => ({ from: s.marks * wide, to: (s.marks + 1) * wide, count: s.count }));
  }
  return (await get(`${path("results", test, "histogram")}?bins=25`))?.bins ?? [];
}

function card(t) {
  const most = Math.max(1, ...t.bars.map((b) => b.count));
  return h("a", { class: "card", href: `/?test=${encodeURIComponent(t.id)}&wall=1` },
    h("h3", null, id(t.id)),
    h("p", { class: "value" }, percent(t.aggregate.mean), h("small", null, " %")),
    svg("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
      t.bars.filter((b) => b.count).map((b) => svg("rect", { x: b.from + (b.to - b.from) * 0.08, width: (b.to - b.from) * 0.84, y: 30 - (b.count / most) * 30, height: (b.count / most) * 30 })),
      svg("line", { x1: 0, x2: 100, y1: 30, y2: 30 })),
    h("p", { class: "note" }, `${plural(t.aggregate.count, "student")}, median ${percent(t.aggregate.p50)}, last paper ${clock(t.last_import.received)}`));
}
