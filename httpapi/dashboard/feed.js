// The live feed: events of the server, or asking it again and again where there are
// none to be had.
import { byId, say } from "./dom.js";

const pollEvery = 2000;
const tryAgainAfter = 30000;
const failuresMax = 3; // in a row, before the events count as not to be had

// feed calls refresh whenever something may have changed, from now on until the page
// is gone. The address is that of the events; heard is given what an event says.
export function feed(address, heard, refresh) {
  let source = null;
  let timer = null;
  let paused = false;
  let failures = 0;

  function status(kind, words) {
    const node = byId("status");
    node.className = `status status-${kind}`;
    say(byId("status-text"), words);
  }

  function open() {
    close();
    if (paused || document.hidden) return;
    refresh();
    source = new EventSource(address);
    source.onopen = () => {
      failures = 0;
      status("good", "Live");
    };
    source.onerror = () => {
      // Refused (401, 404, 503), or kept away by something between here and there.
      if (source.readyState === EventSource.CLOSED || ++failures >= failuresMax) poll();
      else status("wait", "Connecting again");
    };
    for (const name of ["totals", "aggregate", "scores", "imports", "gap"]) {
      source.addEventListener(name, (event) => {
        let data = null;
        try {
          data = JSON.parse(event.data);
        } catch {
          // An event without data is a sign all the same.
        }
        heard(name, data);
      });
    }
  }

  // poll asks every other second, and tries the events again now and then.
  function poll() {
    close();
    failures = 0;
    const until = Date.now() + tryAgainAfter;
    timer = setInterval(async () => {
      if (Date.now() > until) open();
      else status(...((await refresh()) === false ? ["bad", "No answer from the server"] : ["good", "Live"]));
    }, pollEvery);
    status("good", "Live");
  }

  function close() {
    source?.close();
    source = null;
    clearInterval(timer);
    timer = null;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && open());
  const button = byId("pause");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      button.setAttribute("aria-pressed", String(paused));
      if (!paused) return open();
      close();
      status("wait", "Paused");
    });
  }
  open();
}
