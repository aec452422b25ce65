// The public API, as far as the page asks it. Answers are revalidated by their ETag:
// what has not changed is not sent again.

// get resolves to the answer, or to null where there is none: a test that nobody has
// heard of, or a route that this server does not have. Everything else that is not an
// answer is an error with a sentence.
export async function get(path, signal) {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" }, cache: "no-cache", signal });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new Error("The server does not answer. The page goes on asking.");
  }
  if (response.status === 404) return null;
  if (response.ok) return response.json();
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // Not one of ours: a proxy's page.
  }
  throw new Error(problem.detail || problem.title || `The server answers ${response.status}.`);
}

// path joins segments, each of which is escaped: an id with a slash stays one.
export const path = (...segments) => "/" + segments.map(encodeURIComponent).join("/");

// latest runs an action at most once at a time, and once more if it was asked for
// meanwhile, no sooner than after a pause.
export function latest(action, pause = 0) {
  let running = false;
  let again = false;
  return async function ask() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      do {
        again = false;
        await action();
        if (pause) await new Promise((done) => setTimeout(done, pause));
      } while (again);
    } finally {
      running = false;
    }
  };
}
