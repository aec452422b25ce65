// Numbers as people read them. Whoever needs them exact has the JSON.

const narrow = "\u202f";
const minus = "\u2212";

// whole is a count, in groups of three digits.
export const whole = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, narrow);

// fixed is a number with so many decimals, "–" if it is undefined.
export function fixed(value, decimals) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return value.toFixed(decimals).replace(/^-0(\.0*)?$/, "0$1").replace("-", minus);
}

export const percent = (value) => fixed(value, 1);

// marks are decimals without a needless point.
export const marks = (value) => fixed(value, 3).replace(/\.?0+$/, "");

// correlation is between -1 and 1: .42, as the field's tables have it.
export const correlation = (value) => fixed(value, 2).replace(/^(\u2212?)0\./, "$1.");

export const plural = (n, one, many = one + "s") => `${whole(n)} ${n === 1 ? one : many}`;

// clock is the time of day, where the reader is.
export const clock = (time) => new Date(time).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
