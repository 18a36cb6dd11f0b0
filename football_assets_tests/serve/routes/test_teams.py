"""Leagues and teams: search, ratings, form and last matches."""

from typing import Any

import polars as pl
import pytest

from football_assets.storage.local import LocalBucket
from football_assets.storage.tables import read_table
from football_assets_tests.builders.answers import answered, refused
from football_assets_tests.builders.running import Client
from serve import schemas


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
