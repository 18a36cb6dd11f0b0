"""Validity of lines and history entries, and the score of a line."""

import polars as pl

from football_assets.raw.kaggle.lines_and_histories import (
    join_histories,
    join_lines,
    with_history_scores,
    with_line_rejections,
    with_own_line,
    with_scores,
)
from football_assets.raw.kaggle.wide_format import WideFile, read_scores, read_wide
from football_assets_tests.builders.wide_files import Played, rows_of, wide_csv

FIRST = Played("Alpha", "Beta", "2020-01-04 15:00:00", "2-1")
SECOND = Played("Alpha", "Gamma", "2020-01-11 15:00:00", "0-3")
ROWS = rows_of([FIRST, SECOND], [FIRST, SECOND])


def wide(rows: list[dict[str, str]]) -> WideFile:
    return read_wide(wide_csv(rows).encode())


def reasons(frame: pl.DataFrame) -> list[str | None]:
    return frame["reason"].to_list()


def test_lines_are_counted_over_all_files_and_a_repeated_id_is_no_match() -> None:
    lines = join_lines({"train.csv": wide(ROWS), "test.csv": wide(ROWS[1:])})
    assert lines.select("order", "file", "line", "id").rows() == [
        (0, "train.csv", 2, "1"),
        (1, "train.csv", 3, "2"),
        (2, "test.csv", 2, "2"),
    ]
    assert reasons(lines) == [None, None, "The id 2 is listed before: train.csv line 3."]


def test_a_line_that_lacks_date_league_or_team_says_which() -> None:
    spoilt = [
        {"match_date": "soon"},
        {"league_id": "8.5"},
        {"away_team_name": "nan"},
        {"away_team_name": "Alpha"},
    ]
    lines = join_lines(
        {"train.csv": wide([ROWS[0] | {"id": str(i)} | cell for i, cell in enumerate(spoilt)])}
    )
    assert reasons(lines) == [
        "The match_date is missing or not like '2019-12-01 00:45:00'.",
        "The league_id is missing or not a whole number.",
        "A team is not named.",
        "Alpha cannot play itself.",
    ]


def test_a_line_has_the_goals_of_its_id_and_two_scores_of_one_id_are_rejected() -> None:
    lines = join_lines({"train.csv": wide(ROWS)})
    scored = with_scores(lines, {"s.csv": read_scores(b"id,score\n2,0-3\n1,2-1\n1,1-2\n")})
    assert scored.select("id", "home_goals", "away_goals").rows() == [("1", 2, 1), ("2", 0, 3)]
    assert reasons(scored) == ["The match has several scores: 2-1, 1-2.", None]
    unscored = with_scores(lines, {})
    assert unscored["home_goals"].to_list() == [None, None]


def test_an_entry_that_several_lines_list_is_kept_once_from_the_latest_match() -> None:
    third = Played("Alpha", "Delta", "2020-01-18 15:00:00", "1-1")
    files = {"train.csv": wide(rows_of([FIRST, SECOND, third], [SECOND, third]))}
    entries = join_histories(files, join_lines(files))
    alphas = entries.filter(pl.col("team") == "Alpha").sort("kickoff")
    assert alphas.select("line", "place", "goals_for", "goals_against").rows() == [(3, 2, 2, 1), (3, 1, 0, 3)]
    assert reasons(entries) == [None] * entries.height


def test_a_later_line_corrects_the_score_that_an_earlier_one_lists() -> None:
    third = Played("Alpha", "Delta", "2020-01-18 15:00:00", "1-1")
    earlier, later = rows_of([FIRST, SECOND, third], [SECOND, third])
    files = {"train.csv": wide([earlier, later | {"home_team_history_goal_2": "4.0"}])}
    entries = join_histories(files, join_lines(files)).filter(
        pl.col("team") == "Alpha", pl.col("kickoff").dt.day() == 4
    )
    assert entries.sort("line").select("line", "goals_for", "reason").rows() == [
        (2, 2, "A later line lists another match or result of the team at that time."),
        (3, 4, None),
    ]


def test_an_entry_at_or_after_the_line_that_lists_it_cannot_be() -> None:
    row = ROWS[1] | {"home_team_history_match_date_1": SECOND.kickoff}
    files = {"train.csv": wide([row])}
    (reason,) = reasons(join_histories(files, join_lines(files)))
    assert reason == "The match is not before the match whose history lists it."


def test_an_entry_knows_its_own_line_and_must_not_contradict_its_score() -> None:
    files = {"train.csv": wide(ROWS)}
    scores = {"s.csv": read_scores(b"id,score\n1,2-1\n2,0-3\n")}
    lines = with_scores(join_lines(files), scores)
    (entry,) = with_own_line(join_histories(files, lines), lines).iter_rows(named=True)
    assert (entry["team"], entry["own_line"], entry["reason"]) == ("Alpha", 0, None)
    other = with_scores(join_lines(files), {"s.csv": read_scores(b"id,score\n1,1-2\n")})
    (entry,) = with_own_line(join_histories(files, other), other).iter_rows(named=True)
    assert entry["reason"] == "The score 2-1 contradicts 1-2 of the match's own line."


def test_a_line_without_a_score_has_that_of_the_histories_that_list_it() -> None:
    files = {"train.csv": wide(ROWS)}
    lines = with_scores(join_lines(files), {})
    entries = with_own_line(join_histories(files, lines), lines)
    filled = with_history_scores(lines, entries)
    assert filled.select("home_goals", "away_goals").rows() == [(2, 1), (None, None)]
    judged = with_line_rejections(filled)
    assert reasons(judged)[0] is None
    assert str(reasons(judged)[1]).startswith("Only the outcome 'away' is known, not the score")


def test_a_score_that_contradicts_the_outcome_is_rejected() -> None:
    scores = {"s.csv": read_scores(b"id,score\n1,1-2\n2,other\n")}
    lines = with_scores(join_lines({"train.csv": wide([ROWS[0], ROWS[1] | {"target": ""}])}), scores)
    assert reasons(with_line_rejections(lines)) == [
        "The score 1-2 contradicts the outcome 'home'.",
        "The score 'other' is not like 2-1, and no history lists the match.",
    ]
