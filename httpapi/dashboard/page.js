// What the page does when it is there. Without this script it shows the figures, and
// the tests, all the same.
import { one } from "./one.js";
import { all } from "./all.js";
import { get, path } from "./api.js";

document.body.classList.add("live");
const { view, test, prefix, wall } = document.body.dataset;
if (view === "one") one(test);
if (view === "all") all(prefix, wall !== undefined);
if (view === "missing" || view === "wait") {
  // The page appears with the first paper of the test, or when the server is ready.
  const address = view === "missing" ? path("results", test, "aggregate") : "/results?limit=1";
  const waiting = setInterval(async () => {
    if (!(await get(address).catch(() => null))) return;
    clearInterval(waiting);
    location.reload();
  }, 2000);
}
