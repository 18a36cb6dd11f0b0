"""Parse the files of the Kaggle competition "Football Match Probability Prediction" (Octosport, 2022).

`train.csv` and `test.csv` have one row per match, with the last ten matches of both teams.
`train_target_and_scores.csv` has the scores. Not all versions have all columns: coaches are not read, a history may be
shorter, and ratings are optional (without them fewer history entries can be paired). All times are UTC. `rebuilding.py`
rebuilds matches from these files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from football_assets.raw.formats.csv_lines import check_columns, column_names, split_line
from football_assets.raw.formats.records import RECORD_CHARACTERS, UnreadableFile, decode

HISTORY_LENGTH = 10
SIDES = ("home", "away")
MATCH_COLUMNS = ("id", "home_team_name", "away_team_name", "match_date", "league_id")
OPTIONAL_MATCH_COLUMNS = ("target", "league_name")
HISTORY_COLUMNS = ("match_date", "is_play_home", "goal", "opponent_goal", "league_id")
RATING_COLUMNS = ("rating", "opponent_rating")
SCORE_COLUMNS = ("id", "score")

_MISSING = ["", "nan", "na", "null", "none", "nat"]
_TRUE, _FALSE = ["1", "1.0", "true"], ["0", "0.0", "false"]
_SCORE = r"^\s*(\d{1,2})\s*[-:]\s*(\d{1,2})\s*$"


@dataclass(frozen=True)
class WideFile:
    """The content of a wide file.

    Attributes
    ----------
    matches
        One row per line: `line`, `record`, `id`, `home_team`, `away_team`, `kickoff` (UTC), `league` (a number),
        `league_name` and `outcome` (home, draw, away). Missing and unreadable values are null.
    histories
        One row per past match of a team: the last `line` that lists it, `side` and `place` (1: the most recent) in that
        line, `team`, `kickoff`, `league`, `is_home`, `goals_for`, `goals_against`, `rating` and `opponent_rating`
        (before the match). The opponent has no name.
    short
        Lines with more or fewer fields than columns: `line` and `record`.
    """

    matches: pl.DataFrame
    histories: pl.DataFrame
    short: pl.DataFrame


def read_wide(data: bytes) -> WideFile:
    """Read `train.csv` or `test.csv`.

    Raises
    ------
    UnreadableFile
        The file is empty, no text, or lacks a column without which there is no match.
    """
    names = column_names(data)
    check_columns(names, MATCH_COLUMNS, ",".join(MATCH_COLUMNS))
    listed = [
        (side, place)
        for side in SIDES
        for place in range(1, HISTORY_LENGTH + 1)
        if all(_name(side, column, place) in names for column in HISTORY_COLUMNS)
    ]
    wanted = [name for name in (*MATCH_COLUMNS, *OPTIONAL_MATCH_COLUMNS) if name in names]
    for side, place in listed:
        wanted += [
            name
            for column in (*HISTORY_COLUMNS, *RATING_COLUMNS)
            if (name := _name(side, column, place)) in names
        ]
    table, short = _table(data, names, wanted)
    table = table.with_columns(_cleaned([name for name in wanted if "_history_" not in name]))
    matches = table.select(
        "line",
        "record",
        "id",
        pl.col("home_team_name").alias("home_team"),
        pl.col("away_team_name").alias("away_team"),
        _time("match_date").alias("kickoff"),
        _whole("league_id").alias("league"),
        _column(names, "league_name").alias("league_name"),
        _column(names, "target").str.to_lowercase().alias("outcome"),
    )
    texts = [_history_texts(table, names, side, place) for side, place in listed]
    return WideFile(matches, _histories(texts) if texts else _NO_HISTORIES.clone(), short)


def read_scores(data: bytes) -> pl.DataFrame:
    """Read `train_target_and_scores.csv`.

    Returns
    -------
    pl.DataFrame
        One row per line: `line`, `id`, `score` (its text), `home_goals` and `away_goals`; null for a score `other`.

    Raises
    ------
    UnreadableFile
        The file is empty, no text, or lacks `id` or `score`.
    """
    names = column_names(data)
    check_columns(names, SCORE_COLUMNS, ",".join(SCORE_COLUMNS))
    table, _ = _table(data, names, list(SCORE_COLUMNS))
    return table.with_columns(_cleaned(SCORE_COLUMNS)).select(
        "line",
        "id",
        "score",
        *(
            pl.col("score").str.extract(_SCORE, group).cast(pl.Int64).alias(f"{side}_goals")
            for group, side in enumerate(SIDES, start=1)
        ),
    )


def _name(side: str, column: str, place: int) -> str:
    return f"{side}_team_history_{column}_{place}"


def _table(data: bytes, names: list[str], wanted: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read columns as text with `line` and `record`, and the lines whose number of fields is not that of the header."""
    lines = _lines(data)
    header = next(number for number, line in enumerate(lines) if line.strip(b", \t"))
    plain: list[int] = []
    short: list[int] = []
    quoted: dict[int, list[str]] = {}
    for number in range(header + 1, len(lines)):
        line = lines[number]
        if not line.strip(b", \t"):
            continue
        if b'"' in line:  # a line at a time, so that a stray quote affects no other line
            fields = split_line(line.decode("utf-8"))
            if len(fields) == len(names):
                quoted[number] = fields
            else:
                short.append(number)
        elif line.count(b",") + 1 == len(names):
            plain.append(number)
        else:
            short.append(number)
    places = [names.index(name) for name in wanted]
    frames = [
        _plain_table([lines[number] for number in plain], len(names), places, wanted).with_columns(
            line=pl.Series(plain, dtype=pl.Int64) + 1
        ),
        pl.DataFrame(
            [[fields[place] for place in places] for fields in quoted.values()],
            schema=dict.fromkeys(wanted, pl.String),
            orient="row",
        ).with_columns(line=pl.Series(list(quoted), dtype=pl.Int64) + 1),
    ]
    numbers = plain + list(quoted)
    table = pl.concat(frames).with_columns(_records(lines, numbers)).sort("line")
    broken = pl.DataFrame({"line": pl.Series(short, dtype=pl.Int64) + 1}).with_columns(_records(lines, short))
    return table, broken


def _lines(data: bytes) -> list[bytes]:
    """Split a file of any encoding into lines of UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        data = decode(data).encode()
    return data.removeprefix(b"\xef\xbb\xbf").splitlines()


def _records(lines: list[bytes], numbers: list[int]) -> pl.Series:
    texts = [
        lines[number][:RECORD_CHARACTERS].decode("utf-8", errors="ignore").replace("\0", " ")
        for number in numbers
    ]
    return pl.Series("record", texts, dtype=pl.String)


def _plain_table(lines: list[bytes], width: int, places: list[int], names: list[str]) -> pl.DataFrame:
    if not lines:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    columns = [f"column_{place + 1}" for place in range(width)]
    try:
        table = pl.read_csv(
            b"\n".join(lines),
            has_header=False,
            columns=sorted(places),
            schema=dict.fromkeys(columns, pl.String),
            quote_char=None,
        )
    except pl.exceptions.PolarsError as error:
        raise UnreadableFile(f"The CSV cannot be parsed ({error}): download it again.") from error
    return table.select(pl.col(columns[place]).alias(name) for place, name in zip(places, names, strict=True))


_HISTORY_TEXTS = ("team", *HISTORY_COLUMNS, *RATING_COLUMNS)
_LISTING = 64  # line, side and place are packed in one integer: line * 64 + (32 if away) + place
_AWAY = 32


def _history_texts(table: pl.DataFrame, names: list[str], side: str, place: int) -> pl.DataFrame:
    """Select one history entry of each line as text, with its packed `listing` (line, side, place)."""
    return table.select(
        pl.col(f"{side}_team_name").alias("team"),
        *(
            _column(names, _name(side, column, place)).alias(column)
            for column in (*HISTORY_COLUMNS, *RATING_COLUMNS)
        ),
        (pl.col("line") * _LISTING + (_AWAY if side == "away" else 0) + place).alias("listing"),
    )


def _histories(texts: list[pl.DataFrame]) -> pl.DataFrame:
    """Parse each distinct past match of a team once, although up to ten lines list it."""
    once = pl.concat(texts).group_by(_HISTORY_TEXTS).agg(pl.col("listing").max())
    flag = pl.col("is_play_home").str.to_lowercase()
    return (
        once.with_columns(_cleaned(_HISTORY_TEXTS))
        .filter(pl.any_horizontal(pl.col(HISTORY_COLUMNS).is_not_null()))
        .sort("listing")
        .select(
            (pl.col("listing") // _LISTING).alias("line"),
            pl.when(pl.col("listing") % _LISTING >= _AWAY)
            .then(pl.lit("away"))
            .otherwise(pl.lit("home"))
            .alias("side"),
            (pl.col("listing") % _AWAY).cast(pl.Int32).alias("place"),
            "team",
            _time("match_date").alias("kickoff"),
            _whole("league_id").alias("league"),
            pl.when(flag.is_in(_TRUE)).then(True).when(flag.is_in(_FALSE)).then(False).alias("is_home"),
            _whole("goal").alias("goals_for"),
            _whole("opponent_goal").alias("goals_against"),
            *(pl.col(name).cast(pl.Float64, strict=False).alias(name) for name in RATING_COLUMNS),
        )
    )


_NO_HISTORIES = pl.DataFrame(
    schema={
        "line": pl.Int64,
        "side": pl.String,
        "place": pl.Int32,
        "team": pl.String,
        "kickoff": pl.Datetime("us"),
        "league": pl.Int64,
        "is_home": pl.Boolean,
        "goals_for": pl.Int64,
        "goals_against": pl.Int64,
        "rating": pl.Float64,
        "opponent_rating": pl.Float64,
    }
)


def _cleaned(names: Sequence[str]) -> list[pl.Expr]:
    """Strip text, and replace the words that programs write for missing values by null."""
    return [
        pl.when(~pl.col(name).str.strip_chars().str.to_lowercase().is_in(_MISSING))
        .then(pl.col(name).str.strip_chars())
        .alias(name)
        for name in names
    ]


def _column(names: list[str], name: str) -> pl.Expr:
    return pl.col(name) if name in names else pl.lit(None, pl.String)


def _time(name: str) -> pl.Expr:
    """Parse `2019-12-01 00:45:00`, with or without seconds, `T` and zone, or a date alone."""
    text = pl.col(name).str.slice(0, 19).str.replace("T", " ")
    formats = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
    times = [text.str.to_datetime(each, time_unit="us", strict=False) for each in formats]
    return pl.coalesce(*times, text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")))


def _whole(name: str) -> pl.Expr:
    """Parse an integer, also one that pandas wrote as `2.0`."""
    number = pl.col(name).cast(pl.Float64, strict=False)
    is_whole = number.is_finite() & (number == number.floor()) & (number.abs() < 1e9)
    return pl.when(is_whole).then(number).cast(pl.Int64)
