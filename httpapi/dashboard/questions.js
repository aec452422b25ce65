// The table of questions: what is to be looked at first, and each column sortable.
import { h, id, show, svg } from "./dom.js";
import { correlation, percent, plural, whole } from "./format.js";
import { band, isGrave, weight, words } from "./verdicts.js";

const columns = [
  { key: "question", label: "Question" },
  { key: "facility", label: "Facility", unit: "%", hint: "mean marks in percent of the marks available" },
  { key: "item_rest", label: "Item–rest", hint: "correlation with the sum of the other questions" },
  { key: "discrimination_27", label: "D", hint: "upper 27 % minus lower 27 %" },
  { key: "omitted", label: "Omitted" },
  { key: "flags", label: "To look at" },
];

// questions fills a panel; chosen hears which question somebody picks.
export function questions(panel, href, chosen) {
  const order = { by: "flags", down: true };
  let items = null;
  let selected = null;
  const scroll = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Questions" });
  const count = h("p", { class: "quiet" });
  panel.querySelector(".bar").append(count);
  panel.querySelector(".body").replaceChildren(scroll);

  const head = h("tr", null, columns.map((column) => {
    const button = h("button", { type: "button", class: "sort", click: () => sort(column.key), title: column.hint }, column.label, column.unit && h("small", null, ` ${column.unit}`), h("span", { class: "arrow", "aria-hidden": "true" }));
    return h("th", { scope: "col", class: ["question", "flags"].includes(column.key) ? null : "number", "data-key": column.key }, button);
  }));
  const body = h("tbody");
  scroll.append(h("table", { class: "questions", "aria-labelledby": "questions" }, h("thead", null, head), body));

  function sort(by) {
    order.down = order.by === by ? !order.down : by === "flags";
    order.by = by;
    render();
  }

  function sorted() {
    const list = items.questions.map((question, place) => ({ question, place }));
    const value = ({ question, place }) => {
      if (order.by === "question") return place;
      if (order.by === "flags") return weight(question) - (question.item_rest ?? 0) / 2;
      return question[order.by] ?? -Infinity;
    };
    return list.sort((a, b) => (order.down ? value(b) - value(a) : value(a) - value(b)) || a.place - b.place).map((entry) => entry.question);
  }

  function render() {
    if (!items) return;
    for (const cell of head.children) {
      if (cell.dataset.key === order.by) cell.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    const focused = document.activeElement?.closest?.("tr")?.dataset.question;
    show(body, sorted().map((q) => row(q)));
    if (focused !== undefined && document.activeElement === document.body) {
      [...body.children].find((line) => line.dataset.question === focused)?.querySelector("a").focus({ preventScroll: true });
    }
  }

  function row(q) {
    const current = q.question === selected;
    return h("tr", { "data-question": q.question, class: [current && "current", isGrave(q) && "grave"].filter(Boolean).join(" ") || null },
      h("th", { scope: "row" }, h("a", { href: href(q.question), "aria-current": current ? "true" : null }, id(q.question))),
      h("td", { class: "number meter" }, meter(q.facility), percent(q.facility)),
      h("td", { class: "number meter", title: band(q.band) }, sway(q.item_rest), correlation(q.item_rest)),
      h("td", { class: "number" }, correlation(q.discrimination_27)),
      h("td", { class: "number" }, whole(q.omitted)),
      h("td", { class: "flags" }, words(q).map(([short, long, isBad], i) => [i ? ", " : null, h("span", { class: isBad ? "flag bad" : "flag", title: long }, isBad && h("span", { class: "alarm", "aria-hidden": "true" }, "▲ "), short)])));
  }

  body.addEventListener("click", (event) => {
    const line = event.target.closest("tr");
    if (!line || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    chosen(line.dataset.question);
  });

  return {
    update(next) {
      items = next;
      if (!items) {
        show(scroll, h("p", { class: "none" }, "This server does not analyse questions."));
        return;
      }
      const bad = items.questions.filter(isGrave).length;
      show(count, items.questions.length ? `${plural(items.sheets, "paper")}, ${bad ? `${plural(bad, "question")} to look at before results go out` : "nothing runs backwards"}` : "");
      if (!items.questions.length) {
        show(body, h("tr", null, h("td", { colspan: columns.length, class: "none" }, items.limit ? "There are too many questions or different marks to analyse." : "No paper with answers yet.")));
        return;
      }
      render();
    },
    select(question) {
      selected = question;
      render();
    },
  };
}

// meter is a bar of 0 to 100 behind a number.
const meter = (value) => svg("svg", { class: "cell", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
  svg("rect", { class: "trough", width: 100, height: 10 }), svg("rect", { class: "level", width: Math.max(0, value ?? 0), height: 10 }));

// sway is a bar from 0 to the right or, where it is negative, to the left.
function sway(value) {
  const zero = 30;
  const v = Math.max(-0.3, Math.min(0.7, value ?? 0)) * 100;
  return svg("svg", { class: "cell", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "trough", width: 100, height: 10 }), svg("rect", { class: v < 0 ? "level minus" : "level", x: v < 0 ? zero + v : zero, width: Math.abs(v), height: 10 }),
    svg("rect", { class: "zero", x: zero - 0.5, width: 1, height: 10 }));
}
