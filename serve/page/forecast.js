// Shows the forecast of one match: outcomes, expected goals, likeliest scores and the score matrix.

import { element, spoken, withVariable } from "./elements.js";
import { fairOdds, inputsInWords, longDay, percent, percentages } from "./format.js";

export const OUTCOMES = ["home", "draw", "away"];
const SHOWN_GOALS = 5; // scores with more goals of a team are in the last row or column

/** Builds the cards of a forecast: `answer` is the response of POST /predict with scores, `odds` those of the request. */
export function forecastCards(answer, odds) {
  const { fixture } = answer;
  const hasUnusedOdds = odds && !answer.inputs.split("+").includes("match_odds");
  return [
    element(
      "div", { class: "card scoreboard" },
      element(
        "p", { class: "scoreboard-when" },
        element("span", {}, `${fixture.league_name} · ${longDay(fixture.date)}`),
        element("span", { class: "why-date", id: "why-date" }),
      ),
      element(
        "h2", { class: "scoreboard-teams", id: "forecast-title", tabindex: "-1" },
        element("span", { class: "team-home" }, fixture.home_team),
        element("span", { class: "versus" }, " v "),
        element("span", { class: "team-away" }, fixture.away_team),
      ),
      element(
        "dl", { class: "expected-goals" },
        element("dt", {}, "Expected goals"),
        element(
          "dd", {},
          spoken(`${fixture.home_team} `), answer.expected_goals.home.toFixed(2),
          element("span", { class: "dash" }, " – "),
          spoken(`${fixture.away_team} `), answer.expected_goals.away.toFixed(2),
        ),
      ),
      element(
        "p", { class: "made-by" }, `Forecast by model ${answer.model_version}, from ${inputsInWords(answer.inputs)}.`,
        hasUnusedOdds ? " This model does not use odds of the match: those given change nothing." : null,
      ),
    ),
    element(
      "div", { class: "card" },
      element("h3", {}, "Outcome"),
      outcomeTable(answer),
      element("h3", { class: "scores-title" }, "Likeliest scores"),
      likeliestScores(answer),
    ),
    element("div", { class: "card" }, element("h3", {}, "All scores"), scoreTable(answer)),
  ];
}

/** The forecast in one sentence, for the status line. */
export function forecastSentence({ fixture, probabilities }) {
  const [home, draw, away] = percentages(OUTCOMES.map((outcome) => probabilities[outcome]), 1);
  return `${fixture.home_team} against ${fixture.away_team}: home win ${home}, draw ${draw}, away win ${away}.`;
}

/** A bar of three parts, hidden from screen readers: the same figures are in the text. */
export function outcomeBar(probabilities) {
  return element(
    "span", { class: "outcome-bar", "aria-hidden": "true" },
    OUTCOMES.map((outcome) => withVariable(element("i", { class: outcome }), "--share", probabilities[outcome])),
  );
}

function outcomeTable({ fixture, probabilities }) {
  const values = OUTCOMES.map((outcome) => probabilities[outcome]);
  const shown = percentages(values, 1);
  const names = [`${fixture.home_team} win`, "Draw", `${fixture.away_team} win`];
  return element(
    "table", { class: "outcomes" },
    element("caption", { class: "visually-hidden" }, "Probability and fair decimal odds of each outcome"),
    element(
      "thead", {},
      element(
        "tr", {},
        element("th", { scope: "col" }, "Outcome"),
        element("th", { scope: "col", class: "number" }, "Probability"),
        element("th", { scope: "col", class: "number" }, "Fair odds"),
      ),
    ),
    element(
      "tbody", {},
      OUTCOMES.map((outcome, i) => element(
        "tr", { "data-outcome": outcome },
        element(
          "th", { scope: "row" },
          element("span", { class: "outcome-name" }, names[i]),
          withVariable(
            element("span", { class: "bar", "aria-hidden": "true" }, element("i", { class: outcome })),
            "--share", values[i],
          ),
        ),
        element("td", { class: "number probability" }, shown[i]),
        element("td", { class: "number odds" }, fairOdds(values[i])),
      )),
    ),
  );
}

function likeliestScores({ likeliest_scores: scores }) {
  return element(
    "ol", { class: "likeliest" },
    scores.map(({ home, away, probability }) => element(
      "li", {}, element("b", {}, `${home}–${away}`), " ", element("span", {}, percent(probability, 1)),
    )),
  );
}

function scoreTable({ fixture, score_matrix: matrix }) {
  const cells = cropped(matrix);
  const largest = Math.max(...cells.flat());
  const goals = cells.map((_, i) => (i > SHOWN_GOALS ? `${i}+` : String(i)));
  return element(
    "table", { class: "scores" },
    element(
      "caption", {},
      `Probability in percent. Rows: goals of ${fixture.home_team}. Columns: goals of ${fixture.away_team}.`,
    ),
    element(
      "thead", {},
      element(
        "tr", {},
        element("th", { scope: "col", class: "corner" }, spoken("Home goals")),
        goals.map((label) => element("th", { scope: "col" }, spoken("Away "), label)),
      ),
    ),
    element(
      "tbody", {},
      cells.map((row, home) => element(
        "tr", {},
        element("th", { scope: "row" }, spoken("Home "), goals[home]),
        row.map((probability, away) => withVariable(
          element(
            "td",
            {
              class: [
                home > away ? "home" : home < away ? "away" : "draw",
                probability === largest ? "likeliest-cell" : "",
              ].join(" ").trim(),
            },
            (probability * 100).toFixed(1),
          ),
          "--heat", probability / largest,
        )),
      )),
    ),
    element(
      "tfoot", { "aria-hidden": "true" },
      element(
        "tr", {},
        element(
          "td", { colspan: goals.length + 1 },
          element(
            "div", { class: "legend" },
            element("span", {}, element("i", { class: "swatch home" }), " home win"),
            element("span", {}, element("i", { class: "swatch draw" }), " draw"),
            element("span", {}, element("i", { class: "swatch away" }), " away win"),
          ),
        ),
      ),
    ),
  );
}

// Sums the rows and columns of more than SHOWN_GOALS goals into one row and one column.
function cropped(matrix) {
  const size = SHOWN_GOALS + 2;
  const cells = Array.from({ length: size }, () => new Array(size).fill(0));
  matrix.forEach((row, home) => row.forEach((probability, away) => {
    cells[Math.min(home, size - 1)][Math.min(away, size - 1)] += probability;
  }));
  return cells;
}
