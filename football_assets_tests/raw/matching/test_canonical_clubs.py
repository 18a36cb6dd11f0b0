"""Clubs get one name before matches are merged: one match from several sources is one row."""

from datetime import date

import polars as pl

from football_assets.raw.matches import named_entries
from football_assets.raw.matching.canonical_clubs import clubs_named, with_canonical_clubs
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import (
    TODAY,
    csv_of,
    json_of,
    listed,
    put,
    read_season,
    read_seasons,
)

SEASON = "2014-15"
ODDS = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR,B365H,B365D,B365A"


def teams(matches: pl.DataFrame) -> list[tuple[str, str]]:
    return matches.select("home_team", "away_team").rows()


def test_one_match_from_three_sources_is_one_row_with_what_each_knows_of_it(bucket: Bucket) -> None:
    put(
        bucket,
        "football-data/2014-15/E0.csv",
        csv_of("E0,16/08/14,Man United,Tottenham,2,1,H,1.8,3.6,4.5", header=ODDS),
        age=3,
    )
    put(bucket, "footballcsv/2014-15/eng.1.csv", csv_of("Sun Aug 17 2014,Man United,2-1,?,Spurs"), age=2)
    put(
        bucket,
        "openfootball/2014-15/en.1.json",
        json_of(
            listed(
                "2014-08-16",
                "Manchester United FC",
                "Tottenham Hotspur FC",
                "2-1",
                round="Matchday 1",
                time="15:00",
            )
        ),
        age=1,
    )
    read = read_season(bucket, SEASON, TODAY)
    (match,) = read.matches.iter_rows(named=True)
    assert (match["home_team"], match["away_team"]) == ("Manchester United", "Tottenham Hotspur")
    assert (match["kickoff_date"], match["home_goals"], match["away_goals"]) == (date(2014, 8, 16), 2, 1)
    assert (match["odds_home"], match["odds_draw"], match["odds_away"]) == (1.8, 3.6, 4.5)
    assert (match["round"], match["source"]) == ("Matchday 1", "football-data")
    assert read.rejected.is_empty()


def test_the_match_is_the_same_whichever_source_names_it(bucket: Bucket) -> None:
    ids = []
    for names in (
        ("Man United", "Spurs"),
        ("Manchester United FC", "Tottenham"),
        ("MANCHESTER UTD", "Spurs"),
    ):
        put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,{},2-1,?,{}".format(*names)))
        ids += read_season(bucket, SEASON, TODAY).matches["match_id"].to_list()
    assert len(ids) == 3
    assert len(set(ids)) == 1


def test_a_club_is_named_within_the_country_of_the_league(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/pt.1.csv", csv_of("Sat Aug 16 2014,Sporting CP,2-1,?,Sp Braga"))
    put(bucket, "a/2014-15/es.2.csv", csv_of("Sat Aug 16 2014,Sporting,2-1,?,Sociedad B"))
    put(bucket, "a/2014-15/eng.cup.csv", csv_of("Sat Aug 16 2014,Man City,2-1,?,Sp Braga"))
    assert sorted(teams(read_season(bucket, SEASON, TODAY).matches)) == [
        ("Manchester City", "Sp Braga"),
        ("Sporting", "Real Sociedad B"),
        ("Sporting CP", "Braga"),
    ]


def test_two_names_of_one_club_are_no_match_and_the_reason_has_the_words_of_the_source(
    bucket: Bucket,
) -> None:
    row = "Sat Aug 16 2014,Man United,2-1,?,Manchester United FC"
    put(bucket, "a/2014-15/eng.1.csv", csv_of(row))
    read = read_season(bucket, SEASON, TODAY)
    assert read.matches.is_empty()
    (refused,) = read.rejected.iter_rows(named=True)
    assert refused["reason"] == (
        "Man United and Manchester United FC are two names of Manchester United, which cannot play itself."
    )
    assert (refused["line"], refused["record"]) == (2, row)


def test_a_row_that_a_rule_refuses_keeps_the_words_of_the_source(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.json", json_of(listed("2014-08-16", "Spurs", "spurs")))
    assert read_season(bucket, SEASON, TODAY).rejected["reason"].to_list() == ["Spurs cannot play itself."]


def test_names_do_not_depend_on_what_else_is_read(bucket: Bucket) -> None:
    put(bucket, "a/2013-14/es.1.csv", csv_of("Sat Aug 17 2013,UD Logroñés,1-0,?,CD Logroñés"))
    put(bucket, "a/2014-15/es.1.csv", csv_of("Sat Aug 16 2014,SD Logroñés,2-1,?,Ath Madrid"))
    together = read_seasons(bucket, ["2013-14", SEASON], TODAY).matches
    alone = read_season(bucket, SEASON, TODAY).matches
    assert together.filter(pl.col("season") == SEASON).equals(alone)
    assert teams(alone) == [("SD Logrones", "Atlético")]


def test_unlisted_names_that_differ_in_accents_and_case_are_one_club_in_every_season(bucket: Bucket) -> None:
    put(bucket, "a/2013-14/co.1.csv", csv_of("Sat Feb 1 2014,Once Caldas,1-0,?,Boyaca Chico"))
    put(bucket, "a/2014-15/co.1.json", json_of(listed("2015-02-01", "Boyacá Chicó", "Once Caldas", "2-2")))
    put(bucket, "b/2014-15/co.1.csv", csv_of("Sun Feb 1 2015,BOYACA CHICO,2-2,?,Once Caldas"))
    read = read_seasons(bucket, ["2013-14", SEASON], TODAY)
    assert teams(read.matches) == [("Once Caldas", "Boyaca Chico"), ("Boyaca Chico", "Once Caldas")]
    assert read.rejected.is_empty()


def test_a_name_with_a_control_code_for_punctuation_means_the_club(bucket: Bucket) -> None:
    """football-data.co.uk has Windows' apostrophe as a control code in files of UTF-8."""
    put(bucket, "a/2014-15/eng.5.csv", csv_of("Sat Aug 16 2014,King\x92s Lynn,2-1,?,Barnet"))
    assert teams(read_season(bucket, SEASON, TODAY).matches) == [("King's Lynn Town", "Barnet")]


def test_each_name_is_looked_up_once_and_rows_keep_their_order() -> None:
    rows = pl.DataFrame(
        {
            "row": [0, 1, 2],
            "country": ["eng", "es", "eng"],
            "home_team": ["Spurs", "Barcelona", "Wolves"],
            "away_team": ["Wolves", "Espanol", "Spurs"],
        }
    )
    named = with_canonical_clubs(rows)
    assert named["row"].to_list() == [0, 1, 2]
    assert teams(named) == [
        ("Tottenham Hotspur", "Wolverhampton Wanderers"),
        ("Barcelona", "Espanyol"),
        ("Wolverhampton Wanderers", "Tottenham Hotspur"),
    ]
    assert named.select("home_name", "away_name").rows() == rows.select("home_team", "away_team").rows()
    assert clubs_named(rows).select("country", "name", "how").rows() == [
        ("eng", "Spurs", "alias"),
        ("eng", "Wolves", "alias"),
        ("es", "Barcelona", "name"),
        ("es", "Espanol", "alias"),
    ]


def test_names_have_the_same_columns_and_types_where_there_are_none() -> None:
    rows = pl.DataFrame({"country": ["eng"], "home_team": ["Spurs"], "away_team": ["Wolves"]})
    for some in (rows, rows.clear()):
        assert clubs_named(some).schema == {
            "country": pl.String,
            "name": pl.String,
            "club": pl.String,
            "how": pl.String,
            "beside": pl.List(pl.String),
        }
        assert with_canonical_clubs(some).schema == dict.fromkeys(
            ("country", "home_name", "away_name", "home_team", "away_team"), pl.String
        )


def test_entries_before_merging_have_both_names(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Spurs,2-1,?,Wolves", "broken"))
    put(bucket, "b/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Tottenham,2-1,?,Wolves"))
    entries = named_entries(bucket, [SEASON], TODAY).sort("source")
    assert entries.select("source", "home_name", "home_team").rows() == [
        ("a", "Spurs", "Tottenham Hotspur"),
        ("b", "Tottenham", "Tottenham Hotspur"),
    ]


def test_no_season_gives_no_entries(bucket: Bucket) -> None:
    assert named_entries(bucket, [], TODAY).is_empty()
    assert read_seasons(bucket, [], TODAY).matches.is_empty()
