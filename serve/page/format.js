// Formats numbers and dates for people.

const LONG_DAY = new Intl.DateTimeFormat("en-GB", {
  weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC",
});
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const SHORT_DAY = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "2-digit", timeZone: "UTC",
});
const NO_BREAK_SPACE = "\u00a0";

/**
 * Rounds percentages so that they sum to exactly 100 (largest remainder method): all are rounded down, then those with
 * the largest remainders get one unit of the last decimal more.
 */
export function percentages(probabilities, decimals) {
  const units = 100 * 10 ** decimals;
  const exact = probabilities.map((probability) => probability * units);
  const rounded = exact.map(Math.floor);
  const byRemainder = exact.map((_, i) => i).sort((a, b) => (exact[b] - rounded[b]) - (exact[a] - rounded[a]));
  const leftOver = units - rounded.reduce((sum, value) => sum + value, 0);
  for (const i of byRemainder.slice(0, Math.max(leftOver, 0))) rounded[i] += 1;
  return rounded.map((value) => percent(value / units, decimals));
}

/** A whole number with thousands separators. */
export function count(number) {
  return number.toLocaleString("en-GB");
}

export function percent(probability, decimals) {
  return `${(probability * 100).toFixed(decimals)}${NO_BREAK_SPACE}%`;
}

/** Decimal odds without a margin. */
export function fairOdds(probability) {
  const odds = 1 / probability;
  return odds < 1000 ? odds.toFixed(odds < 100 ? 2 : 0) : "over 1,000";
}

const INPUTS = { results: "results", shots: "shots", odds: "past odds", match_odds: "the odds of this match" };
const LIST = new Intl.ListFormat("en-GB", { type: "conjunction" });

/** The inputs of a forecast in words: `results, shots and past odds`. */
export function inputsInWords(tier) {
  return LIST.format(tier.split("+").map((group) => INPUTS[group] ?? group));
}

export function longDay(isoDate) {
  return LONG_DAY.format(new Date(`${isoDate}T00:00:00Z`));
}

export function day(isoDate) {
  return DAY.format(new Date(`${isoDate}T00:00:00Z`));
}

export function shortDay(isoDate) {
  return SHORT_DAY.format(new Date(`${isoDate}T00:00:00Z`));
}
