"""The bundled sample: how many matches, how sound."""

from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from football_assets.raw.landing import land
from football_assets.raw.matches import ReadMatches
from football_assets.sample import sample_folder
from football_assets.storage.opening import open_bucket
from football_assets_tests.builders.landings import read_seasons


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> ReadMatches:
    bucket = open_bucket(str(tmp_path_factory.mktemp("bucket")))
    result = land(bucket, [sample_folder()])
    assert len(result.landed) == 25
    assert result.skipped == ()
    assert result.problems == []
    return read_seasons(bucket, result.seasons, date(2026, 1, 1))


def test_the_sample_holds_the_matches_of_the_package(sample: ReadMatches) -> None:
    unplayed = sample.matches["home_goals"].null_count()
    played = sample.matches.height - unplayed
    assert played + sample.rejected.height == 6066
    assert unplayed == 1369
    assert sample.matches.filter(pl.col("home_goals").is_not_null())["kickoff_date"].max() == date(
        2015, 11, 8
    )
    assert sample.matches["kickoff_date"].min() == date(2012, 4, 7)


def test_only_scores_that_are_times_are_rejected(sample: ReadMatches) -> None:
    assert sample.rejected.height == 18
    assert sample.rejected["reason"].str.contains("is a time of kick-off").all()
    assert sample.rejected["source_object"].unique().to_list() == ["raw/openfootball/2013-14/de.2.json"]


def test_every_pair_of_a_league_meets_as_often_as_its_calendar_says(sample: ReadMatches) -> None:
    complete = sample.matches.filter(
        pl.col("season") != "2011-12", ~((pl.col("season") == "2013-14") & (pl.col("league_id") == "de.2"))
    )
    legs = complete.group_by("season", "league_id", "home_team", "away_team").len()
    for (league_id,), pairs in legs.group_by("league_id"):
        assert pairs["len"].max() == (2 if str(league_id).startswith("at.") else 1)
    missing = {
        ("2013-14", "eng.1"): 1,
        ("2014-15", "de.1"): 1,
        ("2014-15", "es.1"): 2,
        ("2014-15", "it.1"): 1,
        ("2014-15", "at.2"): 2,
    }
    for (season, league_id), matches in complete.group_by("season", "league_id"):
        teams = matches["home_team"].n_unique()
        meetings = 2 if str(league_id).startswith("at.") else 1
        expected = teams * (teams - 1) * meetings - missing.get((str(season), str(league_id)), 0)
        assert matches.height == expected, (season, league_id)


def test_nobody_plays_twice_in_a_round(sample: ReadMatches) -> None:
    sides = [
        sample.matches.select("season", "league_id", "round", team=side)
        for side in ("home_team", "away_team")
    ]
    assert pl.concat(sides).is_unique().all()


def test_names_keep_their_accents(sample: ReadMatches) -> None:
    assert {"Málaga", "1. FC Köln", "SKN St. Pölten", "Atlético"} <= set(sample.matches["home_team"])


def test_files_are_one_match_a_line() -> None:
    lines = (sample_folder() / "2013-14" / "es.1.json").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 380 + 2
    assert lines[1] == (
        '{"round":"Jornada 1","date":"2013-08-17","team1":"R. Sociedad","team2":"Getafe","score":{"ft":[2,0]}},'
    )


def test_the_sample_says_where_it_comes_from() -> None:
    readme = (Path(sample_folder()).parent / "README.md").read_text(encoding="utf-8")
    assert "Public Domain" in readme
    assert "football.json" in readme
    assert Counter(path.suffix for path in sample_folder().rglob("*.*")) == {".json": 25}
