"""The readers of the Kaggle competition's files, as text: what is in a line, and what a broken one says."""

from datetime import datetime

import pytest

from football_assets.raw.formats.reader import detect_extension, read_results
from football_assets.raw.formats.records import UnreadableFile
from football_assets.raw.kaggle.wide_format import read_scores, read_wide
from football_assets_tests.builders.wide_files import COLUMNS, Played, rows_of, scores_csv, wide_csv

PLAYED = [
    Played("Alpha", "Beta", "2020-01-04 15:00:00", "2-1"),
    Played("Beta", "Gamma", "2020-01-11 15:00:00", "0-0"),
    Played("Gamma", "Alpha", "2020-01-18 12:30:00", "1-3"),
]
ROWS = rows_of(PLAYED, PLAYED)
TEXT = wide_csv(ROWS)


def test_a_line_is_a_match_and_up_to_twenty_matches_of_histories() -> None:
    read = read_wide(TEXT.encode())
    assert read.matches.row(2, named=True) | {"record": ""} == {
        "line": 4,
        "record": "",
        "id": "3",
        "home_team": "Gamma",
        "away_team": "Alpha",
        "kickoff": datetime(2020, 1, 18, 12, 30),
        "league": 8,
        "league_name": "Premier League",
        "outcome": "away",
    }
    (alpha,) = read.histories.filter(team="Alpha").iter_rows(named=True)
    assert (alpha["line"], alpha["side"], alpha["place"]) == (4, "away", 1)
    assert (alpha["kickoff"], alpha["league"], alpha["is_home"]) == (datetime(2020, 1, 4, 15), 8, True)
    assert (alpha["goals_for"], alpha["goals_against"]) == (2, 1)
    (beta,) = read.histories.filter(team="Beta").iter_rows(named=True)
    assert (beta["rating"], beta["opponent_rating"]) == (alpha["opponent_rating"], alpha["rating"])


def test_a_match_that_several_lines_list_is_read_once_from_the_last_of_them() -> None:
    later = Played("Alpha", "Gamma", "2020-01-25 15:00:00", "0-0")
    read = read_wide(wide_csv(rows_of([*PLAYED, later], [*PLAYED, later])).encode())
    first = read.histories.filter(team="Alpha", kickoff=datetime(2020, 1, 4, 15))
    assert first.select("line", "side", "place").rows() == [(5, "home", 2)]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.encode("utf-16"),
        ("\n" + TEXT.removesuffix("\n")).encode(),
    ],
)
def test_byte_order_marks_line_ends_and_encodings_change_nothing(data: bytes) -> None:
    expected, read = read_wide(TEXT.encode()), read_wide(data)
    assert read.matches.drop("line").equals(expected.matches.drop("line"))
    assert read.histories.drop("line").equals(expected.histories.drop("line"))


def test_latin_1_names_are_read() -> None:
    text = TEXT.replace("Alpha", "Köln")
    assert "Köln" in read_wide(text.encode("latin-1")).matches["home_team"].to_list()


def test_a_quoted_name_with_a_comma_is_one_field_and_a_stray_quote_spoils_only_its_line() -> None:
    rows = rows_of(
        [Played("Alpha, the first", "Beta", "2020-01-04 15:00:00", "2-1"), *PLAYED[1:]], PLAYED[1:]
    )
    rows[0]["home_team_name"] = "Alpha, the first"
    lines = wide_csv(rows).splitlines()
    lines.insert(1, lines[2].replace("Gamma", '"Gamma', 1))
    read = read_wide("\n".join(lines).encode())
    assert read.matches["home_team"].to_list() == ["Alpha, the first", "Gamma"]
    assert read.matches["line"].to_list() == [3, 4]
    assert read.short["line"].to_list() == [2]


def test_a_line_that_is_cut_off_is_set_apart_with_its_number() -> None:
    data = TEXT.encode()
    read = read_wide(data[:-100])
    assert read.matches["line"].to_list() == [2, 3]
    assert read.short["line"].to_list() == [4]
    assert read.short["record"][0].startswith("3,away,Gamma,Alpha")


def test_columns_come_and_go() -> None:
    without = [
        name
        for name in COLUMNS
        if "rating" not in name and "coach" not in name and not name.endswith(("_9", "_10"))
    ]
    kept = [name for name in without if name not in ("target", "league_name", "is_cup")]
    read = read_wide(wide_csv(ROWS, kept[::-1]).encode())
    assert read.matches["outcome"].to_list() == [None] * 3
    assert read.matches["league_name"].to_list() == [None] * 3
    assert read.histories["rating"].null_count() == read.histories.height == 3
    no_history = [name for name in COLUMNS if "_history_" not in name]
    read = read_wide(wide_csv(ROWS, [*no_history, "home_team_history_coach_1"]).encode())
    assert (read.matches.height, read.histories.height) == (3, 0)


@pytest.mark.parametrize("missing", ["", "NaN", "nan", "NULL", "None", "NaT", " "])
def test_words_for_nothing_are_nothing(missing: str) -> None:
    row = dict.fromkeys(COLUMNS, missing) | {"id": "7", "home_team_name": "Alpha"}
    (match,) = read_wide(wide_csv([row]).encode()).matches.iter_rows(named=True)
    assert {name: value for name, value in match.items() if name not in ("line", "record")} == {
        "id": "7",
        "home_team": "Alpha",
        "away_team": None,
        "kickoff": None,
        "league": None,
        "league_name": None,
        "outcome": None,
    }


@pytest.mark.parametrize(
    ("text", "kickoff"),
    [
        ("2020-01-04 15:00:00", datetime(2020, 1, 4, 15)),
        ("2020-01-04T15:00:00Z", datetime(2020, 1, 4, 15)),
        ("2020-01-04 15:00:00+00:00", datetime(2020, 1, 4, 15)),
        ("2020-01-04 15:00", datetime(2020, 1, 4, 15)),
        ("2020-01-04", datetime(2020, 1, 4)),
        ("04/01/2020", None),
        ("2020-13-04", None),
    ],
)
def test_times_are_read_in_the_forms_that_programs_write(text: str, kickoff: datetime | None) -> None:
    row = ROWS[0] | {"match_date": text}
    assert read_wide(wide_csv([row]).encode()).matches["kickoff"].to_list() == [kickoff]


def test_numbers_that_are_no_whole_numbers_are_not_rounded() -> None:
    rows = [ROWS[2] | {"home_team_history_goal_1": "1.5", "away_team_history_league_id_1": "eight"}]
    read = read_wide(wide_csv(rows).encode())
    assert sorted(read.histories.select("team", "goals_for", "league").rows()) == [
        ("Alpha", 2, None),
        ("Gamma", None, 8),
    ]


@pytest.mark.parametrize("column", ["id", "home_team_name", "away_team_name", "match_date", "league_id"])
def test_a_header_without_a_needed_column_says_which(column: str) -> None:
    columns = [name for name in COLUMNS if name != column]
    with pytest.raises(UnreadableFile, match=rf"lacks the column\(s\) {column}: its first line must be like"):
        read_wide(wide_csv(ROWS, columns).encode())


def test_scores_are_read_as_far_as_they_are_scores() -> None:
    text = "id,score,target,home_team_name\n1,2-1,home,Alpha\n2,0 : 0,draw,Beta\n3,other,away,Gamma\n4,,away,Delta\n"
    read = read_scores(text.encode())
    assert read.select("id", "home_goals", "away_goals").rows() == [
        ("1", 2, 1),
        ("2", 0, 0),
        ("3", None, None),
        ("4", None, None),
    ]
    assert read["score"].to_list() == ["2-1", "0 : 0", "other", None]


@pytest.mark.parametrize("text", [TEXT, scores_csv(ROWS, {"1": "2-1", "2": "0-0", "3": "1-3"})])
def test_a_file_of_the_competition_among_a_seasons_files_says_how_to_land_it(text: str) -> None:
    (refusal,) = read_results("csv", text.encode()).rejections
    assert refusal.line is None
    assert "spans seasons and leagues: land its folder with `football land`" in refusal.reason
    with pytest.raises(UnreadableFile):
        detect_extension(text.encode())
