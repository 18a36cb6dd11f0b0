// The optional odds of the match: three decimal numbers, with an error below them.

const SIDES = ["home", "draw", "away"];
const NAMES = { home: "a home win", draw: "a draw", away: "an away win" };

/** `changed()` is called when a person has filled or emptied all three fields. */
export class OddsFields {
  #details;
  #inputs;
  #error;

  constructor(details, { changed }) {
    this.#details = details;
    this.#inputs = Object.fromEntries(SIDES.map((side) => [side, details.querySelector(`#odds-${side}`)]));
    this.#error = details.querySelector("#odds-error");
    for (const input of Object.values(this.#inputs)) {
      input.addEventListener("input", () => this.mark(null));
      input.addEventListener("change", () => {
        const filled = SIDES.filter((side) => this.#text(side));
        if (filled.length === 0 || filled.length === SIDES.length) changed();
      });
    }
  }

  /** The odds as numbers by side, or null if all fields are empty. Text that is no number is NaN. */
  get value() {
    if (SIDES.every((side) => !this.#text(side))) return null;
    return Object.fromEntries(SIDES.map((side) => [side, parse(this.#text(side))]));
  }

  /** Fills the fields with odds, or with null empties them. */
  set(odds) {
    for (const side of SIDES) this.#inputs[side].value = odds ? String(odds[side]) : "";
    this.mark(null);
    if (odds) this.#details.open = true;
  }

  /** Marks fields that cannot be odds, and with `focuses` focuses the first; returns whether there is none. */
  check({ focuses }) {
    const odds = this.value;
    const wrong = odds === null ? [] : SIDES.filter((side) => !(odds[side] > 1));
    if (!wrong.length) return true;
    const [first] = wrong;
    this.mark(
      this.#text(first)
        ? `The odds of ${NAMES[first]} must be a decimal number greater than 1, such as 2.10.`
        : `The odds of ${NAMES[first]} are missing. Fill in all three, or none.`,
      { sides: wrong, focuses },
    );
    return false;
  }

  /** Marks fields as invalid, with an error that describes them; null removes the error. */
  mark(message, { sides = SIDES, focuses = false } = {}) {
    this.#error.textContent = message ?? "";
    for (const side of SIDES) {
      const isWrong = message !== null && sides.includes(side);
      const input = this.#inputs[side];
      if (isWrong) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
      input.setAttribute("aria-describedby", isWrong ? "odds-error odds-hint" : "odds-hint");
    }
    if (message === null) return;
    this.#details.open = true;
    if (focuses) this.#inputs[sides[0]].focus();
  }

  /** Shows the errors of a problem that are about the odds `asked`, if they are still there; returns whether there was one. */
  showProblem({ errors }, { asked, focuses }) {
    const ours = errors.filter(({ field }) => field === "odds" || field.startsWith("odds."));
    if (!ours.length) return false;
    if (oddsParameter(asked) !== oddsParameter(this.value)) return true;
    const sides = SIDES.filter((side) => ours.some(({ field }) => field === `odds.${side}`));
    const text = ours.map(({ message }) => message).join("; ");
    this.mark(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`, { sides: sides.length ? sides : SIDES, focuses });
    return true;
  }

  #text(side) {
    return this.#inputs[side].value.trim();
  }
}

/** Odds as the address of the page has them: `2.1,3.4,3.6`. */
export function oddsParameter(odds) {
  return odds ? SIDES.map((side) => odds[side]).join(",") : null;
}

/** Reads `oddsParameter`; null for any other text. */
export function oddsOf(parameter) {
  const values = (parameter ?? "").split(",").map(Number);
  const isOdds = values.length === SIDES.length && values.every((value) => value > 1);
  return isOdds ? Object.fromEntries(SIDES.map((side, i) => [side, values[i]])) : null;
}

// A decimal comma is read as a point.
function parse(text) {
  return text ? Number(text.replace(",", ".")) : NaN;
}
