// Shows the fixtures whose date has passed without a result, in a list that is closed at first.

import { Latest, Problem, ask } from "./api.js";
import { fixtureDays } from "./fixtures.js";
import { count } from "./format.js";

const MOST = 500; // in one response

/** Fills a `details` element. `choose(fixture)` is called when a person picks a fixture. */
export class OverdueFixtures {
  #place;
  #choose;
  #latest = new Latest();

  constructor(place, { choose }) {
    this.#place = place;
    this.#choose = choose;
  }

  /** Lists the overdue fixtures of a league, or of all with "". An empty list is hidden. */
  async show(league) {
    const signal = this.#latest.next();
    try {
      const { fixtures, total } = await ask(["fixtures"], { parameters: { overdue: true, league, limit: MOST }, signal });
      const shown = total > fixtures.length ? `the first ${count(fixtures.length)} of ${count(total)}` : count(total);
      this.#place.querySelector(".overdue-count").textContent = `(${shown})`;
      this.#place.querySelector(".overdue-list").replaceChildren(
        ...fixtureDays(fixtures, { namesLeague: !league, choose: this.#choose }),
      );
      this.#place.hidden = total === 0;
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof Problem)) throw error;
      this.#place.hidden = true; // the request of the upcoming fixtures shows the same problem
    }
  }
}
