// Shows a team: rating, form and last ten matches.

import { element, spoken } from "./elements.js";
import { day, shortDay } from "./format.js";

const LETTERS = { win: "W", draw: "D", loss: "L" };
const POINTS = { win: 3, draw: 1, loss: 0 };

/** Builds the card of a team. `answer` is the response of GET /teams/{league}/{team}. */
export function teamCard(answer, side) {
  const { matches } = answer;
  return element(
    "article", { class: "card team", "aria-label": answer.team },
    element(
      "header", {},
      element("h3", {}, element("i", { class: `swatch ${side}`, "aria-hidden": "true" }), " ", answer.team),
      element(
        "p", { class: "team-facts" },
        `${side === "home" ? "Home" : "Away"} · Elo rating ${Math.round(answer.elo)} · ${answer.league_name}`,
      ),
    ),
    matches.length ? [form(matches), matchTable(answer)] : element("p", {}, "No matches of this team are known."),
  );
}

/** Builds a card with the reason why the team could not be loaded. */
export function missingTeamCard(team, problem) {
  return element(
    "article", { class: "card team", "aria-label": team },
    element("h3", {}, team),
    element("p", {}, `The last matches could not be loaded. ${problem.detail || problem.title}`),
  );
}

function form(matches) {
  const count = (outcome) => matches.filter((match) => match.outcome === outcome).length;
  const sum = (key) => matches.reduce((total, match) => total + match[key], 0);
  const points = matches.reduce((total, match) => total + POINTS[match.outcome], 0);
  return element(
    "div", { class: "form" },
    element("ol", { class: "form-letters", "aria-hidden": "true" }, [...matches].reverse().map(
      (match) => element("li", {}, letter(match.outcome)),
    )),
    element(
      "p", {},
      `${count("win")} won, ${count("draw")} drawn, ${count("loss")} lost · ${points} points · `,
      element("span", { class: "form-goals" }, `goals ${sum("goals_for")}–${sum("goals_against")}`),
    ),
  );
}

function matchTable({ team, matches }) {
  return element(
    "table", { class: "matches" },
    element("caption", { class: "visually-hidden" }, `Last matches of ${team}, the latest first`),
    element(
      "thead", {},
      element(
        "tr", {},
        element("th", { scope: "col" }, "Date"),
        element("th", { scope: "col" }, "Opponent"),
        element("th", { scope: "col", class: "number" }, "Goals"),
        element("th", { scope: "col", class: "result" }, spoken("Result")),
      ),
    ),
    element("tbody", {}, matches.map((match) => element(
      "tr", {},
      element(
        "td", { class: "when" },
        element("time", { datetime: match.date, title: day(match.date) }, shortDay(match.date)),
      ),
      element(
        "td", { class: "opponent" },
        match.opponent, " ",
        element(
          "span", { class: "venue" },
          element("span", { "aria-hidden": "true" }, match.is_home ? "H" : "A"),
          spoken(match.is_home ? "at home" : "away"),
        ),
      ),
      element("td", { class: "number" }, `${match.goals_for}–${match.goals_against}`),
      element("td", { class: "result" }, letter(match.outcome), spoken(match.outcome)),
    ))),
  );
}

function letter(outcome) {
  return element("span", { class: `letter ${outcome}`, "aria-hidden": "true" }, LETTERS[outcome]);
}
