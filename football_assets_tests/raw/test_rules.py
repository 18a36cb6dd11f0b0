"""The rules that a row must keep to, whatever its format."""

from datetime import date

import pytest

from football_assets.storage.bucket import Bucket
from football_assets_tests.builders.landings import TODAY, csv_of, json_of, listed, put, read_season

GOOD = listed("2014-08-23", "Chelsea", "Watford", "1-0")


def reasons(bucket: Bucket, match: dict, season: str = "2014-15") -> list[tuple[str, str]]:
    put(bucket, f"a/{season}/eng.1.json", json_of(match, GOOD))
    read = read_season(bucket, season, TODAY)
    assert "Chelsea" in read.matches["home_team"].to_list()
    assert read.matches.height + read.rejected.height == 2
    return list(read.rejected.select("path", "reason").iter_rows())


@pytest.mark.parametrize(
    ("match", "reason"),
    [
        (listed("2014-08-16", "Fulham", "Fulham", "1-0"), "Fulham cannot play itself."),
        (listed("2014-08-16", "Fulham", " FULHAM "), "Fulham cannot play itself."),
        (listed("2014-08-16", "TBD", "Fulham"), "A team is not named: 'TBD' against 'Fulham'."),
        (
            listed("2014-08-16", "Fulham", "Sieger EF"),
            "A team is not named: 'Fulham' against 'Sieger EF'.",
        ),
        (listed("2014-08-16", "2", "Fulham", "1-0"), "A team is not named: '2' against 'Fulham'."),
        (listed("2014-08-16", "Fulham", "⚽ 1-0"), "A team is not named: 'Fulham' against '⚽ 1-0'."),
        (
            listed("2014-08-16", "Fulham", "B" * 100_000),
            "The name of a team has 100000 characters, more than 100.",
        ),
        (listed("2014-08-16", "Fulham", "Burnley") | {"score": [-1, 2]}, "The score -1-2 is negative."),
        (listed("2014-08-16", "Fulham", "Burnley", "31-0"), "The score 31-0 has more than 30 goals."),
        (
            listed("2014-08-16", "Fulham", "Burnley") | {"score": [1, 10**40]},
            "The score 1-1000000000 has more than 30 goals.",
        ),
        (
            listed("2014-05-31", "Fulham", "Burnley", "1-0"),
            "The date 2014-05-31 is outside the season 2014-15, 2014-06-01 to 2015-09-01.",
        ),
        (
            listed("2015-09-02", "Fulham", "Burnley"),
            "The date 2015-09-02 is outside the season 2014-15, 2014-06-01 to 2015-09-01.",
        ),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_path(bucket: Bucket, match: dict, reason: str) -> None:
    assert reasons(bucket, match) == [("matches[0]", reason)]


def test_a_score_after_today_is_rejected_and_a_fixture_after_today_is_not(bucket: Bucket) -> None:
    put(
        bucket,
        "a/2015-16/eng.1.json",
        json_of(
            listed("2016-01-01", "Fulham", "Burnley", "1-0"),
            listed("2016-01-02", "Chelsea", "Watford", "1-0"),
            listed("2016-01-03", "Ayr", "Celtic"),
        ),
    )
    read = read_season(bucket, "2015-16", TODAY)
    assert read.matches["home_team"].to_list() == ["Fulham", "Ayr"]
    assert read.rejected["reason"].to_list() == [
        "The match of 2016-01-02 has a score although it is after today, 2016-01-01."
    ]


def test_a_past_fixture_without_a_score_is_kept(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/gr.1.csv", csv_of("Sun May 10 2015,Niki Volos,?,?,OFI"))
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches.select("kickoff_date", "home_goals").rows() == [(date(2015, 5, 10), None)]
    assert read.rejected.is_empty()


def test_times_of_kickoff_in_place_of_scores_are_recognised_by_their_number(bucket: Bucket) -> None:
    days = ["Fri Aug 1 2014", "Sat Aug 2 2014", "Sun Aug 3 2014", "Mon Aug 4 2014"]
    times = ["18-30", "13-0", "20-15", "2-1"]
    rows = [f"{day},Aalen,{score},?,Aue {day[4:9]}" for day, score in zip(days, times, strict=True)]
    put(bucket, "a/2014-15/de.2.csv", csv_of(*rows))
    put(bucket, "a/2014-15/de.cup.csv", csv_of("Sat Aug 9 2014,Bayern,13-0,?,Bremer SV"))
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches.select("home_goals", "away_goals").rows() == [(2, 1), (13, 0)]
    assert read.rejected["line"].to_list() == [2, 3, 4]
    assert read.rejected["reason"].str.contains("is a time of kick-off").all()


@pytest.mark.parametrize("odds", ["1.5,4,", "1.0,4,6", "-2,4,6", "nan,4,6", "inf,4,6", "1.5,four,6"])
def test_odds_that_cannot_be_used_are_reported_and_the_match_is_kept(bucket: Bucket, odds: str) -> None:
    header = "Date,Team 1,FT,Team 2,odds_home,odds_draw,odds_away"
    put(bucket, "a/2014-15/eng.1.csv", csv_of(f"2014-08-16,Fulham,2-1,Burnley,{odds}", header=header))
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches.select("home_goals", "odds_home", "odds_draw", "odds_away").rows() == [
        (2, None, None, None)
    ]
    assert read.rejected["reason"].to_list() == [
        "The odds are left out: they are not three decimal odds above 1."
    ]


def test_spaces_and_the_way_an_accent_is_composed_do_not_make_another_team(bucket: Bucket) -> None:
    put(bucket, "a/2014-15/es.1.csv", csv_of("Sat Aug 16 2014,Ma\u0301laga,2-1,?,Las  Palmas "), age=1)
    put(bucket, "b/2014-15/es.1.csv", csv_of("Sat Aug 16 2014,M\u00e1laga,2-1,?,Las Palmas"))
    assert read_season(bucket, "2014-15", TODAY).matches.select("home_team", "away_team").rows() == [
        ("M\u00e1laga", "Las Palmas")
    ]


def test_spaces_in_a_name_that_no_list_knows_are_single(bucket: Bucket) -> None:
    put(
        bucket,
        "a/2014-15/es.1.csv",
        csv_of("Sat Aug 16 2014, Nowhere \u00a0 Rovers,2-1,?,New  Town\tUnited "),
    )
    assert read_season(bucket, "2014-15", TODAY).matches.select("home_team", "away_team").rows() == [
        ("Nowhere Rovers", "New Town United")
    ]


@pytest.mark.parametrize(("hour", "are_times"), [(10, False), (11, True), (23, True), (24, False)])
def test_a_time_of_kickoff_lies_between_eleven_and_the_end_of_the_day(
    bucket: Bucket, hour: int, are_times: bool
) -> None:
    rows = [f"2014-08-{day:02},Aalen,{hour}-{day},?,Aue {day}" for day in (15, 30)]
    put(bucket, "a/2014-15/de.2.csv", csv_of(*rows, f"2014-08-31,Aalen,{hour}-0,?,Aue"))
    read = read_season(bucket, "2014-15", TODAY)
    assert read.rejected["reason"].str.contains("is a time of kick-off").to_list() == [True] * 3 * are_times
    assert read.matches.height == 3 * (not are_times)


@pytest.mark.parametrize(
    ("league", "content"),
    [
        ("de.1", "1. FC Köln,2-1,1-0,Mainz 05".encode("cp850")),  # DOS
        ("de.1", "Fürth,2-1,1-0,Mainz 05".encode("cp850")),  # a byte that Windows-1252 lacks
        ("fr.1", "Saint-Étienne,2-1,1-0,Nice".encode("mac_roman")),
        ("pl.1", "Śląsk Wrocław,2-1,1-0,Legia".encode("iso-8859-2")),
        ("jp.1", "浦和レッズ,2-1,1-0,鹿島".encode("cp932")),
        ("tr.1", b"Be?ikta?,2-1,1-0,Fenerbah?e"),  # letters that a program has replaced
        ("se.1", b"AIK,2-1,1-0,Malm?"),
        ("tr.1", "Be\ufffdikta\ufffd,2-1,1-0,Trabzonspor".encode()),
    ],
)
def test_a_name_whose_letters_were_lost_is_no_club(bucket: Bucket, league: str, content: bytes) -> None:
    put(bucket, f"a/2014-15/{league}.csv", csv_of().encode() + b"2014-08-16," + content)
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches.is_empty()
    (reason,) = read.rejected["reason"]
    assert reason.startswith("The letters of '")
    assert reason.endswith("in an encoding that is not read: save the file as CSV in UTF-8.")


@pytest.mark.parametrize(
    "name",
    [
        "Nott'm Forest",
        "King’s Lynn",
        "King´s Lynn",
        "L·L Girona",
        "1º de Agosto",
        "“Arsenal”",
        "„Arsenal“",
        "Arsenal †",
        "Brighton & Hove",
        "Rot-Weiß",
        "Ævar",
        "Žalgiris",
        "A.C. Ajaccio",
        "Besiktas (W)",
        "1. FC Köln II",
        "Arsenal*",
    ],
)
def test_punctuation_of_names_is_no_lost_letter(bucket: Bucket, name: str) -> None:
    put(bucket, "a/2014-15/at.1.csv", csv_of(f"2014-08-16,{name},2-1,1-0,Rapid Wien"))
    assert read_season(bucket, "2014-15", TODAY).rejected.is_empty()


@pytest.mark.parametrize(
    "word", ["NaN", "None", "NULL", "N/A", "#N/A", "<NA>", "TBC", "To be confirmed", "Bye", "spielfrei"]
)
@pytest.mark.parametrize("row", ["{},?,?,Fulham", "Fulham,?,?,{}"])
def test_a_word_for_a_missing_team_is_no_club(bucket: Bucket, word: str, row: str) -> None:
    put(bucket, "a/2014-15/eng.1.csv", csv_of(f"2014-08-16,{row.format(word)}"))
    read = read_season(bucket, "2014-15", TODAY)
    assert read.matches.is_empty()
    assert read.rejected["reason"].str.starts_with("A team is not named: ").to_list() == [True]


@pytest.mark.parametrize(("league", "has_advice"), [("eng.1", True), ("br.1", False), ("xy.1", False)])
def test_a_date_outside_a_year_says_how_a_season_from_autumn_to_spring_is_named(
    bucket: Bucket, league: str, has_advice: bool
) -> None:
    put(bucket, f"a/2014/{league}.csv", csv_of("2013-08-16,Leeds,2-1,1-0,Hull"))
    (reason,) = read_season(bucket, "2014", TODAY).rejected["reason"]
    advice = ": name a season from autumn to spring like 2015-16" * has_advice
    assert reason == f"The date 2013-08-16 is outside the season 2014, 2014-01-01 to 2015-03-15{advice}."
