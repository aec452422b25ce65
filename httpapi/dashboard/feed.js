// The live feed: events of the server, or asking it again and again where there are
// none to be had.
import { byId, say } from "./dom.js";

const pollEvery = 2000;
const tryAgainAfter = 30000;

// feed calls refresh whenever something may have changed, from now on until the page
// is gone. The address is that of the events; heard is given what an event says.
export function feed(address, heard, refresh) {
  let source = null;
  let timer = null;
  let paused = false;

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
    source.onopen = () => status("good", "Live");
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) poll(); // Refused: 404, 401, 503.
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
