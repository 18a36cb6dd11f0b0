"""Which files are of the competition, and what a folder of them becomes."""

from pathlib import Path

import pytest

from football_assets.raw.kaggle.competition import is_of_competition, rebuild_folder
from football_assets_tests.builders.wide_files import Played, rows_of, scores_csv, wide_csv

FIRST = Played("Alpha", "Beta", "2020-01-04 15:00:00", "2-1")
SECOND = Played("Gamma", "Delta", "2020-02-08 15:00:00", "0-0")
ROWS = rows_of([FIRST, SECOND], [FIRST, SECOND])


def write(folder: Path, **files: str) -> list[Path]:
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return sorted(folder.iterdir())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (wide_csv(ROWS), True),
        ("id,score,target\n", True),
        ("Date,Team 1,FT,HT,Team 2\n", False),
        ("", False),
    ],
)
def test_a_file_of_the_competition_is_recognised_by_its_header(
    tmp_path: Path, text: str, expected: bool
) -> None:
    (file,) = write(tmp_path, any_name=text)
    assert is_of_competition(file) is expected


def test_a_file_that_is_missing_is_not_of_the_competition(tmp_path: Path) -> None:
    assert not is_of_competition(tmp_path / "missing.csv")


def test_a_folder_becomes_files_of_results_of_its_first_wide_file(tmp_path: Path) -> None:
    files = write(tmp_path, train=wide_csv(ROWS), scores=scores_csv(ROWS, {"1": "2-1", "2": "0-0"}))
    rebuilt = rebuild_folder(files)
    ((path, made),) = rebuilt.rebuilt
    assert rebuilt.skipped == ()
    assert path == tmp_path / "train.csv"
    assert (made.season, made.league_id, made.matches, made.rejected) == ("2019-20", "eng.1", 2, 0)
    assert b"2020-01-04,15:00,Alpha,2-1,Beta," in made.data


def test_of_a_line_in_train_and_test_the_one_with_an_outcome_is_kept(tmp_path: Path) -> None:
    without = [row | {"target": ""} for row in ROWS]
    files = write(tmp_path, a_test=wide_csv(without), train=wide_csv(ROWS))
    rebuilt = rebuild_folder(files)
    assert {path.name for path, _ in rebuilt.rebuilt} == {"train.csv"}
    (made,) = [made for _, made in rebuilt.rebuilt]
    assert b"The id 1 is listed before: train.csv line 2." in made.data


def test_files_that_cannot_be_used_are_skipped_with_a_reason(tmp_path: Path) -> None:
    files = write(
        tmp_path,
        broken="id,home_team_history_goal_1\n1,2\n",
        scores=scores_csv(ROWS, {"1": "2-1", "2": "0-0"}),
        undated=wide_csv([row | {"match_date": ""} for row in ROWS]),
    )
    rebuilt = rebuild_folder([*files, tmp_path / "vanished.csv"])
    assert rebuilt.rebuilt == ()
    reasons = {path.name: reason for path, reason in rebuilt.skipped}
    assert reasons.keys() == {"broken.csv", "scores.csv", "undated.csv", "vanished.csv"}
    assert "lacks the column(s) home_team_name" in reasons["broken.csv"]
    assert reasons["scores.csv"].startswith("The scores have no teams and dates without train.csv")
    assert reasons["undated.csv"] == "No line has a match_date like '2019-12-01 00:45:00'."
    assert reasons["vanished.csv"] == "The file cannot be opened: No such file or directory."


def test_scores_of_no_line_are_counted(tmp_path: Path) -> None:
    files = write(tmp_path, train=wide_csv(ROWS[:1]), scores=scores_csv(ROWS, {"1": "2-1", "2": "0-0"}))
    assert rebuild_folder(files).skipped == (
        (tmp_path / "scores.csv", "1 of its scores have an id that is in no other file."),
    )
