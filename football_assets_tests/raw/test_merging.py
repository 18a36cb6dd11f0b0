"""Which entries are one match, which score stands, and what its id is."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.bucket import Bucket
from football_assets.raw.matches import SeasonMatches, read_season
from football_assets.raw.merging import Entry, match_ids, resolve_legs
from football_assets_tests.raw.landings import TODAY, csv_of, json_of, listed, put

SEASON = "2014-15"


def read(bucket: Bucket) -> SeasonMatches:
    return read_season(bucket, SEASON, TODAY)


def scores(matches: pl.DataFrame) -> list[tuple[str, int | None, int | None]]:
    rows = (
        matches.sort("kickoff_date", "home_team")
        .select("kickoff_date", "home_goals", "away_goals")
        .iter_rows()
    )
    return [(str(day), home, away) for day, home, away in rows]


def test_the_same_match_in_two_files_is_one_match_of_the_newer_file(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"), age=2)
    put(
        bucket,
        "b/2014-15/eng.1.json",
        json_of(listed("2014-08-16", "Fulham", "Burnley", "2-1", time="15:00")),
        age=1,
    )
    read_ = read(bucket)
    (match,) = read_.matches.iter_rows(named=True)
    assert (match["source"], match["home_goals"], str(match["kickoff_time"])) == ("b", 2, "15:00:00")
    assert read_.rejected.is_empty()


@pytest.mark.parametrize(("age_of_a", "standing", "refused"), [(2, "b", "a"), (0, "a", "b")])
def test_of_two_scores_the_newer_objects_stands_and_the_other_is_rejected_naming_both(
    bucket: Bucket, age_of_a: int, standing: str, refused: str
) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"), age=age_of_a)
    put(bucket, "b/2014-15/eng.1.csv", csv_of("", "Sat Aug 16 2014,Fulham,0-3,?,Burnley"), age=1)
    expected = {"a": (2, 1, 2), "b": (0, 3, 3)}
    read_ = read(bucket)
    home, away, line = expected[standing]
    assert scores(read_.matches) == [("2014-08-16", home, away)]
    (row,) = read_.rejected.iter_rows(named=True)
    assert row["source_object"] == f"raw/{refused}/2014-15/eng.1.csv"
    other = expected[refused]
    assert row["reason"] == (
        f"The score {other[0]}-{other[1]} contradicts {home}-{away} "
        f"in raw/{standing}/2014-15/eng.1.csv line {line}, which is newer."
    )


def test_within_one_file_the_first_of_two_scores_stands(bucket: Bucket) -> None:
    put(
        bucket,
        "a/2014-15/eng.1.csv",
        csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley", "Sat Aug 16 2014,Fulham,2-2,?,Burnley"),
    )
    read_ = read(bucket)
    assert scores(read_.matches) == [("2014-08-16", 2, 1)]
    assert read_.rejected["line"].to_list() == [3]
    assert "comes first in the file" in read_.rejected["reason"][0]


def test_a_result_corrected_later_in_the_same_object_replaces_the_old_one(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    before = read(bucket).matches
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-2,?,Burnley"))
    after = read(bucket)
    assert scores(after.matches) == [("2014-08-16", 2, 2)]
    assert after.matches["match_id"].to_list() == before["match_id"].to_list()
    assert after.rejected.is_empty()


def test_a_newer_list_of_fixtures_does_not_erase_a_result(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"), age=2)
    put(bucket, "b/2014-15/eng.1.csv", csv_of("Sun Aug 17 2014,Fulham,?,?,Burnley"), age=1)
    assert scores(read(bucket).matches) == [("2014-08-16", 2, 1)]


@pytest.mark.parametrize("score", [None, "1-0"])
def test_a_postponed_match_keeps_its_id_when_its_date_moves(bucket: Bucket, score: str | None) -> None:
    put(
        bucket,
        "a/2014-15/eng.1.json",
        json_of(listed("2014-12-20", "Fulham", "Burnley", status="postponed")),
        age=2,
    )
    before = read(bucket).matches
    put(bucket, "b/2014-15/eng.1.json", json_of(listed("2015-03-04", "Fulham", "Burnley", score)), age=1)
    after = read(bucket).matches
    assert after["kickoff_date"].to_list() == [date(2015, 3, 4)]
    assert after["match_id"].to_list() == before["match_id"].to_list()
    assert after["home_goals"].to_list() == [None if score is None else 1]


def test_a_round_names_the_match_in_a_file_that_lists_the_old_and_the_new_date(bucket: Bucket) -> None:
    put(
        bucket,
        "a/2014-15/eng.1.json",
        json_of(
            listed("2014-12-20", "Fulham", "Burnley", status="postponed", round="Matchday 18"),
            listed("2015-03-04", "Fulham", "Burnley", "1-0", round="Matchday 18"),
        ),
    )
    assert scores(read(bucket).matches) == [("2015-03-04", 1, 0)]


def test_teams_that_meet_twice_at_one_ground_have_two_legs_numbered_by_date(bucket: Bucket) -> None:
    late, early = "Sat Apr 4 2015,Celtic,3-0,?,Hibernian", "Sat Aug 16 2014,Celtic,1-1,?,Hibernian"
    put(bucket, "a/2014-15/sco.1.csv", csv_of(late, early))
    matches = read(bucket).matches
    assert scores(matches) == [("2014-08-16", 1, 1), ("2015-04-04", 3, 0)]
    ids = match_ids(
        pl.DataFrame(
            {
                "league_id": "sco.1",
                "season": SEASON,
                "home_team": "Celtic",
                "away_team": "Hibernian",
                "leg": [1, 2],
            }
        )
    )
    assert matches.sort("kickoff_date")["match_id"].to_list() == ids.to_list()


def test_two_results_three_days_apart_in_one_file_are_two_matches(bucket: Bucket) -> None:
    rows = ["Sat Apr 16 2011,Livingston,0-0,?,Ayr", "Tue Apr 19 2011,Livingston,3-2,?,Ayr"]
    put(bucket, "a/2010-11/sco.3.csv", csv_of(*rows))
    read_ = read_season(bucket, "2010-11", TODAY)
    assert scores(read_.matches) == [("2011-04-16", 0, 0), ("2011-04-19", 3, 2)]
    assert read_.rejected.is_empty()


def test_two_files_that_differ_by_a_day_mean_one_match(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"), age=2)
    put(bucket, "b/2014-15/eng.1.csv", csv_of("Sun Aug 17 2014,Fulham,2-1,?,Burnley"), age=1)
    assert scores(read(bucket).matches) == [("2014-08-17", 2, 1)]


def test_both_legs_are_recognised_in_a_second_file_that_lists_them_the_other_way_round(
    bucket: Bucket,
) -> None:
    legs = ["Sat Aug 16 2014,Celtic,1-1,?,Hearts", "Sat Apr 4 2015,Celtic,3-0,?,Hearts"]
    put(bucket, "a/2014-15/sco.1.csv", csv_of(*legs), age=2)
    put(bucket, "b/2014-15/sco.1.csv", csv_of(*reversed(legs)), age=1)
    read_ = read(bucket)
    assert scores(read_.matches) == [("2014-08-16", 1, 1), ("2015-04-04", 3, 0)]
    assert read_.matches["source"].unique().to_list() == ["b"]
    assert read_.rejected.is_empty()


def test_odds_survive_a_newer_file_without_any(bucket: Bucket) -> None:
    header = "Date,Team 1,FT,Team 2,odds_home,odds_draw,odds_away"
    put(bucket, "a/2014-15/eng.1.csv", csv_of("2014-08-16,Fulham,?,Burnley,2,3.5,4", header=header), age=2)
    put(bucket, "b/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"), age=1)
    (match,) = read(bucket).matches.iter_rows(named=True)
    assert (match["source"], match["home_goals"]) == ("b", 2)
    assert (match["odds_home"], match["odds_draw"], match["odds_away"]) == (2.0, 3.5, 4.0)


def test_the_second_match_of_a_team_on_one_day_is_rejected_naming_the_first(bucket: Bucket) -> None:
    put(
        bucket,
        "a/2014-15/eng.1.csv",
        csv_of(
            "Sat Aug 16 2014,Fulham,2-1,?,Burnley",
            "Sat Aug 16 2014,Burnley,0-0,?,Watford",
            "Sat Aug 16 2014,Watford,1-0,?,Chelsea",
        ),
    )
    read_ = read(bucket)
    assert read_.matches["home_team"].sort().to_list() == ["Fulham", "Watford"]
    (row,) = read_.rejected.iter_rows(named=True)
    assert row["line"] == 3
    assert row["reason"] == (
        "Burnley already plays on 2014-08-16: Fulham against Burnley (raw/a/2014-15/eng.1.csv line 2)."
    )


def test_teams_of_one_name_in_two_countries_may_play_on_one_day(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Arsenal,2-1,?,Everton"))
    put(bucket, "a/2014-15/es.1.csv", csv_of("Sat Aug 16 2014,Arsenal,2-1,?,Everton"))
    read_ = read(bucket)
    assert read_.matches["league_id"].to_list() == ["eng.1", "es.1"]
    assert read_.matches["match_id"].n_unique() == 2


def test_more_than_four_legs_of_a_pair_mean_a_misread_opponent(bucket: Bucket) -> None:
    rows = [f"Sat Sep {day} 2014,Betis,1-0,?,Sevilla" for day in (1, 7, 13, 19, 25)]
    put(bucket, "a/2014-15/es.1.csv", csv_of("Sat Aug 16 2014,Sevilla,1-0,?,Betis", *rows))
    read_ = read(bucket)
    assert read_.matches["home_team"].to_list() == ["Sevilla"]
    assert read_.rejected["line"].to_list() == [3, 4, 5, 6, 7]
    assert read_.rejected["reason"].unique().to_list() == [
        "Betis against Sevilla is listed 5 times at one ground in a season: the opponent was misread upstream."
    ]


def entries(*listings: tuple[int, str, str | None, bool]) -> list[Entry]:
    return [
        Entry(order, row, date.fromisoformat(day), round_name, is_played)
        for row, (order, day, round_name, is_played) in enumerate(listings)
    ]


@pytest.mark.parametrize(
    ("listings", "legs"),
    [
        # The same date is surer than a near one, whatever the order of the lines.
        (
            [(0, "2014-08-16", None, True), (0, "2014-08-19", None, True), (1, "2014-08-19", None, True)],
            [0, 1, 1],
        ),
        # The same round is surer than a near date.
        (
            [(0, "2014-08-16", "1", True), (0, "2014-09-30", "2", True), (1, "2014-08-18", "2", True)],
            [0, 1, 1],
        ),
        # A played leg is not taken by a distant result: another leg.
        ([(0, "2014-08-16", None, True), (1, "2015-02-16", None, True)], [0, 1]),
        # A fixture moves when a newer object says so, not within one list.
        ([(0, "2014-08-16", None, False), (1, "2015-02-16", None, False)], [0, 0]),
        ([(0, "2014-08-16", None, False), (0, "2015-02-16", None, False)], [0, 1]),
        # A leg that one line has taken is not open to another line of the object.
        (
            [(0, "2014-08-16", None, False), (1, "2014-08-16", None, True), (1, "2015-02-16", None, True)],
            [0, 0, 1],
        ),
        # A round that names a whole stage does not merge results of different days.
        ([(0, "2014-08-16", "Stage", True), (0, "2014-09-16", "Stage", True)], [0, 1]),
        # A file that repeats a line repeats the match.
        (
            [(0, "2014-08-16", None, False), (0, "2014-08-16", None, True), (1, "2014-08-17", None, True)],
            [0, 0, 0],
        ),
    ],
)
def test_entries_find_their_leg(listings: list[tuple[int, str, str | None, bool]], legs: list[int]) -> None:
    found = dict(resolve_legs(entries(*listings)))
    assert [found[row] for row in range(len(listings))] == legs


DAYS = st.dates(date(2014, 8, 1), date(2015, 5, 31)).map(lambda day: day.strftime("%a %b %d %Y"))
TEAMS = st.sampled_from(["Ayr", "Celtic", "Hearts"])
ROWS = st.builds(
    lambda day, home, away, score: f"{day},{home},{score},?,{away}",
    DAYS,
    TEAMS,
    TEAMS,
    st.sampled_from(["0-0", "2-1", "?"]),
)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(ROWS, max_size=6), min_size=1, max_size=3))
def test_nothing_is_lost_and_the_same_objects_give_the_same_tables(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[str]]
) -> None:
    bucket = _bucket_of(tmp_path_factory, files)
    first, second = read(bucket), read(bucket)
    assert first.matches.equals(second.matches)
    assert first.rejected.equals(second.rejected)
    assert first.matches["match_id"].is_unique().all()
    records = {(f"raw/s{number}/2014-15/sco.1.csv", row) for number, rows in enumerate(files) for row in rows}
    known = set(first.rejected.select("source_object", "record").iter_rows())
    assert known <= records
    assert sum(map(len, files)) >= first.matches.height + first.rejected.height
    days = pl.concat([first.matches.select("kickoff_date", team=side) for side in ("home_team", "away_team")])
    assert days.is_unique().all()


@settings(deadline=None, max_examples=25)
@given(st.lists(ROWS, max_size=8))
def test_a_file_landed_twice_under_two_names_is_merged_away(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str]
) -> None:
    once = read(_bucket_of(tmp_path_factory, [rows])).matches.drop(
        "source", "source_object", "source_version"
    )
    twice = read(_bucket_of(tmp_path_factory, [rows, rows])).matches.drop(
        "source", "source_object", "source_version"
    )
    assert once.equals(twice)


def _bucket_of(tmp_path_factory: pytest.TempPathFactory, files: list[list[str]]) -> Bucket:
    from football_assets.bucket import open_bucket

    bucket = open_bucket(str(tmp_path_factory.mktemp("bucket")))
    for number, rows in enumerate(files):
        put(bucket, f"s{number}/2014-15/sco.1.csv", csv_of(*rows), age=10 - number)
    return bucket
