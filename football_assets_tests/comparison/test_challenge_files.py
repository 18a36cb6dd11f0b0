"""The files of the Soccer Prediction Challenge: what is read, what is rejected, what is written."""

import csv
import gzip
import io
import lzma
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from football_assets.comparison.challenge_files import (
    ChallengeFileError,
    parse_challenge_league,
    read_test,
    read_training,
    results_before,
    submission_text,
)

TRAINING = "Sea,Lge,Date,HT,AT,HS,AS,GD,WDL\n"
TEST = "ID,Lge,Sea,Date,HT,AT\n"


def written(folder: Path, text: str, name: str = "matches.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_training_row_is_a_result_of_a_league_and_a_day(tmp_path: Path) -> None:
    path = written(tmp_path, TRAINING + "00-01,GER1,2000-08-11, Dortmund ,Hansa Rostock,1,0,1,W\n")

    assert read_training(path).to_dicts() == [
        {
            "line": 2,
            "league_id": "de.1",
            "sea": "00-01",
            "day": date(2000, 8, 11),
            "home": "Dortmund",
            "away": "Hansa Rostock",
            "home_goals": 1,
            "away_goals": 0,
        }
    ]


def test_columns_may_stand_in_any_order_and_the_file_may_be_compressed(tmp_path: Path) -> None:
    text = "AS,HS,AT,HT,Date,Lge,Sea,Note\n3,2,Away,Home,11/08/2000,ENG2,00-01,x\n"
    plain = read_training(written(tmp_path, text))
    (tmp_path / "matches.csv.xz").write_bytes(lzma.compress(text.encode()))

    assert plain.row(0)[1:] == ("eng.2", "00-01", date(2000, 8, 11), "Home", "Away", 2, 3)
    assert read_training(tmp_path / "matches.csv.xz").equals(plain)
    assert read_training(written(tmp_path, "\ufeff" + text.replace(",", ";"), "other.csv")).equals(plain)


@pytest.mark.parametrize("day", ["14/04/2023", "2023-04-14", "14.04.2023", "14/4/23"])
def test_a_day_of_a_test_is_day_first_or_iso(tmp_path: Path, day: str) -> None:
    read = read_test(written(tmp_path, TEST + f"7,ENG1,22-23,{day},Home,Away\n"))

    assert read.first_day == date(2023, 4, 14)
    assert read.given.row(0) == ("7", "ENG1", "22-23", day, "Home", "Away")


def test_results_of_a_test_may_be_missing_empty_minus_one_or_there(tmp_path: Path) -> None:
    rows = [
        "1,ENG1,22-23,15/04/2023,A,B,-1,-1",
        "2,ENG1,22-23,14/04/2023,C,D,,",
        "3,ENG1,22-23,14/04/2023,E,F,2.0,0",
    ]
    read = read_test(written(tmp_path, "ID,Lge,Sea,Date,HT,AT,HS,AS\n" + "\n".join(rows)))

    assert read.matches.select("home_goals", "away_goals").rows() == [(None, None), (None, None), (2, 0)]
    assert read.given["ID"].to_list() == ["1", "2", "3"]
    assert read.first_day == date(2023, 4, 14)


@pytest.mark.parametrize(
    ("text", "league_id"),
    [
        ("ENG1", "eng.1"),
        (" sco4 ", "sco.4"),
        ("MAR1", "ma.1"),
        ("44986", "ma.1"),  # 1 March 2023
        ("44986.0", "ma.1"),
        ("43160", "ma.1"),  # 1 March 2018
        ("01-Mar", "ma.1"),
        ("1-mar", "ma.1"),
        ("Mar-01", "ma.1"),
        ("01/03/2023", "ma.1"),
        ("2023-03-01", "ma.1"),
        ("44987", None),  # 2 March 2023
        ("44958", None),  # 1 February 2023
        ("03/01/2023", None),
        ("ENG9", None),
        ("E0", None),
        ("", None),
    ],
)
def test_a_league_is_a_code_or_morocco_as_a_spreadsheet_writes_it(text: str, league_id: str | None) -> None:
    assert parse_challenge_league(text) == league_id


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,ENG9,22-23,14/04/2023,A,B", "line 2: 'ENG9' is not a league of the challenge"),
        ("1,ENG1,22-23,31/04/2023,A,B", "line 2: '31/04/2023' is not a day: write it like 14/04/2023"),
        ("1,ENG1,22-23,14/04/2023,,B", "line 2: it names no team in HT"),
        ("1,ENG1,22-23,14/04/2023,A, A ", "line 2: A cannot play itself"),
        (",ENG1,22-23,14/04/2023,A,B", "line 2: it has no ID"),
        ("1,ENG1,22-23,14/04/2023,A", "line 2: it names no team in AT"),
        ("1,ENG1,22-23,14/04/2023,A,B,C", "line 2 has more fields than the header: quote a name"),
        ("1,ENG1,22-23,14/04/2023,A,B\n1,ENG1,22-23,14/04/2023,C,D", "lines 2 and 3 have the ID 1"),
        ("", "has no match below its header"),
        ("1,ENG1,x,y,A,B\n\n2,ENG1,x,14/04/2023,A,B\n3,X,x,y,A,B", "line 2: .* There are 2 such lines"),
    ],
)
def test_a_bad_row_of_a_test_is_named_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    with pytest.raises(ChallengeFileError, match=reason):
        read_test(written(tmp_path, TEST + row))


@pytest.mark.parametrize(
    ("goals", "reason"),
    [
        ("1,", "goals of one team only"),
        ("-1,2", "goals of one team only"),
        ("one,2", "'one' is not a number of goals"),
        ("1.5,2", "'1.5' is not a number of goals"),
        ("-2,2", "'-2' is not a number of goals"),
        ("100,2", "'100' is not a number of goals"),
    ],
)
def test_goals_of_a_training_row_are_numbers_or_missing(tmp_path: Path, goals: str, reason: str) -> None:
    path = written(tmp_path, f"Sea,Lge,Date,HT,AT,HS,AS\n00-01,GER1,2000-08-11,A,B,{goals}\n")

    with pytest.raises(ChallengeFileError, match=reason):
        read_training(path)


def test_results_are_needed_before_the_test_and_in_its_leagues_only(tmp_path: Path) -> None:
    results = f"{TRAINING}22-23,ENG1,2023-04-01,A,B,1,0,1,W\n22-23,ENG1,2023-04-15,C,A,-1,-1,,\n"
    training = read_training(written(tmp_path, results))
    test = read_test(written(tmp_path, f"{TEST}1,ENG1,22-23,14/04/2023,B,A\n"))

    assert results_before(training, test)["line"].to_list() == [2]
    late = read_test(written(tmp_path, f"{TEST}1,ENG1,22-23,16/04/2023,B,A\n"))
    with pytest.raises(ChallengeFileError, match="line 3: it has no goals, and a training match needs both"):
        results_before(training, late)
    scottish = read_test(
        written(tmp_path, f"{TEST}1,ENG1,22-23,14/04/2023,B,A\n2,SCO1,22-23,15/04/2023,C,D\n")
    )
    with pytest.raises(ChallengeFileError, match=r"no result before 2023-04-14 in SCO1 \(the test, line 3\)"):
        results_before(training, scottish)


@pytest.mark.parametrize("missing", ["", "NA", "nan", "-1", "-1.0", "?"])
def test_a_result_of_a_test_may_be_missing_as_programs_write_it(tmp_path: Path, missing: str) -> None:
    text = f"ID,Lge,Sea,Date,HT,AT,HS,AS\n1,ENG1,22-23,14/04/2023,A,B,{missing},{missing}\n"

    assert read_test(written(tmp_path, text)).matches["home_goals"].to_list() == [None]


@pytest.mark.parametrize("above", ["sep=;\n", "\n", '"sep=;"\n\n'])
def test_lines_above_the_header_that_spreadsheets_write_are_passed_over(tmp_path: Path, above: str) -> None:
    text = f"{above}ID;Lge;Sea;Date;HT;AT\n1;ENG1;22-23;14/04/2023;A;B\n"

    (line,) = read_test(written(tmp_path, text)).matches["line"].to_list()

    assert line == above.count("\n") + 2


def test_a_corrupt_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "training.CSV.GZ"
    data = bytearray(gzip.compress(TRAINING.encode() * 50))
    data[20] ^= 0xFF
    path.write_bytes(data)

    with pytest.raises(ChallengeFileError, match="cannot be decompressed"):
        read_training(path)


def test_a_file_that_is_no_table_of_matches_is_rejected_with_the_header_that_it_needs(tmp_path: Path) -> None:
    with pytest.raises(
        ChallengeFileError, match="no column Sea, HS, AS: its header must be Sea,Lge,Date,HT,AT"
    ):
        read_training(written(tmp_path, "Lge,Date,HT,AT\nENG1,2000-01-01,A,B\n"))
    with pytest.raises(ChallengeFileError, match="no column ID"):
        read_test(written(tmp_path, TRAINING))
    with pytest.raises(ChallengeFileError, match="empty"):
        read_test(written(tmp_path, ""))
    with pytest.raises(ChallengeFileError, match=r"missing\.csv cannot be read"):
        read_test(tmp_path / "missing.csv")
    (tmp_path / "broken.csv.xz").write_bytes(b"not compressed")
    with pytest.raises(ChallengeFileError, match="cannot be decompressed"):
        read_test(tmp_path / "broken.csv.xz")


def test_a_submission_repeats_the_test_and_adds_goals_and_probabilities(tmp_path: Path) -> None:
    given = read_test(
        written(tmp_path, TEST + '12,44986,22-23,14/04/2023,"Raja, Casablanca",B\n3,ENG1,x,2023-04-14,C,D\n')
    ).given
    predictions = pl.DataFrame(
        {
            "prd_D": [0.25, 0.3],
            "prd_HS": [1.5, 0.75],
            "prd_AS": [1.0, 2.0],
            "prd_W": [0.5, 1 / 3],
            "prd_L": [0.25, 1.1 / 3],
        }
    )

    rows = list(csv.reader(io.StringIO(submission_text(given, predictions))))

    assert ",".join(rows[0]) == "ID,Lge,Sea,Date,HT,AT,prd_HS,prd_AS,prd_W,prd_D,prd_L"
    assert rows[1][:6] == ["12", "44986", "22-23", "14/04/2023", "Raja, Casablanca", "B"]
    assert rows[1][6:] == ["1.500000", "1.000000", "0.500000", "0.250000", "0.250000"]
    assert rows[2][:2] == ["3", "ENG1"]
    assert [float(value) for value in rows[2][6:]] == pytest.approx(
        [0.75, 2.0, 1 / 3, 0.3, 1.1 / 3], abs=1e-6
    )


def test_whole_goals_are_written_without_decimals(tmp_path: Path) -> None:
    given = read_test(written(tmp_path, TEST + "1,ENG1,22-23,14/04/2023,A,B\n")).given
    predictions = pl.DataFrame({"prd_HS": [2], "prd_AS": [0], "prd_W": [0.6], "prd_D": [0.3], "prd_L": [0.1]})

    assert submission_text(given, predictions).splitlines()[1].endswith(",A,B,2,0,0.600000,0.300000,0.100000")
