// One question: who chooses what, from the weakest fifth of the papers to the best, and
// what would follow if it were withdrawn or its key another.
import { em, line, linear, sized, text } from "./chart.js";
import { h, id, say, show, svg, table, visible } from "./dom.js";
import { correlation, fixed, percent, plural, whole } from "./format.js";
import { get, path } from "./api.js";
import { band, words } from "./verdicts.js";

const dashes = ["", "6 3", "2 2", "8 3 2 3", "1 3", "10 4", "4 4 1 4"];

export function question(panel, test) {
  const state = { question: null, data: null };
  const title = panel.querySelector("h2");
  const verdict = h("p", { class: "verdict" });
  const plot = h("div", { class: "plot plot-options" });
  const picture = svg("svg", { focusable: "false" });
  plot.append(picture);
  const options = h("div", { class: "scroll options-table", tabindex: 0, role: "region", "aria-label": "Options of the question" });
  const whatIf = h("div", { class: "what-if", tabindex: 0, role: "region", "aria-label": "What if" });
  const empty = h("p", { class: "none" });
  panel.querySelector(".body").replaceChildren(empty, verdict, plot, options, whatIf);
  const redraw = sized(plot, (width) => state.data && draw(plot, picture, state.data, width));

  async function update(isOff = false) {
    if (state.question === null) {
      show(empty, isOff ? "This server does not analyse questions." : "No question yet.");
      return;
    }
    const asked = state.question;
    const data = await get(path("results", test, "items", asked));
    if (asked !== state.question) return;
    state.data = data;
    show(title, "Question ", id(asked));
    panel.classList.toggle("filled", Boolean(data));
    if (!data) {
      show(empty, "There is no analysis of this question.");
      for (const part of [verdict, options, whatIf, picture]) part.replaceChildren();
      return;
    }
    empty.replaceChildren();
    say(verdict, sentence(data));
    redraw();
    show(options, optionTable(data));
    await suppose(asked, data);
  }

  // suppose asks what would follow; nothing is changed by it.
  async function suppose(asked, data) {
    const questions = [[`Withdraw question ${visible(asked)}`, `withdraw=${encodeURIComponent(asked)}`]];
    const better = rival(data);
    if (better) questions.unshift([`Credit ${visible(better.response)} instead`, `key=${encodeURIComponent(`${asked}:${better.response}`)}`]);
    const answers = await Promise.all(questions.map(([, query]) => get(`${path("results", test, "what-if")}?${query}`).catch(() => null)));
    if (asked !== state.question) return;
    const rows = questions.map(([label], i) => [label, answers[i]]).filter(([, answer]) => answer).map(([label, { before, after, raised, lowered }]) =>
      [label, `${correlation(before.alpha)} → ${correlation(after.alpha)}`, `${percent(before.mean)} → ${percent(after.mean)}`, whole(raised), whole(lowered)]);
    show(whatIf, rows.length > 0 && table("What if? Nothing is changed by asking.", ["", "Reliability α", "Mean %", "Papers up", "Down"], rows));
  }

  return {
    update,
    select(next) {
      if (next === state.question) return;
      state.question = next;
      return update();
    },
  };
}

// rival is the option that behaves as the key should, if the key does not.
function rival(data) {
  if (!data.flags.includes("suspect_key") && !data.flags.includes("negative_discrimination")) return null;
  const uncredited = data.options.filter((o) => !o.credited && o.response !== "" && o.option_rest > 0);
  return uncredited.sort((a, b) => b.option_rest - a.option_rest)[0] ?? null;
}

function sentence(data) {
  const parts = [`${percent(data.facility)} % of the marks, item–rest ${correlation(data.item_rest)}${data.band ? ` (${band(data.band)})` : ""}.`];
  const better = rival(data);
  if (better) parts.push(`Option ${visible(better.response)} behaves like the key: ${percent(better.share_by_group.at(-1))} % of the best fifth choose it.`);
  else for (const [, long] of words(data).slice(0, 2)) parts.push(long);
  return parts.join(" ");
}

const optionName = (o) => (o.response === "" ? "none" : visible(o.response).slice(0, 10));

function draw(plot, picture, data, width) {
  const size = em(plot);
  const groups = data.groups;
  if (!groups.length) {
    picture.replaceChildren();
    picture.setAttribute("height", 0);
    return;
  }
  const height = Math.round(Math.max(size * 10, Math.min(size * 14, width * 0.5)));
  const [left, right, top, bottom] = [size * 3.3, size * 5.2, size * 0.8, size * 2.5];
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("width", width);
  picture.setAttribute("height", height);
  const shown = data.options.filter((o) => o.share_by_group.some((s) => s > 0));
  const most = Math.max(50, ...shown.flatMap((o) => o.share_by_group));
  const x = linear([0, groups.length - 1], [left + size, width - right - size * 0.6]);
  const y = linear([0, most > 75 ? 100 : most > 50 ? 75 : 50], [height - bottom, top]);
  const ticks = [0, 25, 50, 75, 100].filter((v) => y(v) >= top - 1);
  const axis = svg("g", { class: "axis", "aria-hidden": "true" },
    ticks.map((v) => [line(left, y(v), width - right, y(v), v ? "guide" : "base"), text(left - size * 0.4, y(v) + size * 0.3, v === ticks.at(-1) ? `${v} %` : String(v), { "text-anchor": "end" })]),
    groups.map((g, i) => text(x(i), height - bottom + size * 1.1, i === 0 ? "weakest fifth" : i === groups.length - 1 ? "best fifth" : "", { "text-anchor": i === 0 ? "start" : "end", dx: i === 0 ? -size : size })));
  const lines = svg("g", { class: "options", role: "img", "aria-label": `Share of each option, from the weakest fifth of the papers to the best: ${shown.map((o) => `${optionName(o)}${o.credited ? ", the key," : ""} ${percent(o.share_by_group[0])} to ${percent(o.share_by_group.at(-1))} %`).join("; ")}.` },
    shown.map((o, n) => {
      const points = o.share_by_group.map((s, i) => `${x(i).toFixed(1)},${y(s).toFixed(1)}`).join(" ");
      const name = o.credited ? "key" : o === rival(data) ? "rival" : "distractor";
      return svg("g", { class: name }, svg("polyline", { points, "stroke-dasharray": o.credited ? null : dashes[n % dashes.length] || null }),
        o.share_by_group.map((s, i) => svg("circle", { cx: x(i).toFixed(1), cy: y(s).toFixed(1), r: size * (o.credited ? 0.22 : 0.16) })));
    }));
  const ends = spread(shown.map((o) => ({ o, at: y(o.share_by_group.at(-1)) })), size * 1.1, top, height - bottom);
  const names = svg("g", { class: "names", "aria-hidden": "true" }, ends.map(({ o, at }) =>
    text(width - right + size * 0.5, at + size * 0.3, `${optionName(o)}${o.credited ? " ✓ key" : ""}`, { class: o.credited ? "name key" : o === rival(data) ? "name rival" : "name" })));
  picture.replaceChildren(axis, lines, names);
}

// spread moves labels apart that would lie on each other.
function spread(labels, gap, top, bottom) {
  labels.sort((a, b) => a.at - b.at);
  for (let i = 1; i < labels.length; i++) labels[i].at = Math.max(labels[i].at, labels[i - 1].at + gap);
  const over = (labels.at(-1)?.at ?? 0) - bottom;
  if (over > 0) for (let i = labels.length - 1, limit = bottom; i >= 0; i--, limit -= gap) labels[i].at = Math.max(top, Math.min(labels[i].at, limit));
  return labels;
}

function optionTable(data) {
  if (data.free) return h("p", { class: "none" }, "Its answers are free text: they are not told apart.");
  const rows = data.options.map((o) => [
    h("span", { class: o.credited ? "key" : null }, o.response === "" ? "none" : id(o.response), o.credited && " ✓", o.non_functioning && h("small", null, o.share < 5 ? "idle" : "draws the able")),
    whole(o.count), percent(o.share), correlation(o.option_rest),
    ...(data.groups.length ? o.share_by_group.map((s) => fixed(s, 0)) : []),
  ]);
  const papers = data.options.reduce((sum, o) => sum + o.count, 0); // with those that lack the question
  const fifths = data.groups.map((g, i) => ["1st", "2nd", "3rd", "4th", "5th"][i] ?? String(i + 1));
  const caption = `Options, of ${plural(papers, "paper")}${fifths.length ? "; 1st to 5th: percent of each fifth by total, the weakest first" : ""}`;
  return table(caption, ["Option", "Papers", "%", "r with rest", ...fifths], rows);
}
