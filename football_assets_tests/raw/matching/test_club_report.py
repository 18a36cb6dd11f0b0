"""What results say about the naming of clubs."""

from datetime import date, timedelta

import polars as pl

from football_assets.raw.matches import named_entries
from football_assets.raw.matching.club_report import club_report, clubs_told_apart
from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, put, read_season

SEASON = "2014-15"
START = date(2014, 8, 16)
OTHERS = ("Fulham", "Burnley", "Reading", "Watford")


def season_of(
    club: str, others: tuple[str, ...] = OTHERS, *, days_later: int = 0, goals: int = 0
) -> list[str]:
    """A club against each of the others at home and away, week by week, with scores that tell matches apart."""
    rows = []
    for number, other in enumerate(others):
        for is_home in (True, False):
            day = START + timedelta(days=14 * number + 7 * is_home + days_later)
            home, away = (club, other) if is_home else (other, club)
            rows.append(f"{day:%a %b} {day.day} {day.year},{home},{goals + number}-{1 + is_home},?,{away}")
    return rows


def entries(bucket: Bucket) -> pl.DataFrame:
    return named_entries(bucket, [SEASON], TODAY)


def test_clubs_that_all_sources_have_are_counted_by_league_and_how_they_are_named(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*season_of("Spurs")))
    put(bucket, "b/2014-15/eng.1.csv", csv_of(*season_of("TOTTENHAM HOTSPUR")))
    put(bucket, "a/2014-15/eng.2.csv", csv_of("Sat Aug 16 2014,Barnet,2-1,?,Bury"))
    report = club_report(entries(bucket))
    assert report.summary() == {
        "leagues": 1,
        "clubs": 5,
        "shared": 5,
        "mismatches": 0,
        "spellings": 1,
        "contradictions": 0,
    }
    assert report.leagues.rows() == [(SEASON, "eng.1", ["a", "b"], 5, 5, 4, 1, 1, 0)]
    assert report.spellings.rows() == [
        ("eng", "TOTTENHAM HOTSPUR", "Tottenham Hotspur", ["b"], SEASON, SEASON, 8)
    ]


def test_an_unlisted_club_with_several_names_is_listed_with_each(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/co.1.csv", csv_of("Sat Aug 16 2014,Once Caldas,2-1,?,Boyaca Chico"))
    put(bucket, "b/2014-15/co.1.csv", csv_of("Sat Aug 16 2014,Once Caldas,2-1,?,Boyacá Chicó"))
    assert club_report(entries(bucket)).spellings.rows() == [
        ("co", "Boyaca Chico", "Boyaca Chico", ["a"], SEASON, SEASON, 1),
        ("co", "Boyacá Chicó", "Boyaca Chico", ["b"], SEASON, SEASON, 1),
    ]


def test_a_club_that_a_source_does_not_have_is_listed_with_who_plays_its_matches_there(
    bucket: Bucket,
) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*season_of("Rovers of Old")))
    put(bucket, "b/2014-15/eng.1.csv", csv_of(*season_of("Newrovers", days_later=1)))
    report = club_report(entries(bucket))
    assert report.mismatches.rows() == [
        (SEASON, "eng.1", "Newrovers", ["b"], "a", 8, "Rovers of Old", 8),
        (SEASON, "eng.1", "Rovers of Old", ["a"], "b", 8, "Newrovers", 8),
    ]
    assert (report.summary()["clubs"], report.summary()["shared"]) == (6, 4)
    assert report.as_dict()["mismatches"][0]["counterpart"] == "Rovers of Old"


def test_a_club_whose_matches_a_source_lacks_has_no_counterpart(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*season_of("Chelsea"), "Sat May 30 2015,Barnet,4-4,?,Fulham"))
    put(bucket, "b/2014-15/eng.1.csv", csv_of(*season_of("Chelsea")))
    assert club_report(entries(bucket)).mismatches.rows() == [
        (SEASON, "eng.1", "Barnet", ["a"], "b", 1, None, None)
    ]


def test_two_names_of_one_club_that_play_different_fixtures_on_the_same_days_are_contradicted(
    bucket: Bucket,
) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*season_of("Spurs", OTHERS[:2])))
    put(bucket, "b/2014-15/eng.2.csv", csv_of(*season_of("Tottenham FC", OTHERS[2:], goals=5)))
    report = club_report(entries(bucket))
    assert report.contradictions.rows(named=True) == [
        {
            "country": "eng",
            "season": SEASON,
            "club": "Tottenham Hotspur",
            "name": "Spurs",
            "how": "alias",
            "other_name": "Tottenham FC",
            "other_how": "spelling",
            "same": 0,
            "different": 4,
        }
    ]


def test_one_wrong_date_does_not_contradict_a_season_of_equal_fixtures(bucket: Bucket) -> None:
    rows = season_of("Spurs")
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*rows))
    swapped = season_of("Tottenham")
    swapped[0], swapped[2] = swapped[0].replace("Fulham", "Burnley"), swapped[2].replace("Burnley", "Fulham")
    put(bucket, "b/2014-15/eng.1.csv", csv_of(*swapped))
    assert club_report(entries(bucket)).contradictions.is_empty()


def test_opponents_under_two_names_do_not_contradict_a_club_with_the_same_results(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*season_of("Spurs")))
    put(bucket, "b/2014-15/eng.1.csv", csv_of(*season_of("Tottenham", tuple(f"{o} of Old" for o in OTHERS))))
    report = club_report(entries(bucket))
    assert report.contradictions.is_empty()
    assert dict(report.mismatches.select("club", "counterpart").rows())["Fulham of Old"] == "Fulham"


def told_apart(bucket: Bucket) -> list[tuple[str | int | None, ...]]:
    read = read_season(bucket, SEASON, TODAY)
    return clubs_told_apart(read.matches, read.rejected).rows()


def test_a_league_that_counts_twice_under_other_names_is_found_in_the_table(bucket: Bucket) -> None:
    others = tuple(f"{other} of Old" for other in OTHERS)
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*season_of("Rovers of Old", others)))
    put(bucket, "b/2014-15/eng.1.csv", csv_of(*season_of("Newrovers")))
    assert told_apart(bucket) == [
        (SEASON, "eng.1", "Burnley of Old", "a", "Burnley", "b", 2),
        (SEASON, "eng.1", "Fulham of Old", "a", "Fulham", "b", 2),
        (SEASON, "eng.1", "Reading of Old", "a", "Reading", "b", 2),
        (SEASON, "eng.1", "Rovers of Old", "a", "Newrovers", "b", 8),
        (SEASON, "eng.1", "Watford of Old", "a", "Watford", "b", 2),
    ]


def test_one_club_under_another_name_is_found_among_the_rejected(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*season_of("Rovers of Old")), age=1)
    put(bucket, "b/2014-15/eng.1.csv", csv_of(*season_of("Newrovers")))
    assert told_apart(bucket) == [(SEASON, "eng.1", "Rovers of Old", "a", None, "b", 8)]


def test_a_play_off_that_one_source_alone_has_is_no_second_name(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(*season_of("Chelsea"), "Sat May 30 2015,Barnet,4-4,?,Fulham"))
    put(bucket, "b/2014-15/eng.1.csv", csv_of(*season_of("Chelsea")))
    assert told_apart(bucket) == []


def test_one_wrong_pairing_of_a_source_is_no_second_name(bucket: Bucket) -> None:
    rows = season_of("Spurs")
    put(bucket, "a/2014-15/eng.1.csv", csv_of(rows[0].replace("Fulham", "Chelsea"), *rows[1:]))
    put(bucket, "b/2014-15/eng.1.csv", csv_of(*rows))
    assert told_apart(bucket) == []


def test_nothing_is_told_apart_where_there_is_nothing(bucket: Bucket) -> None:
    assert told_apart(bucket) == []
    assert club_report(entries(bucket)).summary()["clubs"] == 0
