// What the page does when it is there. Without this script it shows the figures, and
// the tests, all the same.
import { one } from "./one.js";
import { all } from "./all.js";
import { get, path } from "./api.js";

document.body.classList.add("live");
const { view, test, prefix, wall } = document.body.dataset;
if (view === "one") one(test);
if (view === "all") all(prefix, wall !== undefined);
if (view === "missing") {
  // The page of a test appears with its first paper.
  const waiting = setInterval(async () => {
    if (!(await get(path("results", test, "aggregate")).catch(() => null))) return;
    clearInterval(waiting);
    location.reload();
  }, 2000);
}
