// All questions of a test in one picture: how hard, and how well each tells who is
// able. Those that somebody has to look at have their names beside them.
import { em, keyed, line, linear, sized, text } from "./chart.js";
import { h, show, svg, visible } from "./dom.js";
import { correlation, percent, plural } from "./format.js";
import { isGrave, weight, words } from "./verdicts.js";

export function scatter(panel, chosen) {
  const state = { items: null, selected: null };
  const plot = h("div", { class: "plot plot-scatter" });
  const parts = {
    zones: svg("g", { class: "zones", "aria-hidden": "true" }), axis: svg("g", { class: "axis", "aria-hidden": "true" }),
    points: svg("g", { class: "points", role: "img", "aria-label": "No questions yet." }), names: svg("g", { class: "names", "aria-hidden": "true" }),
  };
  const picture = svg("svg", { focusable: "false" }, parts.zones, parts.axis, parts.points, parts.names);
  plot.append(picture);
  const hint = h("p", { class: "quiet caption" }, "Each dot is a question; the table of questions has its numbers.");
  panel.querySelector(".body").replaceChildren(plot, hint);
  const redraw = sized(plot, (width) => state.items?.questions.length && draw(plot, picture, parts, state, width));
  parts.points.addEventListener("click", (event) => {
    const point = event.target.closest("[data-key]");
    if (point) chosen(point.dataset.key);
  });
  return {
    update(items) {
      state.items = items;
      if (!items) show(plot, h("p", { class: "none" }, "This server does not analyse questions."));
      redraw();
    },
    select(question) {
      state.selected = question;
      redraw();
    },
  };
}

function draw(plot, picture, parts, state, width) {
  const size = em(plot);
  const [left, right, top, bottom] = [size * 2.4, size * 0.8, size * 2.1, size * 2.6];
  const height = Math.round(Math.max(size * 14, Math.min(size * 24, width * 0.86)));
  const drawn = state.items.questions.filter((q) => q.facility !== null && q.item_rest !== null);
  const lowest = Math.min(0, ...drawn.map((q) => q.item_rest));
  const highest = Math.max(0.5, ...drawn.map((q) => q.item_rest));
  const x = linear([0, 100], [left, width - right]);
  const y = linear([Math.floor(lowest * 10 - 0.4) / 10, Math.ceil(highest * 10 + 0.4) / 10], [height - bottom, top]);
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("width", width);
  picture.setAttribute("height", height);

  // Below zero a question credits the wrong students.
  const zero = y(0);
  parts.zones.replaceChildren(
    svg("rect", { class: "backwards", x: left, y: zero, width: width - right - left, height: height - bottom - zero }),
    text(left + size * 0.4, height - bottom - size * 0.5, "the weak do better", { class: "zone" }),
    line(left, y(0.2), width - right, y(0.2), "guide"), text(left + size * 0.4, y(0.2) - size * 0.35, "from .20 up: tells well", { class: "zone" }));
  const ticks = [0, 0.2, 0.4, 0.6, 0.8].filter((v) => y(v) > top - 1 && y(v) < height - bottom + 1);
  parts.axis.replaceChildren(line(left, zero, width - right, zero, "base"),
    ...ticks.map((v) => text(left - size * 0.4, y(v) + size * 0.3, v === 0 ? "0" : correlation(v), { "text-anchor": "end" })),
    text(0, size * 0.9, "item–rest correlation", { class: "title" }),
    ...[0, 25, 50, 75, 100].map((v) => text(x(v), height - bottom + size * 1.1, String(v), { "text-anchor": v === 100 ? "end" : "middle" })),
    text(width - right, height - size * 0.3, "facility, % →", { class: "title", "text-anchor": "end" }), text(left, height - size * 0.3, "← hard", { class: "title" }));

  const radius = Math.max(3, size * 0.3);
  keyed(parts.points, "path", drawn, (q) => q.question, (q) => ({
    d: shape(isGrave(q), radius), transform: `translate(${x(q.facility).toFixed(1)} ${y(q.item_rest).toFixed(1)})`,
    class: [isGrave(q) ? "grave" : weight(q) >= 1 ? "watch" : "fine", q.question === state.selected && "current"].filter(Boolean).join(" "),
    title: `Question ${visible(q.question)}: facility ${percent(q.facility)} %, item–rest ${correlation(q.item_rest)}`,
  }));
  const bad = drawn.filter(isGrave);
  parts.points.setAttribute("aria-label", `${plural(drawn.length, "question")} by facility and item–rest correlation. ${bad.length ? `To look at: ${bad.map((q) => `${visible(q.question)} (${words(q)[0][0]})`).join(", ")}.` : "None runs backwards."}`);
  name(parts.names, drawn, state.selected, x, y, size, radius, { left, right: width - right });
}

// shape tells by form as well as by colour: a triangle is to be looked at.
function shape(isBad, r) {
  if (isBad) return `M0 ${-1.5 * r}L${1.4 * r} ${r}L${-1.4 * r} ${r}Z`;
  return `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}

// name writes names beside the points that need one, where there is room.
function name(group, drawn, selected, x, y, size, radius, { left, right }) {
  const taken = [];
  const wanted = drawn.filter((q) => isGrave(q) || q.question === selected).sort((a, b) => isGrave(b) - isGrave(a) || a.item_rest - b.item_rest);
  const labels = [];
  for (const q of wanted) {
    const short = visible(q.question).slice(0, 12);
    const content = isGrave(q) ? `${short} ${words(q)[0][0]}` : short;
    const wide = content.length * size * 0.52;
    const toLeft = x(q.facility) + radius * 2 + wide > right;
    const from = toLeft ? x(q.facility) - radius * 2 - wide : x(q.facility) + radius * 2;
    const box = { from, to: from + wide, at: y(q.item_rest) };
    if (from < left || taken.some((t) => Math.abs(t.at - box.at) < size && box.from < t.to && t.from < box.to)) continue;
    taken.push(box);
    labels.push(text(toLeft ? x(q.facility) - radius * 2 : from, box.at + size * 0.3, content, { class: isGrave(q) ? "name grave" : "name", "text-anchor": toLeft ? "end" : "start" }));
  }
  group.replaceChildren(...labels);
}
