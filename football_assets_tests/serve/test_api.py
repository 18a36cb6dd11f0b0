"""What each route answers: by its own schema, with the forecaster's numbers, or with a problem that names the field."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from football_assets.domain.scorelines import Score, scores_text
from football_assets.forecasting.fixtures import forecast_match
from football_assets.registry.store import Registry
from football_assets.storage.local import LocalBucket
from football_assets.storage.tables import read_table
from football_assets_tests.builders.running import Client, metric
from serve import schemas
from serve.problems import MEDIA_TYPE, Problem
from serve.service import ForecastService

LISTED = {"league": "eng.1", "home_team": "Arsenal", "away_team": "Chelsea"}
LISTED_DAY = "2016-01-23"
UNLISTED = {"league": "eng.1", "home_team": "Chelsea", "away_team": "Arsenal"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
GENERATED: dict[str, Any] = {
    "max_examples": 40,
    "derandomize": True,
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
}

MakeClient = Callable[..., Client]


def answered(schema: type[BaseModel], answer: Any) -> dict[str, Any]:
    """The body of an answer that follows its schema and holds nothing beside it."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert set(body) <= set(schema.model_fields)
    schema.model_validate(body)
    return body


def refused(answer: Any, status: int) -> dict[str, Any]:
    """The problem document of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    body: dict[str, Any] = answer.json()
    problem = Problem.model_validate(body)
    assert problem.status == status
    assert problem.title
    assert problem.detail
    assert problem.instance == answer.request.url.path
    assert problem.request_id == answer.headers["x-request-id"]
    return body


def fields(problem: dict[str, Any]) -> list[str]:
    return [error["field"] for error in problem["errors"]]


@pytest.fixture(scope="module")
def bucket(demo_home: Path) -> LocalBucket:
    return LocalBucket(demo_home / "bucket")


@pytest.fixture(scope="module")
def listed(bucket: LocalBucket) -> pl.DataFrame:
    return read_table(bucket, "fixture_predictions")


# /predict


@pytest.mark.parametrize(
    ("league", "home_team", "away_team", "day"),
    [
        ("eng.1", "Arsenal", "Chelsea", "2016-01-23"),
        ("Premier League", "arsenal", "CHELSEA", "2016-05-01"),
        ("de.1", "FC Bayern München", "1. FC Köln", "2015-12-24"),
        ("Serie A", "Juventus", "Roma", "2030-02-28"),
        ("es.1", "Atlético", "Málaga", "2015-11-09"),
        ("eng.1", "Man Utd", "Spurs", "2015-12-28"),
    ],
)
def test_a_match_has_the_forecast_that_the_command_line_gives(
    client: Client, bucket: LocalBucket, tmp_path: Path, league: str, home_team: str, away_team: str, day: str
) -> None:
    expected = forecast_match(
        Registry(bucket), tmp_path, league, home_team, away_team, date.fromisoformat(day)
    ).row(0, named=True)

    body = answered(
        schemas.PredictAnswer,
        client.post(
            "/predict",
            params={"scores": True},
            json={"league": league, "home_team": home_team, "away_team": away_team, "date": day},
        ),
    )

    assert body["model_version"] == expected["model_version"] == 1
    fixture = body["fixture"]
    assert fixture["league"] == expected["league_id"]
    assert (fixture["home_team"], fixture["away_team"]) == (expected["home_team"], expected["away_team"])
    assert fixture["date"] == day
    for side, probability in body["probabilities"].items():
        assert probability == pytest.approx(expected[f"p_{side}"], abs=1e-7)
    for side, goals in body["expected_goals"].items():
        assert goals == pytest.approx(expected[f"xg_{side}"], abs=1e-6)
    likeliest = [Score(**item) for item in body["likeliest_scores"]]
    assert scores_text(likeliest) == expected["likeliest_scores"]


def test_the_three_probabilities_agree_with_the_score_matrix(client: Client) -> None:
    body = answered(schemas.PredictAnswer, client.post("/predict?scores=true", json=LISTED))

    matrix = body["score_matrix"]
    sums = {"home": 0.0, "draw": 0.0, "away": 0.0}
    for home, row in enumerate(matrix):
        for away, probability in enumerate(row):
            sums["home" if home > away else "away" if away > home else "draw"] += probability
    assert sums == pytest.approx(body["probabilities"], abs=1e-4)
    assert sum(sums.values()) == pytest.approx(1, abs=1e-4)
    best = body["likeliest_scores"]
    assert len(best) == 3
    assert best[0]["probability"] == max(max(row) for row in matrix)
    for score in best:
        assert matrix[score["home"]][score["away"]] == score["probability"]
    assert all(first["probability"] >= second["probability"] for first, second in pairwise(best))


def test_the_score_matrix_is_given_to_those_who_ask(client: Client) -> None:
    assert "score_matrix" not in client.post("/predict", json=LISTED).json()
    assert "score_matrix" not in client.post("/predict?scores=false", json=LISTED).json()


def test_a_match_without_a_date_is_forecast_for_the_day_that_the_fixture_list_says(
    client: Client, listed: pl.DataFrame
) -> None:
    row = listed.row(
        by_predicate=(pl.col("home_team") == "Arsenal") & (pl.col("away_team") == "Chelsea"), named=True
    )

    body = answered(schemas.PredictAnswer, client.post("/predict", json=LISTED))

    assert body["fixture"]["date"] == LISTED_DAY == str(row["kickoff_date"])
    for side, probability in body["probabilities"].items():
        assert probability == pytest.approx(row[f"p_{side}"], abs=1e-6)


def test_a_match_in_no_list_and_without_a_date_is_forecast_for_today(client: Client) -> None:
    before = datetime.now(UTC).date()
    body = answered(schemas.PredictAnswer, client.post("/predict", json=UNLISTED))
    assert before <= date.fromisoformat(body["fixture"]["date"]) <= datetime.now(UTC).date()


def test_an_explicit_null_date_is_no_date(client: Client) -> None:
    body = answered(schemas.PredictAnswer, client.post("/predict", json={**LISTED, "date": None}))
    assert body["fixture"]["date"] == LISTED_DAY


@pytest.mark.parametrize(
    ("change", "field", "title", "suggestion"),
    [
        ({"home_team": "Arsenall"}, "home_team", "Unknown team", "Arsenal"),
        ({"away_team": "Chelsee"}, "away_team", "Unknown team", "Chelsea"),
        ({"league": "Premier Leage"}, "league", "Unknown league", "eng.1"),
        ({"league": "de.1", "home_team": "Bayern Munchn"}, "home_team", "Unknown team", "FC Bayern München"),
    ],
)
def test_a_name_that_is_not_known_is_answered_with_the_nearest_and_its_field(
    client: Client, change: dict[str, str], field: str, title: str, suggestion: str
) -> None:
    problem = refused(client.post("/predict", json={**LISTED, **change}), 404)

    assert problem["title"] == title
    assert fields(problem) == [field]
    assert suggestion in problem["suggestions"]
    assert change[field] in problem["detail"]


def test_a_name_unlike_any_other_has_no_suggestions(client: Client) -> None:
    problem = refused(client.post("/predict", json={**LISTED, "home_team": "⚽🏟️"}), 404)
    assert problem["suggestions"] == []
    assert "⚽🏟️" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"league": "eng.1", "home_team": "Arsenal"}, "away_team"),
        ({**LISTED, "colour": "red"}, "colour"),
        ({**LISTED, "home_team": 1}, "home_team"),
        ({**LISTED, "home_team": None}, "home_team"),
        ({**LISTED, "home_team": ["Arsenal"]}, "home_team"),
        ({**LISTED, "home_team": ""}, "home_team"),
        ({**LISTED, "home_team": "A" * 101}, "home_team"),
        ({**LISTED, "date": "2015-02-30"}, "date"),
        ({**LISTED, "date": "tomorrow"}, "date"),
        ({**LISTED, "date": {}}, "date"),
        ([LISTED], "body"),
        ("Arsenal", "body"),
        (None, "body"),
    ],
)
def test_a_body_that_is_not_valid_is_refused_with_the_field(client: Client, body: Any, field: str) -> None:
    assert field in fields(refused(client.post("/predict", json=body), 422))


def test_a_parameter_that_is_not_valid_is_refused_with_its_name(client: Client) -> None:
    assert fields(refused(client.post("/predict?scores=many", json=LISTED), 422)) == ["scores"]


def test_all_fields_that_are_not_valid_are_named(client: Client) -> None:
    problem = refused(client.post("/predict", json={"home_team": 1, "date": "x"}), 422)
    assert fields(problem) == ["league", "home_team", "away_team", "date"]
    assert problem["detail"].endswith("3 more.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"away_team": "Arsenal"}, "cannot meet itself"),
        ({"date": "2014-01-01"}, "choose a later day"),
        ({"date": "0001-01-01"}, "choose a later day"),
    ],
)
def test_a_match_that_cannot_be_is_refused_in_words(
    client: Client, change: dict[str, str], words: str
) -> None:
    assert words in refused(client.post("/predict", json={**LISTED, **change}), 422)["detail"]


def test_the_last_day_of_the_calendar_can_be_forecast(client: Client) -> None:
    body = answered(schemas.PredictAnswer, client.post("/predict", json={**LISTED, "date": "9999-12-31"}))
    assert sum(body["probabilities"].values()) == pytest.approx(1, abs=1e-5)


# /predict/batch


@pytest.mark.parametrize("count", [1, 2, 999, 1000])
def test_a_batch_is_answered_in_its_order_with_the_forecasts_of_single_requests(
    client: Client, listed: pl.DataFrame, count: int
) -> None:
    rows = listed.sample(count, seed=count).rows(named=True)
    wanted = [
        {
            "league": row["league_id"],
            "home_team": row["home_team"],
            "away_team": row["away_team"],
            "date": "2016-06-30",
        }
        for row in rows
    ]

    body = answered(schemas.BatchAnswer, client.post("/predict/batch", json={"fixtures": wanted}))

    assert body["model_version"] == 1
    assert len(body["forecasts"]) == count
    for item, forecast in zip(wanted, body["forecasts"], strict=True):
        assert item.items() <= forecast["fixture"].items()
    for position in {0, count // 2, count - 1}:
        alone = client.post("/predict", json=wanted[position]).json()
        together = body["forecasts"][position]
        assert together["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-5)
        assert together["expected_goals"] == pytest.approx(alone["expected_goals"], abs=1e-4)


def test_fixtures_that_cannot_be_forecast_have_their_problem_beside_the_others_forecasts(
    client: Client,
) -> None:
    wanted = [
        {**LISTED, "home_team": "Arsenall"},
        LISTED,
        {**LISTED, "league": "Premier Leage"},
        {**LISTED, "away_team": "Arsenal"},
        UNLISTED,
        {**LISTED, "date": "1999-01-01"},
    ]

    body = answered(schemas.BatchAnswer, client.post("/predict/batch", json={"fixtures": wanted}))

    kinds = [item["problem"]["status"] if "problem" in item else 200 for item in body["forecasts"]]
    assert kinds == [404, 200, 404, 422, 200, 422]
    problems = [item.get("problem") for item in body["forecasts"]]
    assert problems[0]["suggestions"][0] == "Arsenal"
    assert problems[0]["title"] == "Unknown team"
    assert problems[2]["title"] == "Unknown league"
    assert "eng.1" in problems[2]["suggestions"]
    assert "cannot meet itself" in problems[3]["detail"]
    assert "choose a later day" in problems[5]["detail"]
    alone = client.post("/predict", json=LISTED).json()
    assert body["forecasts"][1]["fixture"] == alone["fixture"]
    assert body["forecasts"][1]["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-5)
    assert body["forecasts"][4]["fixture"]["home_team"] == "Chelsea"


def test_a_batch_without_a_single_forecast_is_answered_too(client: Client) -> None:
    wanted = [{**LISTED, "home_team": f"Nobody {n}"} for n in range(1000)]
    body = answered(schemas.BatchAnswer, client.post("/predict/batch", json={"fixtures": wanted}))
    assert [item["problem"]["status"] for item in body["forecasts"]] == [404] * 1000
    assert body["model_version"] == 1


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_of_none_or_more_than_a_thousand_is_refused(client: Client, count: int) -> None:
    problem = refused(client.post("/predict/batch", json={"fixtures": [LISTED] * count}), 422)
    assert fields(problem) == ["fixtures"]


def test_a_fixture_of_a_batch_that_is_not_valid_is_named_by_its_place(client: Client) -> None:
    wanted = [LISTED, {**LISTED, "away_team": 7}, {"league": "eng.1"}]
    problem = refused(client.post("/predict/batch", json={"fixtures": wanted}), 422)
    assert fields(problem) == ["fixtures.1.away_team", "fixtures.2.home_team", "fixtures.2.away_team"]


# /predict/sequences


def history(goals_for: int, goals_against: int, **match: Any) -> list[dict[str, Any]]:
    """Ten matches with the same score, home and away in turn."""
    return [
        {
            "goals_for": goals_for,
            "goals_against": goals_against,
            "is_home": n % 2 == 0,
            "days_ago": 7 * n,
            **match,
        }
        for n in range(1, 11)
    ]


def sequences(home: dict[str, Any], away: dict[str, Any], league: str = "eng.1") -> dict[str, Any]:
    return {"league": league, "home": home, "away": away}


def test_of_two_unknown_teams_the_one_with_the_better_history_is_likelier_to_win(client: Client) -> None:
    good, poor = {"history": history(3, 0)}, {"history": history(0, 3)}

    probabilities = [
        answered(schemas.SequencesAnswer, client.post("/predict/sequences", json=sequences(home, away)))[
            "probabilities"
        ]
        for home, away in ((good, poor), (good, good), (poor, poor), (poor, good))
    ]

    wins = [item["home"] for item in probabilities]
    assert wins[0] > max(wins[1:3]) > min(wins[1:3]) > wins[3]
    losses = [item["away"] for item in probabilities]
    assert losses[0] < min(losses[1:3]) < max(losses[1:3]) < losses[3]
    for item in probabilities:
        assert sum(item.values()) == pytest.approx(1, abs=1e-5)


def test_a_history_against_stronger_opponents_is_worth_more(client: Client) -> None:
    wins = [
        client.post(
            "/predict/sequences",
            json=sequences({"history": history(1, 0, opponent_elo=elo)}, {"history": history(1, 1)}),
        ).json()["probabilities"]["home"]
        for elo in (1000, 2000)
    ]
    assert wins[1] > wins[0]


def test_teams_without_any_history_are_newcomers_of_the_league(client: Client) -> None:
    body = answered(
        schemas.SequencesAnswer,
        client.post("/predict/sequences", json=sequences({"history": []}, {"history": []}, "Serie A")),
    )
    assert body["unknown_opponents"] == []
    assert 0.2 < body["probabilities"]["home"] < 0.7
    assert body["model_version"] == 1


def test_opponents_that_the_model_does_not_know_are_named(client: Client) -> None:
    matches = history(2, 1)
    matches[0]["opponent"] = "Arsenal"
    matches[1]["opponent"] = "Łódź 北京 FC"
    matches[2]["opponent"] = "Sutton 🐝"
    matches[3] |= {"opponent": "Rated", "opponent_elo": 1600}

    body = answered(
        schemas.SequencesAnswer,
        client.post("/predict/sequences", json=sequences({"history": matches}, {"history": history(1, 1)})),
    )

    assert set(body["unknown_opponents"]) == {"Łódź 北京 FC", "Sutton 🐝"}


def test_a_league_of_given_histories_that_is_not_known_is_answered_with_the_nearest(client: Client) -> None:
    body = sequences({"history": []}, {"history": []}, "Premier Leage")
    assert "eng.1" in refused(client.post("/predict/sequences", json=body), 404)["suggestions"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"goals_for": -1}, "goals_for"),
        ({"goals_for": 31}, "goals_for"),
        ({"goals_against": 1.5}, "goals_against"),
        ({"goals_against": "many"}, "goals_against"),
        ({"is_home": "perhaps"}, "is_home"),
        ({"days_ago": 0}, "days_ago"),
        ({"days_ago": 10**400}, "days_ago"),
        ({"opponent_elo": -1}, "opponent_elo"),
        ({"opponent": ""}, "opponent"),
        ({"stadium": "Wembley"}, "stadium"),
    ],
)
def test_a_past_match_that_is_not_valid_is_named_by_team_and_place(
    client: Client, change: dict[str, Any], field: str
) -> None:
    matches = history(1, 0)
    matches[4] |= change
    body = sequences({"history": history(1, 0)}, {"history": matches})
    problem = refused(client.post("/predict/sequences", json=body), 422)
    assert fields(problem) == [f"away.history.4.{field}"]


def test_more_than_fifty_past_matches_are_refused(client: Client) -> None:
    matches = [{"goals_for": 1, "goals_against": 1, "is_home": True, "days_ago": n} for n in range(1, 52)]
    accepted = sequences({"history": matches[:50]}, {"history": []})
    assert client.post("/predict/sequences", json=accepted).status_code == 200
    problem = refused(
        client.post("/predict/sequences", json=sequences({"history": matches}, {"history": []})), 422
    )
    assert fields(problem) == ["home.history"]


def test_two_past_matches_on_a_day_are_refused_in_words(client: Client) -> None:
    body = sequences({"history": history(1, 0, days_ago=3)}, {"history": []})
    detail = refused(client.post("/predict/sequences", json=body), 422)["detail"]
    assert "home team" in detail
    assert "3 days ago" in detail


# What the model and the lists know


def test_fixtures_are_the_table_in_order_of_kick_off(client: Client, listed: pl.DataFrame) -> None:
    listed = listed.filter(~pl.col("is_overdue"))

    body = answered(schemas.FixturesAnswer, client.get("/fixtures", params={"limit": 500}))

    assert body["total"] == len(listed) == 1368
    assert len(body["fixtures"]) == 500
    assert body["model_version"] == 1
    for fixture, row in zip(body["fixtures"], listed.head(500).iter_rows(named=True), strict=True):
        assert fixture["date"] == str(row["kickoff_date"])
        assert fixture["time"] == (None if row["kickoff_time"] is None else str(row["kickoff_time"]))
        names = (fixture["league"], fixture["season"], fixture["home_team"], fixture["away_team"])
        assert names == (row["league_id"], row["season"], row["home_team"], row["away_team"])
        assert fixture["probabilities"]["draw"] == row["p_draw"]
        assert fixture["expected_goals"]["away"] == row["xg_away"]


@pytest.mark.parametrize(
    ("parameters", "chosen"),
    [
        ({"league": "eng.1"}, pl.col("league_id") == "eng.1"),
        ({"league": "Bundesliga"}, pl.col("league_id") == "de.1"),
        ({"date_from": "2016-05-01"}, pl.col("kickoff_date") >= date(2016, 5, 1)),
        ({"date_to": "2015-11-21"}, pl.col("kickoff_date") <= date(2015, 11, 21)),
        (
            {"league": "it.1", "date_from": "2016-01-01", "date_to": "2016-01-31"},
            (pl.col("league_id") == "it.1")
            & pl.col("kickoff_date").is_between(date(2016, 1, 1), date(2016, 1, 31)),
        ),
        ({"date_from": "2016-02-02", "date_to": "2016-01-01"}, pl.lit(False)),
        ({"league": ""}, pl.lit(True)),
    ],
)
def test_fixtures_are_filtered_by_league_and_day(
    client: Client, listed: pl.DataFrame, parameters: dict[str, str], chosen: pl.Expr
) -> None:
    expected = listed.filter(chosen, ~pl.col("is_overdue"))

    body = answered(schemas.FixturesAnswer, client.get("/fixtures", params={**parameters, "limit": 5}))

    assert body["total"] == len(expected)
    found = [(item["home_team"], item["away_team"], item["date"]) for item in body["fixtures"]]
    assert found == [
        (row["home_team"], row["away_team"], str(row["kickoff_date"]))
        for row in expected.head(5).iter_rows(named=True)
    ]


@pytest.mark.parametrize(
    ("filters", "found"),
    [({}, 1), ({"league": "at.2"}, 1), ({"league": "eng.1"}, 0), ({"date_from": "2015-10-24"}, 0)],
)
def test_a_fixture_whose_day_has_passed_without_a_result_is_listed_apart(
    client: Client, filters: dict[str, str], found: int
) -> None:
    coming = answered(schemas.FixturesAnswer, client.get("/fixtures", params={"limit": 500}))
    overdue = answered(schemas.FixturesAnswer, client.get("/fixtures", params={"overdue": True, **filters}))

    assert overdue["total"] == len(overdue["fixtures"]) == found
    for fixture in overdue["fixtures"]:
        match = (fixture["date"], fixture["league"], fixture["home_team"], fixture["away_team"])
        assert match == ("2015-10-23", "at.2", "SV Austria Salzburg", "LASK Linz")
    assert min(fixture["date"] for fixture in coming["fixtures"]) == "2015-11-20"


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/fixtures?overdue=perhaps", 422, "overdue"),
        ("/fixtures?date_from=soon", 422, "date_from"),
        ("/fixtures?date_to=2016-13-01", 422, "date_to"),
        ("/fixtures?limit=0", 422, "limit"),
        ("/fixtures?limit=501", 422, "limit"),
        ("/fixtures?limit=ten", 422, "limit"),
        ("/teams?limit=-1", 422, "limit"),
        (f"/teams?query={'a' * 101}", 422, "query"),
    ],
)
def test_a_filter_that_is_not_valid_is_named(client: Client, path: str, status: int, field: str) -> None:
    assert fields(refused(client.get(path), status)) == [field]


@pytest.mark.parametrize(
    "path", ["/fixtures?league=eng.99", "/teams?league=Premier%20Leage", "/teams/eng.99/Arsenal"]
)
def test_a_league_that_is_not_known_is_answered_with_the_nearest(client: Client, path: str) -> None:
    assert "eng.1" in refused(client.get(path), 404)["suggestions"]


def test_leagues_are_those_of_the_results(client: Client) -> None:
    body = answered(schemas.LeaguesAnswer, client.get("/leagues"))
    leagues = {item["league"]: item for item in body["leagues"]}
    assert list(leagues) == ["at.1", "at.2", "de.1", "de.2", "eng.1", "es.1", "it.1"]
    assert leagues["eng.1"] == {
        "league": "eng.1",
        "name": "Premier League",
        "country": "England",
        "tier": 1,
        "teams": 20,
        "season": "2015-16",
        "last_match": "2015-11-07",
    }
    assert leagues["de.2"]["teams"] == 18


def test_teams_are_found_by_a_part_of_their_name_without_its_accents(client: Client) -> None:
    def found(**parameters: Any) -> list[str]:
        body = answered(schemas.TeamsAnswer, client.get("/teams", params=parameters))
        return [team["team"] for team in body["teams"]]

    assert found(query="munchen") == found(query="MÜNCHEN")
    assert set(found(query="münchen")) == {"FC Bayern München", "1860 München"}
    assert found(query="ars", league="eng.1") == ["Arsenal"]
    assert found(query="Arsenl", league="eng.1")[0] == "Arsenal"
    assert found(query="arsenal", league="de.1") == []
    assert len(found(league="Premier League", limit=500)) >= 20
    assert len(found()) == 20
    assert found(query="⚽\x00") == []


def test_a_team_is_shown_with_its_ratings_form_and_last_matches(client: Client, bucket: LocalBucket) -> None:
    body = answered(schemas.TeamAnswer, client.get("/teams/eng.1/arsenal"))

    assert (body["team"], body["league"], body["league_name"]) == ("Arsenal", "eng.1", "Premier League")
    played = (
        read_table(bucket, "stg_matches")
        .filter(
            pl.col("is_played") & ((pl.col("home_team") == "Arsenal") | (pl.col("away_team") == "Arsenal"))
        )
        .sort("kickoff_date", descending=True)
        .head(10)
    )
    expected = []
    for row in played.iter_rows(named=True):
        own, other = ("home", "away") if row["home_team"] == "Arsenal" else ("away", "home")
        goals = row[f"{own}_goals"], row[f"{other}_goals"]
        expected.append(
            {
                "date": str(row["kickoff_date"]),
                "league": row["league_id"],
                "opponent": row[f"{other}_team"],
                "is_home": own == "home",
                "goals_for": goals[0],
                "goals_against": goals[1],
                "outcome": "win" if goals[0] > goals[1] else "loss" if goals[0] < goals[1] else "draw",
            }
        )
    assert body["matches"] == expected
    points = [{"win": 3, "draw": 1, "loss": 0}[match["outcome"]] for match in expected]
    assert body["form"]["points_10"] == pytest.approx(sum(points) / 10)
    assert body["form"]["points_5"] == pytest.approx(sum(points[:5]) / 5)
    assert body["form"]["goals_for_10"] == pytest.approx(sum(match["goals_for"] for match in expected) / 10)
    listed = client.get("/teams", params={"query": "arsenal", "league": "eng.1"}).json()["teams"]
    assert body["elo"] == listed[0]["elo"]


def test_a_team_that_is_not_known_is_answered_with_the_nearest(client: Client) -> None:
    problem = refused(client.get("/teams/eng.1/Arsenall"), 404)
    assert problem["suggestions"][0] == "Arsenal"
    assert problem["title"] == "Unknown team"


def test_the_model_is_shown_with_its_scores_and_card(
    client: Client, bucket: LocalBucket, tmp_path: Path
) -> None:
    body = answered(schemas.ModelAnswer, client.get("/model"))

    bundle = Registry(bucket).fetch("production", tmp_path)
    assert body["version"] == 1
    assert body["as_of"] == "2015-11-08"
    assert body["provider"] == "CPUExecutionProvider"
    assert body["card"] == (bundle / "model_card.md").read_text()
    assert body["metrics"]["test"]["log_loss"] < body["metrics"]["baselines"]["elo"]["log_loss"]
    assert datetime.fromisoformat(body["published"]) == Registry(bucket).manifest(1).published


# Operations


def test_health_and_readiness_name_the_version(client: Client) -> None:
    health = answered(schemas.Health, client.get("/health"))
    assert health["status"] == "ok"
    assert health["model_version"] == 1
    assert health["provider"] == "CPUExecutionProvider"
    assert health["model_error"] is None
    assert health["log_error"] is None
    assert health["uptime_seconds"] > 0
    assert answered(schemas.Ready, client.get("/ready")) == {"model_version": 1}


def test_metrics_count_requests_by_route_and_forecasts_by_kind(
    service: ForecastService, make_client: MakeClient
) -> None:
    client = make_client(service)
    client.post("/predict", json=LISTED)
    client.post("/predict", json={**LISTED, "home_team": "Arsenall"})
    client.post("/predict/batch", json={"fixtures": [LISTED, UNLISTED, {**LISTED, "league": "x"}]})
    client.post("/predict/sequences", json=sequences({"history": []}, {"history": []}))
    client.get("/teams/eng.1/Arsenal")
    client.get("/teams/eng.1/Nobody")
    client.get("/nowhere/at/all")

    answer = client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"football_requests", "football_request_seconds", "football_batch_size"} <= names
    team = "/teams/{league}/{team:path}"
    assert metric(service, "requests_total", route="/predict", method="POST", status="200") == 1
    assert metric(service, "requests_total", route="/predict", method="POST", status="404") == 1
    assert metric(service, "requests_total", route=team, status="200") == 1
    assert metric(service, "requests_total", route=team, status="404") == 1
    assert metric(service, "requests_total", route="unmatched", status="404") == 1
    assert metric(service, "predictions_total", kind="predict") == 1
    assert metric(service, "predictions_total", kind="batch") == 2
    assert metric(service, "predictions_total", kind="sequences") == 1
    assert metric(service, "prediction_probability_count", outcome="draw") == 4
    assert metric(service, "batch_size_sum") == 4
    assert metric(service, "inference_seconds_count") == 3
    assert metric(service, "model_info", version="1") == 1
    written = sum(path.stat().st_size for path in service.log.spool.glob("*.jsonl"))
    assert metric(service, "prediction_log_bytes_total") == written > 0


def test_there_is_no_drift_report_until_there_is_one(
    service: ForecastService, make_client: MakeClient
) -> None:
    service.bucket.delete("reports/drift/latest.html")
    client = make_client(service)
    assert "no drift report yet" in refused(client.get("/drift"), 404)["detail"]

    service.bucket.write("reports/drift/latest.html", "<h1>Drift of Łódź</h1>".encode())

    answer = client.get("/drift")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text == "<h1>Drift of Łódź</h1>"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_without_a_model_every_forecast_and_list_waits_but_health_answers(
    tmp_path: Path, make_client: MakeClient, service: ForecastService
) -> None:
    from serve.metrics import ServingMetrics

    empty = ForecastService(LocalBucket(tmp_path / "empty"), tmp_path / "empty_scratch", ServingMetrics())
    client = make_client(empty)

    for method, path, body in (
        ("POST", "/predict", LISTED),
        ("POST", "/predict/batch", {"fixtures": [LISTED]}),
        ("POST", "/predict/sequences", sequences({"history": []}, {"history": []})),
        ("GET", "/leagues", None),
        ("GET", "/teams", None),
        ("GET", "/teams/eng.1/Arsenal", None),
        ("GET", "/model", None),
        ("GET", "/ready", None),
    ):
        answer = client.request(method, path, json=body)
        assert refused(answer, 503)["detail"]
        assert int(answer.headers["retry-after"]) >= 1
    assert answered(schemas.Health, client.get("/health"))["status"] == "starting"
    assert answered(schemas.FixturesAnswer, client.get("/fixtures")) == {
        "model_version": None,
        "total": 0,
        "fixtures": [],
    }
    assert client.get("/metrics").status_code == 200
    empty.close()


def test_a_version_that_cannot_be_loaded_shows_in_health_while_the_old_one_answers(
    service: ForecastService, make_client: MakeClient
) -> None:
    client = make_client(service)
    service.bucket.write("registry/aliases.json", b'{"production": 7}')
    service.refresh()

    health = answered(schemas.Health, client.get("/health"))
    assert health["status"] == "degraded"
    assert "7" in health["model_error"]
    assert health["model_version"] == 1
    assert answered(schemas.PredictAnswer, client.post("/predict", json=LISTED))["model_version"] == 1
    assert client.get("/ready").status_code == 200


# The page and the documentation


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/page/page.js", "text/javascript"),
        ("/page/page.css", "text/css"),
        ("/page/favicon.svg", "image/svg+xml"),
        ("/docs", "text/html"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/swagger-ui.css", "text/css"),
    ],
)
def test_files_of_the_page_and_the_documentation_have_their_media_type(
    client: Client, path: str, media_type: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert len(answer.content) > 100


def test_all_that_the_page_refers_to_is_served(client: Client) -> None:
    import re

    text = client.get("/").text
    references = re.findall(r'(?:src|href)="([^"#]+)"', text)
    assert len(references) >= 3
    for reference in references:
        assert client.get(f"/{reference.lstrip('./')}").status_code == 200, reference


@pytest.mark.parametrize("path", ["/page/nothing.js", "/docs/nothing.js", "/page/", "/nothing"])
def test_a_path_that_is_not_there_is_a_problem_document(client: Client, path: str) -> None:
    refused(client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/predict", "POST"), ("DELETE", "/leagues", "GET"), ("POST", "/health", "GET")],
)
def test_a_method_that_a_route_does_not_take_is_refused_with_those_it_takes(
    client: Client, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)
    refused(answer, 405)
    assert allowed in answer.headers["allow"]


# The OpenAPI document


def test_the_openapi_document_has_an_example_and_the_problem_schema_for_every_forecast(
    client: Client,
) -> None:
    document = client.get("/openapi.json").json()

    for path in ("/predict", "/predict/batch", "/predict/sequences"):
        operation = document["paths"][path]["post"]
        name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        example = document["components"]["schemas"][name]["example"]
        assert client.post(path, json=example).status_code == 200, path
    for path, operations in document["paths"].items():
        for operation in operations.values():
            errors = {status: item for status, item in operation["responses"].items() if status >= "400"}
            assert {"401", "500"} <= set(errors), path
            for item in errors.values():
                assert item["content"] == {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert set(document["paths"]) == {
        *("/predict", "/predict/batch", "/predict/sequences"),
        *("/fixtures", "/leagues", "/teams", "/teams/{league}/{team}", "/model"),
        *("/health", "/ready", "/metrics", "/drift"),
    }


@pytest.fixture(scope="module")
def api_schema(client: Client) -> Any:
    return client.openapi()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/predict"),
        ("POST", "/predict/batch"),
        ("POST", "/predict/sequences"),
        ("GET", "/fixtures"),
        ("GET", "/teams"),
    ],
)
def test_whatever_is_asked_is_answered_as_the_openapi_document_says(
    client: Client, api_schema: Any, method: str, path: str, mode: GenerationMode
) -> None:
    @settings(**GENERATED)
    @given(case=api_schema[path][method].as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(checks=CHECKS, headers=client.headers)
        assert answer.status_code != 401

    ask()


def test_whatever_team_is_asked_for_is_answered_as_the_openapi_document_says(
    client: Client, api_schema: Any
) -> None:
    @settings(**GENERATED)
    @given(case=api_schema["/teams/{league}/{team}"]["GET"].as_strategy())
    def ask(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(checks=CHECKS, headers=client.headers)
        assert answer.status_code != 401

    ask()


@pytest.mark.parametrize("path", ["/leagues", "/model", "/health", "/ready", "/metrics", "/drift"])
def test_what_takes_no_parameters_is_answered_as_the_openapi_document_says(
    client: Client, api_schema: Any, path: str
) -> None:
    answer = api_schema[path]["GET"].Case().call_and_validate(checks=CHECKS, headers=client.headers)
    assert answer.status_code != 401


def test_the_default_day_is_never_before_a_result_that_the_model_knows(
    client: Client, listed: pl.DataFrame, shared_service: ForecastService
) -> None:
    postponed = listed.row(by_predicate=pl.col("is_overdue"), named=True)
    model = shared_service.ready()
    assert postponed["kickoff_date"] < model.as_of
    wanted = {
        "league": postponed["league_id"],
        "home_team": postponed["home_team"],
        "away_team": postponed["away_team"],
    }

    body = answered(schemas.PredictAnswer, client.post("/predict", json=wanted))

    assert body["fixture"]["date"] == "2016-05-10"  # the next fixture of these teams at this ground
