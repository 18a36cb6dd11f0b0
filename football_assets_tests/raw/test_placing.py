"""Which objects files become, before anything is written."""

from pathlib import Path

from football_assets.raw.placing import SkippedFile, plan_landing
from football_assets_tests.builders.landings import csv_of, json_of
from football_assets_tests.builders.wide_files import Played, rows_of, scores_csv, wide_csv

RESULTS = csv_of("Sat Aug 16 2014,Leeds,2-1,?,Hull")
FIRST = Played("Alpha", "Beta", "2020-01-04 15:00:00", "2-1")


def write(path: Path, content: str = RESULTS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_the_files_of_the_competition_become_files_of_the_source_kaggle(tmp_path: Path) -> None:
    rows = rows_of([FIRST], [FIRST])
    train = write(tmp_path / "Downloads" / "train.csv", wide_csv(rows))
    lone = write(tmp_path / "other" / "scores.csv", scores_csv(rows, {"1": "2-1"}))
    (plan,), skipped = plan_landing([tmp_path / "Downloads", tmp_path / "other"])
    assert (plan.path, plan.source, plan.season, plan.league_id) == (train, "kaggle", "2019-20", "eng.1")
    assert (plan.extension, plan.problem, plan.lines) == ("csv", None, None)
    assert b"Alpha" in plan.data
    reason = "The scores say nothing without train.csv: put both into one folder and land that."
    assert skipped == [SkippedFile(lone, reason, is_wrong=False)]


def test_the_season_is_that_of_the_nearest_folder_below_the_one_that_was_given(tmp_path: Path) -> None:
    root = tmp_path / "2010-11" / "results"
    deep = write(root / "2014-15" / "deep" / "er" / "eng.1.csv")
    without = write(root / "deep" / "eng.2.csv")
    (plan,), skipped = plan_landing([root])
    assert (plan.path, plan.source, plan.season, plan.league_id) == (deep, "results", "2014-15", "eng.1")
    assert plan.candidate == (RESULTS.encode(), "csv", "2014-15", "eng.1")
    reason = "Its season is not known: put it into a folder named after the season, like 2015-16/ or 2015/."
    assert skipped == [SkippedFile(without, reason)]


def test_a_json_without_a_season_folder_has_the_season_of_its_name(tmp_path: Path) -> None:
    file = write(tmp_path / "My Files" / "en.1.json", json_of(name="English Premier League 2015/16"))
    (plan,), skipped = plan_landing([file])
    assert (plan.source, plan.season, plan.league_id, plan.extension) == (
        "my-files",
        "2015-16",
        "eng.1",
        "json",
    )
    assert skipped == []
