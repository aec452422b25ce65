// What the flags mean, in words: a colour alone tells nobody anything.

const idle = "idle distractor";
const flagWords = {
  suspect_key: ["wrong key?", "Students who do well choose another option than the one that is credited."],
  negative_discrimination: ["runs backwards", "Who gets it right does worse on the rest: item-rest correlation below 0."],
  key_conflict: ["key conflict", "The same response is credited on some sheets and not on others."],
  non_functioning_distractor: [idle, "An option that fewer than 5 % choose, or that better students choose."],
  too_easy: ["easy", "Its facility is above what the preset wants."],
  too_hard: ["hard", "Its facility is below what the preset wants."],
  low_efficiency: ["low efficiency", "It tells good from weak far less than it could with these scores."],
  no_variance: ["no spread", "Everybody got the same marks."],
};

// grave are the flags that somebody has to look at before results go out.
const grave = new Set(["suspect_key", "negative_discrimination", "key_conflict"]);

export const isGrave = (question) => question.flags.some((flag) => grave.has(flag));

// weight orders questions by how much they ask for a look. An idle distractor is for
// whoever writes the next paper.
export const weight = (question) => question.flags.reduce((sum, flag) => sum + (grave.has(flag) ? 100 : flag === "non_functioning_distractor" ? 0.1 : 1), 0);

// words are the flags as [short, long, grave], gravest first. What follows from another
// flag is left out.
export function words(question) {
  const implied = question.flags.includes("suspect_key") ? ["negative_discrimination", "non_functioning_distractor"] : [];
  const flags = question.flags.filter((flag) => !implied.includes(flag));
  return flags.map((flag) => [...(flagWords[flag] ?? [flag.replaceAll("_", " "), ""]), grave.has(flag)]).sort((a, b) => b[2] - a[2] || (a[0] === idle) - (b[0] === idle));
}

const bandWords = {
  very_good: "very good", good: "good", marginal: "marginal", poor: "poor", fair: "fair",
  adequate: "adequate", weak: "weak", very_weak: "very weak", invalid: "invalid",
};
export const band = (name) => bandWords[name] ?? "";

// reliability says what services make of an alpha; whose words they are is on the
// statistics page.
export function reliability(items) {
  if (items.alpha === null) return "not defined yet";
  if (items.flags.includes("negative_alpha")) return "negative: the questions do not hang together";
  const word = items.alpha >= 0.9 ? "for decisions about one" : items.alpha >= 0.8 ? "good" : items.alpha >= 0.7 ? "moderate" : items.alpha >= 0.6 ? "rather low" : "doubtful";
  return items.flags.includes("unsettled") ? `${word}, fewer than 50 papers` : word;
}
