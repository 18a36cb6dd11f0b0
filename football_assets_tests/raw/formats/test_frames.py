"""Many files parsed into one frame of rows and one of rejections."""

from datetime import date

import polars as pl

from football_assets.domain.measures import CLOSING_ODDS, MEASURE_COLUMNS
from football_assets.raw.formats.frames import (
    REJECTION_SCHEMA,
    ROW_SCHEMA,
    FileContent,
    of_rows,
    read_files,
    with_origins,
)

SCHEMA = pl.DataFrame(schema=ROW_SCHEMA | {"object_order": pl.Int32}).schema
PLAIN = b"Date,Team 1,FT,HT,Team 2\nSat Aug 16 2014,Leeds,2-1,?,Hull\n"
QUOTED = b'Date,Team 1,FT,HT,Team 2\nSat Aug 16 2014,"Derby",0-3,?,Stoke\nsomeday,Hull,1-0,?,Leeds\n'
JSON = b'{"matches": [{"date": "2014-08-17", "team1": "Bury", "team2": "York"}]}'


def test_rows_and_rejections_have_the_number_of_their_file() -> None:
    rows, rejections, _ = read_files(
        [
            FileContent(QUOTED, "csv", None),
            FileContent(PLAIN, "csv", "eng.2"),
            FileContent(b"", "csv", None),
            FileContent(JSON, "json", None),
        ]
    )
    assert rows.schema == SCHEMA
    columns = ["object_order", "line", "path", "home_team", "away_team", "home_goals", "away_goals"]
    assert sorted(rows.select(columns).rows()) == [
        (0, 2, None, "Derby", "Stoke", 0, 3),
        (1, 2, None, "Leeds", "Hull", 2, 1),
        (3, None, "matches[0]", "Bury", "York", None, None),
    ]
    assert rows["kickoff_date"].unique().sort().to_list() == [date(2014, 8, 16), date(2014, 8, 17)]
    assert rejections.select("object_order", "line", "record").rows() == [
        (0, 3, "someday,Hull,1-0,?,Leeds"),
        (2, None, ""),
    ]
    assert set(rejections.columns) - {"object_order"} <= set(REJECTION_SCHEMA)


def test_no_files_are_no_rows_of_the_same_schema() -> None:
    rows, rejections, measures = read_files([])
    assert (rows.height, rejections.height, measures.height) == (0, 0, 0)
    assert measures.columns == ["object_order", "place", *MEASURE_COLUMNS]
    assert rows.schema == SCHEMA


def test_the_league_of_a_file_decides_which_of_its_divisions_are_rows() -> None:
    data = b"Div,Date,HomeTeam,AwayTeam,FTHG,FTAG\nE0,16/08/14,a,b,2,1\nSP1,16/08/14,c,d,2,1\n"
    rows, rejections, _ = read_files([FileContent(data, "csv", "es.1")])
    assert rows["home_team"].to_list() == ["c"]
    assert rejections["line"].to_list() == [2]


def test_measures_have_the_number_of_their_row_in_all_files() -> None:
    football_data = (
        b"Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,HTHG,HTAG,HS,AS,AvgCH,AvgCD,AvgCA\n"
        b"E0,16/08/14,a,b,x,1,1,0,9,8,2,3,4\n"
        b"E0,16/08/14,c,d,2,1,1,0,10,3,1.5,4,7\n"
        b"E0,17/08/14,e,f,2,2,,,,,,,\n"
    )
    half_time = b"Date,Team 1,FT,HT,Team 2\nSat Aug 16 2014,g,2-1,?,h\nSat Aug 16 2014,i,2-1,0-1,j\n"
    json = b'{"matches": [{"date": "2014-08-17", "team1": "k", "team2": "l", "score": {"ft": [3, 1], "ht": [2, 1]}}]}'
    quoted = half_time.replace(b"0-1,j", b'1-1,"j"')
    contents = [(football_data, "csv"), (half_time, "csv"), (json, "json"), (quoted, "csv")]
    files = read_files([FileContent(data, extension, None) for data, extension in contents])
    origins = pl.DataFrame({"object_order": range(4)}, schema={"object_order": pl.Int32})
    rows = with_origins(files.rows, origins)
    names = ["home_half_time_goals", "away_half_time_goals", "home_shots", "away_shots", *CLOSING_ODDS]
    found = rows.join(of_rows(files.measures, rows), on="row").select("home_team", *names)
    assert found.rows() == [
        ("c", 1, 0, 10, 3, 1.5, 4, 7),
        ("i", 0, 1, None, None, None, None, None),
        ("k", 2, 1, None, None, None, None, None),
        ("i", 1, 1, None, None, None, None, None),
    ]


def test_records_are_numbered_in_order_of_their_files_and_keep_that_of_their_lines() -> None:
    records = pl.DataFrame(
        {"object_order": [1, 0, 1, 0], "line": [2, 5, 3, 4]}, schema_overrides={"object_order": pl.Int32}
    )
    origins = pl.DataFrame(
        {"object_order": [0, 1, 2], "season": ["2014-15", "2015-16", "2016-17"]},
        schema_overrides={"object_order": pl.Int32},
    )
    assert with_origins(records, origins).select("row", "object_order", "line", "season").rows() == [
        (0, 0, 5, "2014-15"),
        (1, 0, 4, "2014-15"),
        (2, 1, 2, "2015-16"),
        (3, 1, 3, "2015-16"),
    ]
