"""Read and write the files of the 2023 Soccer Prediction Challenge [1].

Training files have the columns `Sea,Lge,Date,HT,AT,HS,AS` (season, league, day, home and away team, goals), test files
`ID,Lge,Sea,Date,HT,AT` and perhaps goals, submissions the columns of the test and `prd_HS,prd_AS,prd_W,prd_D,prd_L`.

References
----------
[1] https://sites.google.com/view/2023soccerpredictionchallenge
"""

import csv
import gzip
import io
import itertools
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from football_assets.domain.leagues import CHALLENGE_LEAGUES
from football_assets.errors import FootballError, NotEnoughData, reason_of
from football_assets.raw.formats.dates import DateOrder, parse_date
from football_assets.raw.formats.numbers import is_missing
from football_assets.raw.formats.records import UnusableRecord, decode

_GOALS_COLUMNS = ("HS", "AS")
TRAINING_COLUMNS = ("Sea", "Lge", "Date", "HT", "AT", *_GOALS_COLUMNS)
TEST_COLUMNS = ("ID", "Lge", "Sea", "Date", "HT", "AT")
PREDICTION_COLUMNS = ("prd_HS", "prd_AS", "prd_W", "prd_D", "prd_L")
NO_RESULT = -1
MATCH_SCHEMA: dict[str, pl.DataType] = {
    "line": pl.Int64(),
    "league_id": pl.String(),
    "sea": pl.String(),
    "day": pl.Date(),
    "home": pl.String(),
    "away": pl.String(),
    "home_goals": pl.Int64(),
    "away_goals": pl.Int64(),
}
"""Columns of the matches of both files: names of teams are those of the file without blanks at the ends."""
_MOST_GOALS = 99
_GOALS = re.compile(r"(-?\d+)(?:\.0+)?")
_NUMBER = re.compile(r"(\d+)(?:\.0+)?")
_FIRST_OF_MARCH = re.compile(r"0?1[-/. ]*mar(?:ch)?|mar(?:ch)?[-/. ]*0?1", re.IGNORECASE)
_SPREADSHEET_EPOCH = date(1899, 12, 30)
_DELIMITERS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r"\W*sep=.\W*", re.IGNORECASE)  # for spreadsheets, as in `sep=;`
_OPENERS: dict[str, Callable[[bytes], bytes]] = {".xz": lzma.decompress, ".gz": gzip.decompress}


class ChallengeFileError(FootballError):
    """A file of the challenge is unusable."""


class _BadRow(Exception):
    """What is wrong with a row."""


@dataclass(frozen=True)
class ChallengeTest:
    """The matches to forecast, in the order of the file.

    `matches` has the columns of `MATCH_SCHEMA`, goals null where the file has no result. `given` has the columns
    `TEST_COLUMNS` as text, as the file writes them.
    """

    matches: pl.DataFrame
    given: pl.DataFrame

    @property
    def first_day(self) -> date:
        """Day of the first match."""
        first: date = self.matches["day"].min()  # type: ignore[assignment]
        return first


def read_training(path: Path) -> pl.DataFrame:
    """Read a training file, `.csv`, `.csv.gz` or `.csv.xz`, with the columns of `MATCH_SCHEMA`.

    Goals that are missing, empty or -1 are no result: `results_before` rejects such a match where it is needed.

    Raises
    ------
    ChallengeFileError
        The file cannot be read, lacks a column, or a row has no valid league, day or teams.
    """
    return _matches(path, TRAINING_COLUMNS, _match)[0]


def results_before(training: pl.DataFrame, test: ChallengeTest) -> pl.DataFrame:
    """Select the results of `read_training` that are before the first day of a test.

    Raises
    ------
    NotEnoughData
        No match is before that day.
    ChallengeFileError
        One of these matches has no goals, or a league of the test has none of them.
    """
    known = training.filter(pl.col("day") < test.first_day)
    if known.is_empty():
        raise NotEnoughData(
            f"No result of the training file is before {test.first_day}, the test's first day."
        )
    unplayed = known.filter(pl.col("home_goals").is_null())
    if len(unplayed):
        raise ChallengeFileError(
            f"The training file, line {unplayed['line'][0]}: it has no goals, and a training match needs both HS and "
            f"AS. There are {len(unplayed):,} such lines before {test.first_day}."
        )
    leagues = test.matches.select("line", "league_id").with_columns(test.given["Lge"])
    unknown = leagues.join(known, on="league_id", how="anti").unique("league_id").sort("line")
    if len(unknown):
        raise ChallengeFileError(
            f"The training file has no result before {test.first_day} in {', '.join(unknown['Lge'])} (the test, line "
            f"{unknown['line'][0]}): add results of these leagues, or remove their matches from the test."
        )
    return known


def read_test(path: Path) -> ChallengeTest:
    """Read the matches of a test file. Goals that are missing, empty or -1 are no result.

    Raises
    ------
    ChallengeFileError
        The file cannot be read, lacks a column, two rows have one ID, or a row has no valid ID, league, day or teams.
    """
    matches, rows = _matches(path, TEST_COLUMNS, _test_match)
    given = pl.DataFrame(
        {name: [row[name] for row in rows] for name in TEST_COLUMNS},
        schema=dict.fromkeys(TEST_COLUMNS, pl.String()),
    )
    twice = matches.with_columns(given["ID"]).filter(pl.col("ID").is_duplicated())
    if len(twice):
        first, second = twice["line"][:2]
        raise ChallengeFileError(
            f"{path}: the lines {first} and {second} have the ID {twice['ID'][0]}. Give every match its own."
        )
    return ChallengeTest(matches, given)


def submission_text(given: pl.DataFrame, predictions: pl.DataFrame) -> str:
    """Format a submission: the columns of the test as they were given, then those of `PREDICTION_COLUMNS`.

    Parameters
    ----------
    given
        `ChallengeTest.given`.
    predictions
        `PREDICTION_COLUMNS` in the same order of rows; probabilities and goals that are no whole numbers are written
        with six decimals.
    """
    rows = given.hstack(predictions.select(PREDICTION_COLUMNS))
    return rows.write_csv(float_precision=6)


def parse_challenge_league(text: str) -> str | None:
    """Return the identifier of a league that the challenge's files name, None if there is no such league.

    Spreadsheets read `MAR1`, Morocco, as 1 March and store the number of that day in some year, or write `01-Mar`.

    >>> parse_challenge_league("ENG1"), parse_challenge_league("44986"), parse_challenge_league("ENG9")
    ('eng.1', 'ma.1', None)
    """
    code = text.strip().upper()
    if code in CHALLENGE_LEAGUES:
        return CHALLENGE_LEAGUES[code]
    return CHALLENGE_LEAGUES["MAR1"] if _is_first_of_march(code) else None


def _is_first_of_march(text: str) -> bool:
    number = _NUMBER.fullmatch(text)
    if number is not None and len(number[1]) <= 6:
        day = _SPREADSHEET_EPOCH + timedelta(days=int(number[1]))
        return (day.month, day.day) == (3, 1)
    if _FIRST_OF_MARCH.fullmatch(text):
        return True
    try:
        day = parse_date(text, DateOrder.DAY_FIRST).day
    except UnusableRecord:
        return False
    return (day.month, day.day) == (3, 1)


def _matches(
    path: Path, columns: tuple[str, ...], parse: Callable[[dict[str, str]], tuple]
) -> tuple[pl.DataFrame, list[dict[str, str]]]:
    """Read and validate all rows of a file; returns its matches and its rows as text by column."""
    matches, rows, bad = [], [], []
    for line, row in _rows(path, columns):
        try:
            matches.append((line, *parse(row)))
            rows.append(row)
        except _BadRow as error:
            bad.append(f"{path}, line {line}: {error}")
    if bad:
        more = f" There are {len(bad):,} such lines." if len(bad) > 1 else ""
        raise ChallengeFileError(f"{bad[0]} Correct or remove the line.{more}")
    if not matches:
        raise ChallengeFileError(f"{path} has no match below its header.")
    return pl.DataFrame(matches, schema=MATCH_SCHEMA, orient="row"), rows


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV that are not blank as text by column, with their line numbers."""
    stream = io.StringIO(_text(path), newline="")
    above, header = 0, stream.readline()
    while header and (not header.strip() or _SEPARATOR_LINE.fullmatch(header.strip())):
        above, header = above + 1, stream.readline()
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(itertools.chain([header], stream), delimiter=delimiter)
    names = [name.strip().casefold() for name in next(reader, [])]
    missing = [name for name in columns if name.casefold() not in names]
    if missing:
        raise ChallengeFileError(
            f"{path} has no column {', '.join(missing)}: its header must be {','.join(columns)}, in any order."
        )
    read = [name for name in (*columns, *_GOALS_COLUMNS) if name.casefold() in names]
    places = {name: names.index(name.casefold()) for name in read}
    try:
        for fields in reader:
            if any(field.strip() for field in fields[len(names) :]):
                raise ChallengeFileError(
                    f"{path}, line {above + reader.line_num} has more fields than the header: quote a name that "
                    f"contains {delimiter!r}."
                )
            if any(field.strip() for field in fields):
                padded = fields + [""] * (len(names) - len(fields))
                yield above + reader.line_num, {name: padded[place].strip() for name, place in places.items()}
    except csv.Error as error:
        raise ChallengeFileError(
            f"{path}, line {above + reader.line_num}: not valid CSV ({error})."
        ) from error


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ChallengeFileError(f"{path} cannot be read: {reason_of(error)}.") from error
    try:
        return decode(_OPENERS.get(path.suffix.lower(), bytes)(data))
    except (lzma.LZMAError, zlib.error, OSError, EOFError) as error:
        raise ChallengeFileError(f"{path} cannot be decompressed: {error}.") from error
    except FootballError as error:
        raise ChallengeFileError(f"{path}: {error}") from error


def _match(row: dict[str, str]) -> tuple:
    return *_fixture(row), *(_result(row) or (None, None))


def _test_match(row: dict[str, str]) -> tuple:
    if not row["ID"]:
        raise _BadRow("it has no ID.")
    return _match(row)


def _fixture(row: dict[str, str]) -> tuple[str, str, date, str, str]:
    league_id = parse_challenge_league(row["Lge"])
    if league_id is None:
        raise _BadRow(
            f"{row['Lge']!r} is not a league of the challenge. The leagues are {', '.join(CHALLENGE_LEAGUES)}."
        )
    try:
        day = parse_date(row["Date"], DateOrder.DAY_FIRST).day
    except UnusableRecord:
        raise _BadRow(f"{row['Date']!r} is not a day: write it like 14/04/2023 or 2023-04-14.") from None
    for name in ("HT", "AT"):
        if not row[name]:
            raise _BadRow(f"it names no team in {name}.")
    if row["HT"] == row["AT"]:
        raise _BadRow(f"{row['HT']} cannot play itself.")
    return league_id, row["Sea"], day, row["HT"], row["AT"]


def _result(row: dict[str, str]) -> tuple[int, int] | None:
    home, away = (_goals(row.get(name, "")) for name in _GOALS_COLUMNS)
    if (home is None) != (away is None):
        raise _BadRow("it has the goals of one team only.")
    return None if home is None or away is None else (home, away)


def _goals(text: str) -> int | None:
    """Parse goals; None if they are missing or -1."""
    if is_missing(text):
        return None
    number = _GOALS.fullmatch(text)
    goals = int(number[1]) if number else _MOST_GOALS + 1
    if goals == NO_RESULT:
        return None
    if not 0 <= goals <= _MOST_GOALS:
        raise _BadRow(f"{text!r} is not a number of goals.")
    return goals
