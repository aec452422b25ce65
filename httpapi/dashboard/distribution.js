// The distribution of a test: a bar for each mark (or for each step of percent), the
// middle half of the students under it, and a cut line that can be moved.
import { em, keyed, line, linear, sized, steps, text } from "./chart.js";
import { h, say, show, svg, table } from "./dom.js";
import { fixed, marks, percent, plural, whole } from "./format.js";
import { get, latest, path } from "./api.js";

const barsMax = 120; // of one mark each; beyond that bars are steps of percent
const bins = 50;

// distribution fills a panel, and returns what updates it. The cut is in percent;
// told hears of each new cut and of what passes there.
export function distribution(panel, test, cut, told) {
  const view = parts(panel);
  const state = { cut, bars: [], count: 0, available: 0, half: 0, percentiles: {}, passes: null, x: null };

  const redraw = sized(view.plot, (width) => draw(view, state, width));
  const askPasses = latest(async () => {
    const asked = state.cut;
    const answer = await get(`${path("results", test, "passes")}?cut=${query(asked)}`).catch(() => undefined);
    if (!answer) return;
    state.passes = answer.cuts[0];
    told(state.cut, state.passes, answer);
    redraw();
    describe(view, state);
  });

  function move(to, byPerson) {
    state.cut = Math.min(100, Math.max(0, to));
    if (byPerson) history.replaceState(history.state, "", withCut(state.cut));
    redraw();
    describe(view, state);
    askPasses();
  }
  control(view, state, move);
  view.details.addEventListener("toggle", () => tabulate(view, state));

  return async function update() {
    const [scores, percentiles] = await Promise.all([
      get(`${path("results", test, "scores")}?limit=1000`),
      get(`${path("results", test, "percentiles")}?p=5,25,50,75,95`),
    ]);
    if (!scores) {
      show(view.empty, "This server does not tell distributions.");
      return;
    }
    const byMark = scores.scores.every((s) => Number.isInteger(s.marks)) && Number.isInteger(scores.available) &&
      scores.available <= barsMax && !scores.next_cursor;
    Object.assign(state, { count: scores.count, available: scores.available, percentiles: percentiles?.percentiles ?? {}, scores });
    if (byMark) {
      state.half = 50 / scores.available;
      state.bars = scores.scores.map((s) => ({ key: s.marks, at: s.percentage, count: s.count, title: `${marks(s.marks)} of ${plural(scores.available, "mark")}, ${percent(s.percentage)} %: ${plural(s.count, "student")}` }));
    } else {
      const histogram = await get(`${path("results", test, "histogram")}?bins=${bins}`);
      state.half = 0;
      state.bars = (histogram?.bins ?? []).filter((b) => b.count).map((b) => ({ key: b.from, at: (b.from + b.to) / 2, from: b.from, count: b.count, title: `${percent(b.from)} to ${percent(b.to)} %: ${plural(b.count, "student")}` }));
    }
    view.empty.replaceChildren();
    panel.classList.add("filled");
    redraw();
    tabulate(view, state);
    await askPasses();
  };
}

// query writes a cut: never above the score it stands for, so that who has that
// score passes.
const query = (cut) => String(Math.floor(cut * 1e6 + 1e-3) / 1e6);

function withCut(cut) {
  const address = new URL(location);
  address.searchParams.set("cut", String(Math.round(cut * 100) / 100));
  return address;
}

function parts(panel) {
  const view = {
    empty: h("p", { class: "none" }),
    number: h("input", { id: "cut", type: "number", min: 0, max: 100, step: "any", inputmode: "decimal" }),
    sentence: h("p", { class: "sentence", role: "status" }),
    plot: h("div", { class: "plot plot-distribution" }),
    grid: svg("g", { class: "grid" }), bars: svg("g", { class: "bars", role: "img", "aria-label": "No scores yet." }), axis: svg("g", { class: "axis", "aria-hidden": "true" }),
    band: svg("g", { class: "band", "aria-hidden": "true" }),
    cut: svg("g", { class: "cut", role: "slider", tabindex: 0, "aria-label": "Cut line, in percent", "aria-valuemin": 0, "aria-valuemax": 100 },
      svg("line", { class: "cut-line" }), svg("rect", { class: "cut-handle", rx: 4 }), svg("text", { class: "cut-text", "text-anchor": "middle" }), svg("text", { class: "side side-below", "text-anchor": "end" }), svg("text", { class: "side side-above" })),
    details: h("details", { class: "alternative" }, h("summary", null, "As a table"), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The distribution as a table" })),
  };
  view.svg = svg("svg", { focusable: "false" }, view.grid, view.bars, view.axis, view.band, view.cut);
  view.plot.append(view.svg);
  const bar = h("form", { class: "cut-form" }, h("label", { for: "cut" }, "Cut at"), view.number, h("span", { "aria-hidden": "true" }, "%"));
  bar.addEventListener("submit", (event) => event.preventDefault());
  panel.querySelector(".bar").append(bar);
  panel.querySelector(".body").replaceChildren(view.empty, view.plot, view.sentence, view.details);
  return view;
}

// place is where the cut line stands: between two bars, where there is one for each
// mark.
function place(state) {
  if (!state.half) return state.cut;
  return (Math.ceil((query(state.cut) / 100) * state.available - 1e-9) / state.available) * 100 - state.half;
}

function draw(view, state, width) {
  const size = em(view.plot);
  const left = size * 2.6;
  const right = size * 0.6;
  const top = size * 3.1;
  const height = Math.round(Math.max(size * 15, Math.min(size * 22, width * 0.42)));
  const base = height - size * 4;
  const x = linear([-state.half, 100 + state.half], [left, width - right]);
  const most = Math.max(1, ...state.bars.map((b) => b.count));
  const y = linear([0, most], [base, top]);
  const wide = (state.half ? x(2 * state.half) - x(0) : x(100 / bins) - x(0));
  state.x = x;
  view.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  view.svg.setAttribute("width", width);
  view.svg.setAttribute("height", height);

  const counts = steps(most, 4).filter((n) => n > 0);
  view.grid.replaceChildren(...counts.map((n) => line(left, y(n), width - right, y(n))), ...counts.map((n) => text(left - size * 0.5, y(n) + size * 0.3, whole(n), { "text-anchor": "end" })));
  keyed(view.bars, "rect", state.bars, (b) => b.key, (b) => {
    const passes = (b.from ?? b.at) >= query(state.cut) - 1e-6;
    return { x: x(b.at) - wide * 0.42, width: Math.max(1, wide * 0.84), y: y(b.count), height: base - y(b.count), class: passes ? "pass" : "fail", title: b.title };
  });
  const p = state.percentiles;
  view.bars.setAttribute("aria-label", state.count ? `Scores of ${plural(state.count, "student")}, in percent: half of them from ${percent(p[25])} to ${percent(p[75])}, median ${percent(p[50])}. The table below has each.` : "No scores yet.");
  const tens = width > size * 34 ? [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100] : [0, 25, 50, 75, 100];
  view.axis.replaceChildren(line(left, base, width - right, base, "base"), ...tens.map((t) => text(x(t), base + size * 1.25, t === 100 ? "100 %" : String(t), { "text-anchor": t === 100 ? "end" : "middle", dx: t === 100 ? size * 0.5 : 0 })));
  drawBand(view, state, x, base + size * 2.15, size);
  drawCut(view, state, x, top, base, size, width);
}

// drawBand draws the middle half of the students, and where nine in ten are.
function drawBand(view, state, x, at, size) {
  const p = state.percentiles;
  if (p[50] === undefined || p[50] === null) {
    view.band.replaceChildren();
    return;
  }
  const tall = size * 0.5;
  const below = at + tall + size * 0.95;
  const gap = size * 3.4;
  const labels = [text(x(p[50]), below, `median ${percent(p[50])}`, { "text-anchor": "middle", class: "strong" })];
  if (x(p[50]) - x(p[25]) > gap + size) labels.push(text(x(p[25]), below, percent(p[25]), { "text-anchor": "middle" }));
  if (x(p[75]) - x(p[50]) > gap + size) labels.push(text(x(p[75]), below, percent(p[75]), { "text-anchor": "middle" }));
  if (x(p[25]) - x(p[5]) > gap) labels.push(text(x(p[5]), below, `5 %: ${percent(p[5])}`, { "text-anchor": "middle" }));
  if (x(p[95]) - x(p[75]) > gap) labels.push(text(x(p[95]), below, `95 %: ${percent(p[95])}`, { "text-anchor": "middle" }));
  view.band.replaceChildren(
    line(x(p[5]), at + tall / 2, x(p[95]), at + tall / 2, "range"),
    svg("rect", { class: "quartiles", x: x(p[25]), y: at, width: Math.max(1, x(p[75]) - x(p[25])), height: tall }),
    line(x(p[50]), at - tall * 0.4, x(p[50]), at + tall * 1.4, "median"), ...labels);
}

function drawCut(view, state, x, top, base, size, width) {
  const [stroke, handle, label, below, above] = view.cut.children;
  const at = x(place(state));
  const half = size * 2.1;
  const middle = Math.min(width - half, Math.max(half, at));
  for (const [node, values] of [
    [stroke, { x1: at, x2: at, y1: size * 1.6, y2: base }],
    [handle, { x: middle - half, y: 0, width: 2 * half, height: size * 1.9 }],
    [label, { x: middle, y: size * 1.28 }],
    [below, { x: middle - half - size * 0.5, y: size * 1.28 }],
    [above, { x: middle + half + size * 0.5, y: size * 1.28 }],
  ]) for (const [name, value] of Object.entries(values)) node.setAttribute(name, value);
  say(label, `${fixed(state.cut, 1).replace(/\.0$/, "")} %`);
  const room = size * 6;
  const rate = state.passes?.rate;
  say(below, rate === undefined || middle - half < room ? "" : `${percent(100 - rate)} % below`);
  say(above, rate === undefined || width - middle - half < room ? "" : `${percent(rate)} % pass`);
  view.cut.setAttribute("aria-valuenow", fixed(state.cut, 2).replace("\u2212", "-"));
  view.cut.setAttribute("aria-valuetext", sentence(state));
  if (document.activeElement !== view.number) view.number.value = String(Math.round(state.cut * 100) / 100);
}

function sentence(state) {
  const cut = `${fixed(state.cut, 1).replace(/\.0$/, "")} %`;
  if (!state.passes || !state.count) return cut;
  const { passed, rate, marks: least, one_mark_below: missed, one_mark_above: just } = state.passes;
  const of = least === null ? "" : ` (${marks(least)} of ${marks(state.available)} marks)`;
  return `At ${cut}${of}: ${whole(passed)} of ${plural(state.count, "student")} pass, ${percent(rate)} %. ${whole(missed)} ${missed === 1 ? "misses" : "miss"} it by one mark or less, ${whole(just)} would fail one mark higher.`;
}

// describe tells the sentence when the cut has come to rest: a screen reader need not
// hear of every step.
function describe(view, state) {
  clearTimeout(view.timer);
  view.timer = setTimeout(() => say(view.sentence, sentence(state)), 250);
}

// control lets the cut be moved by pointer, keyboard and number.
function control(view, state, move) {
  const step = () => (state.half ? 2 * state.half : 1);
  const snapped = (value) => (state.half ? (Math.round((value + state.half) / step()) * step()) : Math.round(value));
  let dragging = false;
  const follow = (event) => {
    if (state.x) move(snapped(state.x.invert(event.clientX - view.svg.getBoundingClientRect().left)), true);
  };
  view.svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault(); // No selection of text.
    dragging = true;
    view.svg.setPointerCapture(event.pointerId);
    view.cut.focus({ preventScroll: true });
    follow(event);
  });
  view.svg.addEventListener("pointermove", (event) => dragging && follow(event));
  for (const end of ["pointerup", "pointercancel"]) view.svg.addEventListener(end, () => (dragging = false));
  view.cut.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
    const to = { Home: 0, End: 100 }[event.key];
    if (by === undefined && to === undefined) return;
    event.preventDefault();
    move(to ?? snapped(state.half ? place(state) : state.cut) + by * step(), true);
  });
  view.number.addEventListener("input", () => {
    const value = view.number.valueAsNumber;
    if (value >= 0 && value <= 100) move(value, true);
  });
}

function tabulate(view, state) {
  if (!view.details.open || !state.scores) return;
  const rows = state.scores.scores.map((s) => [s.marks === null ? `${percent(s.percentage)} %` : marks(s.marks), percent(s.percentage), whole(s.count), whole(s.cumulative_count), percent(s.percentile_rank), fixed(s.z, 2), String(s.stanine)]);
  show(view.details.lastChild, table(`Each score that somebody has${state.scores.next_cursor ? " (the first 1 000)" : ""}`, ["Marks", "Percent", "Students", "At or below", "Percentile rank", "z", "Stanine"], rows));
}
