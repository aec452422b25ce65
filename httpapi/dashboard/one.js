// The page of one test: everything that is drawn, and what keeps it fresh.
import { byId, say } from "./dom.js";
import { correlation, fixed, marks, percent, plural, whole } from "./format.js";
import { get, latest, path } from "./api.js";
import { distribution } from "./distribution.js";
import { scatter } from "./scatter.js";
import { questions } from "./questions.js";
import { question } from "./question.js";
import { imports, quality } from "./quality.js";
import { isGrave, reliability } from "./verdicts.js";
import { feed } from "./feed.js";

const tellEvery = 10000; // what a screen reader is told at most

export function one(test) {
  const asked = new URL(location).searchParams;
  const cut = Number.parseFloat(asked.get("cut") ?? "50");
  let chosen = asked.get("question");
  let picked = chosen !== null; // by somebody, and not by us

  const href = (name) => {
    const address = new URL(location);
    address.searchParams.set("question", name);
    return `${address.pathname}${address.search}#panel-question`;
  };
  function choose(name, push = true) {
    if (push) {
      picked = true;
      if (name !== chosen) history.pushState(null, "", href(name).replace(/#.*/, ""));
    }
    chosen = name;
    dots.select(name);
    list.select(name);
    guarded(() => detail.select(name));
  }

  const spread = distribution(byId("panel-distribution"), test, cut >= 0 && cut <= 100 ? cut : 50, (at, passes, answer) => {
    say(byId("tile-pass"), answer.count ? percent(passes.rate) : "–");
    say(byId("note-pass"), `at ${fixed(at, 1).replace(/\.0$/, "")} %: ${whole(passes.passed)} of ${whole(answer.count)}`);
  });
  const dots = scatter(byId("panel-scatter"), choose);
  const list = questions(byId("panel-questions"), href, choose);
  const detail = question(byId("panel-question"), test);
  window.addEventListener("popstate", () => {
    const name = new URL(location).searchParams.get("question");
    picked = name !== null;
    if (name !== null) choose(name, false);
    else readItems();
  });

  const figures = latest(() => guarded(async () => tell(await get(path("results", test, "aggregate")))), 200);
  const curve = latest(() => guarded(spread), 250);
  const readItems = latest(() => guarded(async () => {
    const items = await get(path("results", test, "items"));
    dots.update(items);
    list.update(items);
    reliable(items);
    if (!items?.questions.length) return detail.update(!items);
    // Until somebody picks one, the question that needs a look most is shown.
    const worst = [...items.questions].sort((a, b) => isGrave(b) - isGrave(a) || (a.item_rest ?? 1) - (b.item_rest ?? 1))[0].question;
    if (!picked && worst !== chosen) choose(worst, false);
    else if (chosen !== null && !items.questions.some((q) => q.question === chosen)) choose(worst, false);
    else if (chosen !== null) {
      choose(chosen, false);
      await detail.update();
    }
  }), 700);
  const readQuality = quality(byId("panel-quality"), test);
  const readImports = imports(byId("panel-imports"), test);
  const oddities = latest(() => guarded(readQuality), 2000);
  const arrivals = latest(() => guarded(readImports), 700);

  const everything = () => Promise.all([figures(), curve(), readItems(), oddities(), arrivals()]);
  const heard = (name, data) => {
    if (name === "totals" || name === "scores") return; // An aggregate comes with each.
    if (name === "aggregate") {
      tell(data?.aggregate);
      curve();
      readItems();
      oddities();
    }
    arrivals();
  };
  feed(`/events?test=${encodeURIComponent(test)}`, heard, async () => {
    await everything();
    return failure === null;
  });
  const print = byId("print");
  if (print) print.hidden = false;
  print?.addEventListener("click", () => window.print());
}

// failure is what the last question to the server came to.
let failure = null;
async function guarded(action) {
  try {
    await action();
    failure = null;
  } catch (cause) {
    failure = cause;
    say(byId("told"), cause.message);
  }
}

const seen = []; // counts of the last minute, with their times
let told = 0;

// tell writes an aggregate into the tiles and the table.
function tell(aggregate) {
  if (!aggregate) return;
  for (const [name, value] of Object.entries(aggregate)) {
    const shown = name === "count" ? whole(value) : percent(value);
    say(byId(`tile-${name}`), shown);
    const cell = document.querySelector(`[data-figure="${CSS.escape(name)}"]`);
    if (cell) say(cell, shown);
  }
  const now = Date.now();
  seen.push([now, aggregate.count]);
  while (seen[0][0] < now - 60000) seen.shift();
  const more = aggregate.count - seen[0][1];
  if (more > 0) say(byId("note-count"), `${whole(more)} more within a minute`);
  say(byId("note-p50"), `half from ${percent(aggregate.p25)} to ${percent(aggregate.p75)}`);
  say(byId("note-stddev"), `${percent(aggregate.min)} to ${percent(aggregate.max)} in all`);
  if (now - told < tellEvery) return;
  told = now;
  say(byId("told"), `${plural(aggregate.count, "student")}, mean ${percent(aggregate.mean)} percent.`);
}

function reliable(items) {
  say(byId("tile-alpha"), items ? correlation(items.alpha) : "–");
  say(byId("note-alpha"), items ? reliability(items) : "not told by this server");
  if (items?.available) say(byId("note-mean"), `${fixed(items.mean, 1)} of ${plural(items.available, "mark")}`);
  if (items?.sem !== null && items?.sem !== undefined) say(byId("note-alpha"), `${reliability(items)}; SEM ${marks(Math.round(items.sem * 10) / 10)} marks`);
}
