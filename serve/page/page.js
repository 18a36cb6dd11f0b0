// The page at /: a form for one match, its forecast, and the upcoming fixtures. The URL has the match, so that a
// forecast can be shared and reloaded, and the back button works.

import { Latest, Problem, ask } from "./api.js";
import { Combobox } from "./combobox.js";
import { element } from "./elements.js";
import { fixtureDays } from "./fixtures.js";
import { forecastCards, forecastSentence } from "./forecast.js";
import { count, day } from "./format.js";
import { OddsFields, oddsOf, oddsParameter } from "./odds.js";
import { OverdueFixtures } from "./overdue.js";
import { missingTeamCard, teamCard } from "./team.js";

const MOST_OPTIONS = 50;
const FIXTURES_A_STEP = 30;
const NOTHING_ASKED = "Choose a league and two teams, or a fixture from the list below.";

const byId = (id) => document.getElementById(id);
const form = byId("match-form");
const date = byId("date");
const statusLine = byId("status");
const problemPlace = byId("problem");
const forecastPlace = byId("forecast");
const teamsPlace = byId("teams");
const fixturesLeague = byId("fixtures-league");
const fixturesStatus = byId("fixtures-status");
const fixturesList = byId("fixtures-list");
const fixturesMore = byId("fixtures-more");

const latestForecast = new Latest();
const latestFixtures = new Latest();
const overdueFixtures = new OverdueFixtures(byId("overdue"), { choose: fixtureChosen });
let leagues = [];
let fixtures = { shown: [], total: 0 };
let knownTo = ""; // day of the last result known to the model

const fields = {
  league: new Combobox(byId("league"), { find: findLeagues, choose: leagueChosen }),
  home_team: new Combobox(byId("home"), { find: findTeams, choose: teamChosen }),
  away_team: new Combobox(byId("away"), { find: findTeams, choose: teamChosen }),
};

const odds = new OddsFields(byId("match-odds"), { changed: forecastIfComplete });

// The form

async function findLeagues(query) {
  const key = query.toLowerCase();
  return leagues
    .filter((league) => [league.league, league.name, league.country].some((text) => text.toLowerCase().includes(key)))
    .map(({ league, name, country }) => ({ value: league, label: name, note: country }));
}

async function findTeams(query, signal) {
  const league = fields.league.value;
  const parameters = { query, league, limit: MOST_OPTIONS };
  const { teams } = await ask(["teams"], { parameters, signal });
  return teams.map((team) => ({
    value: team.team,
    label: team.team,
    note: league ? null : team.league_name,
    league: { value: team.league, label: team.league_name },
  }));
}

// Teams of another country cannot play in the league. Teams of another tier may be promoted to it, so they are kept.
function leagueChosen(option) {
  const country = option.value.split(".")[0];
  odds.set(null);
  if (asked.league && asked.league.split(".")[0] !== country) {
    fields.home_team.set(null);
    fields.away_team.set(null);
    date.value = "";
  }
  asked.league = option.value;
  forecastIfComplete();
}

// The odds were those of another match.
function teamChosen(option) {
  odds.set(null);
  if (!fields.league.text) {
    fields.league.set(option.league);
    asked.league = option.league.value;
  }
  forecastIfComplete();
}

function forecastIfComplete() {
  if (fields.league.text && fields.home_team.text && fields.away_team.text) showForecast();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  showForecast({ focuses: true });
});
date.addEventListener("change", forecastIfComplete);
byId("swap").addEventListener("click", () => {
  const [home, away] = [fields.home_team.text, fields.away_team.text];
  fields.home_team.set({ value: away, label: away });
  fields.away_team.set({ value: home, label: home });
  odds.set(null);
  forecastIfComplete();
});

// The forecast

function matchAsked() {
  return {
    league: fields.league.value,
    home_team: fields.home_team.text,
    away_team: fields.away_team.text,
    date: date.value || null,
    odds: odds.value,
  };
}

async function showForecast({ remembers = true, focuses = false } = {}) {
  if (!odds.check({ focuses })) return;
  const signal = latestForecast.next();
  const match = matchAsked();
  if (remembers) remember(match);
  problemPlace.replaceChildren();
  odds.mark(null);
  for (const field of Object.values(fields)) field.mark(null);
  say(`Loading the forecast of ${match.home_team} against ${match.away_team}…`);
  busy(true);
  try {
    const answer = await ask(["predict"], { parameters: { scores: true }, body: withoutNull(match), signal });
    const { fixture } = answer;
    asked.league = fixture.league;
    fields.league.set({ value: fixture.league, label: fixture.league_name });
    fields.home_team.set({ value: fixture.home_team, label: fixture.home_team });
    fields.away_team.set({ value: fixture.away_team, label: fixture.away_team });
    document.title = `${fixture.home_team} v ${fixture.away_team} · Football forecasts`;
    forecastPlace.replaceChildren(...forecastCards(answer, match.odds));
    say(forecastSentence(answer), { isShown: false });
    if (focuses) {
      byId("forecast-title").focus({ preventScroll: true });
      forecastPlace.scrollIntoView({ block: "start" });
    }
    await showTeams(fixture, match.date === null, signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof Problem)) throw error;
    clearForecast();
    showProblem(error, match, focuses);
  } finally {
    if (!signal.aborted) busy(false);
  }
}

async function showTeams(fixture, isDateChosenByServer, signal) {
  const sides = ["home", "away"];
  const results = await Promise.allSettled(
    sides.map((side) => ask(["teams", fixture.league, fixture[`${side}_team`]], { signal })),
  );
  if (signal.aborted) return;
  teamsPlace.replaceChildren(...results.map((result, i) => (
    result.status === "fulfilled"
      ? teamCard(result.value, sides[i])
      : missingTeamCard(fixture[`${sides[i]}_team`], result.reason)
  )));
  if (isDateChosenByServer) {
    const answers = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    byId("why-date").textContent = whyDate(fixture.date, answers);
  }
}

// The rule by which the server chose the day, derived from its responses.
function whyDate(chosen, teams) {
  const dayBefore = new Date(Date.parse(chosen) - 24 * 3600 * 1000).toISOString().slice(0, 10);
  const playedLast = teams.find((team) => team.matches[0]?.date === dayBefore);
  if (chosen === new Date().toISOString().slice(0, 10)) return "(today, because no date was chosen)";
  if (playedLast) return `(the day after the last match of ${playedLast.team})`;
  return "(as in the fixture list)";
}

function busy(isBusy) {
  for (const place of [forecastPlace, teamsPlace]) place.setAttribute("aria-busy", String(isBusy));
}

function clearForecast() {
  document.title = "Football forecasts";
  forecastPlace.replaceChildren();
  teamsPlace.replaceChildren();
}

function say(text, { isShown = true } = {}) {
  statusLine.textContent = text;
  statusLine.classList.toggle("visually-hidden", !isShown);
}

// Problems

function showProblem(problem, match, focuses) {
  say("");
  if (odds.showProblem(problem, { asked: match.odds, focuses })) return;
  const name = fieldOf(problem, match);
  const field = fields[name];
  problemPlace.replaceChildren(problemCard(problem, {
    suggest: field && ((suggestion) => {
      field.set({ value: suggestion, label: suggestion });
      showForecast({ focuses: true });
    }),
    retry: () => showForecast({ focuses: true }),
  }));
  field?.mark("problem-detail");
}

function problemCard(problem, { suggest, retry }) {
  return element(
    "div", { class: "card problem" },
    element("h2", {}, problem.title),
    element("p", { id: "problem-detail" }, problem.detail),
    problem.errors.length > 1
      ? element("ul", {}, problem.errors.map(({ field, message }) => element("li", {}, `${field}: ${message}`)))
      : null,
    problem.suggestions.length && suggest
      ? element(
        "div", { class: "suggestions", role: "group", "aria-label": "Suggestions" },
        problem.suggestions.map((suggestion) => element(
          "button", { type: "button", class: "button button-quiet", onclick: () => suggest(suggestion) }, suggestion,
        )),
      )
      : null,
    problem.isTransient ? element("button", { type: "button", class: "button", onclick: retry }, "Try again") : null,
    problem.requestId ? element("p", { class: "request-id" }, `Request ${problem.requestId}`) : null,
  );
}

// The field that a problem is about: the one it names, else the first one whose text is in its detail.
function fieldOf(problem, match) {
  const named = problem.errors.map(({ field }) => field).find((name) => name in fields);
  if (named) return named;
  const [quoted] = Object.keys(fields)
    .filter((name) => match[name] && problem.detail.includes(match[name]))
    .filter((name) => !problem.suggestions.includes(match[name]))
    .sort((a, b) => problem.detail.indexOf(match[a]) - problem.detail.indexOf(match[b]));
  return quoted ?? null;
}

// The upcoming fixtures

/** Shows the first fixtures of the league, or with `more` those after the ones shown. */
async function showFixtures({ more = false } = {}) {
  const signal = latestFixtures.next();
  const league = fixturesLeague.value;
  const before = more ? fixtures.shown : [];
  const lastDay = before.at(-1)?.date;
  const ofLastDay = before.filter((fixture) => fixture.date === lastDay).length;
  fixturesStatus.textContent = "Loading the upcoming fixtures…";
  fixturesList.setAttribute("aria-busy", "true");
  if (!more) overdueFixtures.show(league);
  try {
    const parameters = { league, date_from: lastDay, limit: FIXTURES_A_STEP + ofLastDay };
    const answer = await ask(["fixtures"], { parameters, signal });
    const shown = [...before, ...answer.fixtures.slice(ofLastDay)];
    fixtures = { shown, total: before.length - ofLastDay + answer.total };
    fixturesList.replaceChildren(...fixtureDays(shown, { namesLeague: !league, choose: fixtureChosen }));
    fixturesStatus.textContent = shown.length
      ? `${count(shown.length)} of ${count(fixtures.total)} fixtures`
      : "There are no upcoming fixtures. The form above forecasts a match of any two teams.";
    fixturesMore.hidden = shown.length >= fixtures.total;
    if (more) fixturesList.querySelectorAll(".fixture")[before.length]?.focus();
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof Problem)) throw error;
    fixturesStatus.textContent = "";
    fixturesMore.hidden = true;
    fixturesList.replaceChildren(problemCard(error, { retry: () => showFixtures() }));
  } finally {
    if (!signal.aborted) fixturesList.setAttribute("aria-busy", "false");
  }
}

// The date of an overdue fixture may be before results that the model knows. Then the server chooses the date.
function fixtureChosen(fixture) {
  fields.league.set({ value: fixture.league, label: fixture.league_name });
  fields.home_team.set({ value: fixture.home_team, label: fixture.home_team });
  fields.away_team.set({ value: fixture.away_team, label: fixture.away_team });
  date.value = fixture.date > knownTo ? fixture.date : "";
  odds.set(fixture.odds);
  showForecast({ focuses: true });
}

fixturesLeague.addEventListener("change", () => {
  remember(matchAsked());
  showFixtures();
});
fixturesMore.addEventListener("click", () => showFixtures({ more: true }));

// The URL

const PARAMETERS = { league: "league", home_team: "home", away_team: "away", date: "date" };
const asked = { league: "" };

function remember(match) {
  const url = new URL(location.href);
  url.search = "";
  for (const [name, parameter] of Object.entries(PARAMETERS)) {
    if (match[name]) url.searchParams.set(parameter, match[name]);
  }
  if (match.odds) url.searchParams.set("odds", oddsParameter(match.odds));
  if (fixturesLeague.value) url.searchParams.set("fixtures", fixturesLeague.value);
  if (url.href !== location.href) history.pushState(null, "", url);
}

function recall() {
  const parameters = new URLSearchParams(location.search);
  for (const [name, field] of Object.entries(fields)) {
    const text = parameters.get(PARAMETERS[name]) ?? "";
    field.set(text ? { value: text, label: text } : null);
  }
  // The URL has the league's identifier, the field its name.
  asked.league = fields.league.value;
  const league = leagues.find((known) => known.league === asked.league);
  if (league) fields.league.set({ value: league.league, label: league.name });
  date.value = parameters.get("date") ?? "";
  odds.set(oddsOf(parameters.get("odds")));
  recallFixtures(parameters.get("fixtures") ?? "");
  const match = matchAsked();
  if (match.league && match.home_team && match.away_team) {
    showForecast({ remembers: false });
    return;
  }
  latestForecast.abort();
  problemPlace.replaceChildren();
  clearForecast();
  busy(false);
  say(NOTHING_ASKED);
}

function recallFixtures(league) {
  if (fixturesLeague.value === league && fixturesList.childElementCount) return;
  fixturesLeague.value = leagues.some((known) => known.league === league) ? league : "";
  showFixtures();
}

async function start() {
  problemPlace.replaceChildren();
  say("Loading…");
  try {
    leagues = (await ask(["leagues"])).leagues;
  } catch (error) {
    say("");
    problemPlace.replaceChildren(problemCard(error, { retry: start }));
    return;
  }
  fixturesLeague.append(...leagues.map(({ league, name }) => element("option", { value: league }, name)));
  recall();
}

async function showModel() {
  const { version, as_of: asOf, signature } = await ask(["model"]);
  knownTo = asOf ?? "";
  const facts = [`Model ${version}`];
  if (asOf) facts.push(`results to ${day(asOf)}`);
  if (signature?.status === "verified") facts.push("signature verified");
  byId("model").textContent = facts.join(" · ");
  byId("model").hidden = false;
}

function withoutNull(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

addEventListener("popstate", recall);
start();
showModel().catch(() => {}); // the masthead then has no model; each forecast names its own
