"""The reader of openfootball's JSON, in both shapes."""

import json
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from football_assets.raw.formats.openfootball import read_openfootball
from football_assets.raw.formats.records import ParsedFile, UnreadableFile

MATCH = {"date": "2015-08-08", "team1": "Arsenal", "team2": "West Ham"}


def read(*matches: Any) -> ParsedFile:
    return read_openfootball(json.dumps({"name": "League 2015/16", "matches": list(matches)}).encode())


def test_the_older_shape_lists_rounds_of_matches_between_named_teams() -> None:
    team = {"key": "arsenal", "name": "Arsenal", "code": "ARS"}
    other = {"key": "westham", "name": "West Ham United", "code": "WHU"}
    document = {
        "name": "English Premier League 2015/16",
        "rounds": [
            {"name": "Matchday 1", "matches": []},
            {
                "name": "Matchday 2",
                "matches": [
                    {"date": "2015-08-09", "team1": team, "team2": other, "score1": 0, "score2": 2},
                    {"date": "2016-05-09", "team1": other, "team2": team, "score1": None, "score2": None},
                ],
            },
        ],
    }
    played, fixture = read_openfootball(json.dumps(document).encode()).rows
    assert (played.path, played.round, played.kickoff_date) == (
        "rounds[1].matches[0]",
        "Matchday 2",
        date(2015, 8, 9),
    )
    assert (played.home_team, played.away_team) == ("Arsenal", "West Ham United")
    assert (played.home_goals, played.away_goals) == (0, 2)
    assert (fixture.path, fixture.home_goals, fixture.away_goals) == ("rounds[1].matches[1]", None, None)


@pytest.mark.parametrize(
    ("days", "read_as"),
    [
        (["16/08/2015", "11/08/2015"], [date(2015, 8, 16), date(2015, 8, 11)]),
        (["8/16/2015", "8/11/2015"], [date(2015, 8, 16), date(2015, 8, 11)]),
        (["Sun Aug 16 2015", "2015-08-11 00:00:00"], [date(2015, 8, 16), date(2015, 8, 11)]),
    ],
)
def test_dates_are_read_in_the_forms_and_the_order_of_csv(days: list[str], read_as: list[date]) -> None:
    reading = read(*(MATCH | {"date": day} for day in days))
    assert [row.kickoff_date for row in reading.rows] == read_as


def test_dates_in_two_orders_are_refused_as_a_whole() -> None:
    with pytest.raises(UnreadableFile, match=r"in matches\[0\] is day first, '8/14/2015' in matches\[1\]"):
        read(MATCH | {"date": "13/08/2015"}, MATCH | {"date": "8/14/2015"})


def test_a_time_in_another_zone_does_not_say_the_day_at_the_ground() -> None:
    (refusal,) = read(MATCH | {"date": "2015-08-08T02:30:00Z"}).rejections
    assert "a time in another zone" in refusal.reason


def test_numbers_of_pandas_are_goals() -> None:
    rows = read(MATCH | {"score1": 2.0, "score2": "1.0"}, MATCH | {"score": {"ft": [float("nan")] * 2}}).rows
    assert [(row.home_goals, row.away_goals) for row in rows] == [(2, 1), (None, None)]


@pytest.mark.parametrize("clock", ["soon", "25:00", "", None, 20])
def test_a_time_that_cannot_be_read_is_left_out(clock: Any) -> None:
    assert [row.kickoff_time for row in read(MATCH | {"time": clock}).rows] == [None]


def test_the_newer_shape_lists_matches_with_times_and_full_time_scores() -> None:
    score = {"ht": [1, 0], "ft": [2, 2], "et": [3, 2]}
    (row,) = read(
        MATCH | {"round": "Round 1", "stage": "Playoffs", "time": "20:30 UTC+2", "score": score}
    ).rows
    assert (row.home_goals, row.away_goals) == (2, 2)
    assert (row.path, row.round, row.kickoff_time) == ("matches[0]", "Playoffs, Round 1", time(20, 30))


@pytest.mark.parametrize(
    "score", [None, {}, [], {"ft": None}, {"ht": [1, 0]}, {"ft": [None, None]}, [None, None]]
)
def test_a_match_without_a_score_is_a_fixture(score: Any) -> None:
    for row in read(MATCH, MATCH | {"score": score}).rows:
        assert (row.home_goals, row.away_goals) == (None, None)


@pytest.mark.parametrize("score", [[2, 1], {"ft": [2, 1]}, {"ft": ["2", "1"]}, {"ft": [2.0, 1]}])
def test_a_score_may_be_a_bare_pair_or_text(score: Any) -> None:
    (row,) = read(MATCH | {"score": score}).rows
    assert (row.home_goals, row.away_goals) == (2, 1)


@pytest.mark.parametrize("status", ["awarded", "cancelled", "abandoned", "Awarded"])
def test_a_result_that_was_not_played_out_is_void(status: str) -> None:
    reading = read(MATCH | {"status": status, "score": {"ft": [3, 0]}}, MATCH)
    assert reading.rejections == []
    assert [(row.path, row.void) for row in reading.rows] == [
        ("matches[0]", f"The match was {status.lower()}: it has no result of play."),
        ("matches[1]", None),
    ]


def test_a_postponed_match_is_a_fixture() -> None:
    (row,) = read(MATCH | {"status": "postponed", "score": {}}).rows
    assert (row.kickoff_date, row.home_goals) == (date(2015, 8, 8), None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"date": "2015-02-30"}, "does not exist"),
        ({"date": None}, "no date"),
        ({"date": 20150808}, "no date"),
        ({"team1": None}, "no name for 'team1'"),
        ({"team2": {"key": "x"}}, "no name for 'team2'"),
        ({"team2": "  "}, "no name for 'team2'"),
        ({"score": {"ft": [1]}}, "not a pair"),
        ({"score": "2-1"}, "not a pair"),
        ({"score": {"ft": [1, None]}}, "not a whole number"),
        ({"score": {"ft": [True, 0]}}, "not a whole number"),
        ({"score1": 1, "score2": None}, "not a whole number"),
        ({"score": {"et": [2, 1]}}, "after 90 minutes"),
        ({"status": "postponed", "score": {"ft": [1, 0]}}, "postponed and yet has a score"),
        ({"status": "moved to Mars"}, "not known"),
    ],
)
def test_a_match_that_cannot_be_read_is_refused_with_its_path(change: dict[str, Any], reason: str) -> None:
    reading = read(MATCH, MATCH | change)
    assert [row.path for row in reading.rows] == ["matches[0]"]
    (refusal,) = reading.rejections
    assert refusal.path == "matches[1]"
    assert reason in refusal.reason


def test_entries_that_are_no_matches_are_refused_one_by_one() -> None:
    document = {"rounds": ["soon", {"name": "1"}, {"matches": [None, MATCH]}], "matches": {"a": 1}}
    reading = read_openfootball(json.dumps(document).encode())
    assert [row.path for row in reading.rows] == ["rounds[2].matches[1]"]
    assert [refusal.path for refusal in reading.rejections] == [
        "matches[0]",
        "rounds[0]",
        "rounds[1]",
        "rounds[2].matches[0]",
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"name": "League", "matches": [', "broken JSON"),
        (b"[" * 100_000, "broken JSON"),
        (
            b'[{"date": "2015-08-08"}]',
            "not an object.* Land other results as CSV, like 'Date,Team 1,FT,HT,Team 2'",
        ),
        (
            b'{"get": "fixtures", "response": []}',
            "the only one of JSON that is read. Land other results as CSV",
        ),
        (b'{"name": "League"}', "neither 'matches' nor 'rounds'"),
        (b'{"name": "League", "clubs": []}', "lists clubs"),
    ],
)
def test_a_document_of_another_kind_says_so(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read_openfootball(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MATCH, "ft", "name"]), inner)
    ),
    max_leaves=8,
)


@given(
    st.lists(
        st.dictionaries(st.sampled_from([*MATCH, "score", "score1", "status", "time"]), json_values),
        max_size=3,
    )
)
def test_no_document_makes_the_reader_crash_or_lose_an_entry(changes: list[dict[str, Any]]) -> None:
    reading = read(*[MATCH | change for change in changes])
    assert len(reading.rows) + len(reading.rejections) == len(changes)


@pytest.mark.parametrize(
    "match", [MATCH | {"team1": "Ars\ud800enal"}, MATCH | {"note": "x" * 10_000 + "\udfff"}, "\ud800"]
)
def test_a_record_with_half_of_a_surrogate_pair_is_rejected_and_the_others_are_read(match: Any) -> None:
    found = read(match, MATCH)
    assert [row.path for row in found.rows] == ["matches[1]"]
    (refusal,) = found.rejections
    assert refusal.path == "matches[0]"
    assert refusal.reason.startswith("A text of the record has half of a surrogate pair")
    refusal.record.encode()


def test_half_of_a_surrogate_pair_in_the_name_of_a_round_is_replaced() -> None:
    document = {"rounds": [{"name": "Matchday \ud800 1", "matches": [MATCH]}]}
    (row,) = read_openfootball(json.dumps(document).encode()).rows
    assert row.round == "Matchday ? 1"


def test_half_time_is_read_where_it_is_a_pair_of_goals() -> None:
    halves: list[Any] = [[1, 0], None, [], ["2", 1], [1], ["x", 0], [None, 0], 3]
    reading = read(*(MATCH | {"score": {"ft": [2, 2], "ht": half}} for half in halves), MATCH)
    (measures,) = reading.measures
    assert len(reading.rows) == 9
    assert measures.drop_nulls().rows() == [(0, 1, 0), (3, 2, 1)]


def test_half_time_belongs_to_the_rows_that_are_read() -> None:
    bad = MATCH | {"date": "someday"}
    reading = read(bad, MATCH | {"score": {"ft": [2, 2], "ht": [0, 2]}})
    assert reading.measures[0].rows() == [(0, 0, 2)]
