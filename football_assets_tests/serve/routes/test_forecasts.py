"""Forecasts: the numbers of the command line, or a problem that names the field; from custom histories too."""

from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from football_assets.domain.scorelines import Score, scores_text
from football_assets.forecasting.fixtures import forecast_match
from football_assets.registry.store import Registry
from football_assets.storage.local import LocalBucket
from football_assets_tests.builders.answers import (
    LISTED,
    LISTED_DAY,
    ODDS,
    UNLISTED,
    answered,
    fields,
    history,
    refused,
    sequences,
)
from football_assets_tests.builders.running import Client
from serve import schemas
from serve.service import ForecastService


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
        ({**LISTED, "odds": 2.1}, "odds"),
        ({**LISTED, "odds": [2.1, 3.4, 3.6]}, "odds"),
        ({**LISTED, "odds": {"home": 2.1, "draw": 3.4}}, "odds.away"),
        ({**LISTED, "odds": {**ODDS, "draw": 1}}, "odds.draw"),
        ({**LISTED, "odds": {**ODDS, "away": "evens"}}, "odds.away"),
        ({**LISTED, "odds": {**ODDS, "away": 36}}, "odds"),
        ([LISTED], "body"),
        ("Arsenal", "body"),
        (None, "body"),
    ],
)
def test_a_body_that_is_not_valid_is_refused_with_the_field(client: Client, body: Any, field: str) -> None:
    assert field in fields(refused(client.post("/predict", json=body), 422))


def test_odds_that_are_not_of_one_match_are_refused_with_their_sum(client: Client) -> None:
    swapped = {"home": 1.2, "draw": 1.6, "away": 1.8}

    alone = refused(client.post("/predict", json={**LISTED, "odds": swapped}), 422)
    batch = refused(
        client.post("/predict/batch", json={"fixtures": [LISTED, {**LISTED, "odds": swapped}]}), 422
    )

    message = "1/1.2 + 1/1.6 + 1/1.8 is 2.014; for the odds of one match that sum is between 0.97 and 1.35"
    assert alone["errors"] == [{"field": "odds", "message": message}]
    assert alone["detail"] == f"odds: {message}."
    assert batch["errors"] == [{"field": "fixtures.1.odds", "message": message}]


def test_a_forecast_says_what_it_was_made_from(client: Client, bucket: LocalBucket, tmp_path: Path) -> None:
    odds = {"home": 1.2, "draw": 7.0, "away": 15.0}

    for given in (None, odds):
        given_odds = None if given is None else (1.2, 7.0, 15.0)
        expected = forecast_match(
            Registry(bucket), tmp_path, "eng.1", "Arsenal", "Chelsea", odds=given_odds
        ).row(0, named=True)
        alone = answered(schemas.PredictAnswer, client.post("/predict", json={**LISTED, "odds": given}))
        batch = client.post("/predict/batch", json={"fixtures": [{**LISTED, "odds": given}]}).json()
        for body in (alone, batch["forecasts"][0]):
            assert body["inputs"] == expected["inputs"]
            assert body["probabilities"]["home"] == pytest.approx(expected["p_home"], abs=1e-6)


def test_custom_histories_are_forecast_from_results(client: Client) -> None:
    body = sequences({"history": history(2, 0)}, {"history": []})
    assert (
        answered(schemas.SequencesAnswer, client.post("/predict/sequences", json=body))["inputs"] == "results"
    )


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
