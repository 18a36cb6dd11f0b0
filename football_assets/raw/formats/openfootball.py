"""Parse openfootball's football.json: the older shape with `rounds` of matches and the newer list of `matches`."""

import json
import math
from collections.abc import Iterator
from datetime import date, time
from typing import Any

from football_assets.errors import is_utf8
from football_assets.raw.formats.csv_table import HEADER_EXAMPLES, CsvFormat
from football_assets.raw.formats.dates import DateOrder, infer_date_order, parse_date
from football_assets.raw.formats.match_status import MatchStatus, parse_status
from football_assets.raw.formats.measure_columns import half_time_measures
from football_assets.raw.formats.numbers import is_missing, parse_goals
from football_assets.raw.formats.records import (
    RECORD_CHARACTERS,
    MatchRow,
    ParsedFile,
    Rejection,
    UnreadableFile,
    UnusableRecord,
    clean_name,
    decode,
)

_LARGEST_NUMBER = 10**9
_OTHER_JSON = (
    "it is not in openfootball's format, the only one of JSON that is read. Land other results as CSV, like "
    f"'{HEADER_EXAMPLES[CsvFormat.FOOTBALLCSV]}'."
)
_LONE_SURROGATE = (
    "A text of the record has half of a surrogate pair (\\ud800 to \\udfff), which is not a character."
)


def load_document(data: bytes) -> dict[str, Any]:
    """Parse the JSON object of a file.

    Raises
    ------
    UnreadableFile
        The file is empty, no text, no JSON, or not a JSON object.
    """
    text = decode(data)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"The file is broken JSON ({error}): download it again.") from error
    if not isinstance(document, dict):
        raise UnreadableFile(f"The JSON is not an object with 'matches' or 'rounds': {_OTHER_JSON}")
    return document


def check_document(data: bytes) -> dict[str, Any]:
    """Parse the JSON object of a file and check that it lists matches.

    Raises
    ------
    UnreadableFile
        The file is empty, no text, broken JSON, or holds neither `matches` nor `rounds`.
    """
    document = load_document(data)
    if "clubs" in document:
        raise UnreadableFile("The file lists clubs, not matches: it need not be landed.")
    if not {"matches", "rounds"} & document.keys():
        raise UnreadableFile(f"The JSON has neither 'matches' nor 'rounds': {_OTHER_JSON}")
    return document


def read_openfootball(data: bytes) -> ParsedFile:
    """Parse a JSON file of results.

    Goals are those after 90 minutes. A match that was not decided by play (`awarded`, `cancelled`, `abandoned`) is
    void; a `postponed` one is a fixture. An unreadable time is dropped, since no feature depends on it.

    Raises
    ------
    UnreadableFile
        The file is empty, no text, broken JSON, holds neither `matches` nor `rounds`, or its dates are in two orders.
    """
    document = check_document(data)
    order = infer_date_order(_dates(document))
    reading = ParsedFile()
    half_times: list[tuple[int | None, int | None]] = []
    for path, round_name, match in _matches(document):
        text = json.dumps(match, ensure_ascii=False, separators=(",", ":"))
        if not is_utf8(text):
            escaped = json.dumps(match, separators=(",", ":"))[:RECORD_CHARACTERS]
            reading.rejections.append(Rejection(None, path, escaped, _LONE_SURROGATE))
            continue
        record = text[:RECORD_CHARACTERS]
        try:
            reading.rows.append(_row(path, record, match, round_name, order))
            half_times.append(_half_time(match))
        except UnusableRecord as error:
            reading.rejections.append(Rejection(None, path, record, str(error)))
    reading.measures.append(half_time_measures(half_times))
    return reading


def _matches(document: dict[str, Any]) -> Iterator[tuple[str, str | None, Any]]:
    """Yield each match with its JSON path and the name of its round."""
    for number, match in enumerate(_items(document.get("matches"))):
        yield f"matches[{number}]", None, match
    for number, listed in enumerate(_items(document.get("rounds"))):
        if not isinstance(listed, dict) or not isinstance(listed.get("matches"), list):
            yield f"rounds[{number}]", None, listed
            continue
        for position, match in enumerate(listed["matches"]):
            yield f"rounds[{number}].matches[{position}]", _text(listed.get("name")), match


def _dates(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the date of each match with its JSON path."""
    for path, _, match in _matches(document):
        day = match.get("date") if isinstance(match, dict) else None
        if isinstance(day, str):
            yield path, day


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _row(path: str, record: str, match: Any, round_name: str | None, order: DateOrder) -> MatchRow:
    if not isinstance(match, dict):
        raise UnusableRecord(
            "The entry is not a match: it must be an object with 'date', 'team1' and 'team2'."
        )
    home, away = _team(match, "team1"), _team(match, "team2")
    goals = _goals(match)
    void = _void(_text(match.get("status")), goals is not None)
    stage, name = _text(match.get("stage")), _text(match.get("round")) or round_name
    return MatchRow(
        line=None,
        path=path,
        record=record,
        kickoff_date=_date(match.get("date"), order),
        kickoff_time=_time(match.get("time")),
        home_team=home,
        away_team=away,
        home_goals=goals[0] if goals else None,
        away_goals=goals[1] if goals else None,
        round=", ".join(part for part in (stage, name) if part) or None,
        void=void,
    )


def _void(status: str | None, has_score: bool) -> str | None:
    """Return the reason why a match was not decided by play, or None. Reject an unknown status.

    `after extra time` and `penalties` need no special case: `ft` is the score after 90 minutes.
    """
    if status is None:
        return None
    mark = parse_status(status)
    if mark is None:
        raise UnusableRecord(
            f"The status '{status}' is not known: it must be finished, scheduled, postponed or awarded."
        )
    if mark is MatchStatus.NO_RESULT:
        return f"The match was {status.lower()}: it has no result of play."
    if mark is MatchStatus.TO_PLAY and has_score and status.lower() != "scheduled":
        raise UnusableRecord("The match is marked postponed and yet has a score: remove one of the two.")
    return None


def _team(match: dict[str, Any], key: str) -> str:
    team = match.get(key)
    name = _text(team.get("name") if isinstance(team, dict) else team)
    if name is None:
        raise UnusableRecord(f"The match has no name for '{key}'.")
    return name


def _goals(match: dict[str, Any]) -> tuple[int, int] | None:
    """Return the goals of both teams after 90 minutes, or None if there is no score yet."""
    score = match.get("score")
    if isinstance(score, dict):
        goals = score.get("ft")
        if not goals and (score.get("et") or score.get("p")):
            raise UnusableRecord("The score lacks the result after 90 minutes ('ft').")
    elif score is None:
        goals = [match.get("score1"), match.get("score2")]
        goals = goals if goals != [None, None] else None
    else:
        goals = score
    if not goals or (isinstance(goals, list) and all(map(_is_missing, goals))):
        return None
    if not isinstance(goals, list) or len(goals) != 2:
        raise UnusableRecord(f"The score {goals!r} is not a pair of goals like [2, 1].")
    return _number(goals[0]), _number(goals[1])


def _half_time(match: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return the goals of both teams at half-time, None for both if they are unknown or unreadable."""
    score = match.get("score")
    goals = score.get("ht") if isinstance(score, dict) else None
    if not isinstance(goals, list) or len(goals) != 2 or any(map(_is_missing, goals)):
        return None, None
    try:
        return _number(goals[0]), _number(goals[1])
    except UnusableRecord:
        return None, None


def _is_missing(value: Any) -> bool:
    """Return whether a value is null, NaN or a word for a missing value."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (isinstance(value, str) and is_missing(value))


def _number(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and not is_missing(value):
        value = parse_goals(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnusableRecord(f"The number of goals {value!r} is not a whole number.")
    return max(-_LARGEST_NUMBER, min(value, _LARGEST_NUMBER))


def _date(value: Any, order: DateOrder) -> date:
    if not isinstance(value, str):
        raise UnusableRecord("The match has no date.")
    moment = parse_date(value, order)
    if moment.zone is not None:
        raise UnusableRecord(
            f"The date '{value[:RECORD_CHARACTERS]}' is a time in another zone, so that the day at the ground is not "
            "known: write that day, like '2015-08-08'."
        )
    return moment.day


def _time(value: Any) -> time | None:
    try:
        return time.fromisoformat(value.strip()[:5]) if isinstance(value, str) else None
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    return clean_name(value.encode(errors="replace").decode()) if isinstance(value, str) else None
