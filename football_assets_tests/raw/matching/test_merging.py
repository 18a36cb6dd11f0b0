"""Which entries are one match, which score stands, and what its id is."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from football_assets.raw.matches import ReadMatches
from football_assets.raw.matching.merging import match_ids
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, json_of, listed, put, read_season

SEASON = "2014-15"


def read(bucket: Bucket) -> ReadMatches:
    return read_season(bucket, SEASON, TODAY)


def scores(matches: pl.DataFrame) -> list[tuple[str, int | None, int | None]]:
    rows = (
        matches.sort("kickoff_date", "home_team")
        .select("kickoff_date", "home_goals", "away_goals")
        .iter_rows()
    )
    return [(str(day), home, away) for day, home, away in rows]


@pytest.mark.parametrize("age_of_a", [0, 2])
def test_the_same_match_in_two_files_is_one_match_of_the_first_file_by_name(
    bucket: Bucket, age_of_a: int
) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"), age=age_of_a)
    put(
        bucket,
        "b/2014-15/eng.1.json",
        json_of(listed("2014-08-16", "Fulham", "Burnley", "2-1", time="15:00")),
        age=1,
    )
    read_ = read(bucket)
    (match,) = read_.matches.iter_rows(named=True)
    assert (match["source"], match["home_goals"], str(match["kickoff_time"])) == ("a", 2, "15:00:00")
    assert read_.rejected.is_empty()


@pytest.mark.parametrize("age_of_a", [0, 2])
def test_of_two_scores_the_first_files_by_name_stands_and_the_other_is_rejected_naming_both(
    bucket: Bucket, age_of_a: int
) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("", "Sat Aug 16 2014,Fulham,2-1,?,Burnley"), age=age_of_a)
    put(bucket, "b/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,0-3,?,Burnley"), age=1)
    read_ = read(bucket)
    assert scores(read_.matches) == [("2014-08-16", 2, 1)]
    (row,) = read_.rejected.iter_rows(named=True)
    assert row["source_object"] == "raw/b/2014-15/eng.1.csv"
    assert row["reason"] == (
        "The score 0-3 contradicts 2-1 in raw/a/2014-15/eng.1.csv line 3, "
        "which is of the first file by source and name."
    )


def test_the_score_that_most_files_list_stands(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    put(bucket, "b/2014-15/eng.1.csv", csv_of("Sun Aug 17 2014,Fulham,0-3,?,Burnley"))
    put(bucket, "c/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,0-3,?,Burnley"))
    read_ = read(bucket)
    assert scores(read_.matches) == [("2014-08-17", 0, 3)]
    assert read_.rejected["reason"].to_list() == [
        "The score 2-1 contradicts 0-3 in raw/b/2014-15/eng.1.csv line 2, which more files list."
    ]


def test_a_file_that_lists_a_score_twice_has_one_voice(bucket: Bucket) -> None:
    row = "Sat Aug 16 2014,Fulham,0-3,?,Burnley"
    put(bucket, "a/2014-15/eng.1.csv", csv_of("Sat Aug 16 2014,Fulham,2-1,?,Burnley"))
    put(bucket, "b/2014-15/eng.1.csv", csv_of(row, row))
    assert scores(read(bucket).matches) == [("2014-08-16", 2, 1)]


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


def test_a_result_that_a_list_has_on_its_old_and_its_new_day_counts_once(bucket: Bucket) -> None:
    old, new = (
        listed(day, "Fulham", "Burnley", "0-2", round="Matchday 31") for day in ("2015-03-16", "2015-04-24")
    )
    put(bucket, "a/2014-15/eng.1.json", json_of(new, old))
    read_ = read(bucket)
    assert scores(read_.matches) == [("2015-04-24", 0, 2)]
    assert read_.rejected.select("path", "reason").rows() == [
        (
            "matches[1]",
            "The result 0-2 is listed twice: raw/a/2014-15/eng.1.json matches[0] has it on 2015-04-24, which counts.",
        )
    ]


@pytest.mark.parametrize(
    ("others", "count"),
    [((), 1), (("Tue Dec 9 2014,Leeds,3-1,?,Hull", "Tue May 5 2015,Leeds,0-1,?,Hull"), 2)],
)
def test_a_result_that_a_list_without_rounds_repeats_is_another_match_only_where_other_pairs_meet_again(
    bucket: Bucket, others: tuple[str, ...], count: int
) -> None:
    rows = ["Mon Mar 16 2015,Fulham,0-2,?,Burnley", "Fri Apr 24 2015,Fulham,0-2,?,Burnley"]
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*rows, *others))
    read_ = read(bucket)
    assert read_.matches.filter(pl.col("home_team") == "Fulham").height == count
    assert read_.rejected["line"].to_list() == ([2] if count == 1 else [])


@pytest.mark.parametrize("ages", [(1, 2), (2, 1)])
@pytest.mark.parametrize("sources", [("a", "b"), ("b", "a")])
def test_a_fixture_gives_way_to_the_result_of_another_file_on_another_day(
    bucket: Bucket, sources: tuple[str, str], ages: tuple[int, int]
) -> None:
    results, calendar = sources
    put(
        bucket,
        f"{results}/2014-15/eng.1.csv",
        csv_of("Sat Sep 20 2014,Fulham,2-0,?,Leeds", "Wed Jan 14 2015,Hull,1-1,?,Burnley"),
        age=ages[0],
    )
    put(
        bucket,
        f"{calendar}/2014-15/eng.1.json",
        json_of(
            listed("2014-09-20", "Fulham", "Leeds", "2-0", round="Matchday 5"),
            listed("2014-12-20", "Hull", "Burnley", round="Matchday 17"),
        ),
        age=ages[1],
    )
    read_ = read(bucket)
    assert scores(read_.matches) == [("2014-09-20", 2, 0), ("2015-01-14", 1, 1)]
    assert read_.matches["round"].to_list() == ["Matchday 5", "Matchday 17"]
    expected = match_ids(
        pl.DataFrame(
            {
                "league_id": "eng.1",
                "season": SEASON,
                "home_team": ["Fulham", "Hull City"],
                "away_team": ["Leeds United", "Burnley"],
                "leg": [1, 1],
            }
        )
    )
    assert read_.matches["match_id"].to_list() == expected.to_list()


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
    assert read_.matches["source"].unique().to_list() == ["a"]
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


DAYS = st.dates(date(2014, 8, 1), date(2015, 5, 31)).map(lambda day: day.strftime("%a %b %d %Y"))
TEAMS = st.sampled_from(["Ayr", "Celtic", "Hearts"])
ROWS = st.builds(
    lambda day, home, away, score: f"{day},{home},{score},?,{away}",
    DAYS,
    TEAMS,
    TEAMS,
    st.sampled_from(["0-0", "2-1", "?"]),
)


SOURCES = st.lists(st.lists(ROWS, max_size=6), min_size=2, max_size=4)


@settings(deadline=None, max_examples=40)
@given(SOURCES.flatmap(lambda files: st.tuples(st.just(files), st.permutations(range(len(files))))))
def test_files_of_a_season_give_the_same_tables_in_whatever_order_they_land(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[list[list[str]], list[int]]
) -> None:
    files, order = drawn
    bucket = _bucket_of(tmp_path_factory, files)
    before = read(bucket)
    for age, number in enumerate(order):
        put(bucket, f"s{number}/2014-15/sco.1.csv", csv_of(*files[number]), age=age)
    after = read(bucket)
    for one, other in ((before.matches, after.matches), (before.rejected, after.rejected)):
        assert one.drop("source_version").equals(other.drop("source_version"))


@settings(deadline=None, max_examples=40)
@given(SOURCES.flatmap(lambda files: st.tuples(st.just(files), st.permutations(files))))
def test_names_of_sources_decide_between_scores_not_which_matches_there_are(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[list[list[str]], list[list[str]]]
) -> None:
    """Two objects of one day never list one team against two opponents here: between those names decide."""
    files, renamed = (
        [[row for row in rows if ",Ayr," in row and ",Celtic" in row] for rows in files] for files in drawn
    )
    ids = [read(_bucket_of(tmp_path_factory, named)).matches["match_id"].sort() for named in (files, renamed)]
    assert ids[0].to_list() == ids[1].to_list()


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
    from football_assets.storage.opening import open_bucket

    bucket = open_bucket(str(tmp_path_factory.mktemp("bucket")))
    for number, rows in enumerate(files):
        put(bucket, f"s{number}/2014-15/sco.1.csv", csv_of(*rows), age=10 - number)
    return bucket
