// Shows the upcoming fixtures with their forecasts, by day.

import { element, spoken } from "./elements.js";
import { longDay, percentages } from "./format.js";
import { OUTCOMES, outcomeBar } from "./forecast.js";

/** Groups the fixtures by day. `choose(fixture)` is called when a person picks one. */
export function fixtureDays(fixtures, { namesLeague, choose }) {
  const days = new Map();
  for (const fixture of fixtures) {
    if (!days.has(fixture.date)) days.set(fixture.date, []);
    days.get(fixture.date).push(fixture);
  }
  return [...days].map(([date, ofTheDay]) => element(
    "section", { class: "fixture-day" },
    element("h3", {}, element("time", { datetime: date }, longDay(date))),
    element("ul", {}, ofTheDay.map((fixture) => element("li", {}, fixtureButton(fixture, namesLeague, choose)))),
  ));
}

function fixtureButton(fixture, namesLeague, choose) {
  const shown = percentages(OUTCOMES.map((outcome) => fixture.probabilities[outcome]), 0);
  const names = { home: "home win ", draw: "draw ", away: "away win " };
  const where = [fixture.time?.slice(0, 5), namesLeague ? fixture.league_name : null].filter(Boolean).join(" · ");
  return element(
    "button", { type: "button", class: "fixture", onclick: () => choose(fixture) },
    where ? element("span", { class: "fixture-where" }, where) : null,
    element(
      "span", { class: "fixture-teams" },
      element("span", { class: "team-home" }, fixture.home_team),
      element("span", { class: "versus" }, " v "),
      element("span", { class: "team-away" }, fixture.away_team),
    ),
    element(
      "span", { class: "fixture-forecast" },
      outcomeBar(fixture.probabilities),
      element("span", { class: "fixture-percentages" }, OUTCOMES.map((outcome, i) => element(
        "span", {}, spoken(names[outcome]), shown[i],
      ))),
    ),
  );
}
