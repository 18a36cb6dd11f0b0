"""The page in a real Chromium against the running application: what a person sees, by keyboard and by mouse."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import date
from itertools import permutations
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import httpx
import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Route,
    expect,
    sync_playwright,
)

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome on the path"
)

MARKUP = '<img src=x onerror="document.title=1"> & <b>FC</b>'
LEAST_CONTRAST = 4.5  # WCAG 2.2 AA, text of any size

# Every element with a text of its own that is seen: the text, its colour, and the background behind it, each as
# red, green, blue and alpha of 0 to 1. A canvas turns whatever notation the browser computes into numbers.
TEXT_COLOURS = """() => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
  };
  const found = [];
  for (const node of document.body.querySelectorAll("*")) {
    const text = [...node.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE)
      .map((child) => child.textContent.trim()).join(" ").trim() || node.value;
    if (!text || node.closest(".visually-hidden, noscript, option") || !node.checkVisibility()) continue;
    const backgrounds = [];
    for (let behind = node; behind; behind = behind.parentElement) {
      backgrounds.push(rgba(getComputedStyle(behind).backgroundColor));
      if (backgrounds.at(-1)[3] === 1) break;
    }
    found.push({ text: String(text), colour: rgba(getComputedStyle(node).color), backgrounds });
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="module")
def fixtures(server_url: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{server_url}/fixtures", params={"league": "eng.1", "limit": 5}).raise_for_status()
    return answer.json()["fixtures"]


@pytest.fixture(scope="module")
def match(fixtures: list[dict[str, Any]]) -> dict[str, str]:
    """An upcoming fixture as the parameters of the page's address."""
    first = fixtures[0]
    return {
        "league": first["league"],
        "home": first["home_team"],
        "away": first["away_team"],
        "date": first["date"],
    }


def open_page(page: Page, server_url: str, **parameters: str) -> None:
    """Open the page with its lists filled."""
    page.goto(f"{server_url}/?{httpx.QueryParams(parameters)}")
    expect(page.locator(".fixture").first).to_be_visible()


def open_forecast(page: Page, server_url: str, match: dict[str, str]) -> None:
    """Open the page on the forecast of a match, with both teams' matches."""
    open_page(page, server_url, **match)
    expect(page.locator("#forecast-title")).to_be_visible()
    expect(page.locator(".team .matches")).to_have_count(2)


def shown_percentages(page: Page) -> list[float]:
    """The outcome probabilities on the page: home win, draw, away win."""
    return [float(text.split()[0]) for text in page.locator(".outcomes .probability").all_inner_texts()]


def asked_of_api(server_url: str, **fixture: str) -> dict[str, Any]:
    return (
        httpx.post(f"{server_url}/predict", params={"scores": True}, json=fixture).raise_for_status().json()
    )


def test_a_match_is_picked_and_forecast_by_keyboard_alone(page: Page, server_url: str) -> None:
    open_page(page, server_url)
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "league":
            break
    page.keyboard.type("premier")
    expect(page.locator("#league-options [role=option]", has_text="Premier League")).to_have_attribute(
        "aria-selected", "true"
    )
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("arsen")
    option = page.locator("#home-options [role=option]", has_text="Arsenal")
    expect(option).to_have_attribute("aria-selected", "true")
    expect(page.locator("#home")).to_have_attribute("aria-activedescendant", option.get_attribute("id"))
    page.keyboard.press("Enter")
    expect(page.locator("#home")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Tab")  # to the button that swaps the teams
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    options = page.locator("#away-options [role=option]")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    page.keyboard.type("chel")
    page.keyboard.press("Enter")  # before the options are there: it waits for them

    expect(page.locator("#forecast-title")).to_have_text("Arsenal v Chelsea")
    answer = asked_of_api(server_url, league="eng.1", home_team="Arsenal", away_team="Chelsea")
    shown = shown_percentages(page)
    assert sum(shown) == pytest.approx(100, abs=1e-6)
    assert shown == pytest.approx(
        [answer["probabilities"][side] * 100 for side in ("home", "draw", "away")], abs=0.1
    )
    odds = [float(text) for text in page.locator(".outcomes .odds").all_inner_texts()]
    assert odds == pytest.approx(
        [1 / answer["probabilities"][side] for side in ("home", "draw", "away")], abs=0.005001
    )
    expect(page.locator("#status")).to_contain_text("Arsenal against Chelsea: home win")
    expect(page.locator(".made-by")).to_have_text(
        f"Forecast by model {answer['model_version']}, from results."
    )


def test_the_score_matrix_is_a_table_that_keeps_the_whole_probability(
    page: Page, server_url: str, match: dict[str, str]
) -> None:
    open_forecast(page, server_url, match)
    answer = asked_of_api(
        server_url,
        league=match["league"],
        home_team=match["home"],
        away_team=match["away"],
        date=match["date"],
    )
    rows = [
        [float(text) for text in row.locator("td").all_inner_texts()]
        for row in page.locator("table.scores tbody tr").all()
    ]
    assert [len(row) for row in rows] == [7] * 7
    assert sum(map(sum, rows)) == pytest.approx(100, abs=49 * 0.05)
    assert rows[2][1] == pytest.approx(answer["score_matrix"][2][1] * 100, abs=0.0501)
    many = sum(row[0] for row in answer["score_matrix"][6:])
    assert rows[6][0] == pytest.approx(many * 100, abs=0.0501)
    likeliest = answer["likeliest_scores"][0]
    expect(page.locator(".likeliest li").first).to_contain_text(f"{likeliest['home']}–{likeliest['away']}")


def test_both_teams_last_matches_are_shown_with_results_in_words(
    page: Page, server_url: str, match: dict[str, str]
) -> None:
    open_forecast(page, server_url, match)
    for side, card in zip(("home", "away"), page.locator(".team").all(), strict=True):
        team = httpx.get(f"{server_url}/teams/{match['league']}/{match[side]}").raise_for_status().json()
        rows = card.locator(".matches tbody tr")
        expect(rows).to_have_count(len(team["matches"]))
        for row, played in zip(rows.all(), team["matches"], strict=True):
            expect(row).to_contain_text(played["opponent"])
            expect(row).to_contain_text(f"{played['goals_for']}–{played['goals_against']}")
            expect(row.locator(".result")).to_contain_text(played["outcome"])
            expect(row.locator(".letter")).to_have_text(played["outcome"][0].upper())


def with_tier(page: Page, tier: str) -> list[Any]:
    """Let the API say that its forecasts are of a tier; returns the odds of the requests."""
    asked: list[Any] = []

    def answer(route: Route) -> None:
        asked.append((route.request.post_data_json or {}).get("odds"))
        found = route.fetch()
        route.fulfill(response=found, body=json.dumps(found.json() | {"inputs": tier}))

    page.route(re.compile(r"/predict\?"), answer)
    return asked


@pytest.mark.parametrize(
    ("status", "shown"), [("verified", " · signature verified"), ("unverified", ""), ("unsigned", "")]
)
def test_the_masthead_names_the_model_and_a_signature_that_is_verified(
    page: Page, server_url: str, status: str, shown: str
) -> None:
    def answer(route: Route) -> None:
        found = route.fetch()
        signature = {"status": status, "signed_by": None}
        route.fulfill(response=found, body=json.dumps(found.json() | {"signature": signature}))

    page.route(re.compile(r"/model$"), answer)
    open_page(page, server_url)
    expect(page.locator("#model")).to_have_text(f"Model 1 · results to 8 November 2015{shown}")


@pytest.mark.parametrize(
    ("tier", "words"),
    [
        ("results", "from results. This model does not use odds of the match: those given change nothing."),
        ("results+shots+odds+match_odds", "from results, shots, past odds and the odds of this match."),
    ],
)
def test_odds_of_the_match_are_sent_and_the_forecast_says_whether_they_count(
    page: Page, server_url: str, match: dict[str, str], tier: str, words: str
) -> None:
    asked = with_tier(page, tier)
    open_forecast(page, server_url, match)
    page.locator("#match-odds summary").click()
    page.get_by_label("Home win").fill("2.1")
    page.get_by_label("Draw").fill("3,4")
    page.get_by_label("Away win").fill("3.60")
    page.get_by_role("button", name="Forecast").click()

    expect(page.locator(".made-by")).to_have_text(re.compile(f"Forecast by model \\d+, {re.escape(words)}$"))
    odds = {"home": 2.1, "draw": 3.4, "away": 3.6}
    assert asked[0] is None
    assert asked[1:] == [odds] * len(asked[1:])
    assert httpx.QueryParams(urlsplit(page.url).query)["odds"] == "2.1,3.4,3.6"
    page.reload()
    expect(page.get_by_label("Draw")).to_have_value("3.4")
    expect(page.locator(".made-by")).to_contain_text(words)
    page.get_by_role("button", name="Swap home and away").click()
    expect(page.get_by_label("Draw")).to_have_value("")
    assert "odds" not in urlsplit(page.url).query
    expect(page.locator("#forecast-title")).to_have_text(f"{match['away']} v {match['home']}")


@pytest.mark.parametrize(
    ("texts", "wrong", "words"),
    [
        (("2.1", "", "3.6"), ["draw"], "The odds of a draw are missing. Fill in all three, or none."),
        (
            ("evens", "3.4", "1"),
            ["home", "away"],
            "The odds of a home win must be a decimal number greater than 1",
        ),
        (
            ("2.1", "3.4", "36"),
            ["home", "draw", "away"],
            "1/2.1 + 1/3.4 + 1/36 is 0.798; for the odds of one match",
        ),
        (("2.1", "3.4", "9999"), ["away"], "Input should be less than or equal to 2000."),
    ],
)
def test_wrong_odds_are_marked_and_described_by_an_error_below_them(
    page: Page, server_url: str, match: dict[str, str], texts: tuple[str, ...], wrong: list[str], words: str
) -> None:
    open_forecast(page, server_url, match)
    page.locator("#match-odds summary").click()
    fields = {side: page.locator(f"#odds-{side}") for side in ("home", "draw", "away")}
    expect(page.locator("#odds-error")).not_to_be_visible()
    for field, text in zip(fields.values(), texts, strict=True):
        field.fill(text)
    page.get_by_role("button", name="Forecast").click()

    expect(page.locator("#odds-error")).to_contain_text(words)
    for side, field in fields.items():
        if side in wrong:
            expect(field).to_have_attribute("aria-invalid", "true")
            expect(field).to_have_attribute("aria-describedby", "odds-error odds-hint")
        else:
            expect(field).not_to_have_attribute("aria-invalid", "true")
            expect(field).to_have_attribute("aria-describedby", "odds-hint")
    expect(fields[wrong[0]]).to_be_focused()
    for field in fields.values():
        field.fill("3")
    expect(page.locator("#odds-error")).not_to_be_visible()
    page.get_by_role("button", name="Forecast").click()
    expect(page.locator("#forecast-title")).to_be_focused()


def test_a_fixture_with_odds_fills_them_in(page: Page, server_url: str) -> None:
    def answer(route: Route) -> None:
        found = route.fetch()
        body = found.json()
        for fixture in body["fixtures"][:1]:
            fixture["odds"] = {"home": 1.5, "draw": 4.2, "away": 6.5}
        route.fulfill(response=found, body=json.dumps(body))

    page.route(re.compile(r"/fixtures\?"), answer)
    asked = with_tier(page, "results+match_odds")
    open_page(page, server_url)
    page.locator(".fixture").nth(0).click()
    expect(page.locator(".made-by")).to_contain_text("from results and the odds of this match.")
    expect(page.get_by_label("Away win")).to_have_value("6.5")
    assert asked == [{"home": 1.5, "draw": 4.2, "away": 6.5}]
    first = page.locator("#forecast-title").inner_text()
    page.locator(".fixture").nth(1).click()
    expect(page.locator("#forecast-title")).not_to_have_text(first)
    expect(page.get_by_label("Away win")).to_have_value("")
    assert asked[1] is None


def test_an_unknown_team_is_mended_by_a_suggestion(page: Page, server_url: str) -> None:
    open_page(page, server_url, league="eng.1", home="Chelsea", away="Arsenl")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Arsenl")
    expect(page.locator("#away")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#home")).not_to_have_attribute("aria-invalid", "true")
    alert.get_by_role("button", name="Arsenal", exact=True).click()
    expect(page.locator("#forecast-title")).to_have_text("Chelsea v Arsenal")
    expect(page.locator("#away")).to_have_value("Arsenal")
    expect(page.locator("#away")).not_to_have_attribute("aria-invalid", "true")
    expect(alert).to_have_count(0)
    assert httpx.QueryParams(urlsplit(page.url).query)["away"] == "Arsenal"


def test_a_fixture_fills_the_form_and_shows_its_forecast(
    page: Page, server_url: str, fixtures: list[dict[str, Any]]
) -> None:
    open_page(page, server_url)
    page.locator("#fixtures-league").select_option("eng.1")
    expect(page.locator("#fixtures-status")).to_contain_text(re.compile(r"^\d+ of \d+ fixtures"))
    expect(page.locator(".fixture-where", has_text="Bundesliga")).to_have_count(0)
    chosen = fixtures[0]
    page.locator(".fixture").first.click()
    expect(page.locator("#forecast-title")).to_have_text(f"{chosen['home_team']} v {chosen['away_team']}")
    expect(page.locator("#forecast-title")).to_be_focused()
    expect(page.locator("#league")).to_have_value(chosen["league_name"])
    expect(page.locator("#home")).to_have_value(chosen["home_team"])
    expect(page.locator("#away")).to_have_value(chosen["away_team"])
    expect(page.locator("#date")).to_have_value(chosen["date"])
    assert shown_percentages(page) == pytest.approx(
        [chosen["probabilities"][side] * 100 for side in ("home", "draw", "away")], abs=0.1
    )


def test_the_address_holds_what_was_asked(page: Page, server_url: str, match: dict[str, str]) -> None:
    open_forecast(page, server_url, match)
    page.get_by_role("button", name="Swap home and away").click()
    expect(page.locator("#forecast-title")).to_have_text(f"{match['away']} v {match['home']}")
    page.reload()
    expect(page.locator("#forecast-title")).to_have_text(f"{match['away']} v {match['home']}")
    page.go_back()
    expect(page.locator("#forecast-title")).to_have_text(f"{match['home']} v {match['away']}")
    expect(page.locator("#home")).to_have_value(match["home"])
    expect(page.locator("#date")).to_have_value(match["date"])


def test_without_a_date_the_page_says_which_day_it_is_and_why(
    page: Page, server_url: str, match: dict[str, str]
) -> None:
    undated = {name: text for name, text in match.items() if name != "date"}
    open_forecast(page, server_url, undated)
    day = date.fromisoformat(match["date"])
    expect(page.locator(".scoreboard-when")).to_contain_text(f"{day.day} {day:%B %Y}")
    expect(page.locator("#why-date")).to_have_text("(as in the fixture list)")
    listed = httpx.get(f"{server_url}/fixtures", params={"league": "eng.1", "limit": 500}).json()["fixtures"]
    pairs = {(fixture["home_team"], fixture["away_team"]) for fixture in listed}
    teams = sorted({team for pair in pairs for team in pair})
    home, away = next(pair for pair in permutations(teams, 2) if pair not in pairs)
    open_forecast(page, server_url, undated | {"home": home, "away": away})
    expect(page.locator("#why-date")).to_have_text("(today, because no date was chosen)")


def test_more_fixtures_are_added_without_losing_or_doubling_one(page: Page, server_url: str) -> None:
    open_page(page, server_url)
    answer = httpx.get(f"{server_url}/fixtures", params={"limit": 90}).raise_for_status().json()
    expected = answer["fixtures"]
    assert answer["total"] > 1000
    expect(page.locator("#fixtures-status")).to_have_text(f"30 of {answer['total']:,} fixtures")
    for shown in (60, 90):
        page.get_by_role("button", name="Show more").click()
        expect(page.locator("#fixtures-list .fixture")).to_have_count(shown)
        expect(page.locator("#fixtures-list .fixture").nth(shown - 30)).to_be_focused()
    listed = page.locator("#fixtures-list .fixture-teams").all_inner_texts()
    assert [" ".join(text.split()) for text in listed] == [
        f"{fixture['home_team']} v {fixture['away_team']}" for fixture in expected
    ]


def test_a_fixture_whose_date_has_passed_is_in_a_list_of_its_own_after_the_upcoming_ones(
    page: Page, server_url: str
) -> None:
    open_page(page, server_url)
    expect(page.locator("#fixtures-list h3").first).to_have_text("Friday, 20 November 2015")
    overdue = page.locator("#overdue")
    expect(overdue.locator("summary")).to_have_text("Date passed, no result yet (1)")
    expect(overdue.locator(".fixture")).not_to_be_visible()

    overdue.locator("summary").click()
    expect(overdue.locator("h3")).to_have_text("Friday, 23 October 2015")
    overdue.locator(".fixture").click()

    expect(page.locator("#forecast-title")).to_have_text("SV Austria Salzburg v LASK Linz")
    expect(page.locator(".scoreboard-when")).to_contain_text("10 May 2016")
    page.locator("#fixtures-league").select_option("eng.1")
    expect(overdue).not_to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_contrasts_enough(
    browser: Browser, server_url: str, match: dict[str, str], scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    seen = []
    open_page(page, server_url, **match | {"away": "Arsenl"})
    expect(page.get_by_role("alert")).to_contain_text("Arsenl")
    seen += page.evaluate(TEXT_COLOURS)
    open_forecast(page, server_url, match)
    page.locator("#home").click()
    expect(page.locator("#home-options [role=option]").first).to_be_visible()
    seen += page.evaluate(TEXT_COLOURS)
    page.keyboard.press("Escape")
    page.locator("#match-odds summary").click()
    page.locator("#odds-home").fill("1")
    page.get_by_role("button", name="Forecast").click()
    expect(page.locator("#odds-error")).to_be_visible()
    seen += page.evaluate(TEXT_COLOURS)
    context.close()

    page_colour = seen[0]["backgrounds"][-1]
    assert (luminance(page_colour) < 0.1) == (scheme == "dark")
    assert len(seen) > 100
    contrasts = [(contrast(item["colour"], item["backgrounds"]), item["text"]) for item in seen]
    assert [found for found in contrasts if found[0] < LEAST_CONTRAST] == []


def test_a_phone_does_not_scroll_sideways(browser: Browser, server_url: str, match: dict[str, str]) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = context.new_page()
    open_forecast(page, server_url, match)
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) == 360
    page.locator("#home").tap()
    expect(page.locator("#home-options [role=option]").first).to_be_visible()
    assert page.evaluate(width) == 360
    page.keyboard.press("Escape")
    page.locator("#match-odds summary").tap()
    page.locator("#odds-home").fill("1.01")
    page.get_by_role("button", name="Forecast").tap()
    expect(page.locator("#odds-error")).to_be_visible()
    assert page.evaluate(width) == 360
    page.locator("#odds-home").fill("")
    page.locator("#date").fill("1800-01-01")
    expect(page.get_by_role("alert")).not_to_be_empty()
    assert page.evaluate(width) == 360
    context.close()


def test_nothing_leaves_the_host_and_the_console_stays_silent(
    page: Page, server_url: str, match: dict[str, str]
) -> None:
    hosts: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: hosts.append(urlsplit(request.url).netloc))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_forecast(page, server_url, match)
    page.locator("#fixtures-list .fixture").last.click()
    expect(page.locator("#forecast")).to_have_attribute("aria-busy", "false")
    page.locator("#away").click()
    expect(page.locator("#away-options [role=option]").first).to_be_visible()
    assert set(hosts) == {urlsplit(server_url).netloc}
    assert complaints == []


def test_the_page_forbids_scripts_and_styles_of_others(server_url: str) -> None:
    answer = httpx.get(server_url).raise_for_status()
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text)


def test_a_name_with_markup_is_shown_as_text(page: Page, server_url: str, match: dict[str, str]) -> None:
    def rename(route: Route) -> None:
        answer = route.fetch(url=route.request.url.replace(in_address(MARKUP), in_address(match["home"])))
        names = json.dumps(answer.json()).replace(json.dumps(match["home"]), json.dumps(MARKUP))
        route.fulfill(response=answer, body=names)

    # The real answers, as if the source of the results had spelled the team so.
    for path in ("predict", "fixtures", "teams"):
        page.route(re.compile(rf"/{path}(\?|/|$)"), rename)
    open_forecast(page, server_url, match)
    expect(page.locator("#forecast-title .team-home")).to_have_text(MARKUP)
    expect(page.locator(".outcome-name").first).to_have_text(f"{MARKUP} win")
    expect(page.locator(".team h3").first).to_contain_text(MARKUP)
    expect(page.locator(".fixture-teams", has_text=MARKUP).first).to_be_visible()
    page.locator("#home").click()
    expect(page.get_by_role("option", name=MARKUP)).to_be_visible()
    assert page.locator("main img, main b:not(.likeliest b)").count() == 0
    assert page.title().startswith(MARKUP)


def test_an_asked_name_with_markup_is_shown_as_text(page: Page, server_url: str) -> None:
    open_page(page, server_url, league="eng.1", home=MARKUP, away="Chelsea")
    expect(page.get_by_role("alert")).to_contain_text("onerror")
    expect(page.locator("#home")).to_have_value(MARKUP)
    assert page.locator("main img, main b").count() == 0


def in_address(name: str) -> str:
    """A name as the browser writes it into a path."""
    return quote(name, safe="!'()*")


def luminance(colour: list[float]) -> float:
    """Relative luminance of an opaque colour, as WCAG defines it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: list[float], backgrounds: list[list[float]]) -> float:
    """Contrast of a text with what is behind it; `backgrounds` from the nearest to the first opaque one."""
    *layers, behind = backgrounds
    for layer in reversed(layers):
        behind = laid_over(layer, behind)
    lighter, darker = sorted((luminance(laid_over(colour, behind)), luminance(behind)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def laid_over(colour: list[float], behind: list[float]) -> list[float]:
    alpha = colour[3]
    return [part * alpha + below * (1 - alpha) for part, below in zip(colour[:3], behind[:3], strict=True)]


def test_the_documentation_shows_every_operation_and_can_ask_for_a_forecast(
    page: Page, server_url: str
) -> None:
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(f"{server_url}/docs")
    documented = httpx.get(f"{server_url}/openapi.json").json()["paths"]

    expect(page.locator(".opblock")).to_have_count(sum(len(methods) for methods in documented.values()))
    page.locator("#operations-forecasts-predict_predict_post .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()

    expect(page.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert messages == []
