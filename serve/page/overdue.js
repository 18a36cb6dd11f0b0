// Shows the fixtures whose day has passed without a result, in a list of their own that a person opens.

import { Latest, Problem, ask } from "./api.js";
import { fixtureDays } from "./fixtures.js";

const MOST = 500; // in one answer

/** The list in a `details` element. `choose(fixture)` is called when a person picks one. */
export class OverdueFixtures {
  #place;
  #choose;
  #latest = new Latest();

  constructor(place, { choose }) {
    this.#place = place;
    this.#choose = choose;
  }

  /** Lists those of a league, or with "" all; without one the list is hidden. */
  async show(league) {
    const signal = this.#latest.next();
    try {
      const { fixtures, total } = await ask(["fixtures"], { parameters: { overdue: true, league, limit: MOST }, signal });
      const shown = total > fixtures.length ? `the first ${fixtures.length} of ${total}` : String(total);
      this.#place.querySelector(".overdue-count").textContent = `(${shown})`;
      this.#place.querySelector(".overdue-list").replaceChildren(
        ...fixtureDays(fixtures, { namesLeague: !league, choose: this.#choose }),
      );
      this.#place.hidden = total === 0;
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Problem)) throw error;
      this.#place.hidden = true; // the coming fixtures, asked at the same time, show the problem
    }
  }
}
