"""The unusual cases of football calendars, as documented in docs/concepts/data_cases.md."""

from datetime import date

import polars as pl
import pytest

from football_assets.raw.matches import ReadMatches
from football_assets.raw.schema import Match
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import csv_of, json_of, listed, put, read_season, read_seasons

TODAY = date(2022, 8, 1)


def played(found: ReadMatches) -> list[tuple[str, str, str]]:
    """Day, teams and score of every played match, in order."""
    rows = found.matches.filter(pl.col("home_goals").is_not_null()).sort("kickoff_date", "home_team")
    return [
        (
            str(row["kickoff_date"]),
            f"{row['home_team']}-{row['away_team']}",
            f"{row['home_goals']}-{row['away_goals']}",
        )
        for row in rows.iter_rows(named=True)
    ]


def reasons(found: ReadMatches) -> list[str]:
    return found.rejected["reason"].to_list()


def test_clubs_of_two_leagues_that_meet_in_a_cup_are_the_clubs_of_their_leagues(bucket: Bucket) -> None:
    put(bucket, "a/2020-21/eng.1.json", json_of(listed("2020-09-12", "Alpha", "Beta", "1-0")))
    put(bucket, "a/2020-21/eng.2.json", json_of(listed("2020-09-12", "Gamma", "Delta", "1-0")))
    put(
        bucket,
        "a/2020-21/eng.cup.json",
        json_of(listed("2021-01-09", "Gamma", "Alpha", "2-1", round="Round 3")),
    )
    found = read_season(bucket, "2020-21", TODAY)
    assert reasons(found) == []
    (cup,) = found.matches.filter("is_cup").iter_rows(named=True)
    assert (cup["league_id"], cup["home_team"], cup["away_team"]) == ("eng.cup", "Gamma", "Alpha")
    assert set(found.matches.filter(~pl.col("is_cup"))["home_team"]) == {"Alpha", "Gamma"}


def test_a_points_deduction_is_no_match_and_no_match_holds_points_of_a_table(bucket: Bucket) -> None:
    deduction = {"team": "Wigan Athletic", "points": -12, "date": "2020-07-01"}
    put(
        bucket,
        "a/2019-20/eng.2.json",
        json_of(listed("2020-07-14", "Wigan Athletic", "Hull City", "8-0"), deduction),
    )
    found = read_season(bucket, "2019-20", TODAY)
    assert [score for _, _, score in played(found)] == ["8-0"]
    assert reasons(found) == ["The match has no name for 'team1'."]
    assert not [name for name in Match.column_names() if "point" in name]


@pytest.mark.parametrize(
    "status", ["awarded", "Abandoned", "cancelled", "annulled", "walkover", "w/o", "suspended", "interrupted"]
)
def test_a_match_that_was_not_decided_by_play_is_refused_and_its_replay_counts(
    bucket: Bucket, status: str
) -> None:
    first = listed("2020-10-03", "Alpha", "Beta", "0-3", round="4", status=status)
    replay = listed("2020-11-18", "Alpha", "Beta", "2-2", round="4")
    put(bucket, "a/2020-21/eng.1.json", json_of(first, replay))
    found = read_season(bucket, "2020-21", TODAY)
    assert played(found) == [("2020-11-18", "Alpha-Beta", "2-2")]
    assert reasons(found) == [f"The match was {status.lower()}: it has no result of play."]


@pytest.mark.parametrize(
    "score", ["3-0 (*)", "3-0 awd.", "0-3 [awarded]", "a.w.", "W.O.", "1-1 abd", "cancelled", "A-A"]
)
def test_a_score_marked_as_awarded_or_abandoned_is_refused(bucket: Bucket, score: str) -> None:
    put(
        bucket,
        "a/2020-21/eng.1.csv",
        csv_of(f"2020-10-03,Alpha,{score},?,Beta", "2020-10-03,Eta,1-0,?,Theta"),
    )
    found = read_season(bucket, "2020-21", TODAY)
    assert played(found) == [("2020-10-03", "Eta-Theta", "1-0")]
    assert reasons(found) == [
        f"The score '{score}' is marked as awarded, abandoned or the like: no result of play."
    ]


AWARDED = listed("2020-09-19", "Alpha", "Beta", "3-0", status="awarded")


@pytest.mark.parametrize("ages", [(1, 2), (2, 1)])
def test_an_awarded_score_is_refused_in_sources_without_marks_too(
    bucket: Bucket, ages: tuple[int, int]
) -> None:
    put(bucket, "a/2020-21/eng.1.csv", csv_of("2020-09-20,Alpha,3-0,?,Beta"), age=ages[0])
    put(bucket, "b/2020-21/eng.1.json", json_of(AWARDED), age=ages[1])
    found = read_season(bucket, "2020-21", TODAY)
    assert found.matches.is_empty()
    assert reasons(found) == [
        "The score 3-0 was awarded, according to raw/b/2020-21/eng.1.json.",
        "The match was awarded: it has no result of play.",
    ]


@pytest.mark.parametrize(
    "row",
    [
        "2020-09-19,Alpha,0-2,?,Beta",  # what was played before the verdict
        "2020-11-04,Alpha,3-0,?,Beta",  # another match
        "2020-09-19,Beta,3-0,?,Alpha",
        "2020-09-19,Alpha,?,?,Beta",
    ],
)
def test_another_score_day_or_ground_is_not_taken_for_the_awarded_one(bucket: Bucket, row: str) -> None:
    put(bucket, "a/2020-21/eng.1.csv", csv_of(row))
    put(bucket, "b/2020-21/eng.1.json", json_of(AWARDED))
    found = read_season(bucket, "2020-21", TODAY)
    assert found.matches["source"].to_list() == ["a"]
    assert reasons(found) == ["The match was awarded: it has no result of play."]


@pytest.mark.parametrize("score", ["2-1 aet", "2-1 (a.e.t.)", "1-1 pen", "3-2 n.V."])
def test_a_score_after_extra_time_is_not_taken_for_that_of_90_minutes(bucket: Bucket, score: str) -> None:
    put(bucket, "a/2020-21/eng.cup.csv", csv_of(f"2020-10-03,Alpha,{score},?,Beta"))
    found = read_season(bucket, "2020-21", TODAY)
    assert found.matches.is_empty()
    assert "is not that of 90 minutes" in reasons(found)[0]


def test_extra_time_and_penalties_in_fields_of_their_own_leave_the_score_of_90_minutes(
    bucket: Bucket,
) -> None:
    match = listed("2020-09-12", "Alpha", "Beta") | {"score": {"ft": [1, 1], "et": [2, 2], "p": [4, 2]}}
    put(bucket, "a/2020-21/de.cup.json", json_of(match))
    assert played(read_season(bucket, "2020-21", TODAY)) == [("2020-09-12", "Alpha-Beta", "1-1")]


@pytest.mark.parametrize("score", ["P-P", "postponed", "ppd.", "?", ""])
def test_a_postponed_match_is_a_fixture_until_it_is_played(bucket: Bucket, score: str) -> None:
    put(bucket, "a/2020-21/eng.1.csv", csv_of(f"2020-10-03,Alpha,{score},?,Beta"), age=2)
    found = read_season(bucket, "2020-21", TODAY)
    assert (found.matches.height, played(found), reasons(found)) == (1, [], [])
    before = found.matches["match_id"].to_list()
    put(bucket, "b/2020-21/eng.1.csv", csv_of("2021-02-10,Alpha,1-0,?,Beta"), age=1)
    found = read_season(bucket, "2020-21", TODAY)
    assert played(found) == [("2021-02-10", "Alpha-Beta", "1-0")]
    assert found.matches["match_id"].to_list() == before


def season_of_walkovers(count: int) -> list[str]:
    """A team that plays twice and then loses 0-3 so many times, at home and away; others play at 0-3, too."""
    rows = ["2014-08-30,Volos,1-1,?,Alpha", "2014-09-13,Beta,3-0,?,Volos", "2014-09-20,Volos,2-1,?,Gamma"]
    for week in range(count):
        day = date(2015, 1, 3 + 7 * week) if week < 4 else date(2015, 2, 7 * (week - 3))
        opponent = ["Alpha", "Beta", "Gamma", "Delta", "Eta", "Theta"][week]
        rows.append(f"{day},Volos,0-3,?,{opponent}" if week % 2 else f"{day},{opponent},3-0,?,Volos")
    return [*rows, "2015-03-01,Alpha,0-3,?,Beta"]


def test_matches_awarded_after_a_club_withdrew_are_told_by_their_run(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/gr.1.csv", csv_of(*season_of_walkovers(5)))
    found = read_season(bucket, "2014-15", TODAY)
    assert [day for day, _, _ in played(found)] == ["2014-08-30", "2014-09-13", "2014-09-20", "2015-03-01"]
    assert reasons(found) == ["Volos lose 0-3 in 5 consecutive matches: awarded after they withdrew."] * 5


def test_a_bad_month_is_no_withdrawal(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/gr.1.csv", csv_of(*season_of_walkovers(4)))
    found = read_season(bucket, "2014-15", TODAY)
    assert (len(played(found)), reasons(found)) == (8, [])


def test_a_play_off_at_the_same_ground_is_a_match_of_its_own_with_its_stage(bucket: Bucket) -> None:
    put(
        bucket,
        "a/2021-22/eng.2.json",
        json_of(
            listed("2022-05-07", "Alpha", "Beta", "1-0", round="Matchday 46"),
            listed("2022-05-09", "Alpha", "Beta", "0-2", stage="Playoffs", round="Semifinals"),
        ),
    )
    found = read_season(bucket, "2021-22", TODAY)
    assert [score for _, _, score in played(found)] == ["1-0", "0-2"]
    assert found.matches.sort("kickoff_date")["round"].to_list() == ["Matchday 46", "Playoffs, Semifinals"]
    assert found.matches["match_id"].n_unique() == 2


@pytest.mark.parametrize(
    ("league", "days"),
    [
        ("sco.1", ["2020-09-05", "2020-12-26", "2021-04-24"]),  # after the split a third time at one ground
        ("at.1", ["2020-09-12", "2021-03-21"]),  # the groups start with half of the points: no match does
        (
            "mx.1",
            ["2020-07-25", "2020-11-25", "2021-02-06", "2021-05-12"],
        ),  # Apertura, Clausura and their play-offs
    ],
)
def test_meetings_of_a_split_season_are_legs_in_order_of_their_days(
    bucket: Bucket, league: str, days: list[str]
) -> None:
    rows = [f"{day},Alpha,{number}-0,?,Beta" for number, day in enumerate(days)]
    put(bucket, f"a/2020-21/{league}.csv", csv_of(*rows[:1]))
    first = read_season(bucket, "2020-21", TODAY).matches["match_id"].to_list()
    put(bucket, f"a/2020-21/{league}.csv", csv_of(*rows))
    found = read_season(bucket, "2020-21", TODAY)
    assert [day for day, _, _ in played(found)] == days
    assert found.matches["match_id"].n_unique() == len(days)
    assert found.matches.sort("kickoff_date")["match_id"].to_list()[:1] == first
    assert reasons(found) == []


def test_a_season_of_a_calendar_year_may_end_early_in_the_next(bucket: Bucket) -> None:
    rows = ["2020-08-08,Alpha,1-0,?,Beta", "2021-02-25,Beta,1-1,?,Alpha", "2021-05-29,Alpha,2-0,?,Beta"]
    put(bucket, "a/2020/br.1.csv", csv_of(*rows))
    found = read_season(bucket, "2020", TODAY)
    assert [day for day, _, _ in played(found)] == ["2020-08-08", "2021-02-25"]
    assert reasons(found) == ["The date 2021-05-29 is outside the season 2020, 2020-01-01 to 2021-03-15."]


def test_a_season_that_ended_in_august_and_the_next_stay_apart(bucket: Bucket) -> None:
    late = ["2020-03-07,Alpha,1-0,?,Gamma", "2020-07-26,Alpha,1-1,?,Beta", "2020-08-30,Gamma,2-1,?,Beta"]
    put(bucket, "a/2019-20/eng.1.csv", csv_of(*late, "2020-09-12,Alpha,4-0,?,Beta"))
    put(bucket, "a/2020-21/eng.1.csv", csv_of("2020-09-12,Alpha,3-0,?,Beta"))
    found = read_seasons(bucket, ["2019-20", "2020-21"], TODAY)
    assert [score for _, _, score in played(found)] == ["1-0", "1-1", "2-1", "3-0"]
    assert found.matches.sort("kickoff_date")["season"].to_list() == [*["2019-20"] * 3, "2020-21"]
    assert found.matches["match_id"].n_unique() == 4
    assert reasons(found) == ["The date 2020-09-12 is outside the season 2019-20, 2019-06-01 to 2020-09-01."]


def test_a_season_that_was_never_finished_keeps_its_results_and_its_fixtures_without_one(
    bucket: Bucket,
) -> None:
    put(
        bucket,
        "a/2019-20/nl.1.json",
        json_of(
            listed("2020-03-08", "Alpha", "Beta", "1-0"),
            listed("2020-03-15", "Beta", "Gamma"),
            listed("2020-03-22", "Gamma", "Alpha", status="cancelled"),
        ),
    )
    found = read_season(bucket, "2019-20", TODAY)
    assert played(found) == [("2020-03-08", "Alpha-Beta", "1-0")]
    assert found.matches.filter(pl.col("home_goals").is_null())["home_team"].to_list() == ["Beta"]
    assert reasons(found) == ["The match was cancelled: it has no result of play."]


def test_a_final_on_neutral_ground_is_a_match_of_the_team_that_is_named_first(bucket: Bucket) -> None:
    final = listed("2021-05-13", "Alpha", "Beta", "1-4", round="Final")
    put(bucket, "a/2020-21/de.cup.json", json_of(final))
    (match,) = read_season(bucket, "2020-21", TODAY).matches.iter_rows(named=True)
    assert (match["home_team"], match["round"], match["is_cup"]) == ("Alpha", "Final", True)


def test_a_spring_that_a_source_dates_a_year_early_is_refused(bucket: Bucket) -> None:
    put(
        bucket,
        "a/2021-22/eng.3.json",
        json_of(listed("2021-08-07", "Alpha", "Beta", "1-0"), listed("2021-05-02", "Beta", "Alpha")),
    )
    found = read_season(bucket, "2021-22", TODAY)
    assert found.matches.height == 1
    assert reasons(found) == ["The date 2021-05-02 is outside the season 2021-22, 2021-06-01 to 2022-09-01."]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("E0,03/10/2020,Alpha,Beta,,,H", "Only the result 'H' is known, not the goals."),
        ("E0,03/10/2020,Alpha,Beta,2,1,A", "The result 'A' contradicts the score 2-1."),
    ],
)
def test_a_result_without_goals_or_against_them_is_refused(bucket: Bucket, row: str, reason: str) -> None:
    good = "E0,04/10/2020,Eta,Theta,1,1,D"
    header = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,FTR"
    put(bucket, "a/2020-21/eng.1.csv", csv_of(row, good, "E0,05/10/2021,Eta,Beta,,,", header=header))
    found = read_season(bucket, "2020-21", TODAY)
    assert played(found) == [("2020-10-04", "Eta-Theta", "1-1")]
    assert reason in reasons(found)


def test_an_abandoned_match_and_its_replay_do_not_make_matches_of_other_pairs_two(bucket: Bucket) -> None:
    put(
        bucket,
        "a/2020-21/eng.1.csv",
        csv_of(
            "2020-10-03,Alpha,1-1,?,Beta", "2020-10-03,Eta,1-0 (abd),?,Theta", "2020-10-20,Eta,2-2,?,Theta"
        ),
    )
    put(bucket, "b/2020-21/eng.1.csv", csv_of("2020-10-13,Alpha,1-1,?,Beta"))
    assert [pair for _, pair, _ in played(read_season(bucket, "2020-21", TODAY))] == [
        "Alpha-Beta",
        "Eta-Theta",
    ]
