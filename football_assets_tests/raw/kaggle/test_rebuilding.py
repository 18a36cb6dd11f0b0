"""The Kaggle competition's files, landed: which matches are rebuilt, and what is rejected for which reason."""

import random
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from football_assets.domain.leagues import COUNTRIES, SPORTMONKS_LEAGUES, TIME_ZONES, league_of
from football_assets.errors import LandingError
from football_assets.raw.landing import LandingResult, inventory, land
from football_assets.raw.matches import ReadMatches
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import read_seasons
from football_assets_tests.builders.wide_files import (
    Played,
    all_scores,
    rows_of,
    scores_csv,
    season_of_pairs,
    wide_csv,
)

TODAY = date(2022, 8, 1)
FIRST = Played("Alpha", "Beta", "2020-01-04 15:00:00", "2-1")
SECOND = Played("Gamma", "Delta", "2020-01-04 15:00:00", "2-1")
THIRD = Played("Beta", "Gamma", "2020-01-11 15:00:00", "0-0")
FOURTH = Played("Delta", "Alpha", "2020-01-11 15:00:00", "1-3")
FIFTH = Played("Alpha", "Gamma", "2020-01-18 15:00:00", "4-0")
SIXTH = Played("Beta", "Delta", "2020-01-18 15:00:00", "1-1")
ALL = [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH]

Row = dict[str, str]


def landed(
    bucket: Bucket, folder: Path, rows: list[Row] | str, scores: dict[str, str] | None = None, **more: str
) -> LandingResult:
    """Land a folder with `train.csv`, the scores where there are any, and `more` files by the start of their name."""
    folder.mkdir(exist_ok=True)
    text = rows if isinstance(rows, str) else wide_csv(rows)
    (folder / "train.csv").write_text(text)
    if scores is not None:
        known = [row for row in rows if isinstance(row, dict) and row["id"] in scores]
        (folder / "train_target_and_scores.csv").write_text(scores_csv(known, scores))
    for name, content in more.items():
        (folder / f"{name}.csv").write_text(content)
    return land(bucket, [folder])


def read(bucket: Bucket) -> ReadMatches:
    return read_seasons(bucket, inventory(bucket).seasons, TODAY)


def results(found: ReadMatches) -> list[tuple[str, str, str, int | None, int | None]]:
    columns = pl.col("kickoff_date").dt.to_string(), "home_team", "away_team", "home_goals", "away_goals"
    return sorted(found.matches.select(columns).rows())


def reasons(found: ReadMatches) -> list[str]:
    return found.rejected["reason"].to_list()


def test_a_line_with_its_score_is_a_match_of_its_league_and_season(bucket: Bucket, tmp_path: Path) -> None:
    result = landed(bucket, tmp_path / "Downloads", rows_of([FIRST], [FIRST]), {"1": "2-1"})
    assert result.objects == ["raw/kaggle/2019-20/eng.1.csv"]
    assert (result.problems, result.skipped) == ([], ())
    (match,) = read(bucket).matches.iter_rows(named=True)
    assert (match["league_id"], match["season"], match["source"]) == ("eng.1", "2019-20", "kaggle")
    assert (match["home_team"], match["home_goals"], match["away_goals"]) == ("Alpha", 2, 1)
    assert (match["kickoff_date"], str(match["kickoff_time"])) == (date(2020, 1, 4), "15:00:00")


def test_a_file_whose_name_is_not_utf8_is_rebuilt_too(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "tr\udce4in.csv").write_text(wide_csv(rows_of([FIRST], [FIRST])))
    assert land(bucket, [tmp_path]).objects == ["raw/kaggle/2019-20/eng.1.csv"]
    assert rb"tr\xe4in.csv 2" in bucket.read("raw/kaggle/2019-20/eng.1.csv")


def test_matches_that_only_histories_list_are_rebuilt_from_both_sides(bucket: Bucket, tmp_path: Path) -> None:
    landed(bucket, tmp_path / "k", rows_of(ALL, [FIFTH, SIXTH]), all_scores(ALL))
    found = read(bucket)
    assert results(found) == sorted(
        (match.kickoff[:10], match.home, match.away, *match.goals) for match in ALL
    )
    assert reasons(found) == []
    assert found.matches["source_object"].unique().to_list() == ["raw/kaggle/2019-20/eng.1.csv"]
    text = bucket.read("raw/kaggle/2019-20/eng.1.csv").decode()
    assert "train.csv 2 home_team_history_2 + train.csv 3 home_team_history_2" in text  # Alpha and Beta


def test_one_history_alone_is_kept_as_a_refused_record_with_its_place(bucket: Bucket, tmp_path: Path) -> None:
    landed(bucket, tmp_path / "k", rows_of([*ALL[:4], FIFTH], [FIFTH]), {"5": "4-0"})
    found = read(bucket)
    assert results(found) == [("2020-01-18", "Alpha", "Gamma", 4, 0)]
    assert reasons(found) == ["The opponent is not named, and no other team's history lists the match."] * 4
    assert [record.rpartition(',"')[0] for record in found.rejected["record"]] == [
        "2020-01-04,15:00,Alpha,2-1,?,train.csv 2 home_team_history_2",
        "2020-01-04,15:00,Gamma,2-1,?,train.csv 2 away_team_history_2",
        "2020-01-11,15:00,?,1-3,Alpha,train.csv 2 home_team_history_1",
        "2020-01-11,15:00,?,0-0,Gamma,train.csv 2 away_team_history_1",
    ]
    assert found.rejected["line"].to_list() == [2, 3, 4, 5]


def test_ratings_tell_apart_what_dates_and_scores_do_not(bucket: Bucket, tmp_path: Path) -> None:
    """FIRST and SECOND kick off together and end alike: without ratings four pairs are possible."""
    landed(bucket, tmp_path / "a", rows_of(ALL, [FIFTH, SIXTH]), all_scores(ALL))
    assert len(results(read(bucket))) == 6
    landed(bucket, tmp_path / "a", rows_of(ALL, [FIFTH, SIXTH], with_ratings=False), all_scores(ALL))
    found = read(bucket)
    assert [row[:3] for row in results(found)] == [
        ("2020-01-18", "Alpha", "Gamma"),
        ("2020-01-18", "Beta", "Delta"),
    ]
    ambiguous = [reason for reason in reasons(found) if "is ambiguous" in reason]
    assert sorted(ambiguous) == [
        *["The opponent is ambiguous: the histories of Alpha, Gamma fit."] * 2,
        *["The opponent is ambiguous: the histories of Beta, Delta fit."] * 2,
    ]
    assert (
        sum("without ratings other matches at that time may be meant" in each for each in reasons(found)) == 4
    )


def test_without_ratings_only_the_one_match_of_a_kickoff_is_certain(bucket: Bucket, tmp_path: Path) -> None:
    alone = Played("Alpha", "Beta", "2020-01-05 20:00:00", "3-2")
    later = [
        Played("Alpha", "Gamma", "2020-01-12 15:00:00", "0-0"),
        Played("Beta", "Delta", "2020-01-12 15:00:00", "0-0"),
    ]
    landed(
        bucket, tmp_path / "k", rows_of([alone, *later], later, with_ratings=False), {"2": "0-0", "3": "0-0"}
    )
    found = read(bucket)
    assert ("2020-01-05", "Alpha", "Beta", 3, 2) in results(found)
    assert (len(results(found)), reasons(found)) == (3, [])


def test_two_matches_that_one_team_each_lists_do_not_make_a_third(bucket: Bucket, tmp_path: Path) -> None:
    """Alpha beat one team and Delta lost to another, at once and with one score."""
    later = Played("Alpha", "Delta", "2020-01-18 15:00:00", "4-0")
    landed(bucket, tmp_path / "k", rows_of([FIRST, SECOND, later], [later]), {"3": "4-0"})
    found = read(bucket)
    assert [row[:3] for row in results(found)] == [("2020-01-18", "Alpha", "Delta")]
    expected = "The opponent is not named: such a match is listed only by teams with other ratings."
    assert reasons(found) == [expected, expected]


def test_an_outcome_without_a_score_is_no_result_and_the_scores_may_come_later(
    bucket: Bucket, tmp_path: Path
) -> None:
    rows = rows_of([FIRST], [FIRST])
    landed(bucket, tmp_path / "k", rows)
    found = read(bucket)
    assert results(found) == []
    assert reasons(found) == [
        "Only the outcome 'home' is known, not the score: land train_target_and_scores.csv from the same folder."
    ]
    result = landed(bucket, tmp_path / "k", rows, {"1": "2-1"})
    assert [item.is_changed for item in result.landed] == [True]
    found = read(bucket)
    assert results(found) == [("2020-01-04", "Alpha", "Beta", 2, 1)]
    assert reasons(found) == []
    assert not any(item.is_changed for item in land(bucket, [tmp_path / "k"]).landed)


def test_a_score_that_is_missing_is_taken_from_the_histories_that_list_the_match(
    bucket: Bucket, tmp_path: Path
) -> None:
    landed(bucket, tmp_path / "k", rows_of(ALL, ALL))
    found = read(bucket)
    assert results(found) == sorted(
        (match.kickoff[:10], match.home, match.away, *match.goals) for match in ALL[:4]
    )
    assert [reason[:25] for reason in reasons(found)] == [
        "Only the outcome 'home' i",
        "Only the outcome 'draw' i",
    ]


def test_a_line_without_an_outcome_is_a_fixture(bucket: Bucket, tmp_path: Path) -> None:
    test = [row | {"target": ""} for row in rows_of(ALL, [FIFTH])]
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "test.csv").write_text(wide_csv(test))
    land(bucket, [tmp_path / "k"])
    assert results(read(bucket)) == [("2020-01-18", "Alpha", "Gamma", None, None)]


def test_train_and_test_are_read_together(bucket: Bucket, tmp_path: Path) -> None:
    train, test = rows_of(ALL, [FIFTH]), rows_of(ALL, [SIXTH])
    hidden = wide_csv([test[0] | {"target": ""}])
    landed(bucket, tmp_path / "k", train, {"5": "4-0"}, test=hidden)
    found = read(bucket)
    assert len(results(found)) == 6
    assert ("2020-01-18", "Beta", "Delta", None, None) in results(found)
    assert reasons(found) == []


@pytest.mark.parametrize(
    ("change", "score", "reason"),
    [
        ({}, "1-1", "The score 1-1 contradicts the outcome 'home'."),
        ({}, "other", "The score 'other' is not like 2-1, and no history lists the match."),
        ({"away_team_name": ""}, "2-1", "A team is not named."),
        ({"away_team_name": "Alpha"}, "2-1", "Alpha cannot play itself."),
        ({"match_date": "soon"}, "2-1", "The match_date is missing or not like '2019-12-01 00:45:00'."),
        ({"league_id": "PL"}, "2-1", "The league_id is missing or not a whole number."),
    ],
)
def test_a_line_that_is_no_match_is_refused_with_its_reason(
    bucket: Bucket, tmp_path: Path, change: Row, score: str, reason: str
) -> None:
    good = Played("Eta", "Theta", "2020-01-04 15:00:00", "0-0")
    rows = rows_of([FIRST, good], [FIRST, good])
    landed(bucket, tmp_path / "k", [rows[0] | change, rows[1]], {"1": score, "2": "0-0"})
    found = read(bucket)
    assert results(found) == [("2020-01-04", "Eta", "Theta", 0, 0)]
    assert reasons(found) == [reason]
    assert found.rejected["season"].to_list() == ["2019-20"]


def test_an_id_that_comes_again_is_refused_and_names_the_first(bucket: Bucket, tmp_path: Path) -> None:
    rows = rows_of([FIRST, SECOND], [FIRST, SECOND])
    landed(bucket, tmp_path / "k", [rows[0], rows[1] | {"id": "1"}], {"1": "2-1"})
    found = read(bucket)
    assert [row[1] for row in results(found)] == ["Alpha"]
    assert reasons(found) == ["The id 1 is listed before: train.csv line 2."]


def test_two_scores_of_one_id_are_refused_and_scores_of_none_are_counted(
    bucket: Bucket, tmp_path: Path
) -> None:
    rows = rows_of([FIRST, SECOND], [FIRST, SECOND])
    (tmp_path / "k").mkdir()
    scores = "id,score,target\n1,2-1,home\n1,3-1,home\n2,2-1,home\n2,2-1,home\n77,0-0,draw\n"
    result = landed(bucket, tmp_path / "k", rows, None, train_target_and_scores=scores)
    found = read(bucket)
    assert [row[1] for row in results(found)] == ["Gamma"]
    assert reasons(found) == ["The match has several scores: 2-1, 3-1."]
    (skipped,) = result.skipped
    assert skipped.path.name == "train_target_and_scores.csv"
    assert skipped.reason == "1 of its scores have an id that is in no other file."


def test_a_history_that_contradicts_the_score_is_refused_and_the_score_stands(
    bucket: Bucket, tmp_path: Path
) -> None:
    rows = rows_of(ALL, ALL)
    rows[4]["home_team_history_goal_1"] = "5.0"  # Alpha's 3-1 at Delta
    landed(bucket, tmp_path / "k", rows, all_scores(ALL))
    found = read(bucket)
    assert ("2020-01-11", "Delta", "Alpha", 1, 3) in results(found)
    assert reasons(found) == ["The score 1-5 contradicts 1-3 of the match's own line."]


def test_a_later_line_corrects_what_an_earlier_one_lists(bucket: Bucket, tmp_path: Path) -> None:
    seventh = Played("Alpha", "Beta", "2020-01-25 15:00:00", "0-0")
    rows = rows_of([*ALL, seventh], [FIFTH, SIXTH, seventh])
    rows[0]["home_team_history_goal_1"] = "2.0"  # corrected to 3 goals by the seventh match
    landed(bucket, tmp_path / "k", rows, all_scores([*ALL, seventh]))
    found = read(bucket)
    assert ("2020-01-11", "Delta", "Alpha", 1, 3) in results(found)
    assert reasons(found) == ["A later line lists another match or result of the team at that time."]


def test_clubs_of_one_name_in_different_leagues_are_different_clubs(bucket: Bucket, tmp_path: Path) -> None:
    at_once = [
        Played("Arsenal", "Beta", "2020-01-04 15:00:00", "2-1"),
        Played("Arsenal", "Eta", "2020-01-04 15:00:00", "0-3", 636),
    ]
    home = Played("Arsenal", "Gamma", "2020-01-18 15:00:00", "1-0")
    away = Played("Arsenal", "Zeta", "2020-01-18 15:00:00", "1-0", 636)
    rows = [*rows_of([at_once[0], home], [home]), *rows_of([at_once[1], away], [away])]
    rows[1]["id"] = "3"
    landed(bucket, tmp_path / "k", rows, {"2": "1-0", "3": "1-0"})
    found = read(bucket)
    assert found.matches.select("league_id", "away_team").sort("league_id").rows() == [
        ("ar.1", "Zeta"),
        ("eng.1", "Gamma"),
    ]
    assert reasons(found) == ["The opponent is not named, and no other team's history lists the match."] * 2


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("goal_1", "-1.0", "The score -1-0 cannot be."),
        ("goal_1", "", "The match in the history lacks a readable date, venue, league or goals."),
        ("match_date_1", "soon", "The match in the history lacks a readable date, venue, league or goals."),
        ("match_date_1", "2020-01-18 15:00:00", "The match is not before the match whose history lists it."),
    ],
)
def test_a_history_that_cannot_be_is_refused(
    bucket: Bucket, tmp_path: Path, column: str, value: str, reason: str
) -> None:
    rows = rows_of(ALL, [FIFTH])
    rows[0][f"away_team_history_{column}"] = value
    landed(bucket, tmp_path / "k", rows, {"5": "4-0"})
    assert reason in reasons(read(bucket))


def test_a_broken_line_is_on_record_in_the_season_of_the_line_above(bucket: Bucket, tmp_path: Path) -> None:
    later = Played("Eta", "Theta", "2020-10-04 15:00:00", "0-0")
    text = wide_csv(rows_of([FIRST, later], [FIRST, later]))
    landed(bucket, tmp_path / "k", text[:-50])
    rejected = read(bucket).rejected.filter(pl.col("reason").str.contains("cut off"))
    assert rejected["source_object"].to_list() == ["raw/kaggle/2019-20/unplaced.csv"]
    assert "train.csv 3: 2,draw,Eta,Theta" in rejected["record"][0]


def test_a_league_without_an_id_is_one_record_a_season_that_says_how_to_name_it(
    bucket: Bucket, tmp_path: Path
) -> None:
    strange = [
        Played("Eta", "Theta", f"2020-01-{day:02d} 15:00:00", "1-0", 99999, "Lega, Nord")
        for day in (4, 11, 18)
    ]
    friendly = Played("Eta", "Alpha", "2020-01-08 15:00:00", "1-0", 1101, "Club Friendlies")
    every = [FIRST, *strange, friendly]
    landed(bucket, tmp_path / "k", rows_of(every, every), all_scores(every))
    found = read(bucket)
    assert results(found) == [("2020-01-04", "Alpha", "Beta", 2, 1)]
    assert sorted(reasons(found)) == [
        "League 1101 'Club Friendlies' is not a competition: its 1 records of the season, the first in train.csv 4, "
        "are not read.",
        "League 99999 'Lega, Nord' has no id here, and so its 3 records of the season, the first in train.csv 3, have "
        "none: add it to dbt_features/seeds/leagues.csv, as is 8 of eng.1, and land again.",
    ]
    assert found.rejected["source_object"].unique().to_list() == ["raw/kaggle/2019-20/unplaced.csv"]
    assert found.rejected["line"].null_count() == 0


def test_every_listed_league_is_one_of_a_known_country_and_none_is_listed_twice() -> None:
    leagues = [league_of(league) for league in SPORTMONKS_LEAGUES.values()]
    assert len({league.league_id for league in leagues}) == len(leagues)
    assert {league.country for league in leagues} <= set(COUNTRIES) == set(TIME_ZONES)
    assert (SPORTMONKS_LEAGUES[8], SPORTMONKS_LEAGUES[564], SPORTMONKS_LEAGUES[24]) == (
        "eng.1",
        "es.1",
        "eng.cup",
    )


@pytest.mark.parametrize(
    ("league", "kickoff", "season", "day", "time"),
    [
        (8, "2020-07-26 15:00:00", "2019-20", date(2020, 7, 26), "16:00:00"),  # summer time in England
        (8, "2020-09-12 11:30:00", "2020-21", date(2020, 9, 12), "12:30:00"),
        (501, "2020-08-01 11:30:00", "2020-21", date(2020, 8, 1), "12:30:00"),
        (
            636,
            "2019-12-01 00:45:00",
            "2019-20",
            date(2019, 11, 30),
            "21:45:00",
        ),  # Argentina, the evening before
        (648, "2021-02-26 00:30:00", "2020", date(2021, 2, 25), "21:30:00"),
        (648, "2021-05-29 19:00:00", "2021", date(2021, 5, 29), "16:00:00"),
        (968, "2021-02-26 09:00:00", "2021", date(2021, 2, 26), "18:00:00"),
        (82, "2020-05-16", "2019-20", date(2020, 5, 16), None),
        (648, "2021-06-10 00:00:00", "2021", date(2021, 6, 9), "21:00:00"),
    ],
)
def test_day_time_and_season_are_those_of_the_leagues_country(
    bucket: Bucket, tmp_path: Path, league: int, kickoff: str, season: str, day: date, time: str | None
) -> None:
    match = Played("Alpha", "Beta", kickoff, "2-1", league)
    landed(bucket, tmp_path / "k", rows_of([match], [match]), {"1": "2-1"})
    (found,) = read(bucket).matches.iter_rows(named=True)
    clock = found["kickoff_time"]
    assert (found["season"], found["kickoff_date"], None if clock is None else str(clock)) == (
        season,
        day,
        time,
    )


def test_a_cup_is_a_league_of_its_own(bucket: Bucket, tmp_path: Path) -> None:
    cup = Played("Alpha", "Zeta", "2020-01-04 15:00:00", "2-1", 24, "FA Cup")
    landed(bucket, tmp_path / "k", rows_of([cup], [cup]), {"1": "2-1"})
    assert read(bucket).matches.select("league_id", "is_cup").rows() == [("eng.cup", True)]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            {"train_target_and_scores": "id,score,target\n1,2-1,home\n"},
            "no teams and dates without train.csv",
        ),
        ({"train": "id,home_team_history_goal_1\n1,2\n"}, r"lacks the column\(s\) home_team_name"),
        ({"train": wide_csv([row | {"match_date": ""} for row in rows_of([FIRST], [FIRST])])}, "No line has"),
        ({"train": wide_csv([])}, "No line has"),
    ],
)
def test_files_that_cannot_be_used_say_why_in_one_line(
    bucket: Bucket, tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
    with pytest.raises(LandingError, match=reason) as error:
        land(bucket, [tmp_path])
    assert "\n" not in str(error.value)
    assert list(bucket.list("raw/")) == []


def test_the_competitions_files_land_beside_others_of_a_folder(bucket: Bucket, tmp_path: Path) -> None:
    other = tmp_path / "2014-15" / "eng.2.csv"
    other.parent.mkdir()
    other.write_text("Date,Team 1,FT,HT,Team 2\nSat Aug 16 2014,Eta,2-1,?,Theta\n")
    result = landed(bucket, tmp_path, rows_of([FIRST], [FIRST]), {"1": "2-1"})
    assert sorted(result.objects)[0] == "raw/kaggle/2019-20/eng.1.csv"
    assert len(result.objects) == 2


def test_a_whole_season_is_rebuilt_from_half_of_its_lines_without_one_wrong_match(
    bucket: Bucket, tmp_path: Path
) -> None:
    teams = [f"Team {letter}" for letter in "ABCDEFGHIJ"]
    kickoffs = [datetime(2019, 8, 10, 15) + timedelta(days=7 * week) for week in range(18)]
    matches = season_of_pairs(teams, kickoffs=kickoffs)
    lines = random.Random(7).sample(matches, len(matches) // 2)
    truth = {(match.kickoff[:10], match.home, match.away, *match.goals) for match in matches}
    landed(bucket, tmp_path / "k", rows_of(matches, lines), all_scores(matches))
    with_ratings = set(results(read(bucket)))
    landed(bucket, tmp_path / "k", rows_of(matches, lines, with_ratings=False), all_scores(matches))
    without = set(results(read(bucket)))
    assert without <= with_ratings <= truth
    assert len(without) < len(with_ratings)
    assert len(with_ratings) > 0.9 * len(truth)
