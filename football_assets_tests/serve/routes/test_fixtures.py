"""The fixture lists: the rows of `fixture_predictions`, filtered, coming or overdue."""

from datetime import date

import polars as pl
import pytest

from football_assets_tests.builders.answers import answered
from football_assets_tests.builders.running import Client
from serve import schemas


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
        assert fixture["inputs"] == row["inputs"]
        odds = fixture["odds"] or dict.fromkeys(("home", "draw", "away"))
        assert list(odds.values()) == [row["odds_home"], row["odds_draw"], row["odds_away"]]


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
